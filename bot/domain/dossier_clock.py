"""Run the clock of a dossier: the date by its procedure's limit, when its light changes, and how it stands now.

A limit in working days counts from the working day after acceptance, and its last day counts to its end: the day on
which something begins is not counted (Civil Code 2015, articles 147 and 148). What is to be done on the same day is
done by the end of that day; what of it was accepted after 15:00 is returned on the next working day (decree 118/2025
on the one-stop shop). While the citizen has papers or a fee to bring (statuses 5 and 6), the clock stands.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from bot.domain.deadline import Pause
from bot.domain.dossier import DONE, FINAL, PAUSING, Status, due_by
from bot.domain.remaining import Remaining, Signal, rounded
from bot.domain.working_line import WorkingLine

SAME_DAY = 0
"""The limit, in working days, of what is to be done on the day on which it is accepted."""
LAST_HOUR = time(15)
"""What has a limit of the same day and is accepted later than this is returned on the next working day."""
_MOST_DAYS = 1000
_AMBER = 0.8
NO_DATE = "no_date"
"""The unit of a Remaining that is grey because there is no date."""


class Dates(NamedTuple):
    """What a dossier's clock gives; all None where nothing is known.

    `law_due_at` is the end of the last day of the limit, None while a pause lasts. `soon_at` is when the light turns
    amber and `late_at` when it turns red: the midnight that ends the day of the date that counts (dossier.due_by).
    Both are None while a pause lasts.
    """

    law_due_at: datetime | None
    soon_at: datetime | None
    late_at: datetime | None


class Compared(NamedTuple):
    """How the appointed date stands to the law's: `how` is same | earlier | later, by `days` working days."""

    how: str
    days: int


@dataclass(frozen=True, slots=True)
class Explained:
    """How the date by the limit came about.

    `rule` is next_day | same_day | after_last_hour | no_work; `first` the first day that counts, `last` the last one
    without pauses. `skipped` are days in between on which nobody works, with their reason as in deadline.Deadline.
    `paused` is the working time of the pauses in minutes, `warnings` the years whose days off are not confirmed.
    """

    rule: str
    first: date
    last: date
    skipped: tuple[tuple[date, str], ...]
    paused: int
    law_due_at: datetime | None
    warnings: tuple[int, ...]


def law_due(
    line: WorkingLine, received_at: datetime | None, days: int | None, pauses: Sequence[Pause] = ()
) -> datetime | None:
    """Return the end of a limit of working days, UTC; None without a limit or a beginning, and while a pause lasts."""
    try:
        counted = _counted(line, received_at, days)
        return _stretched(line, counted, pauses) if counted else None
    except ValueError:
        return None


def dates(
    line: WorkingLine,
    received_at: datetime | None,
    days: int | None,
    due_at: datetime | None,
    pauses: Sequence[Pause] = (),
    told_at: datetime | None = None,
) -> Dates:
    """Work out all dates of a dossier: some microseconds, so that it can be done for each row of a large import.

    `days` is the procedure's limit, `due_at` the appointed date, which was told at `told_at`, `pauses` as State.pauses
    holds them.
    """
    law = law_due(line, received_at, days, pauses)
    due = due_by(due_at, told_at, law, pauses)
    if due is None or (pauses and pauses[-1][1] is None):
        return Dates(law, None, None)
    try:
        return Dates(law, _soon_at(line, received_at, due), line.midnight(line.day(due)))
    except (ValueError, OverflowError):
        return Dates(law, None, None)


def counting(due_at: datetime | None, law_due_at: datetime | None, late_at: datetime | None) -> datetime | None:
    """Return which of a dossier's dates its light goes by: the law's where it turns red later than the day appointed.

    None where no date is known.
    """
    if due_at is not None and law_due_at is not None and late_at is not None and late_at - due_at > timedelta(days=1):
        return max(due_at, law_due_at)
    return due_at or law_due_at


