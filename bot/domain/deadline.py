"""Compute when an answer is due in working time, and explain how the date came about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple, TypeAlias

from bot.domain.calendar import CalendarError, WorkingCalendar

# (from, to) with aware moments; `to` is None while the pause lasts.
Pause: TypeAlias = tuple[datetime, datetime | None]

# A working day in the sense of the labour law (8 hours), in minutes.
DAY_MINUTES = 480
# Longer without working time, or longer altogether, is a mistake in the calendar or the pauses and no deadline.
_LONGEST_REST = timedelta(days=3 * 366)
_HORIZON = timedelta(days=30 * 366)
_LONGEST_BUDGET = 10 * 366 * DAY_MINUTES
_MINUTE = timedelta(minutes=1)
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Budget:
    """Working time allowed: `amount` minutes, or `amount` working days of `day_minutes` each.

    Raises ValueError for less than a minute or more than about ten years.
    """

    amount: int
    unit: Literal["minutes", "days"] = "minutes"
    day_minutes: int = DAY_MINUTES

    def __post_init__(self) -> None:
        """Refuse what is no budget."""
        if not 1 <= self.minutes <= _LONGEST_BUDGET:
            raise ValueError(f"a budget is 1 to {_LONGEST_BUDGET} working minutes, not {self.minutes}")

    @classmethod
    def days(cls, amount: int, day_minutes: int = DAY_MINUTES) -> "Budget":
        """Make a budget of working days."""
        return cls(amount, "days", day_minutes)

    @property
    def minutes(self) -> int:
        """The whole budget in working minutes."""
        return self.amount * (self.day_minutes if self.unit == "days" else 1)


class Span(NamedTuple):
    """Working time that counted: the office's date, from and to in UTC, and the minutes taken from the budget.

    `note` is `day_worked:<name>` on a day worked instead, `pause` where a pause cut it short, else empty.
    """

    day: date
    start: datetime
    end: datetime
    minutes: int
    note: str


@dataclass(frozen=True)
class Deadline:
    """A due date with its reasons.

    `due_at` is UTC, or None while an open pause holds the clock. `skipped` are whole days between start and due that
    did not count, with `day_off:<name>`, `weekly_rest` or `pause`. `warnings` hold `year_not_confirmed:<year>`.
    The minutes of `spans` add up to the budget once `due_at` is known.
    """

    due_at: datetime | None
    spans: tuple[Span, ...]
    skipped: tuple[tuple[date, str], ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Clock:
    """Where a case stands at a moment: working minutes used and allowed, and what follows from them."""

    elapsed: int
    budget: int
    due_at: datetime | None
    paused: bool

    @property
    def remaining(self) -> int:
        """Working minutes left, negative when overdue."""
        return self.budget - self.elapsed

    @property
    def overdue(self) -> int:
        """Working minutes past the due date, 0 before it."""
        return max(0, -self.remaining)

    @property
    def percent(self) -> int:
        """The share of the budget used, in whole percent rounded down; above 100 when overdue."""
        return self.elapsed * 100 // self.budget


def compute(start: datetime, budget: Budget, calendar: WorkingCalendar, pauses: Sequence[Pause] = ()) -> Deadline:
    """Compute the due date of a budget that begins to run at `start`, and how it came about.

    Work that ends exactly with an interval is due at its end, not at the next beginning. Raises CalendarError when the
    calendar has no working time for three years on end, ValueError for moments without a time zone.
    """
    return _run(start, timedelta(minutes=budget.minutes), calendar, pauses)


def elapsed(start: datetime, now: datetime, calendar: WorkingCalendar, pauses: Sequence[Pause] = ()) -> int:
    """Return the whole working minutes from `start` to `now` outside all pauses; 0 if `now` is earlier."""
    until = _utc(now)
    total = timedelta()
    for day in _days(start, calendar, pauses):
        total += sum((min(piece.end, until) - piece.start for piece in day.pieces if piece.start < until), timedelta())
        if day.end >= until:
            break
    return total // _MINUTE


def remaining(
    start: datetime, now: datetime, budget: Budget, calendar: WorkingCalendar, pauses: Sequence[Pause] = ()
) -> int:
    """Return the working minutes left at `now`, negative when overdue."""
    return budget.minutes - elapsed(start, now, calendar, pauses)


def read_clock(
    start: datetime, now: datetime, budget: Budget, calendar: WorkingCalendar, pauses: Sequence[Pause] = ()
) -> Clock:
    """Read the clock of a case at `now`."""
    moment = _utc(now)
    return Clock(
        elapsed=elapsed(start, now, calendar, pauses),
        budget=budget.minutes,
        due_at=compute(start, budget, calendar, pauses).due_at,
        paused=any(low <= moment and (high is None or moment < high) for low, high in _merged(pauses)),
    )


def ladder(
    start: datetime,
    budget: Budget,
    calendar: WorkingCalendar,
    pauses: Sequence[Pause] = (),
    percents: Sequence[int] = (80, 100, 150),
) -> tuple[datetime | None, ...]:
    """Return when each share of the budget is used up, as `percents` are ordered; None where an open pause holds it."""
    whole = timedelta(minutes=budget.minutes)
    return tuple(_run(start, whole * percent / 100, calendar, pauses).due_at for percent in percents)


class _Piece(NamedTuple):
    """Working time outside pauses; `cut` if a pause ends it."""

    start: datetime
    end: datetime
    cut: bool


class _Day(NamedTuple):
    """One office day from the beginning on, with why nothing of it counts if so; `end` is the next midnight."""

    day: date
    end: datetime
    pieces: tuple[_Piece, ...]
    reason: str | None


def _run(start: datetime, allowed: timedelta, calendar: WorkingCalendar, pauses: Sequence[Pause]) -> Deadline:
    spans: list[Span] = []
    skipped: list[tuple[date, str]] = []
    years: dict[int, None] = {}
    used = timedelta()
    due_at = None
    for day in _days(start, calendar, pauses):
        years[day.day.year] = None
        if day.reason is not None:
            skipped.append((day.day, day.reason))
        for piece in day.pieces:
            end = min(piece.end, piece.start + allowed - used)
            before, used = used, used + (end - piece.start)
            minutes = used // _MINUTE - before // _MINUTE  # so that odd seconds never lose a minute of the sum
            spans.append(Span(day.day, piece.start, end, minutes, _note(calendar, day.day, piece, end)))
            if used >= allowed:
                due_at = end
                break
        if due_at is not None:
            break
    warnings = tuple(f"year_not_confirmed:{year}" for year in years if not calendar.is_confirmed(year))
    return Deadline(due_at, tuple(spans), tuple(skipped), warnings)


def _note(calendar: WorkingCalendar, day: date, piece: _Piece, end: datetime) -> str:
    if day in calendar.days_worked:
        return f"day_worked:{calendar.days_worked[day]}"
    return "pause" if piece.cut and end == piece.end else ""


def _days(start: datetime, calendar: WorkingCalendar, pauses: Sequence[Pause]) -> Iterator[_Day]:
    """Yield office days from `start` on, for ever but for an open pause; CalendarError once nobody works any more."""
    begin = _utc(start)
    closed = _merged(pauses)
    stop = next((low for low, high in closed if high is None), None)
    first = last_worked = day = calendar.local_date(begin)
    while stop is None or begin < stop:
        intervals = calendar.day_intervals(day)
        if intervals:
            last_worked = day
        elif day - last_worked > _LONGEST_REST:
            raise CalendarError(f"nobody works between {last_worked} and {day}")
        if day - first > _HORIZON:
            raise CalendarError(f"the time that began on {first} has not run out by {day}")
        end = calendar.day_end(day)
        running = [(max(low, begin), high) for low, high in intervals if high > begin]
        pieces = [piece for low, high in running for piece in _outside(low, high, closed)]
        reason = "pause" if running and not pieces else calendar.rest_reason(day)
        yield _Day(day, end, tuple(pieces), reason)
        if stop is not None and stop <= end:
            return
        day += _ONE_DAY


def _outside(low: datetime, high: datetime, pauses: Sequence[Pause]) -> Iterator[_Piece]:
    """Yield what is left of a working interval outside the merged pauses."""
    for begin, end in pauses:
        if begin >= high:
            break
        if begin > low:
            yield _Piece(low, begin, cut=True)
        low = high if end is None else max(low, end)
    if low < high:
        yield _Piece(low, high, cut=False)


def _merged(pauses: Sequence[Pause]) -> list[Pause]:
    """Return the pauses in UTC, in order, without empty ones and overlaps; an open one swallows all after it."""
    merged: list[Pause] = []
    for low, high in sorted(((_utc(low), high and _utc(high)) for low, high in pauses), key=lambda pause: pause[0]):
        if high is not None and high <= low:
            continue
        before, until = merged[-1] if merged else (low, low)
        if until is None:
            break
        if merged and low <= until:
            merged[-1] = (before, None if high is None else max(high, until))
        else:
            merged.append((low, high))
    return merged


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"a moment needs a time zone: {moment.isoformat()}")
    return moment.astimezone(UTC)
