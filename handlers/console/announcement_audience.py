"""Choose whom an announcement is for: by units, villages, topics, tags and dossiers, or by an uploaded list."""

from aiohttp import web

from bot.actions import announcements as actions
from bot.actions.announcement_senders import accounts_of
from bot.domain.audience import Audience
from bot.errors import InvalidInputError
from bot.store import units
from bot.store.announcements import AnnouncementRow
from bot.store.database import Session
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow
from handlers.console import announcement_rules as rules
from handlers.console.announcement_access import tried
from handlers.console.announcement_steps import Step, save, show, step_of
from handlers.console.page import Errors, Form, form_of, of, runtime_of


async def page(request: web.Request) -> web.Response:
    """Show the rules that can be chosen."""
    return await _page(request, {}, None)


async def _page(request: web.Request, errors: Errors, form: Form | None, status: int = 200) -> web.Response:
    async with runtime_of(request).database.reading() as session:
        at = await step_of(request, session)
        if not isinstance(at, Step):
            return at
        audience = Audience.from_json(at.row.audience)
        if form is not None:
            try:
                audience = rules.given(form)
            except InvalidInputError as error:
                errors = {**of(error), **errors}
        senders = await accounts_of(session, tried(at.row, audience={}))
        offered = await rules.choices(request, session, at.home, audience, senders)
    by_list = form.text("by") == "list" if form else bool(audience.list_id)
    values = {"audience": audience, "offered": offered, "by_list": by_list}
    return show(request, at, "audience", values, errors, status)


async def submit(request: web.Request) -> web.Response:
    """Save whom it is for."""
    form = await form_of(request)

    async def again(errors: Errors, status: int) -> web.Response:
        return await _page(request, errors, form, status)

    async def deed(uow: UnitOfWork, row: AnnouncementRow, home: UnitRow) -> None:
        audience = rules.given(form)
        if form.text("by") == "list" and not audience.list_id:
            raise InvalidInputError("list", "no_list_chosen")
        await rules.check(request, uow.session, home, audience)
        await _check_named(uow.session, home, audience)
        await actions.choose(uow, row.id, form.number("version") or 0, audience)

    return await save(request, "audience", form, deed, again)


async def _check_named(session: Session, home: UnitRow, audience: Audience) -> None:
    """Refuse villages that the announcement's unit has nothing to do with."""
    related = {unit.id for unit in await units.below(session, home.path)}
    related |= {unit.id for unit in await units.above(session, home)}
    for area_id in audience.area_ids:
        area = await units.area(session, area_id)
        if area is None or area.unit_id not in related:
            raise InvalidInputError("audience", "unknown_area")
