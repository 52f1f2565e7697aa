"""Lay an office's working time out on one line, so that dates of very many dossiers are a few look-ups each."""

from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import accumulate

from bot.domain.calendar import WorkingCalendar

_YEARS = range(1995, 2101)
"""A date outside of these is a mistake of whoever wrote it."""
_AROUND = 2


class WorkingLine:
    """Working time as one line of seconds: `place` says where on it a moment lies, `moment` the reverse.

    Places count from an origin that stays where it is. Laid out for the years that are asked for and two on either
    side; anything outside of 1995 to 2100 is a ValueError.
    """

    def __init__(self, calendar: WorkingCalendar) -> None:
        self.calendar = calendar
        self._years = range(0)
        self._origin: float | None = None
        self._starts: list[float] = []
        self._ends: list[float] = []
        self._before: list[float] = []
        self._through: list[float] = []
        self._days: list[int] = []
        self._opens: dict[int, float] = {}
        self._closes: dict[int, float] = {}
        self._midnights: dict[int, datetime] = {}

    def day(self, moment: datetime) -> int:
        """Return the office's day of a moment as the number that date.toordinal gives."""
        return moment.astimezone(self.calendar.zone).toordinal()

    def place(self, moment: datetime) -> float:
        """Return how many working seconds lie between the origin and a moment."""
        self._reach(moment.year)
        stamp = moment.timestamp()
        index = bisect_right(self._starts, stamp) - 1
        if index < 0:
            return self._before[0]
        return self._before[index] + min(stamp, self._ends[index]) - self._starts[index]

    def moment(self, place: float) -> datetime:
        """Return the first moment at a place, which is the end of an interval rather than the beginning of the next."""
        while place > self._through[-1]:
            self._reach(self._years[-1] + 1)
        index = bisect_left(self._through, place)
        return datetime.fromtimestamp(self._starts[index] + place - self._before[index], UTC)

    def works(self, day: int) -> bool:
        """Say whether anybody works on a day."""
        self._reach(date.fromordinal(day).year)
        return day in self._opens

    def workday(self, day: int, after: int) -> int:
        """Return the n-th working day after a day; with 0 the day itself, or the next that is worked."""
        self._reach(date.fromordinal(day).year)
        index = bisect_left(self._days, day) if after == 0 else bisect_right(self._days, day) + after - 1
        while index >= len(self._days):
            self._reach(self._years[-1] + 1)
        return self._days[index]

    def last_workday(self, day: int) -> int:
        """Return a day, or the last before it that is worked."""
        self._reach(date.fromordinal(day).year)
        return self._days[bisect_right(self._days, day) - 1]

    def opens(self, day: int) -> datetime:
        """Return when work begins on a working day."""
        self._reach(date.fromordinal(day).year)
        return datetime.fromtimestamp(self._opens[day], UTC)

    def closes(self, day: int) -> datetime:
        """Return when work ends on a working day."""
        self._reach(date.fromordinal(day).year)
        return datetime.fromtimestamp(self._closes[day], UTC)

    def midnight(self, day: int) -> datetime:
        """Return the midnight that ends a day, in UTC."""
        found = self._midnights.get(day)
        if found is None:
            found = self._midnights[day] = self.calendar.day_end(date.fromordinal(day))
        return found

    def _reach(self, year: int) -> None:
        if year in self._years:
            return
        if year not in _YEARS:
            raise ValueError(f"no date of an office's: {year}")
        low = min(year - _AROUND, self._years.start) if self._years else year - _AROUND
        high = max(year + _AROUND, self._years.stop - 1) if self._years else year + _AROUND
        self._lay(range(low, high + 1))

    def _lay(self, years: range) -> None:
        """Lay the years out anew, around the origin of the first time."""
        first, last = date(years.start, 1, 1).toordinal(), date(years.stop - 1, 12, 31).toordinal()
        rows = [(day, self.calendar.day_intervals(date.fromordinal(day))) for day in range(first, last + 1)]
        self._years = years
        self._days = [day for day, spans in rows if spans]
        self._opens = {day: spans[0][0].timestamp() for day, spans in rows if spans}
        self._closes = {day: spans[-1][1].timestamp() for day, spans in rows if spans}
        flat = [(low.timestamp(), high.timestamp()) for _, spans in rows for low, high in spans]
        self._starts, self._ends = [low for low, _ in flat], [high for _, high in flat]
        if self._origin is None:
            self._origin = self._starts[0]
        origin = self._origin
        self._through = list(accumulate(high - low for low, high in flat))
        ahead = sum(high - low for low, high in flat if low < origin)
        self._through = [through - ahead for through in self._through]
        self._before = [through - (high - low) for through, (low, high) in zip(self._through, flat, strict=True)]


@lru_cache(maxsize=32)
def line_of(calendar: WorkingCalendar) -> WorkingLine:
    """Return the line of a calendar, laid out once however often it is asked for."""
    return WorkingLine(calendar)
