"""Keep working hours and days off, a year at a time; open cases get their dates anew."""

from calendar import Calendar
from dataclasses import dataclass
from datetime import date
from typing import Any

from aiohttp import web

from bot.actions import calendars as actions
from bot.actions.case_clock import to_calendar
from bot.clock import to_local
from bot.domain.access import Permission
from bot.domain.calendar import WorkingCalendar
from bot.errors import InvalidInputError
from bot.store import units
from bot.store.database import Session
from bot.store.units import CalendarDayRow, CalendarRow, UnitRow
from handlers.console.page import Errors, Form, form_of, of, render, runtime_of, see_other, visit_of, writing
from handlers.console.units import date_of, own_unit

_SPARE_ROWS = 2
_WEEK = range(7)


@dataclass(frozen=True, slots=True)
class Day:
    """One square of the year; `kind` is work | rest | off | worked | none (outside the month)."""

    number: int
    kind: str
    name: str


async def show(request: web.Request) -> web.Response:
    """Show the calendar of one unit for one year."""
    return await _page(request, {}, None)


async def _page(request: web.Request, errors: Errors, form: Form | None, status: int = 200) -> web.Response:
    runtime = runtime_of(request)
    async with runtime.database.reading() as session:
        homes = await _homes(request, session)
        wanted = form.text("unit_id") if form else request.query.get("unit", "")
        unit = next((u for u in homes if u.id == wanted), homes[0] if homes else None)
        year = _year(form.text("year") if form else request.query.get("year", ""), to_local(runtime.now()).year)
        values: dict[str, Any] = {"homes": homes, "unit": unit, "year": year, "errors": errors}
        values |= await _calendar_of(session, unit, year) if unit is not None else {}
    values["typed"] = {name: form.text(name) if form else "" for name in ("day", "name", "works")}
    return render(request, "admin/calendars", values, status)


async def _homes(request: web.Request, session: Session) -> list[UnitRow]:
    """Return one's own units, those with a calendar of their own first."""
    visit = visit_of(request)
    own = {row.unit_id for row in await units.calendars(session)}
    mine = [u for u in await units.all_units(session) if visit.grants.over(Permission.ADMIN, u.path)]
    return sorted((u for u in mine if u.valid_to is None), key=lambda u: (u.id not in own, u.path))


async def _calendar_of(session: Session, unit: UnitRow, year: int) -> dict[str, object]:
    found = await units.calendar(session, unit)
    holder = await units.unit(session, found[0].unit_id) if found else None
    days = [d for d in found[1] if d.day.year == year] if found else []
    intervals = [tuple(row) for row in found[0].intervals] if found else list(actions.default_intervals())
    return {
        "own": bool(found and found[0].unit_id == unit.id),
        "holder": holder,
        "days": days,
        "months": _months(found, days, year),
        "intervals": intervals,
        "spare": range(_SPARE_ROWS),
        "confirmed": bool(found and year in found[0].confirmed_years),
    }


def _months(
    found: tuple[CalendarRow, list[CalendarDayRow]] | None, days: list[CalendarDayRow], year: int
) -> list[list[list[Day]]]:
    calendar = to_calendar(*found) if found else WorkingCalendar()
    special = {d.day: d for d in days}
    weeks_of = Calendar()

    def square(day: date, month: int) -> Day:
        if day.month != month:
            return Day(0, "none", "")
        known = special.get(day)
        if known is not None:
            return Day(day.day, "worked" if known.works else "off", known.name)
        return Day(day.day, "work" if calendar.rest_reason(day) is None else "rest", "")

    return [
        [[square(day, month) for day in week] for week in weeks_of.monthdatescalendar(year, month)]
        for month in range(1, 13)
    ]


def _year(text: str, default: int) -> int:
    year = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else default  # noqa: PLR2004 - a year has four digits
    return year if 2020 <= year <= 2100 else default  # noqa: PLR2004 - as far as holidays are known


def _back(unit_id: str, year: str, done: str) -> web.Response:
    return see_other("/admin/calendars", unit=unit_id, year=year, done=done)


async def set_hours(request: web.Request) -> web.Response:
    """Set the weekly hours."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            unit = await own_unit(request, uow.session, form.text("unit_id") or "-")
            await actions.set_hours(uow, unit.id, _intervals(form))
    except InvalidInputError as error:
        return await _page(request, of(error), form, 422)
    return _back(unit.id, form.text("year"), "saved")


def _intervals(form: Form) -> list[actions.Interval]:
    rows = []
    for number in range(form.number("rows") or 0):
        weekdays = [int(day) for day in form.texts(f"weekdays-{number}") if day in {str(d) for d in _WEEK}]
        start, end = form.text(f"start-{number}"), form.text(f"end-{number}")
        if weekdays and (start or end):
            rows.append((weekdays, start, end))
    return rows


async def set_day(request: web.Request) -> web.Response:
    """Make a date a day off or a day worked instead."""
    form = await form_of(request)
    try:
        async with writing(request) as uow:
            unit = await own_unit(request, uow.session, form.text("unit_id") or "-")
            works = form.text("works") == "yes"
            day = date_of(form, "day")
            await actions.set_day(uow, unit.id, day, form.text("name"), works=works)
    except InvalidInputError as error:
        return await _page(request, of(error), form, 422)
    return _back(unit.id, str(day.year), "saved")


async def remove_day(request: web.Request) -> web.Response:
    """Let a date follow the week again."""
    form = await form_of(request)
    async with writing(request) as uow:
        unit = await own_unit(request, uow.session, form.text("unit_id") or "-")
        day = date_of(form, "day")
        await actions.remove_day(uow, unit.id, day)
    return _back(unit.id, str(day.year), "removed")


async def prefill(request: web.Request) -> web.Response:
    """Enter the public holidays of a year."""
    form = await form_of(request)
    year = form.number("year") or 0
    async with writing(request) as uow:
        unit = await own_unit(request, uow.session, form.text("unit_id") or "-")
        await actions.prefill_year(uow, unit.id, year, form.text("worked_name") or "-")
    return _back(unit.id, str(year), "prefilled")


async def confirm(request: web.Request) -> web.Response:
    """Say that the days off of a year are final."""
    form = await form_of(request)
    year = form.number("year") or 0
    async with writing(request) as uow:
        unit = await own_unit(request, uow.session, form.text("unit_id") or "-")
        await actions.confirm_year(uow, unit.id, year)
    return _back(unit.id, str(year), "confirmed")
