"""Keep uploaded lists of recipients: take one in, show what is wrong with it, give out its bad lines, remove it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from bot import translations
from bot.actions import list_marks
from bot.actions import recipient_lists as actions
from bot.checker import process
from bot.clock import new_id
from bot.domain.access import Permission
from bot.domain.recipient_list import LONGEST_CELL, MOST_COLUMNS, MOST_LINES, SAMPLE, KeyKind
from bot.errors import InvalidInputError, NotFoundError
from bot.runtime import Runtime
from bot.store import marks, recipients, units
from bot.store.database import Session
from bot.store.recipients import RecipientListRow
from bot.store.units import UnitRow
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

HOME = "/announcements/lists"
_FIELDS = ("name", "unit_id", "key_column", "key_kind")
PAGE = 50
_SHOWN = 200
_MEGABYTE = 1024 * 1024
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ENDINGS = (".xlsx", ".ods", ".csv", ".txt", ".tsv", ".xls")
_LIST = "Danh sách"
_REASON = "Lý do lỗi"
_GIVE_WAY_SECONDS = 1.0
_sample: list[bytes] = []


async def show(request: web.Request) -> web.Response:
    """Show the lists of one's units, and the form for another."""
    return await _page(request, {}, None)


async def _page(request: web.Request, errors: Errors, form: Form | None, status: int = 200) -> web.Response:
    page = page_number(request)
    async with runtime_of(request).database.reading() as session:
        mine = await _own_units(request, session)
        found = await recipients.lists(session, [unit.id for unit in mine], PAGE + 1, (page - 1) * PAGE)
    values = {
        "lists": found[:PAGE],
        "page": page,
        "more": len(found) > PAGE,
        "units": [unit for unit in mine if unit.valid_to is None],
        "names": {unit.id: unit.name for unit in mine},
        "kinds": [kind.value for kind in KeyKind],
        "most_lines": MOST_LINES,
        "most_columns": MOST_COLUMNS,
        "most_mb": runtime_of(request).settings.files.max_file_mb,
        "errors": errors,
        "typed": {name: form.text(name) if form else "" for name in _FIELDS},
    }
    return render(request, "announcements/lists", values, status)


async def _own_units(request: web.Request, session: Session) -> list[UnitRow]:
    grants = visit_of(request).grants
    return [u for u in await units.all_units(session) if grants.over(Permission.ANNOUNCEMENT_WRITE, u.path)]


async def add(request: web.Request) -> web.Response:
    """Take in a file; what stands in it is checked by the job."""
    form = await form_of(request)
    runtime, list_id = runtime_of(request), new_id()
    try:
        async with runtime.database.reading() as session:
            mine = {unit.id for unit in await _own_units(request, session) if unit.valid_to is None}
        if form.text("unit_id") not in mine:
            raise InvalidInputError("unit_id", "unknown_unit")  # noqa: TRY301 - said like the rest
        name, data = await _uploaded(runtime, form)
        await runtime.blobs.put(actions.blob_key(list_id), data)
        await _add(request, form, list_id, name)
    except InvalidInputError as error:
        return await _page(request, of(error), form, 422)
    return see_other(f"{HOME}/{list_id}")


async def _add(request: web.Request, form: Form, list_id: str, file_name: str) -> None:
    column, kind = form.text("key_column"), form.text("key_kind")
    try:
        async with writing(request) as uow:
            await actions.add(uow, list_id, form.text("unit_id"), form.text("name"), file_name, column, kind)
    except InvalidInputError:
        await runtime_of(request).blobs.delete(actions.blob_key(list_id))
        raise


async def _uploaded(runtime: Runtime, form: Form) -> tuple[str, bytes]:
    uploads = form.uploads("file")
    if not uploads or not uploads[0].filename.lower().endswith(_ENDINGS):
        raise InvalidInputError("file", "no_list_file")
    most = runtime.settings.files.max_file_mb
    data = await asyncio.to_thread(uploads[0].file.read, most * _MEGABYTE + 1)
    if len(data) > most * _MEGABYTE:
        raise InvalidInputError("file", "too_large", name=uploads[0].filename, most=most)
    if not data:
        raise InvalidInputError("file", "no_rows")
    return uploads[0].filename, data


async def show_one(request: web.Request) -> web.Response:
    """Show one list: its columns' errors first, else the errors of its first bad lines."""
    return await _one(request, {})


