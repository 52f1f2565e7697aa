"""Say how much working time is left or overdue, fast enough for long lists and round enough for people."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from bot.domain.calendar import WorkingCalendar
from bot.domain.deadline import DAY_MINUTES

_HOUR = 60
_SOON_SHARE = 5
"""Amber from the last fifth of the time on: the same 80 % at which the escalation ladder begins."""
_LONGEST_DAYS = 400


class Signal(StrEnum):
    """The colour of a traffic light for a case."""

    CALM = "calm"
    SOON = "soon"
    LATE = "late"
    PAUSED = "paused"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Remaining:
    """How a case stands against its date: `number` of `unit` (minutes | hours | days) left or overdue."""

    signal: Signal
    number: int = 0
    unit: str = ""


class WorkingTime:
    """Count working minutes between moments, remembering how many each day of the calendar has."""

    def __init__(self, calendar: WorkingCalendar) -> None:
        self._calendar = calendar
        self._days: dict[date, int] = {}

    def between(self, start: datetime, end: datetime) -> int:
        """Return whole working minutes from `start` to a later `end`; counting stops after about a year."""
        first, last = self._calendar.local_date(start), self._calendar.local_date(end)
        if first == last:
            return self._part(first, start, end)
        total = self._part(first, start, None) + self._part(last, None, end)
        whole = min((last - first).days - 1, _LONGEST_DAYS)
        return total + sum(self._day(first + timedelta(days=n)) for n in range(1, whole + 1))

    def _day(self, day: date) -> int:
        if day not in self._days:
            self._days[day] = self._part(day, None, None)
        return self._days[day]

    def _part(self, day: date, start: datetime | None, end: datetime | None) -> int:
        seconds = 0.0
        for opens, closes in self._calendar.day_intervals(day):
            low = max(opens, start) if start else opens
            high = min(closes, end) if end else closes
            seconds += max(0.0, (high - low).total_seconds())
        return int(seconds // 60)

    def remaining(self, due_at: datetime | None, budget: int, now: datetime, *, is_open: bool) -> Remaining:
        """Say how a case stands; `budget` in working minutes, `due_at` None while a pause lasts."""
        if not is_open:
            return Remaining(Signal.DONE)
        if due_at is None:
            return Remaining(Signal.PAUSED)
        if now > due_at:
            return Remaining(Signal.LATE, *rounded(self.between(due_at, now)))
        left = self.between(now, due_at)
        soon = left * _SOON_SHARE <= budget
        return Remaining(Signal.SOON if soon else Signal.CALM, *rounded(left))


def rounded(minutes: int) -> tuple[int, str]:
    """Return working minutes as people say them: a number of minutes, hours or days, rounded down."""
    if minutes < _HOUR:
        return minutes, "minutes"
    if minutes < DAY_MINUTES:
        return minutes // _HOUR, "hours"
    return minutes // DAY_MINUTES, "days"
