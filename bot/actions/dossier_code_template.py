"""Choose the template by which digits reach a dossier's phone: the unit's choice, else the account's one for digits."""

import unicodedata
from collections.abc import Sequence

from bot.actions.case_trail import audit
from bot.actions.phone_messages import usable
from bot.actions.units import unit_of
from bot.domain.template import Parameter
from bot.errors import InvalidInputError
from bot.store import accounts, provider_templates, units
from bot.store.accounts import AccountRow
from bot.store.database import Session
from bot.store.dossiers import DossierRow
from bot.store.provider_templates import ProviderTemplateRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow

SETTING = "dossier_code_template"
"""The unit's setting that names the template; "" sends no digits, and without it the one made for digits is used."""
_EXAMPLE = "000.00.01.H26-260930-0012"
_DIGITS = frozenset({"otp", "code", "ma", "maxacnhan", "maxacthuc", "maotp", "verifycode"})
_DOSSIER_CODE = frozenset({"mahoso", "sohoso", "hoso", "dossiercode", "dossier", "profilecode"})


async def template_for(
    session: Session, account: AccountRow, row: DossierRow
) -> tuple[AccountRow, ProviderTemplateRow] | None:
    """Return by which account and template digits go to a dossier's phone.

    The chat's own account goes before others that serve the dossier's unit; the template is the one that the unit has
    chosen, else the account's one for digits.
    """
    unit = await units.unit(session, row.unit_id)
    line = await units.above(session, unit) if unit else []
    chosen = next((str(one.settings[SETTING]) for one in line if SETTING in one.settings), None)
    serving = {one.id for one in line}
    active = [one for one in await accounts.all_accounts(session) if one.state == "active"]
    senders = sorted((one for one in active if one.unit_id in serving), key=lambda one: one.id != account.id)
    known = await provider_templates.of_accounts(session, [one.id for one in senders])
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


async def choices(session: Session, chain: Sequence[UnitRow]) -> list[tuple[AccountRow, ProviderTemplateRow]]:
    """Return the templates that can carry digits, of the accounts of these units."""
    here = {unit.id for unit in chain}
    owners = {one.id: one for one in await accounts.all_accounts(session) if one.unit_id in here}
    known = await provider_templates.of_accounts(session, list(owners))
    return [(owners[one.account_id], one) for one in known if usable(one) and filled(one, "000000", _EXAMPLE)]


async def choose(uow: UnitOfWork, unit_id: str, template_id: str | None) -> None:
    """Choose a unit's template, "" for none at all, None for what the unit above does.

    Raises InvalidInputError for template: template_unusable.
    """
    row = await unit_of(uow, unit_id)
    if template_id:
        offered = await choices(uow.session, await units.above(uow.session, row))
        if template_id not in {one.template_id for _, one in offered}:
            raise InvalidInputError("template", "template_unusable", account=row.name)
    kept = {name: value for name, value in row.settings.items() if name != SETTING}
    row.settings = kept if template_id is None else {**kept, SETTING: template_id}
    audit(uow, "unit.dossier_settings", f"unit:{unit_id}", {"settings": [SETTING]})
