"""Import exports of dossiers: upload one, see what it would change, have it applied, read what came of it."""

import asyncio
import hashlib
import html
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from bot import render as templates
from bot import translations
from bot.actions import dossier_imports as actions
from bot.actions.case_trail import audit
from bot.actions.dossier_counts import KINDS
from bot.checker import export_process, process
from bot.clock import new_id
from bot.domain.access import Permission
from bot.errors import InvalidInputError, NotFoundError
from bot.store import dossier_imports, units
from bot.store.database import Session
from bot.store.dossier_imports import DossierImportRow
from bot.store.units import UnitRow
from handlers.console.page import Errors, Form, form_of, of, render, runtime_of, see_other, visit_of, writing

HOME = "/dossiers/imports"
_ENDINGS = (".xlsx", ".xls", ".ods", ".csv", ".txt", ".tsv")
_SHOWN = 100
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SHEET = "Dòng lỗi"
MEGABYTES = actions.MOST_BYTES // 1024 // 1024
"""What an uploaded export may have."""


async def show(request: web.Request) -> web.Response:
    """Show the imports of one's units, and the form for another."""
    return await _page(request, {}, None)


async def _page(request: web.Request, errors: Errors, form: Form | None, status: int = 200) -> web.Response:
    async with runtime_of(request).database.reading() as session:
        mine = await own_units(request, session)
        found = await dossier_imports.newest(session, [unit.id for unit in mine])
    values = {
        "imports": found,
        "units": [unit for unit in mine if unit.valid_to is None],
        "names": {unit.id: unit.name for unit in mine},
        "most_mb": MEGABYTES,
        "errors": errors,
        "unit_id": form.text("unit_id") if form else request.query.get("unit", ""),
        "folder": runtime_of(request).settings.dossiers.folder,
    }
    return render(request, "dossiers/imports", values, status)


async def own_units(request: web.Request, session: Session) -> list[UnitRow]:
    """Return the units whose dossiers whoever looks may work on, parents before their children."""
    grants = visit_of(request).grants
    return [unit for unit in await units.all_units(session) if grants.over(Permission.DOSSIER_WORK, unit.path)]


async def add(request: web.Request) -> web.Response:
    """Take in a file; it is read by the job."""
    form = await form_of(request)
    runtime, import_id = runtime_of(request), new_id()
    try:
        async with runtime.database.reading() as session:
            mine = {unit.id for unit in await own_units(request, session) if unit.valid_to is None}
        if form.text("unit_id") not in mine:
            raise InvalidInputError("unit_id", "unknown_unit")  # noqa: TRY301 - said like the rest
        name, file = _uploaded(form)
        digest = await asyncio.to_thread(_digest, file)
        await runtime.blobs.put_file(actions.blob_key(import_id), file)
        async with writing(request) as uow:
            await actions.add(uow, import_id, form.text("unit_id"), name, digest, "console")
    except InvalidInputError as error:
        return await _page(request, of(error), form, 422)
    return see_other(f"{HOME}/{import_id}")


def _uploaded(form: Form) -> tuple[str, Any]:
    uploads = form.uploads("file")
    if not uploads or not uploads[0].filename.lower().endswith(_ENDINGS):
        raise InvalidInputError("file", "no_export_file")
    file: Any = uploads[0].file
    size = file.seek(0, 2)
    file.seek(0)
    if not size:
        raise InvalidInputError("file", "no_rows")
    if size > actions.MOST_BYTES:
        raise InvalidInputError("file", "too_large", name=uploads[0].filename, most=MEGABYTES)
    return uploads[0].filename, file


def _digest(file: Any) -> str:
    found = str(hashlib.file_digest(file, "sha256").hexdigest())
    file.seek(0)
    return found


async def show_one(request: web.Request) -> web.Response:
    """Show one import: how far it is, what it would change and asks, or what it has changed."""
    return await _one(request, {})


async def _one(request: web.Request, errors: Errors, status: int = 200) -> web.Response:
    runtime = runtime_of(request)
    async with runtime.database.reading() as session:
        row, unit = await _own(request, session)
    bad: list[Any] = []
    if row.figures.get("bad_chunks") and row.state != "reading":
        try:
            sealed = await runtime.blobs.get(actions.blob_key(row.id, "bad/0"))
            bad = (await asyncio.to_thread(export_process.bad_rows_of, sealed, runtime.box))[:_SHOWN]
        except FileNotFoundError:
            bad = []
    values = {"row": row, "unit": unit, "bad": bad, "shown": _SHOWN, "errors": errors, "kinds": KINDS}
    return render(request, "dossiers/import", {**values, "asks": actions.asks(row)}, status)


async def _own(request: web.Request, session: Session) -> tuple[DossierImportRow, UnitRow]:
    """Return the import of the address; raises NotFoundError when it is none of one's units'."""
    row = await dossier_imports.one(session, request.match_info["id"])
    unit = await units.unit(session, row.unit_id) if row is not None else None
    if row is None or unit is None or not visit_of(request).grants.over(Permission.DOSSIER_WORK, unit.path):
        raise NotFoundError("dossier_import")
    return row, unit


async def confirm(request: web.Request) -> web.Response:
    """Have an import applied."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            row, _ = await _own(request, uow.session)
            await actions.confirm(uow, row.id, nonetheless=form.text("nonetheless") == "yes")
    except InvalidInputError as error:
        return await _one(request, of(error), 422)
    return see_other(f"{HOME}/{row.id}")


async def cancel(request: web.Request) -> web.Response:
    """Let go of an import; what lies of it is deleted."""
    runtime = runtime_of(request)
    try:
        async with writing(request) as uow:
            row, _ = await _own(request, uow.session)
            row = await actions.cancel(uow, row.id)
            left = actions.pieces(row)
    except InvalidInputError as error:
        return await _one(request, of(error), 422)
    for key in left:
        await runtime.blobs.delete(key)
    return see_other(HOME, done="import_cancelled")


async def bad_rows(request: web.Request) -> web.Response:
    """Give out the bad rows as a workbook with what is wrong in its last column, written by another process."""
    runtime = runtime_of(request)
    async with runtime.database.reading() as session:
        row, _ = await _own(request, session)
    if not row.figures.get("bad_chunks") or row.state in {"reading", "cancelled"}:
        raise NotFoundError("bad rows")
    async with writing(request) as uow:
        audit(uow, "dossier_import.bad_rows", actions.topic(row.id), {"rows": row.figures.get("bad", 0)})
    secret, language = runtime.settings.security.secret_key, translations.current()
    data = await process.write(_lines(request, row), _SHEET, secret, language)
    headers = {"Content-Disposition": 'attachment; filename="dong-loi.xlsx"', "Cache-Control": "no-store"}
    return web.Response(body=data, content_type=_XLSX, headers=headers)


async def _lines(request: web.Request, row: DossierImportRow) -> AsyncIterator[list[str]]:
    runtime = runtime_of(request)
    module: Any = templates.environment().get_template("console/macros/dossier_imports.html").module
    for number in range(row.figures["bad_chunks"]):
        try:
            sealed = await runtime.blobs.get(actions.blob_key(row.id, f"bad/{number}"))
        except FileNotFoundError:
            return
        rows = await asyncio.to_thread(export_process.bad_rows_of, sealed, runtime.box)
        if not number:
            yield [module.title("row"), *rows[0][1], module.title("reason")]
        for line, cells, problems in rows:
            reasons = " ".join(html.unescape(str(module.problem_in_column(problem))) for problem in problems)
            yield [str(line), *cells.values(), reasons]
