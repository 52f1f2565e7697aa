"""What officials do to a dossier: tell why it is late, put its date off with an apology, bind people, look at names."""

from datetime import date, datetime, timedelta
from typing import Any

from bot.actions import dossier_dates
from bot.actions.case_trail import audit
from bot.actions.dossiers import News, take_in
from bot.domain.access import Grants, Permission
from bot.domain.dossier import OPEN, PAUSING, Status
from bot.domain.privacy import normalise_phone
from bot.domain.text import clean
from bot.domain.words import case_code
from bot.errors import ConflictError, InvalidInputError, NotFoundError
from bot.secrets import SecretBox
from bot.store import accounts, cases, contacts, dossier_lists, dossier_writing, dossiers, units
from bot.store.contacts import ContactRow
from bot.store.dossiers import DossierNoteRow, DossierPersonRow, DossierRow
from bot.store.unit_of_work import UnitOfWork

LEAST_CAUSE, MOST_CAUSE = 5, 500
_FURTHEST_DAYS = 366


def may_be_put_off(row: DossierRow) -> bool:
    """Say whether a dossier's date can be moved by the office: work on it goes on, and waits for nobody else."""
    return Status(row.status) in OPEN - PAUSING - {Status.REGISTERED}


async def say_cause(uow: UnitOfWork, row: DossierRow, cause: str) -> None:
    """Note why a dossier is late; raises InvalidInputError for cause: too_short | too_long."""
    row.late_cause = _cause(cause)
    row.updated_at = uow.now
    _note(uow, row, "cause", {"cause": row.late_cause})


async def apologise(uow: UnitOfWork, box: SecretBox, row: DossierRow, cause: str, day: date | None) -> DossierNoteRow:
    """Put a dossier's date off to the end of a working day, and note the apology that its letter tells of.

    The citizen's notice of it follows from the event that this makes. Raises InvalidInputError for cause (as say_cause)
    and new_due: not_a_date, not_later, no_working_day; ConflictError for a dossier that cannot be put off now.
    """
    await dossier_writing.one_writer(uow.session)
    fresh = await dossiers.dossier(uow.session, row.id)  # an import may have ended it while this waited
    if fresh is None or not may_be_put_off(fresh):
        raise ConflictError("dossier is not being worked on")
    row, cause = fresh, _cause(cause)
    due_at = await _new_date(uow, row, day)
    old = row.due_at or row.law_due_at
    facts = {"due_at": due_at, "reason": cause, "old_due_at": old}
    news = News(row.code, Status(row.status), _moment_after(uow, row), row.unit_id, row.path, facts)
    await take_in(uow, box, [news], f"staff:{uow.actor.id}")
    changed = await dossiers.dossier(uow.session, row.id)
    assert changed is not None
    changed.late_cause = cause
    data = {"cause": cause, "old_due_at": old.isoformat() if old else None, "new_due_at": due_at.isoformat()}
    return _note(uow, changed, "apology", data)


def _moment_after(uow: UnitOfWork, row: DossierRow) -> datetime:
    """Return now, or just after what is known already: clocks of other systems run ahead, and ours comes last."""
    return uow.now if uow.now > row.status_at else row.status_at + timedelta(milliseconds=1)


async def _new_date(uow: UnitOfWork, row: DossierRow, day: date | None) -> datetime:
    if day is None:
        raise InvalidInputError("new_due", "not_a_date")
    line = (await dossier_dates.lines(uow.session)).of(row.path)
    number, today = day.toordinal(), line.day(uow.now)
    if number < today or number > today + _FURTHEST_DAYS:
        raise InvalidInputError("new_due", "not_later")
    if not line.works(number):
        raise InvalidInputError("new_due", "no_working_day")
    due_at = line.closes(number)
    old = row.due_at or row.law_due_at
    if due_at <= uow.now or (old is not None and due_at <= old):
        raise InvalidInputError("new_due", "not_later")
    return due_at


