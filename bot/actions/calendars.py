"""Change when offices work; open cases get their dates anew, and each says so."""

from datetime import date, time

from bot.actions import case_clock
from bot.actions.case_trail import audit
from bot.actions.units import unit_of, words_of
from bot.domain.calendar import OFFICE_HOURS, CalendarError, prefill, prefill_worked
from bot.errors import InvalidInputError
from bot.store import units
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import CalendarDayRow, CalendarRow, UnitRow

Interval = tuple[list[int], str, str]
_YEARS = range(2020, 2101)


def default_intervals() -> list[Interval]:
    """Return the office hours of the product as rows hold them."""
    return [
        (sorted(hours.weekdays), start.strftime("%H:%M"), end.strftime("%H:%M"))
        for hours in OFFICE_HOURS
        for start, end in hours.spans
    ]


async def own_calendar(uow: UnitOfWork, unit: UnitRow) -> CalendarRow:
    """Return a unit's own calendar, made from the one that held for it so far."""
    row = await units.calendar_of(uow.session, unit.id)
    if row is not None:
        return row
    above = await units.calendar(uow.session, unit)
    intervals = list(above[0].intervals) if above else [list(one) for one in default_intervals()]
    confirmed = list(above[0].confirmed_years) if above else []
    row = CalendarRow(unit_id=unit.id, intervals=intervals, confirmed_years=confirmed, changed_at=uow.now)
    uow.session.add(row)
    for day in above[1] if above else []:
        uow.session.add(CalendarDayRow(id=uow.new_id(), unit_id=unit.id, day=day.day, works=day.works, name=day.name))
    await uow.session.flush()
    return row


async def set_hours(uow: UnitOfWork, unit_id: str, intervals: list[Interval]) -> int:
    """Set the weekly hours; returns how many open cases got another date.

    Raises InvalidInputError for hours that overlap or leave no working time.
    """
    unit = await unit_of(uow, unit_id)
    row = await own_calendar(uow, unit)
    rows = [[sorted(set(weekdays)), _time(start), _time(end)] for weekdays, start, end in intervals if weekdays]
    try:
        case_clock.to_calendar(CalendarRow(unit_id=unit_id, intervals=rows, changed_at=uow.now), [])
    except CalendarError as error:
        raise InvalidInputError("hours", "hours_overlap") from error
    row.intervals = rows
    return await _changed(uow, unit, row, "hours")


def _time(text: str) -> str:
    try:
        return time.fromisoformat(text.strip()).strftime("%H:%M")
    except ValueError as error:
        raise InvalidInputError("hours", "not_a_time") from error


async def set_day(uow: UnitOfWork, unit_id: str, day: date, name: str, *, works: bool) -> int:
    """Make a date a day off or a day worked instead; returns how many open cases got another date."""
    unit = await unit_of(uow, unit_id)
    row = await own_calendar(uow, unit)
    await _put(uow, unit_id, day, words_of(name, "name", 100), works=works)
    return await _changed(uow, unit, row, f"day {day.isoformat()}")


async def remove_day(uow: UnitOfWork, unit_id: str, day: date) -> int:
    """Let a date follow the week again; returns how many open cases got another date."""
    unit = await unit_of(uow, unit_id)
    row = await own_calendar(uow, unit)
    known = await units.calendar_day(uow.session, unit_id, day)
    if known is not None:
        await uow.session.delete(known)
        await uow.session.flush()
    return await _changed(uow, unit, row, f"day {day.isoformat()}")


async def prefill_year(uow: UnitOfWork, unit_id: str, year: int, worked_name: str) -> int:
    """Enter the public holidays of a year as far as they are known; what people have entered stays.

    `worked_name` names the days worked instead of bridge days. Returns how many open cases got another date.
    """
    unit = await unit_of(uow, unit_id)
    row = await own_calendar(uow, unit)
    check_year(year)
    for day, name in prefill([year]):
        if await units.calendar_day(uow.session, unit_id, day) is None:
            await _put(uow, unit_id, day, name, works=False)
    for day in prefill_worked([year]):
        if await units.calendar_day(uow.session, unit_id, day) is None:
            await _put(uow, unit_id, day, worked_name, works=True)
    return await _changed(uow, unit, row, f"prefill {year}")


async def confirm_year(uow: UnitOfWork, unit_id: str, year: int) -> None:
    """Say that the days off of a year are final, so that dates in it carry no warning."""
    unit = await unit_of(uow, unit_id)
    row = await own_calendar(uow, unit)
    check_year(year)
    row.confirmed_years = sorted({*row.confirmed_years, year})
    await _changed(uow, unit, row, f"confirm {year}")


def check_year(year: int) -> None:
    """Raise InvalidInputError for a year that no calendar of ours reaches."""
    if year not in _YEARS:
        raise InvalidInputError("year", "not_a_date")


async def _put(uow: UnitOfWork, unit_id: str, day: date, name: str, *, works: bool) -> None:
    known = await units.calendar_day(uow.session, unit_id, day)
    if known is None:
        uow.session.add(CalendarDayRow(id=uow.new_id(), unit_id=unit_id, day=day, works=works, name=name))
    else:
        known.works, known.name = works, name
    await uow.session.flush()


async def _changed(uow: UnitOfWork, unit: UnitRow, row: CalendarRow, what: str) -> int:
    row.changed_at = uow.now
    await uow.session.flush()
    recomputed = await case_clock.calendar_changed(uow, unit)
    uow.after_commit("date_dossiers")
    audit(uow, "calendar.change", f"unit:{unit.id}", {"what": what, "cases": recomputed})
    return recomputed
