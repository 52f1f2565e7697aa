"""Choose for each account the template that stands in where free text may not go, and what fills its parameters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.actions import announcements as actions
from bot.actions.announcement_senders import accounts_of, fields_known
from bot.domain.announcement import NAME_FIELD
from bot.domain.template import Parameter, Problem, check, check_names, longest_of, parameters_of
from bot.domain.text import fold
from bot.errors import InvalidInputError
from bot.store import provider_templates
from bot.store.accounts import AccountRow
from bot.store.announcements import AnnouncementRow
from bot.store.database import Session
from bot.store.provider_templates import ProviderTemplateRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow
from handlers.console.announcement_steps import Step, save, show, step_of
from handlers.console.page import Errors, Form, form_of, runtime_of

_MOST = 500


@dataclass(frozen=True, slots=True)
class Chosen:
    """One account with the templates that it has, the one chosen, and what fills its parameters."""

    account: AccountRow
    templates: Sequence[ProviderTemplateRow]
    template: ProviderTemplateRow | None
    parameters: Sequence[tuple[Parameter, int, str]]


async def page(request: web.Request) -> web.Response:
    """Show the ways; `?template_<account>=` shows the parameters of another template before it is saved."""
    return await _page(request, {}, Form(request.query) if request.query else None)


async def _page(request: web.Request, errors: Errors, form: Form | None, status: int = 200) -> web.Response:
    async with runtime_of(request).database.reading() as session:
        at = await step_of(request, session)
        if not isinstance(at, Step):
            return at
        fields = sorted(await fields_known(session, at.row, NAME_FIELD))
        found = await accounts_of(session, at.row)
        every = await provider_templates.of_accounts(session, [account.id for account in found])
    lines = [
        _chosen(account, [t for t in every if t.account_id == account.id], at.row, form, fields) for account in found
    ]
    values: dict[str, Any] = {
        "lines": [line for line in lines if line.templates],
        "fields": fields,
        "others": [line.account for line in lines if not line.templates],
        "most": _MOST,
    }
    return show(request, at, "ways", values, errors, status)


def _chosen(
    account: AccountRow,
    templates: list[ProviderTemplateRow],
    row: AnnouncementRow,
    form: Form | None,
    fields: Sequence[str],
) -> Chosen:
    kept = row.templates.get(account.id, {})
    typed = form is not None and form.has(f"template_{account.id}")
    wanted = form.text(f"template_{account.id}") if form and typed else str(kept.get("template_id", ""))
    template = next((t for t in templates if t.template_id == wanted), None)
    offered = [t for t in templates if t is template or (t.status == "ENABLE" and t.gone_at is None)]
    values: dict[str, str] = dict(kept.get("parameters", {})) if wanted == kept.get("template_id") else {}
    parameters = []
    for parameter in parameters_of(template.parameters) if template else ():
        name = _name(account.id, parameter.name)
        known = values.get(parameter.name) if not (form and form.has(name)) else form.text(name)
        parameters.append((parameter, longest_of(parameter), known if known is not None else _guess(parameter, fields)))
    return Chosen(account, offered, template, parameters)


def _guess(parameter: Parameter, fields: Sequence[str]) -> str:
    """Propose the merge field that fills a parameter: of the same name, or what the person is called."""
    same = next((field for field in fields if fold(field) == fold(parameter.name)), None)
    if same is None and parameter.type.upper() == "CUSTOMER_NAME":
        same = next((field for field in fields if fold(field) in {"ten", "ho ten", "ho va ten"}), None)
    return f"{{{{{same}}}}}" if same else ""


def _name(account_id: str, parameter: str) -> str:
    return f"p:{account_id}:{parameter}"


async def templates_given(session: Session, row: AnnouncementRow, form: Form) -> dict[str, Any]:
    """Return by account the template that was chosen on the page, with its parameters."""
    given: dict[str, Any] = {}
    for account in await accounts_of(session, row):
        wanted = form.text(f"template_{account.id}")
        template = await provider_templates.template(session, account.id, wanted) if wanted else None
        if template is not None:
            names = [parameter.name for parameter in parameters_of(template.parameters)]
            values = {name: form.text(_name(account.id, name))[:_MOST] for name in names}
            filled = {name: value for name, value in values.items() if value}
            given[account.id] = {"template_id": wanted, "parameters": filled}
    return given


async def submit(request: web.Request) -> web.Response:
    """Save the ways; what is wrong is said at each parameter."""
    form = await form_of(request)

    async def again(errors: Errors, status: int) -> web.Response:
        return await _page(request, errors, form, status)

    async def deed(uow: UnitOfWork, row: AnnouncementRow, _: UnitRow) -> None:
        given = await templates_given(uow.session, row, form)
        await actions.set_templates(uow, row.id, form.number("version") or 0, given)

    async with runtime_of(request).database.reading() as session:
        at = await step_of(request, session)
        if not isinstance(at, Step):
            return at
        errors = await _wrong(session, await templates_given(session, at.row, form))
    return await again(errors, 422) if errors else await save(request, "ways", form, deed, again)


async def _wrong(session: Session, given: dict[str, Any]) -> Errors:
    """Return what is wrong with the parameters, by the field of each; values with merge fields are checked later."""
    found: Errors = {}
    for account_id, one in given.items():
        template = await provider_templates.template(session, account_id, one["template_id"])
        assert template is not None
        parameters, values = parameters_of(template.parameters), one["parameters"]
        fixed = [p for p in parameters if values.get(p.name) and "{{" not in values[p.name]]
        problems: list[Problem] = [
            *check_names(parameters, values),
            *check(fixed, {p.name: values[p.name] for p in fixed}),
        ]
        for problem in problems:
            name = _name(account_id, problem.parameter)
            found[name] = InvalidInputError(name, problem.code, **problem.details)
    return found