async def mark(request: web.Request) -> web.Response:
    """Put a tag, or a village, on everybody of a list whom the accounts of its unit know; some lines at a time."""
    form = await form_of(request)
    list_id, marked, after = request.match_info["id"], 0, 0
    try:
        async with writing(request) as uow:
            await _own_list(request, uow.session)
            chosen = await list_marks.begin(uow, list_id, form.text("tag"), form.text("area_id"))
    except InvalidInputError as error:
        return await _one(request, of(error), 422, form)
    last: int | None = 0
    while last is not None:
        async with writing(request) as uow:
            number, last = await list_marks.go_on(uow, list_id, chosen, after)
        marked, after = marked + number, last or after
        await runtime_of(request).urgency.give_way(_GIVE_WAY_SECONDS)
    return see_other(f"{HOME}/{list_id}", marked=str(marked))


async def _one(request: web.Request, errors: Errors, status: int = 200, form: Form | None = None) -> web.Response:
    async with runtime_of(request).database.reading() as session:
        row, unit = await _own_list(request, session)
        ready = row.state == "ready"
        bad = await recipients.bad_lines(session, row.id, limit=_SHOWN) if ready and row.bad else []
        warned = await recipients.warned_lines(session, row.id, _SHOWN) if ready and row.warned else []
        villages = await marks.villages(session, unit) if ready else []
    told = request.query.get("marked", "")
    values = {
        "row": row,
        "unit": unit,
        "bad": bad,
        "warned": warned,
        "shown": _SHOWN,
        "longest": LONGEST_CELL,
        "villages": villages,
        "marked": told[:9] if told.isascii() and told.isdigit() else "",
        "typed": {name: form.text(name) if form else "" for name in ("tag", "area_id")},
        "errors": errors,
    }
    return render(request, "announcements/list", values, status)


async def _own_list(request: web.Request, session: Session) -> tuple[RecipientListRow, UnitRow]:
    """Return the list of the address; raises NotFoundError when it is none of one's units'."""
    row = await recipients.seen(session, request.match_info["id"])
    unit = await units.unit(session, row.unit_id) if row is not None else None
    if row is None or unit is None or not visit_of(request).grants.over(Permission.ANNOUNCEMENT_WRITE, unit.path):
        raise NotFoundError("recipient_list")
    return row, unit


async def bad_lines(request: web.Request) -> web.Response:
    """Give out the bad lines as a workbook with what is wrong in its last column, written by another process."""
    runtime = runtime_of(request)
    async with runtime.database.reading() as session:
        row, _ = await _own_list(request, session)
    if row.state != "ready" or not row.bad:
        raise NotFoundError("bad lines")
    async with writing(request) as uow:
        actions.looked_into(uow, row.id, row.bad)
    secret, language = runtime.settings.security.secret_key, translations.current()
    data = await process.write(_lines(runtime, row.id), _REASON, secret, language)
    return _workbook(data, "dong-loi.xlsx")


async def _lines(runtime: Runtime, list_id: str) -> AsyncIterator[dict[str, Any]]:
    after = 0
    while True:
        async with runtime.database.reading() as session:
            found = await recipients.bad_lines(session, list_id, after)
        for line in found:
            assert line.cells is not None
            yield {"cells": line.cells.decode(), "problems": line.problems or []}
        if not found:
            return
        after = found[-1].n


async def sample(request: web.Request) -> web.Response:
    """Give out a list as it should be, to start from."""
    runtime = runtime_of(request)

    async def rows() -> AsyncIterator[tuple[str, ...]]:
        for row in SAMPLE:
            yield row

    if not _sample:  # the same for everybody: one process is enough
        secret = runtime.settings.security.secret_key
        _sample.append(await process.write(rows(), _LIST, secret, translations.current()))
    return _workbook(_sample[0], "danh-sach-mau.xlsx")


def _workbook(data: bytes, name: str) -> web.Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return web.Response(body=data, content_type=_XLSX, headers=headers)


async def remove(request: web.Request) -> web.Response:
    """Remove a list, unless an announcement is for its people."""
    try:
        async with writing(request) as uow:
            row, _ = await _own_list(request, uow.session)
            await actions.remove(uow, row.id)
    except InvalidInputError as error:
        return await _one(request, of(error), 422)
    return see_other(HOME, done="removed")
