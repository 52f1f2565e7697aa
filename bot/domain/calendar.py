"""Say when an office works: hours of the week, days off, days worked instead."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

_MIDNIGHT = time(0)
_WEEK = range(7)
_FIRST_WEEKEND_DAY = 5


class CalendarError(ValueError):
    """A calendar that cannot count: hours that overlap or run backwards, or no working time at all."""


# Local (start, end) times of one day, in order.
LocalHours: TypeAlias = tuple[tuple[time, time], ...]


class Hours(NamedTuple):
    """Local (start, end) times on some weekdays, Monday being 0; an end of 00:00 is the end of the day."""

    weekdays: Collection[int]
    spans: LocalHours


OFFICE_HOURS = (Hours(frozenset(range(5)), ((time(8), time(12)), (time(13), time(17)))),)


@dataclass(frozen=True)
class WorkingCalendar:
    """The working time of one unit.

    `days_off` and `days_worked` give each date its name; a day in both is worked. A day worked instead (a Saturday for
    a bridge day) has its own weekday's hours from Monday to Friday, else those of an ordinary day, which is the first
    weekday that has hours. `confirmed_years` are the years whose days off are final; 24/7 calendars that do not follow
    holidays need none. Raises CalendarError for hours that make no sense.
    """

    intervals: tuple[Hours, ...] = OFFICE_HOURS
    days_off: Mapping[date, str] = field(default_factory=dict, hash=False)
    days_worked: Mapping[date, str] = field(default_factory=dict, hash=False)
    confirmed_years: frozenset[int] = frozenset()
    timezone: str = "Asia/Ho_Chi_Minh"
    follows_holidays: bool = True
    _week: tuple[LocalHours, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the hours of all weekdays once and lay them down by weekday."""
        week = tuple(_hours_of(self.intervals, weekday) for weekday in _WEEK)
        if not any(week):
            raise CalendarError("a calendar needs working time on at least one weekday")
        object.__setattr__(self, "_week", week)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which the hours are meant."""
        return ZoneInfo(self.timezone)

    @property
    def ordinary_day(self) -> LocalHours:
        """The local hours of the first weekday that has any."""
        return next(filter(None, self._week))

    def day_intervals(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """Return the working time of a local date as (start, end) in UTC, in order; empty on a day without work."""
        zone = self.zone
        return tuple((_instant(day, start, zone), _end(day, end, zone)) for start, end in self._local_hours(day))

    def rest_reason(self, day: date) -> str | None:
        """Say why nobody works on a day: `day_off:<name>` or `weekly_rest`; None for a working day."""
        if self._local_hours(day):
            return None
        return f"day_off:{self.days_off[day]}" if day in self.days_off else "weekly_rest"

    def local_date(self, moment: datetime) -> date:
        """Return the office's date at an aware moment."""
        return moment.astimezone(self.zone).date()

    def day_end(self, day: date) -> datetime:
        """Return the midnight that ends a local date, in UTC."""
        return _end(day, _MIDNIGHT, self.zone)

    def is_confirmed(self, year: int) -> bool:
        """Tell whether the days off of a year are final, or do not matter here."""
        return not self.follows_holidays or year in self.confirmed_years

    def _local_hours(self, day: date) -> LocalHours:
        regular = self._week[day.weekday()]
        if day in self.days_worked:
            return regular if regular and day.weekday() < _FIRST_WEEKEND_DAY else self.ordinary_day
        return () if day in self.days_off else regular


def round_the_clock(timezone: str = "Asia/Ho_Chi_Minh") -> WorkingCalendar:
    """Return a calendar of 24 hours on every day, blind to holidays."""
    every_day = Hours(frozenset(_WEEK), ((_MIDNIGHT, _MIDNIGHT),))
    return WorkingCalendar(intervals=(every_day,), timezone=timezone, follows_holidays=False)


def prefill(years: Iterable[int]) -> list[tuple[date, str]]:
    """Return the public holidays of Vietnam in these years with their Vietnamese names, in order.

    Lunar Tết, compensatory days and announced bridge days are in, as far as the `holidays` library knows them: it is a
    proposal for the table that people confirm.
    """
    import holidays

    wanted = set(years)
    table = holidays.country_holidays("VN", years=wanted, language="vi")
    return sorted((day, name) for day, name in table.items() if day.year in wanted)


def prefill_worked(years: Iterable[int]) -> list[date]:
    """Return the weekend days announced to be worked instead of bridge days, in order, as far as they are known."""
    import holidays

    wanted = set(years)
    table = holidays.country_holidays("VN", years=wanted, language="vi")
    return sorted(day for day in table.weekend_workdays if day.year in wanted)


def _hours_of(rows: Iterable[Hours], weekday: int) -> LocalHours:
    """Return the hours of one weekday in order, checked."""
    spans = tuple(sorted(span for weekdays, spans in rows if weekday in weekdays for span in spans))
    previous = _MIDNIGHT
    for index, (start, end) in enumerate(spans):
        last = index == len(spans) - 1
        if start < previous or not (start < end or (end == _MIDNIGHT and last)):
            raise CalendarError(f"working hours overlap or run backwards on weekday {weekday}: {start} to {end}")
        previous = end
    return spans


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def _end(day: date, at: time, zone: ZoneInfo) -> datetime:
    return _instant(day + timedelta(days=1) if at == _MIDNIGHT else day, at, zone)
