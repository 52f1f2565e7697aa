"""Make the commune's calendar: office hours, and the days that differ in the years that the demo touches."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.clock import new_id, to_local
from bot.domain.calendar import OFFICE_HOURS, WorkingCalendar, prefill, prefill_worked
from bot.store.units import CalendarDayRow, CalendarRow

_FIRST_REPORT = timedelta(days=70)
"""Reports reach back so far at most; in January that is last year, which is then in as well."""


@dataclass(frozen=True, slots=True)
class Holidays:
    """Days off and weekend days worked instead, with their names, and the years that are final."""

    off: dict[date, str]
    worked: dict[date, str]
    confirmed: tuple[int, ...]

    def calendar(self) -> WorkingCalendar:
        """Return the calendar that counts by these days."""
        return WorkingCalendar(days_off=self.off, days_worked=self.worked, confirmed_years=frozenset(self.confirmed))

    def rows(self, unit_id: str, changed_at: datetime) -> list[CalendarRow | CalendarDayRow]:
        """Return the rows that hold this calendar for a unit."""
        intervals = [
            [sorted(hours.weekdays), start.strftime("%H:%M"), end.strftime("%H:%M")]
            for hours in OFFICE_HOURS
            for start, end in hours.spans
        ]
        own = CalendarRow(
            unit_id=unit_id, intervals=intervals, confirmed_years=list(self.confirmed), changed_at=changed_at
        )
        days = [(day, name, False) for day, name in self.off.items()]
        days += [(day, name, True) for day, name in self.worked.items()]
        return [
            own,
            *(CalendarDayRow(id=new_id(), unit_id=unit_id, day=day, works=works, name=n) for day, n, works in days),
        ]


def holidays_around(now: datetime, worked_name: str) -> Holidays:
    """Look up the public holidays of this and next year; next year is not confirmed yet. Takes a moment (an import)."""
    this_year = to_local(now).year
    confirmed = tuple(range(to_local(now - _FIRST_REPORT).year, this_year + 1))
    years = (*confirmed, this_year + 1)
    return Holidays(dict(prefill(years)), dict.fromkeys(prefill_worked(years), worked_name), confirmed)
