"""Turn the moments of the demo data into real ones: working days counted from today, never in the future."""

import re
from datetime import date, datetime, time, timedelta

from bot.clock import LOCAL_ZONE, to_local
from bot.domain.calendar import WorkingCalendar

LONGEST_BACK = 40
"""Working days that can be referred to, backwards; about two months."""
LONGEST_AHEAD = 10
_ONE_DAY = timedelta(days=1)
_DAY = re.compile(r"\{d(-?\d+)\}")
_CODE_DATE = re.compile(r"\{y(\d+)\}")


class Days:
    """The working days around a moment by the commune's own calendar; the first one back lies before today."""

    def __init__(self, now: datetime, calendar: WorkingCalendar) -> None:
        self.now = now
        today = to_local(now).date()
        self._back = _working(today, -_ONE_DAY, calendar, LONGEST_BACK)
        self._ahead = _working(today, _ONE_DAY, calendar, LONGEST_AHEAD)

    def day(self, number: int) -> date:
        """Return the number-th working day before today; a negative number counts ahead."""
        return self._back[number - 1] if number > 0 else self._ahead[-number - 1]

    def moment(self, words: str) -> datetime:
        """Read `9 08:20`: that time in Viet Nam on the ninth working day before today."""
        number, clock = words.split()
        return datetime.combine(self.day(int(number)), time.fromisoformat(clock), LOCAL_ZONE).astimezone(
            self.now.tzinfo
        )

    def ago(self, minutes: int) -> datetime:
        """Return the moment so many minutes before now."""
        return self.now - timedelta(minutes=minutes)

    def fill(self, text: str) -> str:
        """Write real dates for `{d9}` (a day) and `{y30}` (the date part of a dossier code)."""
        dated = _DAY.sub(lambda found: self.day(int(found[1])).strftime("%d/%m/%Y"), text)
        return _CODE_DATE.sub(lambda found: self.day(int(found[1])).strftime("%y%m%d"), dated)


def _working(start: date, step: timedelta, calendar: WorkingCalendar, number: int) -> list[date]:
    found: list[date] = []
    day = start
    while len(found) < number:
        day += step
        if calendar.day_intervals(day):
            found.append(day)
    return found
