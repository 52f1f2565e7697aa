"""Report on dossiers by unit, field and month; every number leads to its dossiers, every table to a workbook."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from bot import render as templates
from bot.clock import to_local
from bot.store import dossier_lists, dossier_reports
from bot.store.dossier_figures import FIGURES
from bot.store.dossier_reports import MOST_MONTHS, Counts, Line, Scope
from handlers.console.dossier_overdue import workbook
from handlers.console.dossier_scope import NO_FIELD, Offices, days_in, months, offices, period
from handlers.console.page import context, render, runtime_of

TABLES = ("units", "fields", "months")
COLUMNS = (
    "received", "early", "on_time", "late", "undated", "waiting_in_time", "waiting_late", "refused", "withdrawn",
    "stopped",
)  # fmt: skip
_WORDS = "console/dossiers/table_words.html"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: `name`, its figures, and what of the address its numbers' lists choose."""

    name: str
    counts: Counts
    chosen: dict[str, str]

    def share(self, part: str, *others: str) -> str:
        """Return a figure's share of itself and others in percent, "" of nothing."""
        whole = self.counts[part] + sum(self.counts[other] for other in others)
        return f"{self.counts[part] * 100 / whole:.1f}".replace(".", ",") + "%" if whole else ""

    @property
    def done(self) -> int:
        """How many were finished in the period."""
        return sum(self.counts[name] for name in ("early", "on_time", "late", "undated"))

    @property
    def in_time(self) -> str:
        """The share of those with a date that were done by it, in percent."""
        whole = sum(self.counts[name] for name in ("early", "on_time", "late"))
        kept = self.counts["early"] + self.counts["on_time"]
        return f"{kept * 100 / whole:.1f}".replace(".", ",") + "%" if whole else ""

    @property
    def rated(self) -> int:
        """How many have said how satisfied they are."""
        return sum(self.counts[name] for name in ("very_satisfied", "satisfied", "unsatisfied"))


@dataclass(frozen=True, slots=True)
class Report:
    """All tables of a period."""

    first: date
    last: date
    units: list[Row]
    fields: list[Row]
    months: list[Row]
    total: Row


async def show(request: web.Request) -> web.Response:
    """Show the tables; the period, the unit and the field stand in the address."""
    runtime = runtime_of(request)
    async with runtime.database.reading() as session:
        seen = await offices(request, session)
        values = {
            "report": await _report(request, session, seen),
            "fields": await dossier_lists.fields(session),
            "units": seen.seen,
            "unit_id": request.query.get("unit", ""),
            "field": request.query.get("field", ""),
            "columns": COLUMNS,
            "tables": TABLES,
            "listed": listed,
            "asked": urlencode(
                {k: v for k, v in request.query.items() if k in {"from", "to", "month", "unit", "field"}}
            ),
        }
    return render(request, "dossiers/reports", values)


async def table(request: web.Request) -> web.Response:
    """Give one table out as a workbook."""
    name = request.match_info["table"]
    name = name if name in TABLES else TABLES[0]
    async with runtime_of(request).database.reading() as session:
        report = await _report(request, session, await offices(request, session))
    words = templates.environment().get_template(_WORDS).make_module(context(request))

    def say(macro: str, *values: object) -> str:
        return str(getattr(words, macro)(*values)).strip()

    lines = [(row.name or say("unknown"), row) for row in getattr(report, name)]
    lines += [(say("whole"), report.total)] if name != "months" else []
    rows = [[say("first_column", name), *(say("figure_name", figure) for figure in FIGURES)]]
    rows += [[called, *(str(row.counts[figure]) for figure in FIGURES)] for called, row in lines]
    return workbook(rows, say("sheet_name", name), request)


def listed(row: Row, figure: str) -> str:
    """Return the address of the dossiers behind a number."""
    return f"/dossiers?{urlencode({**row.chosen, 'what': figure})}"


async def _report(request: web.Request, session: Any, seen: Offices) -> Report:
    now = runtime_of(request).now()
    first, last = days_in(request, now)
    unit_id, field = request.query.get("unit", ""), request.query.get("field", "")[:200]
    scope = Scope(seen.paths(unit_id), field)
    lines = await dossier_reports.lines(session, scope, period(first, last, now))
    spans = months(first, last, now, MOST_MONTHS)
    by_month = await dossier_reports.months(session, scope, spans)
    base = {"unit": unit_id if seen.unit(unit_id) else "", "field": field, **_days(first, last)}
    base = {name: value for name, value in base.items() if value}
    ids = {unit.path: unit.id for unit in seen.seen}
    return Report(
        first,
        last,
        _rows(
            lines,
            lambda line: line.path,
            lambda path: Row(seen.named(path), {}, {**base, "unit": ids.get(path, ""), "alone": "1"}),
        ),
        _rows(lines, lambda line: line.field, lambda name: Row(name, {}, {**base, "field": name or NO_FIELD})),
        [
            Row(low.strftime("%m/%Y"), counts, {**base, **_days(low, high)})
            for counts, span in zip(by_month, spans, strict=True)
            for low, high in [(to_local(span.low).date(), min(last, _last_day(span.high)))]
        ],
        Row("", _sum(line.counts for line in lines), base),
    )


def _days(first: date, last: date) -> dict[str, str]:
    return {"from": first.isoformat(), "to": last.isoformat()}


def _last_day(high: Any) -> date:
    return date.fromordinal(to_local(high).date().toordinal() - 1)


def _rows(lines: Sequence[Line], key: Callable[[Line], str], made: Callable[[str], Row]) -> list[Row]:
    """Return a line of a table for each key, by name."""
    grouped: dict[str, list[Counts]] = {}
    for line in lines:
        grouped.setdefault(key(line), []).append(line.counts)
    rows = [(made(name), _sum(counts)) for name, counts in grouped.items()]
    return sorted((Row(row.name, counts, row.chosen) for row, counts in rows), key=lambda row: row.name)


def _sum(counts: Iterable[Counts]) -> Counts:
    total = dict.fromkeys(FIGURES, 0)
    for one in counts:
        for name, number in one.items():
            total[name] += number
    return total
