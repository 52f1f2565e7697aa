"""Keep the texts that announcements are written from: ready-made ones, and one's own with all their versions."""

from typing import Any

from aiohttp import web

from bot.actions import saved_texts as actions
from bot.domain.access import Permission
from bot.domain.announcement import MAX_LABEL, MAX_TEXT, MAX_TITLE, MAX_URL, Kind
from bot.errors import ConflictError, InvalidInputError, NotFoundError
from bot.starting_points import starting_point, starting_points
from bot.store import saved_texts, staff, units
from bot.store.announcements import SavedTextRow
from bot.store.database import Session
from bot.store.units import UnitRow
from handlers.console.page import (
    Errors,
    Form,
    form_of,
    in_scope,
    of,
    render,
    runtime_of,
    see_other,
    visit_of,
    writing,
)

LIST = "/announcements/texts"
_WRITE = Permission.ANNOUNCEMENT_WRITE
_FIELDS = ("name", "kind", *actions.WORDS)
_OF_DEED: dict[str, tuple[str, ...]] = {"change": ("kind", *actions.WORDS), "rename": ("name",), "end": ()}
_LIMITS = {"title": MAX_TITLE, "text": MAX_TEXT, "button_label": MAX_LABEL, "button_url": MAX_URL}


async def show(request: web.Request) -> web.Response:
    """Show the texts that a unit may use, and a form for a new one; `?start=` fills in a starting point."""
    return await _list(request, {}, None)


async def _list(request: web.Request, errors: Errors, form: Form | None, status: int = 200) -> web.Response:
    async with runtime_of(request).database.reading() as session:
        homes = await _homes(request, session)
        wanted = form.text("unit_id") if form else request.query.get("unit", "")
        home = next((unit for unit in homes if unit.id == wanted), homes[0] if homes else None)
        texts = await actions.in_use(session, home) if home else []
        ended = await saved_texts.of_units(session, [home.id], ended=True) if home else []
        owners = {unit.id: unit.name for unit in await units.above(session, home)} if home else {}
    values = {
        "homes": homes,
        "home": home,
        "texts": texts,
        "ended": ended,
        "owners": owners,
        "points": starting_points(),
        "start": starting_point(request.query.get("start", "")),
        "typed": {name: form.text(name) for name in _FIELDS} if form else _begun(request),
    }
    return _render(request, "saved_texts", values, errors, status)


async def _homes(request: web.Request, session: Session) -> list[UnitRow]:
    grants = visit_of(request).grants
    found = await units.all_units(session)
    return [unit for unit in found if unit.valid_to is None and grants.over(_WRITE, unit.path)]


def _begun(request: web.Request) -> dict[str, str]:
    """Return the fields of a new text: those of the starting point that was chosen, or empty."""
    point = starting_point(request.query.get("start", ""))
    return {name: str(getattr(point, name, "")) for name in _FIELDS}


def _render(request: web.Request, name: str, values: dict[str, Any], errors: Errors, status: int = 200) -> web.Response:
    values |= {"errors": errors, "limits": _LIMITS, "kinds": [kind.value for kind in Kind]}
    return render(request, f"announcements/{name}", values, status)


async def add(request: web.Request) -> web.Response:
    """Save a new text."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            home = await _own(request, uow.session, form.text("unit_id"))
            row = await actions.add(uow, home.id, {name: form.text(name) for name in _FIELDS})
    except InvalidInputError as error:
        return await _list(request, of(error), form, 422)
    return see_other(f"{LIST}/{row.id}", done="saved")


async def _own(request: web.Request, session: Session, unit_id: str) -> UnitRow:
    home = await units.unit(session, unit_id)
    if home is None or not visit_of(request).grants.over(_WRITE, home.path):
        raise InvalidInputError("unit_id", "unknown_unit")
    return home


async def show_one(request: web.Request) -> web.Response:
    """Show one text with its versions; that of a unit above can be read and copied, not changed."""
    return await _one(request, {}, {})


async def _one(request: web.Request, errors: Errors, typed: dict[str, str], status: int = 200) -> web.Response:
    async with runtime_of(request).database.reading() as session:
        row, home = await _usable(request, session)
        history = await saved_texts.versions(session, row.id)
        people = await staff.people(session, [version.made_by for version in history])
    values = {
        "row": row,
        "home": home,
        "mine": visit_of(request).grants.over(_WRITE, home.path) and not row.ended,
        "history": history,
        "people": {key: person.name for key, person in people.items()},
        "typed": {**{name: getattr(row, name) for name in _FIELDS}, **typed},
    }
    return _render(request, "saved_text", values, errors, status)


async def _usable(request: web.Request, session: Session) -> tuple[SavedTextRow, UnitRow]:
    """Return a text of one's own units or of one above them, and its unit; raises NotFoundError."""
    row = await saved_texts.newest(session, request.match_info["id"])
    home = await units.unit(session, row.unit_id) if row else None
    if row is None or home is None:
        raise NotFoundError("saved text")
    paths = visit_of(request).grants.paths(_WRITE)
    if not any(home.path.startswith(path) or path.startswith(home.path) for path in paths):
        raise NotFoundError("saved text")
    return row, home


async def save(request: web.Request) -> web.Response:
    """Save a new version of a text's words."""
    return await _changed(request, "change")


async def rename(request: web.Request) -> web.Response:
    """Give a text another name."""
    return await _changed(request, "rename")


async def end(request: web.Request) -> web.Response:
    """Offer a text no more."""
    return await _changed(request, "end")


async def _changed(request: web.Request, deed: str) -> web.Response:
    form = await form_of(request)
    text_id, version = request.match_info["id"], form.number("version") or 0
    given = {name: form.text(name) for name in _OF_DEED[deed]}
    try:
        async with writing(request) as uow:
            _, home = await _usable(request, uow.session)
            in_scope(request, _WRITE, home.path)
            if deed == "change":
                await actions.change(uow, text_id, version, given)
            elif deed == "rename":
                await actions.rename(uow, text_id, version, given["name"])
            else:
                await actions.end(uow, text_id, version)
    except InvalidInputError as error:
        return await _one(request, of(error), given, 422)
    except ConflictError:
        return await _one(request, of(InvalidInputError("version", "changed_meanwhile")), given, 409)
    if deed == "end":
        return see_other(LIST, unit=home.id, done="text_ended")
    return see_other(f"{LIST}/{text_id}", done="saved")
