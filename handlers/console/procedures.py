"""Show administrative procedures, let the office say what it knows better, and bring a catalogue in."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from bot.actions import procedures as actions
from bot.actions.procedure_file import COLUMNS, MOST_DAYS, Read, read_procedures
from bot.actions.procedures import ProcedureImport
from bot.domain.access import Permission
from bot.domain.procedure import FULL, MAX_NAME, PART
from bot.errors import ForbiddenError, InvalidInputError, NotFoundError
from bot.store import procedures, staff
from bot.store.procedures import ProcedureRow
from handlers.console.page import (
    Errors,
    Form,
    form_of,
    of,
    page_number,
    render,
    runtime_of,
    see_other,
    visit_of,
    writing,
)

ADMIN_HOME, HOME = "/admin/procedures", "/procedures"
"""Where procedures are kept, and where whoever works on dossiers looks them up."""
PAGE = 25
_TYPED = ("name", "field", "days", "fee", "online", "url")
_CHOSEN = ("without", "level", "link")
_ONLINE = {FULL: "toàn trình", PART: "một phần", "": "không"}
_DETAILS = ("papers", "steps", "ways", "result", "conditions", "legal_basis")


def _home(request: web.Request) -> str:
    return ADMIN_HOME if request.path.startswith(ADMIN_HOME) else HOME


def _may_change(request: web.Request) -> bool:
    return _home(request) == ADMIN_HOME and visit_of(request).grants.over_all(Permission.ADMIN)


def _to_change(request: web.Request) -> None:
    """Raise ForbiddenError for whoever administers only some units: procedures are those of all."""
    if not _may_change(request):
        raise ForbiddenError("procedures")


async def show(request: web.Request) -> web.Response:
    """Show one page of the list; everything chosen stands in the address."""
    return await _list(request, {}, None)


async def _list(
    request: web.Request, errors: Errors, form: Form | None, status: int = 200, done: ProcedureImport | None = None
) -> web.Response:
    searched = request.query.get("q", "").strip()[:200]
    field = request.query.get("field", "")
    page = page_number(request)
    async with runtime_of(request).database.reading() as session:
        fields = await procedures.fields(session)
        found = await procedures.search(session, searched, field, limit=PAGE + 1, offset=(page - 1) * PAGE)
    values = {
        "home": _home(request),
        "manages": _may_change(request),
        "rows": found[:PAGE],
        "more": len(found) > PAGE,
        "page": page,
        "searched": searched,
        "field": field,
        "fields": fields,
        "address": _address(_home(request), searched, field),
        "columns": COLUMNS,
        "typed": {name: form.text(name) if form else "" for name in _CHOSEN},
        "dry": bool(form and form.text("dry")),
        "imported": done,
        "errors": errors,
    }
    return render(request, "admin/procedures", values, status)


def _address(home: str, searched: str, field: str) -> object:
    """Return a function that makes the address of this list with some choices changed."""

    def address(**changes: object) -> str:
        chosen = {"q": searched, "field": field, **{name: str(value) for name, value in changes.items()}}
        kept = {name: value for name, value in chosen.items() if value}
        return f"{home}?{urlencode(kept)}" if kept else home

    return address


async def show_one(request: web.Request) -> web.Response:
    """Show one procedure with all that is told of it."""
    return await _one(request, {}, {})


async def _one(request: web.Request, errors: Errors, typed: dict[str, str], status: int = 200) -> web.Response:
    async with runtime_of(request).database.reading() as session:
        row = await procedures.procedure(session, request.match_info["id"])
        if row is None:
            raise NotFoundError("procedure")
        people = await staff.people(session, [row.edited_by]) if row.edited_by else {}
    values = {
        "home": _home(request),
        "manages": _may_change(request),
        "row": row,
        "editor": people[row.edited_by].name if row.edited_by in people else "",
        "details": [(name, row.details[name]) for name in _DETAILS if row.details.get(name)],
        "typed": {**_as_typed(row), **typed},
        "kinds": list(_ONLINE.values()),
        "most": {"name": MAX_NAME, "days": MOST_DAYS},
        "errors": errors,
    }
    return render(request, "admin/procedure", values, status)


def _as_typed(row: ProcedureRow) -> dict[str, str]:
    """Return what stands in the form: an amount as people write it, or the words there are instead."""
    fee = row.fee_words if row.fee is None else "miễn phí" if row.fee == 0 else f"{row.fee:,}".replace(",", ".")
    days = "" if row.days is None else str(row.days)
    values: dict[str, Any] = {"name": row.name, "field": row.field, "days": days, "fee": fee, "url": row.online_url}
    return {**values, "online": _ONLINE.get(row.online, ""), "active": "1" if row.active else ""}


async def save(request: web.Request) -> web.Response:
    """Keep what the office knows better."""
    _to_change(request)
    form = await form_of(request)
    procedure_id = request.match_info["id"]
    typed = {name: form.text(name) for name in _TYPED}
    try:
        async with writing(request) as uow:
            row = await actions.procedure_of(uow, procedure_id)
            # What was not touched means what it meant, even where it could not be typed like that.
            same = {name for name, text in _as_typed(row).items() if name in typed and typed[name] == text}
            await actions.save(uow, procedure_id, typed, active=bool(form.text("active")), untouched=same)
    except InvalidInputError as error:
        return await _one(request, of(error), {**typed, "active": form.text("active")}, 422)
    return see_other(f"{ADMIN_HOME}/{procedure_id}", done="saved")


async def follow(request: web.Request) -> web.Response:
    """Let the next import of a catalogue write over what the office has edited."""
    _to_change(request)
    async with writing(request) as uow:
        row = await actions.follow_catalogue(uow, request.match_info["id"])
    return see_other(f"{ADMIN_HOME}/{row.id}", done="procedure_follows")


async def bring_in(request: web.Request) -> web.Response:
    """Bring a catalogue or a table in, or only say what would change."""
    _to_change(request)
    form = await form_of(request)
    uploads = form.uploads("file")
    if not uploads:
        return await _list(request, of(InvalidInputError("file", "no_file")), form, 422)
    try:
        lines = await asyncio.to_thread(_lines, uploads[0], form.text("link"))
        without = [name.strip() for line in form.text("without").splitlines() for name in line.split(";")]
        chosen = actions.chosen_of([], without, form.text("level"))
        async with writing(request) as uow:
            done = await actions.bring_in(uow, lines, chosen, dry=bool(form.text("dry")))
    except InvalidInputError as error:
        return await _list(request, of(error), form, 422)
    return await _list(request, {}, form, done=done)


def _lines(upload: web.FileField, link: str) -> list[Read]:
    with tempfile.NamedTemporaryFile() as kept:
        kept.write(upload.file.read())
        kept.flush()
        return read_procedures(Path(kept.name), link)
