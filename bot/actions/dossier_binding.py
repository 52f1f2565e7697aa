"""Say whose a dossier is: by the phone that a person has handed over, or by digits sent to the dossier's own phone."""

import hmac
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from bot.actions.case_trail import audit
from bot.actions.phone_messages import to_phone, usable
from bot.domain.linking import new_code
from bot.domain.message import Lane
from bot.domain.privacy import mask_phone
from bot.domain.template import Parameter
from bot.secrets import SecretBox
from bot.store import accounts, contacts, dossier_guesses, dossier_lookup, dossiers, provider_templates, units
from bot.store import audit as audit_rows
from bot.store.accounts import AccountRow
from bot.store.contacts import ContactRow
from bot.store.dossiers import DossierNoteRow, DossierRow
from bot.store.provider_templates import ProviderTemplateRow
from bot.store.unit_of_work import UnitOfWork

SETTING = "dossier_code_template"
"""The unit's setting that names the template by which digits are sent; without it the account's one for digits."""
PURPOSE = "dossier_code"
CODE_HOLDS = timedelta(minutes=10)
CODE_TRIES = 3
CODES_A_DAY = 3
"""So many messages with digits go to one phone of a dossier in a day, and at the wish of one contact."""
_DAY = timedelta(hours=24)
_MOST_AT_ONCE = 200
"""Whoever hands in for a whole village is bound to their newest; the phone makes the others theirs all the same."""
_DIGITS = frozenset({"otp", "code", "ma", "maxacnhan", "maxacthuc", "maotp", "verifycode"})
_DOSSIER_CODE = frozenset({"mahoso", "sohoso", "hoso", "dossiercode", "dossier", "profilecode"})


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
        audit(uow, "dossier.bind" if bound else "dossier.unbind", f"dossier:{dossier_id}", data)
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
    _trail(uow, contact, await dossier_lookup.unbind(uow.session, contact.id), "erased", bound=False)
    await dossier_guesses.forget(uow.session, contact.id)


async def send_code(
    uow: UnitOfWork, box: SecretBox, contact: ContactRow, account: AccountRow, row: DossierRow
) -> Pending | Refused:
    """Send digits to the phone that stands in a dossier, and return what is to be remembered of them."""
    if row.phone is None:
        return Refused.NO_PHONE
    found = await _template(uow, account, row)
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
    return row.phone is not None and await _template(uow, account, row) is not None


async def _template(
    uow: UnitOfWork, account: AccountRow, row: DossierRow
) -> tuple[AccountRow, ProviderTemplateRow] | None:
    """Return by which account and template digits go to a dossier's phone.

    The chat's own account goes before others that serve the dossier's unit; the template is the one that the unit has
    chosen, else the account's one for digits.
    """
    unit = await units.unit(uow.session, row.unit_id)
    line = await units.above(uow.session, unit) if unit else []
    chosen = next((str(one.settings[SETTING]) for one in line if SETTING in one.settings), None)
    serving = {one.id for one in line}
    active = [one for one in await accounts.all_accounts(uow.session) if one.state == "active"]
    senders = sorted((one for one in active if one.unit_id in serving), key=lambda one: one.id != account.id)
    known = await provider_templates.of_accounts(uow.session, [one.id for one in senders])
    for sender in senders:
        for template in known:
            fits = template.account_id == sender.id and usable(template) and not template.development
            wanted = _for_digits(template) if chosen is None else template.template_id == chosen
            if fits and wanted and filled(template, "000000", row.code) is not None:
                return sender, template
    return None


def _for_digits(template: ProviderTemplateRow) -> bool:
    return any(parameter.type == "OTP" for parameter in map(Parameter.from_json, template.parameters))


def filled(template: ProviderTemplateRow, digits: str, code: str) -> dict[str, str] | None:
    """Return what fills a template that carries digits, None for one that they have no place in or that wants more."""
    parameters = [Parameter.from_json(one) for one in template.parameters]
    by_type = [one.name for one in parameters if one.type == "OTP"]
    by_name = [one.name for one in parameters if _plain(one.name) in _DIGITS]
    place = (by_type or by_name or ([parameters[0].name] if len(parameters) == 1 else [""]))[0]
    values = {place: digits}
    values |= {one.name: code for one in parameters if _plain(one.name) in _DOSSIER_CODE and one.name != place}
    if not place or any(one.required and one.name not in values for one in parameters):
        return None
    return values


def _plain(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", name).casefold() if c.isascii() and c.isalnum())


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
