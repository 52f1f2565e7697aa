"""List what is overdue by unit, with its cause: to work through, to print, as a workbook."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from aiohttp import web

from bot import render as templates
from bot.actions import dossier_dates
from bot.clock import to_local
from bot.sheets.writing import written
from bot.store import dossier_lists
from bot.store.dossier_lists import DossierFilter
from bot.store.units import UnitRow
from handlers.console.dossier_scope import offices
from handlers.console.dossiers import Entry, entry
from handlers.console.media import disposition
from handlers.console.page import context, render, runtime_of

MOST = 2000
"""So many are listed; nobody works through more."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WORDS = "console/dossiers/table_words.html"
_COLUMNS = ("unit", "code", "procedure", "field", "received", "due", "law_due", "overdue", "status", "cause")


async def show(request: web.Request) -> web.Response:
    """Show the list."""
    entries, units, more = await _overdue(request)
    groups = [(unit, list(found)) for unit, found in groupby(entries, key=lambda one: one.unit)]
    values = {
        "groups": groups,
        "number": len(entries),
        "more": more,
        "most": MOST,
        "units": units,
        "unit_id": request.query.get("unit", ""),
    }
    return render(request, "dossiers/overdue", values)


async def table(request: web.Request) -> web.Response:
    """Give the list out as a workbook; it names nobody."""
    entries, _, _ = await _overdue(request)
    words = templates.environment().get_template(_WORDS).make_module(context(request))

    def say(macro: str, *values: object) -> str:
        return str(getattr(words, macro)(*values)).strip()

    rows = [[say("column_name", name) for name in _COLUMNS]]
    for one in entries:
        row = one.row
        rows.append(
            [
                one.unit, row.code, row.procedure_name, row.field, _day(row.received_at), _day(row.due_at),
                _day(row.law_due_at), say("remaining", one.remaining), say("status_name", row.status), row.late_cause,
            ]
        )  # fmt: skip
    return workbook(rows, say("sheet_name", "overdue"), request)


def workbook(rows: Sequence[Sequence[str]], title: str, request: web.Request) -> web.Response:
    """Answer with a workbook of one sheet, named after its title and the day."""
    day = to_local(runtime_of(request).now()).strftime("%d-%m-%Y")
    headers = {"Content-Disposition": disposition("attachment", f"{title} {day}.xlsx"), "Cache-Control": "no-store"}
    return web.Response(body=written(rows, title[:31]), content_type=XLSX, headers=headers)


async def _overdue(request: web.Request) -> tuple[list[Entry], Sequence[UnitRow], bool]:
    runtime = runtime_of(request)
    async with runtime.database.reading() as session:
        seen = await offices(request, session)
        wanted = DossierFilter(now=runtime.now(), paths=seen.paths(request.query.get("unit", "")))
        rows = await dossier_lists.overdue(session, wanted, MOST + 1)
        lines = await dossier_dates.lines(session)
    entries = [entry(row, seen, lines, runtime) for row in rows[:MOST]]
    return entries, seen.seen, len(rows) > MOST


def _day(at: datetime | None) -> str:
    return to_local(at).strftime("%d/%m/%Y") if at else ""