def standing(
    line: WorkingLine, status: Status, due_at: datetime | None, law_due_at: datetime | None, when: Dates, now: datetime
) -> Remaining:
    """Say how a dossier stands now: the colour of its light, and the working time left or overdue.

    It is late from the day after its date on, as the reports count it; until then it has "0 minutes" left.
    """
    if status in DONE | FINAL:
        return Remaining(Signal.DONE)
    if status in PAUSING:
        return Remaining(Signal.PAUSED)
    due = counting(due_at, law_due_at, when.late_at)
    if due is None or when.late_at is None:
        return Remaining(Signal.PAUSED, 0, NO_DATE)
    until = _until(line, due)
    if now >= when.late_at:
        return Remaining(Signal.LATE, *rounded(int(line.place(now) - line.place(until)) // 60))
    left = max(0, int(line.place(until) - line.place(now)) // 60)
    amber = when.soon_at is not None and now >= when.soon_at
    return Remaining(Signal.SOON if amber else Signal.CALM, *rounded(left))


def compared(line: WorkingLine, due_at: datetime | None, law_due_at: datetime | None) -> Compared | None:
    """Compare the appointed date with the law's, by days; None where one of them is missing."""
    if due_at is None or law_due_at is None:
        return None
    appointed, by_law = line.day(due_at), line.day(law_due_at)
    if appointed == by_law:
        return Compared("same", 0)
    low, high = sorted((appointed, by_law))
    between = sum(line.works(day) for day in range(low + 1, high + 1))
    return Compared("later" if appointed > by_law else "earlier", between)


def explained(
    line: WorkingLine, received_at: datetime | None, days: int | None, pauses: Sequence[Pause] = ()
) -> Explained | None:
    """Return how the date by the limit came about; None without a limit or a beginning."""
    try:
        counted = _counted(line, received_at, days)
    except ValueError:
        return None
    if counted is None or received_at is None:
        return None
    due = law_due(line, received_at, days, pauses)
    until = line.day(due) if due else counted.last
    between = [date.fromordinal(day) for day in range(line.day(received_at) + 1, until + 1) if not line.works(day)]
    years = range(received_at.year, date.fromordinal(until).year + 1)
    return Explained(
        rule=counted.rule,
        first=date.fromordinal(counted.first),
        last=date.fromordinal(counted.last),
        skipped=tuple((day, line.calendar.rest_reason(day) or "") for day in between),
        paused=sum(int(high - low) // 60 for low, high in _places(line, counted.begins, pauses) if high is not None),
        law_due_at=due,
        warnings=tuple(year for year in years if not line.calendar.is_confirmed(year)),
    )


class _Counted(NamedTuple):
    """The days of a limit before any pause: from the place where it begins to the end of its last day."""

    rule: str
    first: int
    last: int
    begins: float


def _counted(line: WorkingLine, received_at: datetime | None, days: int | None) -> _Counted | None:
    if received_at is None or days is None or not SAME_DAY <= days <= _MOST_DAYS:
        return None
    day = line.day(received_at)
    if days == SAME_DAY:
        return _same_day(line, received_at, day)
    first = line.workday(day, 1)
    return _Counted("next_day", first, line.workday(day, days), line.place(line.opens(first)))


def _same_day(line: WorkingLine, received_at: datetime, day: int) -> _Counted:
    if not line.works(day) or received_at >= line.closes(day):
        rule = "no_work"
    elif received_at.astimezone(line.calendar.zone).time() > LAST_HOUR:
        rule = "after_last_hour"
    else:
        return _Counted("same_day", day, day, line.place(received_at))
    following = line.workday(day, 1)
    return _Counted(rule, following, following, line.place(line.opens(following)))


def _stretched(line: WorkingLine, counted: _Counted, pauses: Sequence[Pause]) -> datetime | None:
    """Return the end of the days once the pauses have pushed it back; the day that it falls on counts to its end."""
    if not pauses:
        return line.closes(counted.last)
    end = line.place(line.closes(counted.last))
    for low, high in _places(line, counted.begins, pauses):
        if low >= end:
            break
        if high is None:
            return None
        end += high - low
    return line.closes(line.day(line.moment(end)))


def _places(line: WorkingLine, begins: float, pauses: Iterable[Pause]) -> list[tuple[float, float | None]]:
    """Return pauses as places, in order and without overlaps, as far as they lie behind the beginning."""
    found: list[tuple[float, float | None]] = []
    reached = begins
    for low, high in sorted(pauses, key=lambda pause: pause[0]):
        start = max(line.place(low), reached)
        if high is None:
            return [*found, (start, None)]
        end = line.place(high)
        if end > start:
            found.append((start, end))
            reached = end
    return found


def _soon_at(line: WorkingLine, received_at: datetime | None, due: datetime) -> datetime:
    """Return when the light turns amber: after four fifths of the time, at the latest as the last day begins."""
    last_day = line.opens(line.last_workday(line.day(due)))
    if received_at is None or received_at >= due:
        return last_day
    begin, end = line.place(received_at), line.place(_until(line, due))
    return min(last_day, line.moment(begin + (end - begin) * _AMBER)) if end > begin else last_day


def _until(line: WorkingLine, due: datetime) -> datetime:
    """Return until when the office has time: to the moment of the date, or to the end of a day without one."""
    local = due.astimezone(line.calendar.zone)
    if local.time() != time(0):
        return due
    day = local.toordinal()
    return line.closes(day) if line.works(day) else due + timedelta(days=1)


__all__ = [
    "LAST_HOUR",
    "NO_DATE",
    "SAME_DAY",
    "Compared",
    "Dates",
    "Explained",
    "compared",
    "counting",
    "dates",
    "explained",
    "law_due",
    "standing",
]
