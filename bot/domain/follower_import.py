"""Plan how an account's followers are read: all of them, and where that list is cut by tags and by days."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_DAY = timedelta(days=1)
_WINDOW_DAYS = 7
_RECENT = (14, 30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 330, 365)
"""Where periods end, in days before the first one; beyond a year no way of writing asks when somebody was heard of."""
_EARLIEST = date(2012, 1, 1)
"""Before this nobody followed anybody: the provider did not exist."""
_OLD_DAYS = 365


class Part(StrEnum):
    """What a list holds; TAGS is no list of people, but asks which tags there are."""

    EVERYBODY = "everybody"
    TAGS = "tags"
    TAG = "tag"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Listing:
    """One list of followers: everybody, those with a tag, or those heard of last from one day to another."""

    part: Part
    tag: str = ""
    first: date | None = None
    last: date | None = None

    @property
    def days(self) -> tuple[date, date] | None:
        """The first and the last day of a period, on the Vietnamese calendar."""
        return (self.first, self.last) if self.first is not None and self.last is not None else None

    @property
    def heard_since(self) -> datetime | None:
        """From when on everybody of the list has certainly interacted: the beginning of the first day, in UTC."""
        if self.first is None:
            return None
        return datetime.combine(self.first, time(), _LOCAL).astimezone(UTC)

    def halves(self) -> list["Listing"]:
        """Return a period as two, the later one first; [] for a single day, or for what is no period."""
        if self.first is None or self.last is None or self.first >= self.last:
            return []
        middle = self.first + (self.last - self.first) // 2
        return [_days(middle + _DAY, self.last), _days(self.first, middle)]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able dictionary."""
        days = {"first": self.first.isoformat(), "last": self.last.isoformat()} if self.first and self.last else {}
        return {"part": self.part.value, **({"tag": self.tag} if self.tag else {}), **days}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Listing":
        """Read what `to_json` wrote."""
        first, last = (date.fromisoformat(data[name]) if name in data else None for name in ("first", "last"))
        return cls(Part(data["part"]), str(data.get("tag", "")), first, last)


def first_plan(begun_at: datetime) -> list[Listing]:
    """Return what is read at first: everybody, then who was heard of when, for it tells who can be written to."""
    return [Listing(Part.EVERYBODY), *_recent(_day(begun_at))]


def plan_beyond(begun_at: datetime) -> list[Listing]:
    """Return what is read when the list of everybody is cut: by tags, then by periods, as far back as there are any.

    To begin to follow is to interact: whoever follows stands in one period.
    """
    today = _day(begun_at)
    return [Listing(Part.TAGS), *_recent(today), *_old(today)]


def with_tags(plan: list[Listing], tags: list[str]) -> list[Listing]:
    """Return a plan whose first step, asking for the tags, is done: a list for each of them."""
    return [*(Listing(Part.TAG, tag) for tag in dict.fromkeys(tags)), *plan[1:]]


def after_page(
    plan: list[Listing], begun_at: datetime, next_offset: int | None, *, cut: bool
) -> tuple[list[Listing], int, bool]:
    """Return what is left after a page of the first list, from which offset on, and whether everybody was cut off.

    `cut` says that the list is longer than can be read: a period is then read as two.
    """
    current, rest = plan[0], plan[1:]
    halves = current.halves() if cut else []
    if halves:
        return [*halves, *rest], 0, False
    if next_offset is not None:
        return plan, next_offset, False
    if current.part is Part.EVERYBODY and cut:
        return plan_beyond(begun_at), 0, True
    return rest, 0, False


def _day(moment: datetime) -> date:
    return moment.astimezone(_LOCAL).date()


def _days(first: date, last: date) -> Listing:
    return Listing(Part.DAYS, first=first, last=last)


def _recent(today: date) -> list[Listing]:
    """Return each day of the reply window for itself, since it closes by the hour, then longer periods of a year."""
    single = [_days(day, day) for day in (today - n * _DAY for n in range(_WINDOW_DAYS))]
    begin, periods = _WINDOW_DAYS, []
    for end in _RECENT:
        periods.append(_days(today - (end - 1) * _DAY, today - begin * _DAY))
        begin = end
    return [*single, *periods]


def _old(today: date) -> list[Listing]:
    periods, last = [], today - _RECENT[-1] * _DAY
    while last >= _EARLIEST:
        first = max(last - (_OLD_DAYS - 1) * _DAY, _EARLIEST)
        periods.append(_days(first, last))
        last = first - _DAY
    return periods
