"""Begin an announcement: empty, from a starting point, a saved text, an earlier one, or an official warning."""

import asyncio
from typing import Any

from aiohttp import web

from bot.actions import announcements as actions
from bot.actions import saved_texts
from bot.domain.cap import MAX_BYTES, CapWarning, draft_of, read_cap
from bot.domain.text import fold
from bot.errors import InvalidInputError
from bot.starting_points import StartingPoint, starting_point, starting_points, warning_words
from bot.store import accounts, announcement_views, announcements, marks, units
from bot.store.announcements import AnnouncementRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow
from handlers.console.announcement_access import READ, WRITE, own_units
from handlers.console.page import Errors, Form, form_of, of, render, runtime_of, see_other, visit_of, writing

_WORDS = ("title", "text", "button_label", "button_url")
_EARLIER = 10


async def page(request: web.Request) -> web.Response:
    """Show what one can begin with; `?start=` asks for what is to be filled in for everybody of a starting point."""
    return await _page(request, {}, None)


async def _page(request: web.Request, errors: Errors, form: Form | None, status: int = 200) -> web.Response:
    wanted = form.text("unit_id") if form else request.query.get("unit", "")
    async with runtime_of(request).database.reading() as session:
        owners = {account.unit_id for account in await accounts.all_accounts(session)}
        homes = sorted(await own_units(request, session), key=lambda unit: (unit.id not in owners, unit.path))
        home = next((unit for unit in homes if unit.id == wanted), homes[0] if homes else None)
        texts = await saved_texts.in_use(session, home) if home else []
        earlier = await announcement_views.latest(session, [home.path], limit=_EARLIER) if home else []
    start = starting_point(form.text("start") if form else request.query.get("start", ""))
    shared = list(start.shared.items()) if start else []
    values: dict[str, Any] = {
        "homes": homes,
        "home": home,
        "texts": texts,
        "earlier": [row for row in earlier if row.text],
        "points": starting_points(),
        "start": start,
        "shared": [
            (n, name, example, form.text(f"shared_{n}") if form else "") for n, (name, example) in enumerate(shared)
        ],
        "errors": errors,
    }
    return render(request, "announcements/new", values, status)


async def create(request: web.Request) -> web.Response:
    """Begin a draft with what was chosen, and go on to its words."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            row = await _begin(request, uow, form)
    except InvalidInputError as error:
        return await _page(request, of(error), form, 422)
    return see_other(f"/announcements/{row.id}/words")


async def _begin(request: web.Request, uow: UnitOfWork, form: Form) -> AnnouncementRow:
    if form.text("like"):
        return await _copy(request, uow, form.text("like"))
    home = await _home(request, uow, form.text("unit_id"))
    point = starting_point(form.text("start"))
    if point is not None:
        return await _from_point(uow, home, point, form)
    row = await actions.create(uow, home.id)
    if form.text("text_id"):
        known = {text.id: text for text in await saved_texts.in_use(uow.session, home)}
        text = known.get(form.text("text_id"))
        if text is None:
            raise InvalidInputError("text_id", "unknown_text")
        words = {name: str(getattr(text, name)) for name in _WORDS}
        row = await actions.write(uow, row.id, row.version, kind=text.kind, topic_id=None, words=words)
    return row


async def _home(request: web.Request, uow: UnitOfWork, unit_id: str) -> UnitRow:
    home = await units.unit(uow.session, unit_id)
    if home is None or home.valid_to is not None or not visit_of(request).grants.over(WRITE, home.path):
        raise InvalidInputError("unit_id", "unknown_unit")
    return home


async def _copy(request: web.Request, uow: UnitOfWork, announcement_id: str) -> AnnouncementRow:
    earlier = await announcements.seen(uow.session, announcement_id)
    home = await units.unit(uow.session, earlier.unit_id) if earlier else None
    grants = visit_of(request).grants
    if earlier is None or home is None or not grants.over(READ, home.path) or not grants.over(WRITE, home.path):
        raise InvalidInputError("like", "unknown_announcement")
    return await actions.create(uow, home.id, earlier)


async def _from_point(uow: UnitOfWork, home: UnitRow, point: StartingPoint, form: Form) -> AnnouncementRow:
    values = {name: form.text(f"shared_{n}") for n, name in enumerate(point.shared)}
    title, text = point.begun(values)
    topics = await marks.topics(uow.session, home)
    topic = next((topic for topic in topics if fold(topic.name) == fold(point.topic)), None)
    row = await actions.create(uow, home.id)
    row = await actions.write(
        uow, row.id, row.version, kind=point.kind, topic_id=topic.id if topic else None,
        words={"title": title, "text": text},
    )  # fmt: skip
    return await actions.set_schedule(uow, row.id, row.version, point.schedule)


async def from_warning(request: web.Request) -> web.Response:
    """Make a draft of an official warning (CAP 1.2); what to look at stays with it."""
    form = await form_of(request)
    try:
        warning = await _warning(form)
        async with writing(request) as uow:
            home = await _home(request, uow, form.text("unit_id"))
            title, text = draft_of(warning, warning_words())
            row = await actions.create(uow, home.id, warning=warning.to_json())
            await actions.write(
                uow, row.id, row.version, kind=warning.kind, topic_id=None, words={"title": title, "text": text}
            )
    except InvalidInputError as error:
        return await _page(request, of(error), form, 422)
    return see_other(f"/announcements/{row.id}/words")


async def _warning(form: Form) -> CapWarning:
    chosen = form.uploads("file")
    if not chosen:
        raise InvalidInputError("file", "no_file")
    data = await asyncio.to_thread(chosen[0].file.read, MAX_BYTES + 1)
    return await asyncio.to_thread(read_cap, data)
