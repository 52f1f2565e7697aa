"""Keep the topics of a unit's announcements: what people can choose in their chats."""

from typing import Any

from aiohttp import web

from bot.actions import topics as actions
from bot.domain.access import Permission
from bot.errors import InvalidInputError
from bot.store import accounts, marks, units
from bot.store.database import Session
from bot.store.marks import TopicRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow
from handlers.console.page import Errors, Form, form_of, of, render, runtime_of, see_other, visit_of, writing
from handlers.console.units import own_unit


async def show(request: web.Request) -> web.Response:
    """Show the topics of a unit, and those that it has from the units above it."""
    return await _page(request, {}, None)


async def _page(request: web.Request, errors: Errors, form: Form | None, status: int = 200) -> web.Response:
    async with runtime_of(request).database.reading() as session:
        homes = await _homes(request, session)
        wanted = (form.text("unit_id") if form else "") or request.query.get("unit", "")
        home = next((u for u in homes if u.id == wanted), homes[0] if homes else None)
        offered = await marks.topics(session, home) if home else []
        names = {u.id: u.name for u in await units.above(session, home)} if home else {}
    typed = {name: form.text(name) if form else "" for name in ("name", "default_on", "advert")}
    values: dict[str, Any] = {
        "homes": homes,
        "home": home,
        "topics": [topic for topic in offered if home and topic.unit_id == home.id],
        "inherited": [(topic, names[topic.unit_id]) for topic in offered if home and topic.unit_id != home.id],
        "most": actions.MAX_NAME,
        "topic_id": form.text("topic_id") if form else "",
        "typed": typed,
        "errors": errors,
    }
    return render(request, "admin/topics", values, status)


async def _homes(request: web.Request, session: Session) -> list[UnitRow]:
    """Return one's own units that have accounts first, for these are the ones whose topics people see."""
    visit = visit_of(request)
    owners = {row.unit_id for row in await accounts.all_accounts(session)}
    mine = [u for u in await units.all_units(session) if visit.grants.over(Permission.ADMIN, u.path)]
    return sorted(mine, key=lambda u: (u.id not in owners, u.path))


async def save(request: web.Request) -> web.Response:
    """Add a topic, or change the one that the form names."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            home = await own_unit(request, uow.session, form.text("unit_id") or "-")
            await actions.save_topic(
                uow,
                home.id,
                form.text("topic_id") or None,
                form.text("name"),
                default_on=bool(form.text("default_on")),
                advert=bool(form.text("advert")),
            )
    except InvalidInputError as error:
        return await _page(request, of(error), form, 422)
    return see_other("/admin/topics", unit=home.id, done="saved")


async def _own(request: web.Request, uow: UnitOfWork) -> TopicRow:
    row = await actions.topic_of(uow, request.match_info["id"])
    await own_unit(request, uow.session, row.unit_id)
    return row


async def move(request: web.Request) -> web.Response:
    """Move a topic up or down."""
    form = await form_of(request)
    async with writing(request) as uow:
        row = await _own(request, uow)
        await actions.move_topic(uow, row.id, up=form.text("direction") == "up")
    return see_other("/admin/topics", unit=row.unit_id)


async def end(request: web.Request) -> web.Response:
    """Offer a topic no more."""
    async with writing(request) as uow:
        row = await _own(request, uow)
        await actions.end_topic(uow, row.id)
    return see_other("/admin/topics", unit=row.unit_id, done="topic_ended")
