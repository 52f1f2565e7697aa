"""Set what people are told of their dossiers: which news, by which templates, where fees are paid, whom delays warn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.actions import dossier_settings as actions
from bot.actions.dossier_settings import Choices, chain_of, choices_of
from bot.domain.access import Grants, Permission, Role
from bot.domain.dossier import TOLD_BY_DEFAULT, Kind
from bot.domain.dossier_notice import BANK, FIELDS, OF_THE_BOUND
from bot.domain.template import Parameter, check, check_names, longest_of, parameters_of
from bot.domain.text import fold
from bot.errors import InvalidInputError, NotFoundError
from bot.store import accounts, provider_templates, units
from bot.store.accounts import AccountRow
from bot.store.database import Session
from bot.store.provider_templates import ProviderTemplateRow
from bot.store.units import UnitRow
from handlers.console.page import Errors, Form, form_of, of, render, runtime_of, see_other, visit_of, writing

_MOST = 200
HOME, ADMIN_HOME = "/dossiers/settings", "/admin/dossiers"
"""The same pages for heads of units, and for administrators, who need not have to do with dossiers."""


def _base(request: web.Request) -> str:
    return ADMIN_HOME if request.path.startswith(ADMIN_HOME) else HOME


def may_set(grants: Grants, path: str) -> bool:
    """Say whether somebody sets what a unit tells: its head, the heads above, and administrators."""
    heads = any(grant.role is Role.UNIT_HEAD and path.startswith(grant.path) for grant in grants.held)
    return heads or grants.over(Permission.ADMIN, path)


async def _homes(request: web.Request, session: Session) -> list[UnitRow]:
    """Return the units that one sets news for, those with accounts first: what they choose holds for most."""
    grants = visit_of(request).grants
    owners = {row.unit_id for row in await accounts.all_accounts(session)}
    mine = [unit for unit in await units.all_units(session) if may_set(grants, unit.path)]
    return sorted(mine, key=lambda unit: (unit.id not in owners, unit.path))


async def _home(request: web.Request, session: Session, unit_id: str) -> tuple[UnitRow, list[UnitRow]]:
    """Return the chosen unit, the first where none is, and all that can be chosen; raises NotFoundError."""
    mine = await _homes(request, session)
    home = next((unit for unit in mine if unit.id == unit_id), None if unit_id or not mine else mine[0])
    if home is None:
        raise NotFoundError("unit")
    return home, mine


async def show(request: web.Request) -> web.Response:
    """Show what a unit has chosen, and what holds where it has not; to others that this is for heads of units."""
    async with runtime_of(request).database.reading() as session:
        if not request.query.get("unit") and not await _homes(request, session):
            return render(request, "dossiers/settings", {"home": None, "homes": []})
    return await _page(request, {}, None, request.query.get("unit", ""))


async def _page(
    request: web.Request, errors: Errors, form: Form | None, unit_id: str, status: int = 200
) -> web.Response:
    async with runtime_of(request).database.reading() as session:
        home, mine = await _home(request, session, unit_id)
        chain = await chain_of(session, home.id)
        owners = await _accounts(session, chain)
        known = await provider_templates.of_accounts(session, [account.id for account in owners])
    choices = choices_of(chain)
    names = {(row.account_id, row.template_id): row.name or row.template_id for row in known}
    values = {
        "base": _base(request),
        "home": home,
        "homes": mine,
        "kinds": list(Kind),
        "choices": choices,
        "own": choices.own,
        "by_default": TOLD_BY_DEFAULT,
        "above": len(chain) > 1,
        "named": {kind: _named(choices, kind, owners, names) for kind in Kind},
        "templates": bool(owners),
        "most_days": actions.MOST_DAYS,
        "typed": _typed(home, form),
        "errors": errors,
    }
    return render(request, "dossiers/settings", values, status)


def _typed(home: UnitRow, form: Form | None) -> dict[str, Any]:
    """Return what stands in the fields: what was typed, else what the unit itself has chosen."""
    if form is not None:
        fields = {name: form.text(name) for name in (*BANK, "desk", "days", "warns", "own_kinds")}
        return {**fields, "kinds": set(form.texts("kinds"))}
    kept = home.settings
    bank = dict(kept.get(actions.BANK) or {})
    told = kept.get(actions.NOTICES)
    return {
        **{name: bank.get(name, "") for name in BANK},
        "desk": kept.get(actions.DESK, ""),
        "days": str(kept.get(actions.DAYS, "")),
        "warns": kept.get(actions.WARNS, ""),
        "own_kinds": "1" if told is not None else "",
        "kinds": set(told if told is not None else ()),
    }


def _named(
    choices: Choices, kind: Kind, owners: Sequence[AccountRow], names: dict[tuple[str, str], str]
) -> list[tuple[AccountRow, str]]:
    """Return by account what the template chosen for a kind is called."""
    chosen = choices.templates.get(kind.value, {})
    found = [(account, str(chosen.get(account.id, {}).get("template_id", ""))) for account in owners]
    return [(account, names.get((account.id, wanted), wanted)) for account, wanted in found if wanted]


async def _accounts(session: Session, chain: Sequence[UnitRow]) -> list[AccountRow]:
    """Return the accounts that can send templates for a unit: its own and those above it."""
    above = {unit.id for unit in chain}
    every = await accounts.all_accounts(session)
    return [account for account in every if account.unit_id in above and account.provider == "zalo"]


async def save(request: web.Request) -> web.Response:
    """Save what a unit has chosen."""
    form = await form_of(request)
    given: dict[str, Any] = {name: form.text(name) for name in (*BANK, "desk", "days", "warns")}
    given["kinds"] = form.texts("kinds") if form.text("own_kinds") else None
    try:
        async with writing(request) as uow:
            home, _ = await _home(request, uow.session, form.text("unit_id"))
            await actions.change(uow, home.id, given)
    except InvalidInputError as error:
        return await _page(request, of(error), form, form.text("unit_id"), 422)
    return see_other(_base(request), unit=home.id, done="saved")


@dataclass(frozen=True, slots=True)
class Chosen:
    """One account with the templates that it has, the one chosen for a kind, and what fills its parameters."""

    account: AccountRow
    templates: Sequence[ProviderTemplateRow]
    template: ProviderTemplateRow | None
    parameters: Sequence[tuple[Parameter, int, str]]


def _kind(request: web.Request) -> Kind:
    try:
        return Kind(request.match_info["kind"])
    except ValueError as error:
        raise NotFoundError("kind") from error


async def show_templates(request: web.Request) -> web.Response:
    """Show which templates tell of one kind; `?template_<account>=` shows the parameters of another one."""
    form = Form(request.query) if request.query else None
    return await _templates_page(request, {}, form, request.query.get("unit", ""))


async def _templates_page(
    request: web.Request, errors: Errors, form: Form | None, unit_id: str, status: int = 200
) -> web.Response:
    kind = _kind(request)
    async with runtime_of(request).database.reading() as session:
        home, _ = await _home(request, session, unit_id)
        chain = await chain_of(session, home.id)
        owners = await _accounts(session, chain)
        every = await provider_templates.of_accounts(session, [account.id for account in owners])
    kept = choices_of(chain).templates.get(kind.value, {})
    lines = [
        _chosen(account, [row for row in every if row.account_id == account.id], dict(kept.get(account.id, {})), form)
        for account in owners
    ]
    values = {
        "base": _base(request),
        "home": home,
        "kind": kind.value,
        "lines": lines,
        "fields": FIELDS,
        "private": [name for name in FIELDS if name in OF_THE_BOUND],
        "most": _MOST,
        "errors": errors,
    }
    return render(request, "dossiers/templates", values, status)


def _chosen(
    account: AccountRow, templates: list[ProviderTemplateRow], kept: dict[str, Any], form: Form | None
) -> Chosen:
    field = f"template_{account.id}"
    wanted = form.text(field) if form and form.has(field) else str(kept.get("template_id", ""))
    template = next((row for row in templates if row.template_id == wanted), None)
    offered = [row for row in templates if row is template or (row.status == "ENABLE" and row.gone_at is None)]
    values = dict(kept.get("parameters", {})) if wanted == kept.get("template_id") else {}
    parameters = []
    for parameter in parameters_of(template.parameters) if template else ():
        name = _name(account.id, parameter.name)
        known = form.text(name) if form and form.has(name) else values.get(parameter.name)
        parameters.append((parameter, longest_of(parameter), _guess(parameter) if known is None else str(known)))
    return Chosen(account, offered, template, parameters)


_GUESSES = {"CUSTOMER_NAME": "tên", "DATE": "ngày hẹn", "MONEY": "số tiền", "STATUS": "tình trạng", "CODE": "mã hồ sơ"}


def _guess(parameter: Parameter) -> str:
    """Propose the field that fills a parameter: of the same name, or of its type."""
    same = next((name for name in FIELDS if fold(name).replace(" ", "") == fold(parameter.name).replace("_", "")), None)
    found = same or _GUESSES.get(parameter.type.upper())
    return f"{{{{{found}}}}}" if found else ""


def _name(account_id: str, parameter: str) -> str:
    return f"p:{account_id}:{parameter}"


async def save_templates(request: web.Request) -> web.Response:
    """Save which templates tell of one kind; what is wrong is said at each parameter."""
    form = await form_of(request)
    unit_id, kind = form.text("unit_id"), _kind(request)
    async with writing(request) as uow:
        home, _ = await _home(request, uow.session, unit_id)
        owners = await _accounts(uow.session, await chain_of(uow.session, home.id))
        given, errors = await _given(uow.session, owners, form)
        if not errors:
            await actions.choose_templates(uow, home.id, kind, given)
    if errors:
        return await _templates_page(request, errors, form, unit_id, 422)
    return see_other(_base(request), unit=home.id, done="saved")


async def _given(session: Session, owners: Sequence[AccountRow], form: Form) -> tuple[dict[str, Any], Errors]:
    given: dict[str, Any] = {}
    errors: Errors = {}
    for account in owners:
        wanted = form.text(f"template_{account.id}")
        template = await provider_templates.template(session, account.id, wanted) if wanted else None
        if template is None:
            continue
        parameters = parameters_of(template.parameters)
        typed = {p.name: form.text(_name(account.id, p.name))[:_MOST] for p in parameters}
        values = {name: value for name, value in typed.items() if value}
        errors |= _wrong(account.id, parameters, values)
        given[account.id] = {"template_id": wanted, "parameters": values}
    return given, errors


def _wrong(account_id: str, parameters: Sequence[Parameter], values: dict[str, str]) -> Errors:
    """Return what is wrong with the parameters, by the field of each; fields of dossiers are checked when they go."""
    fixed = [p for p in parameters if values.get(p.name) and "{{" not in values[p.name]]
    found = [*check_names(parameters, values), *check(fixed, {p.name: values[p.name] for p in fixed})]
    errors: Errors = {}
    for problem in found:
        name = _name(account_id, problem.parameter)
        errors[name] = InvalidInputError(name, problem.code, **problem.details)
    for name, value in values.items():
        unknown = [field for field in actions.fields_in(value) if field not in FIELDS]
        if unknown:
            field = _name(account_id, name)
            errors[field] = InvalidInputError(field, "unknown_dossier_field", name=unknown[0])
    return errors