def _cause(text: str) -> str:
    cause = clean(text)
    if len(cause) < LEAST_CAUSE:
        raise InvalidInputError("cause", "too_short", least=LEAST_CAUSE)
    if len(cause) > MOST_CAUSE:
        raise InvalidInputError("cause", "too_long", most=MOST_CAUSE)
    return cause


async def reveal(uow: UnitOfWork, row: DossierRow) -> None:
    """Record that somebody looked at the name and the phone of a dossier."""
    _note(uow, row, "revealed", {})


def letter_taken(uow: UnitOfWork, row: DossierRow, note: DossierNoteRow) -> None:
    """Record that a letter, which names the person, was taken away."""
    audit(uow, "dossier.letter", f"dossier:{row.id}", {"note": note.id})


async def bind(uow: UnitOfWork, box: SecretBox, grants: Grants, row: DossierRow, who: str) -> int:
    """Bind people to a dossier, found by their phone or by the code of a case of theirs; returns how many are new.

    Only cases that whoever holds the grants may see are found, and only people of accounts of units at, above or below
    the dossier's. Raises InvalidInputError for who: not_a_phone_or_case, nobody_known (the same for all others).
    """
    found = await _people(uow, box, grants, row, who)
    known = {person.contact_id for person in await dossiers.people(uow.session, row.id)}
    fresh = [contact for contact in found if contact.id not in known]
    for contact in fresh:
        person = DossierPersonRow(dossier_id=row.id, contact_id=contact.id, how="staff", at=uow.now)
        uow.session.add(person)
        _note(uow, row, "bound", {"how": "staff", "contact": contact.id, "bound": True})
    return len(fresh)


async def _people(uow: UnitOfWork, box: SecretBox, grants: Grants, row: DossierRow, who: str) -> list[ContactRow]:
    here, code = await _accounts(uow, row), case_code(who)
    if code:
        case = await cases.by_code(uow.session, code)
        # A report about conduct never binds its sender: the dossier would show them to whoever reads it.
        seen = case is not None and not case.restricted and grants.over(Permission.CASE_READ, case.path)
        contact = await contacts.contact(uow.session, case.contact_id) if case and seen else None
        found = [contact] if contact else []
    else:
        phone = normalise_phone(who)
        if phone is None:
            raise InvalidInputError("who", "not_a_phone_or_case")
        found = await dossier_lists.people_with_phone(uow.session, box.fingerprint(phone), here)
    kept = [one for one in found if one.account_id in here and one.erased_at is None and one.kind == "person"]
    if not kept:
        raise InvalidInputError("who", "nobody_known")
    return kept


async def _accounts(uow: UnitOfWork, row: DossierRow) -> frozenset[str]:
    """Return the accounts of units at, above and below a dossier's unit."""
    paths = {unit.id: unit.path for unit in await units.all_units(uow.session)}
    near = {unit_id for unit_id, path in paths.items() if path.startswith(row.path) or row.path.startswith(path)}
    return frozenset(account.id for account in await accounts.all_accounts(uow.session) if account.unit_id in near)


async def unbind(uow: UnitOfWork, row: DossierRow, contact_id: str) -> None:
    """End that a contact sees a dossier in full; raises NotFoundError for one that it is not bound to.

    Whose phone stands in the dossier is not bound by anybody: that cannot be ended here.
    """
    person = await uow.session.get(DossierPersonRow, (row.id, contact_id))
    if person is None or person.how == "phone":
        raise NotFoundError("dossier person")
    await uow.session.delete(person)
    _note(uow, row, "bound", {"how": "staff", "contact": contact_id, "bound": False})


def _note(uow: UnitOfWork, row: DossierRow, kind: str, data: dict[str, Any]) -> DossierNoteRow:
    note = DossierNoteRow(
        id=uow.new_id(),
        dossier_id=row.id,
        kind=kind,
        at=uow.now,
        actor_kind=uow.actor.kind,
        actor_id=uow.actor.id,
        actor_name=uow.actor.name,
        data=data,
    )
    uow.session.add(note)
    audit(uow, f"dossier.{kind}", f"dossier:{row.id}", {key: data[key] for key in ("bound",) if key in data})
    uow.announce(f"dossier:{row.id}")
    return note
