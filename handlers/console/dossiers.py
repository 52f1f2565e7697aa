"""List dossiers by what is due first; find them by code in any form, phone, procedure, field, status, light, month."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from bot.actions import dossier_dates
from bot.domain import dossier_code
from bot.domain.dossier import Status
from bot.domain.dossier_clock import Dates, standing
from bot.domain.privacy import normalise_phone
from bot.domain.remaining import Remaining
from bot.runtime import Runtime
from bot.store import dossier_lists, procedures
from bot.store.database import Session
from bot.store.dossier_figures import FIGURES
from bot.store.dossier_lists import LIGHTS, DossierFilter
from bot.store.dossiers import DossierRow
from handlers.console.dossier_scope import NO_FIELD, Offices, day_in, days_in, offices, period
from handlers.console.page import page_number, render, runtime_of

PAGE = 50
KEPT = ("q", "procedure", "field", "status", "unit", "alone", "light", "month", "what", "from", "to")
_LONGEST = 200
_MOST_PROCEDURES = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list."""

    row: DossierRow
    unit: str
    remaining: Remaining


async def show(request: web.Request) -> web.Response:
    """Show one page of the list; everything chosen stands in the address."""
    runtime, page = runtime_of(request), page_number(request)
    async with runtime.database.reading() as session:
        seen = await offices(request, session)
        wanted = await _filter(request, session, seen)
        found = await dossier_lists.search(session, wanted, PAGE + 1, (page - 1) * PAGE)
        lights = await dossier_lists.light_counts(session, replace(wanted, light=""))
        lines = await dossier_dates.lines(session)
        values = {
            "entries": [entry(row, seen, lines, runtime) for row in found[:PAGE]],
            "fields": await dossier_lists.fields(session),
            "no_field": NO_FIELD,
            "lights": lights,
            "page": page,
            "more": len(found) > PAGE,
            "units": seen.seen,
            "chosen": {name: request.query.get(name, "") for name in KEPT},
            "days": days_in(request, runtime.now()) if wanted.figure else None,
            "statuses": [int(status) for status in Status],
            "light_names": LIGHTS,
            "address": _address(request),
        }
    return render(request, "dossiers/index", values)


def entry(row: DossierRow, seen: Offices, lines: dossier_dates.Lines, runtime: Runtime) -> Entry:
    """Return a dossier as lists show it."""
    when = Dates(row.law_due_at, row.soon_at, row.late_at)
    line = lines.of(row.path)
    remaining = standing(line, Status(row.status), row.due_at, row.law_due_at, when, runtime.now())
    return Entry(row, seen.named(row.path), remaining)


async def _filter(request: web.Request, session: Session, seen: Offices) -> DossierFilter:
    query, runtime = request.query, runtime_of(request)
    status, light, what = query.get("status", ""), query.get("light", ""), query.get("what", "")
    what = what if what in FIGURES else "received" if day_in(f"{query.get('month', '')}-01") else ""
    days, field = days_in(request, runtime.now()), query.get("field", "")[:_LONGEST]
    wanted = DossierFilter(
        now=runtime.now(),
        paths=seen.paths(query.get("unit", ""), alone=bool(query.get("alone"))),
        field=field if field != NO_FIELD else "",
        no_field=field == NO_FIELD,
        status=int(status) if status.isascii() and status.isdigit() and len(status) <= 2 else 0,  # noqa: PLR2004 - 1 to 10
        light=light if light in LIGHTS else "",
        figure=what,
        period=period(*days, runtime.now()) if what else None,
    )
    procedure = query.get("procedure", "").strip()[:_LONGEST]
    if procedure:
        wanted = replace(wanted, procedures=(procedure,))
    return await _searched(session, runtime, wanted, query.get("q", "").strip()[:_LONGEST])


async def _searched(session: Session, runtime: Runtime, wanted: DossierFilter, text: str) -> DossierFilter:
    """Read what was typed: a code in any form or its end, a phone, else words of a procedure's name."""
    if not text:
        return wanted
    exactly = _exactly(runtime, text)
    if exactly:
        return replace(wanted, **exactly)
    found = await procedures.search(session, text, limit=_MOST_PROCEDURES)
    return replace(wanted, procedures=tuple(row.code for row in found))


def _exactly(runtime: Runtime, text: str) -> dict[str, Any]:
    """Return what of a filter a code in any form, its end, or a phone says; {} for other words."""
    codes, dated, phone = dossier_code.found_in(text), dossier_code.dated_tail(text), normalise_phone(text)
    if dated is not None and not codes:
        return {"dated": dated[0], "tail": dated[1]}
    found = {
        "code": next(iter(codes), ""),
        "squeezed": dossier_code.squeezed_guess(text),
        "phone_hash": runtime.box.fingerprint(phone) if phone else "",
        "tail": dossier_code.tail(text),
    }
    return next(({name: value} for name, value in found.items() if value), {})


def _address(request: web.Request) -> object:
    """Return a function that makes the address of this list with some choices changed."""

    def address(**changes: object) -> str:
        changed = {name: request.query.get(name, "") for name in KEPT}
        changed |= {name: str(value) for name, value in changes.items()}
        chosen = {name: value for name, value in changed.items() if value}
        return f"/dossiers?{urlencode(chosen)}" if chosen else "/dossiers"

    return address
