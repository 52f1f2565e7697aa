"""List what is overdue by unit, with its cause: to work through, to print, as a workbook."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from aiohttp import web

from bot import render as templates
from bot.actions import dossier_dates
from bot.clock import to_local
from bot.runtime import Runtime
from bot.sheets.streaming import Streaming
from bot.sheets.writing import written
from bot.store import dossier_lists
from bot.store.dossier_lists import DossierFilter
from handlers.console.dossier_scope import Offices, offices
from handlers.console.dossiers import Entry, entry
from handlers.console.media import disposition
from handlers.console.page import context, render, runtime_of

MOST = 2000
"""So many are shown at once; nobody works through more. The workbook holds all."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WORDS = "console/dossiers/table_words.html"
_COLUMNS = ("unit", "code", "procedure", "field", "received", "due", "law_due", "overdue", "status", "cause")
_AT_ONCE = 500
_GIVE_WAY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Overdue:
    """All that is late, by id, how much of it each unit has by its name, and what lines of a list are made of."""

    ids: Sequence[str]
    numbers: Counter[str]
    seen: Offices
    lines: dossier_dates.Lines


async def show(request: web.Request) -> web.Response:
    """Show the list; of very many only the first, with the number of all."""
    runtime = runtime_of(request)
    found = await _overdue(request)
    entries = await _entries(runtime, found, found.ids[:MOST])
    values = {
        "groups": [(unit, list(of_unit)) for unit, of_unit in groupby(entries, key=lambda one: one.unit)],
        "number": len(found.ids),
        "numbers": found.numbers,
        "more": len(found.ids) > MOST,
        "most": MOST,
        "units": found.seen.seen,
        "unit_id": request.query.get("unit", ""),
    }
    return render(request, "dossiers/overdue", values)


async def table(request: web.Request) -> web.StreamResponse:
    """Give all of the list out as a workbook, which leaves while it is read; it names nobody."""
    runtime, found = runtime_of(request), await _overdue(request)
    words = templates.environment().get_template(_WORDS).make_module(context(request))
    title = _say(words, "sheet_name", "overdue")
    book = Streaming(title, [_say(words, "column_name", name) for name in _COLUMNS])
    response = web.StreamResponse(headers={"Content-Type": XLSX, **_headers(title, request)})
    await response.prepare(request)
    try:
        for low in range(0, len(found.ids), _AT_ONCE):
            entries = await _entries(runtime, found, found.ids[low : low + _AT_ONCE])
            await response.write(await asyncio.to_thread(_put, book, words, entries))
            await runtime.urgency.give_way(_GIVE_WAY_SECONDS)
        await response.write(await asyncio.to_thread(book.close))
        await response.write_eof()
    except ConnectionError:
        return response  # whoever asked has gone away
    except Exception:
        if request.transport is not None:
            request.transport.abort()  # half a workbook must not look like a whole one
        raise
    finally:
        book.abandon()
    return response


def workbook(rows: Sequence[Sequence[str]], title: str, request: web.Request) -> web.Response:
    """Answer with a workbook of one sheet, named after its title and the day."""
    return web.Response(body=written(rows, title[:31]), content_type=XLSX, headers=_headers(title, request))


def _headers(title: str, request: web.Request) -> dict[str, str]:
    day = to_local(runtime_of(request).now()).strftime("%d-%m-%Y")
    return {"Content-Disposition": disposition("attachment", f"{title} {day}.xlsx"), "Cache-Control": "no-store"}


def _put(book: Streaming, words: Any, entries: Sequence[Entry]) -> bytes:
    return book.add([_line(words, one) for one in entries])


def _line(words: Any, one: Entry) -> list[str]:
    row = one.row
    return [
        one.unit, row.code, row.procedure_name, row.field, _day(row.received_at), _day(row.due_at),
        _day(row.law_due_at), _say(words, "remaining", one.remaining), _say(words, "status_name", row.status),
        row.late_cause,
    ]  # fmt: skip


def _say(words: Any, macro: str, *values: object) -> str:
    return str(getattr(words, macro)(*values)).strip()


async def _overdue(request: web.Request) -> _Overdue:
    runtime = runtime_of(request)
    async with runtime.database.reading() as session:
        seen = await offices(request, session)
        wanted = DossierFilter(now=runtime.now(), paths=seen.paths(request.query.get("unit", "")))
        late = await dossier_lists.overdue(session, wanted)
        lines = await dossier_dates.lines(session)
    named = {unit.path: unit.name for unit in seen.seen}
    numbers = Counter(named.get(path, "") for _, path in late)
    return _Overdue([dossier_id for dossier_id, _ in late], numbers, seen, lines)


async def _entries(runtime: Runtime, found: _Overdue, ids: Sequence[str]) -> list[Entry]:
    async with runtime.database.reading() as session:
        rows = await dossier_lists.by_ids(session, ids)
    return [entry(row, found.seen, found.lines, runtime) for row in rows]


def _day(at: datetime | None) -> str:
    return to_local(at).strftime("%d/%m/%Y") if at else ""
