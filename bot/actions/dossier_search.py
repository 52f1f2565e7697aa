"""Look dossiers up for somebody who names one in a chat, and let nobody find one by guessing."""

from dataclasses import dataclass, field
from datetime import datetime

from bot.actions.case_trail import audit
from bot.domain.dossier_asked import End
from bot.domain.dossier_guesses import blocked_until, missed
from bot.store import contacts, dossier_guesses, dossier_lookup, units
from bot.store.accounts import AccountRow
from bot.store.contacts import ContactRow
from bot.store.dossiers import DossierRow
from bot.store.unit_of_work import UnitOfWork

MOST = 4
"""So many dossiers that one answer fits are shown to choose from."""


@dataclass(slots=True)
class Looked:
    """What was found: dossiers, newest first, and which of them are the person's own.

    `more` says that there are more than are shown; `until` that nothing was looked up, and when it will be again.
    """

    rows: list[DossierRow] = field(default_factory=list)
    own: bool = False
    more: bool = False
    until: datetime | None = None


async def look_up(
    uow: UnitOfWork, account: AccountRow, contact: ContactRow, codes: list[str], end: End | None
) -> Looked:
    """Find dossiers by what may be their code (letters and digits alone, the longest first), else by a code's end.

    Only those of the account's unit and the units below. What is the person's own is always found, and goes before
    what others have of the same end. A code that no dossier has, and a number without its date that is not of a
    dossier of theirs, count as guesses; after too many of them nothing else is looked up for a while.
    """
    unit = await units.unit(uow.session, account.unit_id)
    assert unit is not None
    rows = await _rows(uow, unit.path, codes, end)
    own = [row for row in rows if await dossier_lookup.is_of(uow.session, contact, row)]
    if own:
        return Looked(own[:MOST], own=True, more=len(own) > MOST)
    until = await _waits(uow, contact, guess=not rows or (not codes and end is not None and not end.day))
    if until is not None:
        return Looked(until=until)
    return Looked(rows[:MOST], more=len(rows) > MOST)


async def _rows(uow: UnitOfWork, path: str, codes: list[str], end: End | None) -> list[DossierRow]:
    found = await dossier_lookup.by_squeezed(uow.session, codes, path) if codes else []
    if found:
        longest = max(len(row.squeezed) for row in found)  # what is longer explains more of what was typed
        return [row for row in found if len(row.squeezed) == longest]
    if end is None:
        return []
    return await dossier_lookup.by_tail(uow.session, end.number, path, MOST + 1, end.day)


async def _waits(uow: UnitOfWork, contact: ContactRow, *, guess: bool) -> datetime | None:
    """Count a guess, and return until when this person has to wait; the guess that leads to it is answered yet."""
    people = [row.id for row in await contacts.same_person(uow.session, contact)]
    known = await dossier_guesses.of_contacts(uow.session, people)
    until = blocked_until(known.values(), uow.now)
    if until is not None or not guess:
        return until
    others = [guesses for contact_id, guesses in known.items() if contact_id != contact.id]
    now = missed(known.get(contact.id), others, uow.now)
    await dossier_guesses.keep(uow.session, contact.id, now)
    if now.blocked_until is not None and now.blocked_until > uow.now:
        audit(uow, "dossier.guessing", f"contact:{contact.id}", {"misses": now.misses})
        uow.announce("health")
    return None
