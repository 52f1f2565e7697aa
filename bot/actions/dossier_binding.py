"""Say whose a dossier is: by the phone that a person has handed over, or by digits sent to the dossier's own phone."""

import hmac
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from bot.actions.case_trail import audit
from bot.actions.dossier_code_template import filled, template_for
from bot.actions.phone_messages import to_phone
from bot.domain.linking import new_code
from bot.domain.message import Lane
from bot.domain.privacy import mask_phone
from bot.secrets import SecretBox
from bot.store import audit as audit_rows
from bot.store import contacts, dossier_guesses, dossier_lookup, dossiers
from bot.store.accounts import AccountRow
from bot.store.contacts import ContactRow
from bot.store.dossiers import DossierNoteRow, DossierRow
from bot.store.unit_of_work import UnitOfWork

PURPOSE = "dossier_code"
CODE_HOLDS = timedelta(minutes=10)
CODE_TRIES = 3
CODES_A_DAY = 3
"""So many messages with digits go to one phone of a dossier in a day, and at the wish of one contact."""
_DAY = timedelta(hours=24)
_MOST_AT_ONCE = 200
"""Whoever hands in for a whole village is bound to their newest; the phone makes the others theirs all the same."""


class Refused(Enum):
    """Why no digits are sent."""

    NO_PHONE = "no_phone"
    NO_TEMPLATE = "no_template"
    TOO_OFTEN = "too_often"


@dataclass(frozen=True, slots=True)
class Pending:
    """Digits that are on their way to a dossier's phone; `code` is their keyed fingerprint, `phone` for the screen."""

    dossier_id: str
    code: str
    until: str
    phone: str
    tries: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return what the conversation keeps of it."""
        return asdict(self)

    def holds(self, now: datetime) -> bool:
        """Say whether the digits are still good."""
        return self.tries < CODE_TRIES and datetime.fromisoformat(self.until) > now


async def by_phone(uow: UnitOfWork, contact: ContactRow) -> int:
    """Bind a contact to the dossiers that were handed in with the phone it has shared; returns how many it has now.

    What an earlier phone had bound it to is not its own any more.
    """
    if contact.phone_hash is None or contact.anonymous:
        return 0
    left = await dossier_lookup.unbind_other_phones(uow.session, contact.id, contact.phone_hash)
    _trail(uow, contact, left, "phone", bound=False)
    found, total = await dossier_lookup.unbound_with_phone(uow.session, contact.phone_hash, [contact.id], _MOST_AT_ONCE)
    await dossier_lookup.bind(uow.session, found, contact.id, "phone", uow.now)
    _trail(uow, contact, found, "phone", bound=True)
    return total


def _trail(uow: UnitOfWork, contact: ContactRow, dossier_ids: Iterable[str], how: str, *, bound: bool) -> None:
    for dossier_id in dossier_ids:
        data = {"how": how, "contact": contact.id, "bound": bound}
        audit(uow, "dossier.bound", f"dossier:{dossier_id}", data)
        uow.session.add(
            DossierNoteRow(
                id=uow.new_id(),
                dossier_id=dossier_id,
                kind="bound",
                at=uow.now,
                actor_kind=uow.actor.kind,
                actor_id=uow.actor.id,
                data=data,
            )
        )
        uow.announce(f"dossier:{dossier_id}")


async def forget(uow: UnitOfWork, contact: ContactRow) -> None:
    """End everything that binds a contact to dossiers, as it wishes to be forgotten."""
    _trail(uow, contact, await dossier_lookup.unbind(uow.session, contact.id), "", bound=False)
    await dossier_guesses.forget(uow.session, contact.id)


async def send_code(
    uow: UnitOfWork, box: SecretBox, contact: ContactRow, account: AccountRow, row: DossierRow
) -> Pending | Refused:
    """Send digits to the phone that stands in a dossier, and return what is to be remembered of them."""
    if row.phone is None:
        return Refused.NO_PHONE
    found = await template_for(uow.session, account, row)
    if found is None:
        return Refused.NO_TEMPLATE
    if await _too_often(uow, f"dossier:{row.id}") or await _too_often(uow, f"contact:{contact.id}"):
        return Refused.TOO_OFTEN
    sender, template = found
    phone, digits = box.open(row.phone), new_code()
    await to_phone(
        uow, box, sender, phone, template.template_id, filled(template, digits, row.code) or {},
        purpose=PURPOSE, unit_id=row.unit_id, lane=Lane.ANSWER, lifetime=CODE_HOLDS,
    )  # fmt: skip
    for subject in (f"dossier:{row.id}", f"contact:{contact.id}"):
        audit(uow, "dossier.send_code", subject)
    until = (uow.now + CODE_HOLDS).isoformat()
    return Pending(row.id, _fingerprint(box, contact, row.id, digits), until, mask_phone(phone))


def _fingerprint(box: SecretBox, contact: ContactRow, dossier_id: str, digits: str) -> str:
    return box.fingerprint(f"{contact.id}:{dossier_id}:{digits}")


async def _too_often(uow: UnitOfWork, subject: str) -> bool:
    sent = await audit_rows.latest(uow.session, CODES_A_DAY, "dossier.send_code", subject)
    return len(sent) == CODES_A_DAY and sent[-1].at > uow.now - _DAY


async def can_send_code(uow: UnitOfWork, account: AccountRow, row: DossierRow) -> bool:
    """Say whether digits could be sent to a dossier's phone."""
    return row.phone is not None and await template_for(uow.session, account, row) is not None


async def redeem(uow: UnitOfWork, box: SecretBox, contact: ContactRow, pending: Pending, digits: str) -> bool:
    """Bind a contact to the dossier whose phone got these digits; False for other digits."""
    if not hmac.compare_digest(pending.code, _fingerprint(box, contact, pending.dossier_id, digits)):
        return False
    people = {row.contact_id: row for row in await dossiers.people(uow.session, pending.dossier_id)}
    if contact.id in people:
        people[contact.id].how = "code"
    else:
        await dossier_lookup.bind(uow.session, [pending.dossier_id], contact.id, "code", uow.now)
        _trail(uow, contact, [pending.dossier_id], "code", bound=True)
    return True


async def known_phone(uow: UnitOfWork, contact: ContactRow) -> bool:
    """Say whether this person has handed over a phone in any of their chats."""
    return any(row.phone_hash for row in await contacts.same_person(uow.session, contact))
