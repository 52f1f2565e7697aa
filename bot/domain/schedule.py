"""Say when an announcement is due: at once, once, or again and again by the office's calendar."""

import calendar as months
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from bot.clock import LOCAL_ZONE, to_local
from bot.domain.calendar import WorkingCalendar
from bot.errors import InvalidInputError

KINDS = ("now", "once", "weekly", "monthly", "last_working_day")
SKIPS = ("", "skip", "before", "after")
_HORIZON = timedelta(days=400)
_FARTHEST = timedelta(days=366)
_LONGEST_REST = 31
"""Days in a row without work, beyond which no working day is looked for: such a run is left out."""
_WEEKDAYS = range(7)
_MOST_TIMES = 400
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Schedule:
    """When an announcement is due; `kind` is now | once | weekly | monthly | last_working_day.

    `at` is the moment of `once`, in UTC; `time` the local HH:MM of the others; `weekdays` of `weekly`, Monday being 0;
    `day` 1 to 31 of `monthly`, where a month without that day has its last one. `skip` says what becomes of a run on a
    day on which the office does not work: "" nothing, "skip" it is left out, "before" and "after" (only monthly) the
    nearest working day instead. For `weekly` only days off by date count: who chooses Sundays knows that the office
    is closed. `until` is the last local date; `times` the most runs of a series, 0 for any number.
    """

    kind: str = "now"
    at: datetime | None = None
    time: str = "08:00"
    weekdays: tuple[int, ...] = ()
    day: int = 0
    skip: str = ""
    until: date | None = None
    times: int = 0

    @property
    def repeats(self) -> bool:
        """Say whether this is a series."""
        return self.kind in {"weekly", "monthly", "last_working_day"}

    def allows(self, number: int) -> bool:
        """Say whether the run with this number, counted from 1, is still one of `times`."""
        most = self.times if self.repeats else 1
        return not most or number <= most

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able dictionary."""
        return {
            "kind": self.kind,
            "at": self.at.astimezone(UTC).isoformat() if self.at else None,
            "time": self.time,
            "weekdays": list(self.weekdays),
            "day": self.day,
            "skip": self.skip,
            "until": self.until.isoformat() if self.until else None,
            "times": self.times,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Schedule":
        """Read what `to_json` wrote; what is missing is as in a new schedule."""
        return cls(
            kind=str(data.get("kind", "now")),
            at=datetime.fromisoformat(data["at"]).astimezone(UTC) if data.get("at") else None,
            time=str(data.get("time", "08:00")),
            weekdays=tuple(int(weekday) for weekday in data.get("weekdays", ())),
            day=int(data.get("day", 0)),
            skip=str(data.get("skip", "")),
            until=date.fromisoformat(data["until"]) if data.get("until") else None,
            times=int(data.get("times", 0)),
        )


def next_due(
    schedule: Schedule, after: datetime, calendar: WorkingCalendar, last: datetime | None = None
) -> datetime | None:
    """Return the first moment strictly after `after` at which a run is due, in UTC.

    None when there is none within 400 days or until the last date, and for what is due at once: that is no later
    moment. How many runs there have been is not known here; ask `Schedule.allows`. `last` is when the run before was
    due: if the calendar has changed since, its run might now be held on a later day, and is not due once more.
    """
    if schedule.kind == "once":
        return schedule.at if schedule.at and after < schedule.at <= after + _HORIZON else None
    at = local_time(schedule.time)
    if not schedule.repeats or at is None:
        return None
    today = to_local(after).date()
    weekly = schedule.kind == "weekly"
    meant = _weekdays(schedule, today) if weekly else _months_days(schedule, today)
    done = _done(schedule, today, to_local(last).date()) if last is not None else date.min
    days = (_held(schedule, day, calendar) for day in meant if day > done)
    moments = (
        datetime.combine(day, at, LOCAL_ZONE).astimezone(UTC)
        for day in days
        if day is not None and (schedule.until is None or day <= schedule.until)
    )
    due = (moment for moment in moments if after < moment <= after + _HORIZON)
    return next(due, None) if weekly else min(due, default=None)  # those of months may have changed places


def upcoming(schedule: Schedule, after: datetime, calendar: WorkingCalendar, number: int) -> list[datetime]:
    """Return the first `number` moments after `after`, no more than `times`: `after` is the beginning of the series."""
    found: list[datetime] = []
    while len(found) < number and schedule.allows(len(found) + 1):
        moment = next_due(schedule, found[-1] if found else after, calendar)
        if moment is None:
            break
        found.append(moment)
    return found


def local_time(text: str) -> time | None:
    """Return the time that HH:MM names; None for anything else."""
    hours, colon, minutes = text.partition(":")
    digits = hours + minutes
    if not (colon and digits.isascii() and digits.isdigit() and len(hours) in {1, 2} and len(minutes) == len("00")):
        return None
    try:
        return time(int(hours), int(minutes))
    except ValueError:
        return None


def problems(schedule: Schedule, now: datetime) -> list[InvalidInputError]:
    """Name everything that is wrong with a schedule that begins at `now`, each with its field; empty when nothing is.

    Codes: unknown_schedule, empty, in_the_past, too_far, not_a_time, no_weekday, not_a_day, unknown_skip, only_monthly,
    not_a_number, no_run.
    """
    if schedule.kind not in KINDS:
        return [InvalidInputError("kind", "unknown_schedule")]
    if schedule.kind == "now":
        return []
    found = _problems_of_once(schedule, now) if schedule.kind == "once" else _problems_of_series(schedule, now)
    return [InvalidInputError(field, code) for field, code in found]


def _problems_of_once(schedule: Schedule, now: datetime) -> list[tuple[str, str]]:
    if schedule.at is None:
        return [("at", "empty")]
    if schedule.at <= now:
        return [("at", "in_the_past")]
    return [("at", "too_far")] if schedule.at > now + _FARTHEST else []


def _problems_of_series(schedule: Schedule, now: datetime) -> list[tuple[str, str]]:
    today = to_local(now).date()
    until = schedule.until or today
    checks = (
        (local_time(schedule.time) is None, "time", "not_a_time"),
        (schedule.kind == "weekly" and not schedule.weekdays, "weekdays", "no_weekday"),
        (any(weekday not in _WEEKDAYS for weekday in schedule.weekdays), "weekdays", "no_weekday"),
        (schedule.kind == "monthly" and not 1 <= schedule.day <= 31, "day", "not_a_day"),  # noqa: PLR2004 - days of a month
        (schedule.skip not in SKIPS, "skip", "unknown_skip"),
        (schedule.kind != "monthly" and schedule.skip in {"before", "after"}, "skip", "only_monthly"),
        (until < today, "until", "in_the_past"),
        (until > today + _FARTHEST, "until", "too_far"),
        (not 0 <= schedule.times <= _MOST_TIMES, "times", "not_a_number"),
    )
    found = [(field, code) for wrong, field, code in checks if wrong]
    # Days off move a run by days at most; whether any is left by the office's own calendar, `upcoming` shows.
    if not found and next_due(replace(schedule, skip=""), now, WorkingCalendar()) is None:
        found.append(("until", "no_run"))
    return found


def _weekdays(schedule: Schedule, today: date) -> Iterator[date]:
    """Yield in order the days of a weekly series."""
    days = (today + number * _ONE_DAY for number in range(_HORIZON.days + 1))
    return (day for day in days if day.weekday() in schedule.weekdays)


def _months_days(schedule: Schedule, today: date) -> Iterator[date]:
    """Yield in order, from two months ago on, the days that a series means: of the last working day, the last day."""
    for number in range(-2, _HORIZON.days // 28 + 2):
        year, month = divmod(today.year * 12 + today.month - 1 + number, 12)
        last = months.monthrange(year, month + 1)[1]
        yield date(year, month + 1, min(max(schedule.day, 1), last) if schedule.kind == "monthly" else last)


def _done(schedule: Schedule, today: date, last: date) -> date:
    """Return the day that the run held on `last` was meant for, or one between it and the next."""
    if schedule.kind == "last_working_day" or schedule.skip == "before":
        return next((day for day in _months_days(schedule, today) if day >= last), last)
    return last


def _held(schedule: Schedule, day: date, calendar: WorkingCalendar) -> date | None:
    """Return the day on which the run meant for `day` is held; None when it is left out."""
    if schedule.kind == "weekly":
        return None if schedule.skip and _is_day_off(day, calendar) else day
    if schedule.kind == "last_working_day":
        found = _worked(day, -_ONE_DAY, calendar)
        return found if found is not None and found.month == day.month else None
    return _instead(day, schedule.skip, calendar)


def _is_day_off(day: date, calendar: WorkingCalendar) -> bool:
    return (calendar.rest_reason(day) or "").startswith("day_off:")


def _instead(day: date, skip: str, calendar: WorkingCalendar) -> date | None:
    """Return the day on which a monthly run takes place; None when it is left out."""
    if not skip or calendar.rest_reason(day) is None:
        return day
    if skip == "skip":
        return None
    return _worked(day, -_ONE_DAY if skip == "before" else _ONE_DAY, calendar)


def _worked(day: date, step: timedelta, calendar: WorkingCalendar) -> date | None:
    """Return the nearest working day from `day` on in the direction of `step`."""
    return next(
        (d for d in (day + number * step for number in range(_LONGEST_REST)) if calendar.rest_reason(d) is None), None
    )
