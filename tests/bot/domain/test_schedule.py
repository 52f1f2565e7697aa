"""Tests of when announcements are due, over Tết 2027 above all."""

import itertools
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.clock import LOCAL_ZONE, to_local
from bot.domain.calendar import WorkingCalendar, prefill, prefill_worked
from bot.domain.schedule import SKIPS, Schedule, local_time, next_due, problems, upcoming

YEARS = (2026, 2027, 2028)
OFFICE = WorkingCalendar(days_off=dict(prefill(YEARS)), days_worked=dict.fromkeys(prefill_worked(YEARS), "Làm bù"))
NOW = datetime(2026, 11, 27, 2, 30, tzinfo=UTC)
"""Friday, 09:30 in Viet Nam."""
TET = date(2027, 2, 6)
"""The first day of the lunar year."""


def local(text: str) -> datetime:
    """Return a moment from what a Vietnamese wall clock shows."""
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL_ZONE).astimezone(UTC)


def shown(moments: list[datetime]) -> list[str]:
    return [to_local(moment).strftime("%d/%m/%Y %H:%M") for moment in moments]


def works(day: date, calendar: WorkingCalendar = OFFICE) -> bool:
    return calendar.rest_reason(day) is None


def last_working_day(year: int, month: int) -> date:
    """Look the last working day of a month up the slow way."""
    days = [date(year, month, 1) + timedelta(days=number) for number in range(31)]
    return [day for day in days if day.month == month and works(day)][-1]


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 6, 30), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is given beside
TIMES = st.times().map(lambda at: at.strftime("%H:%M"))
SERIES = st.one_of(
    st.builds(
        Schedule,
        kind=st.just("weekly"),
        weekdays=st.sets(st.integers(0, 6), min_size=1).map(tuple),
        time=TIMES,
        skip=st.sampled_from(["", "skip"]),
    ),
    st.builds(Schedule, kind=st.just("monthly"), day=st.integers(1, 31), time=TIMES, skip=st.sampled_from(SKIPS)),
    st.builds(Schedule, kind=st.just("last_working_day"), time=TIMES),
)
CALENDARS = st.dictionaries(st.dates(date(2026, 1, 1), date(2028, 12, 31)), st.just("Nghỉ"), max_size=60).map(
    lambda more: WorkingCalendar(days_off={**OFFICE.days_off, **more}, days_worked=OFFICE.days_worked)
)


def test_the_calendar_of_these_tests_knows_tet() -> None:
    assert OFFICE.rest_reason(TET) is not None
    assert "Tết" in OFFICE.days_off[TET] or "Nguyên Đán" in OFFICE.days_off[TET]


def test_what_is_due_at_once_has_no_later_moment() -> None:
    assert next_due(Schedule(), NOW, OFFICE) is None
    assert upcoming(Schedule(), NOW, OFFICE, 3) == []


def test_once_is_due_once() -> None:
    at = local("2026-12-01 08:00")
    schedule = Schedule(kind="once", at=at)
    assert next_due(schedule, NOW, OFFICE) == at
    assert next_due(schedule, at, OFFICE) is None
    assert upcoming(schedule, NOW, OFFICE, 5) == [at]


@pytest.mark.parametrize(
    ("skip", "expected"),
    [
        ("", ["05/01/2027 08:00", "05/02/2027 08:00", "05/03/2027 08:00"]),
        ("skip", ["05/01/2027 08:00", "05/03/2027 08:00", "05/04/2027 08:00"]),
    ],
)
def test_an_allowance_is_paid_on_the_fifth(skip: str, expected: list[str]) -> None:
    """05/02/2027 is the eve of Tết."""
    schedule = Schedule(kind="monthly", day=5, skip=skip)
    assert shown(upcoming(schedule, local("2026-12-31 00:00"), OFFICE, 3)) == expected


@pytest.mark.parametrize(("skip", "step"), [("before", -1), ("after", 1)])
def test_a_payment_over_tet_moves_to_the_nearest_working_day(skip: str, step: int) -> None:
    schedule = Schedule(kind="monthly", day=5, skip=skip, time="14:30")
    expected = date(2027, 2, 5)
    assert not works(expected)
    while not works(expected):
        expected += timedelta(days=step)
    moment = next_due(schedule, local("2027-01-20 00:00"), OFFICE)
    assert moment is not None
    assert to_local(moment).date() == expected
    assert to_local(moment).strftime("%H:%M") == "14:30"
    assert next_due(schedule, moment, OFFICE) == local("2027-03-05 14:30")


def test_a_market_is_held_on_its_weekday_whatever_the_office_does() -> None:
    sundays = Schedule(kind="weekly", weekdays=(6,), time="06:30", skip="skip")
    found = [to_local(moment).date() for moment in upcoming(sundays, local("2027-01-11 00:00"), OFFICE, 6)]
    assert found[0] == date(2027, 1, 17)
    assert date(2027, 2, 7) not in found  # the second day of Tết
    assert all(day.weekday() == 6 for day in found)
    every = Schedule(kind="weekly", weekdays=(6,), time="06:30")
    assert local("2027-02-07 06:30") in upcoming(every, local("2027-01-11 00:00"), OFFICE, 6)


def test_two_market_days_a_week_come_in_order() -> None:
    schedule = Schedule(kind="weekly", weekdays=(5, 1), time="07:00")
    assert shown(upcoming(schedule, NOW, OFFICE, 3)) == ["28/11/2026 07:00", "01/12/2026 07:00", "05/12/2026 07:00"]


def test_the_last_working_day_of_each_month_around_tet() -> None:
    schedule = Schedule(kind="last_working_day", time="08:00")
    found = [to_local(moment).date() for moment in upcoming(schedule, local("2026-12-01 00:00"), OFFICE, 6)]
    assert found == [last_working_day(2026, 12), *(last_working_day(2027, month) for month in range(1, 6))]
    assert found[1] == date(2027, 1, 29)


def test_the_last_working_day_comes_before_a_tet_at_the_end_of_a_month() -> None:
    eve = WorkingCalendar(days_off={date(2025, 1, day): "Tết" for day in range(25, 32)})
    schedule = Schedule(kind="last_working_day")
    assert next_due(schedule, local("2025-01-01 00:00"), eve) == local("2025-01-24 08:00")


def test_a_month_without_a_working_day_has_no_run() -> None:
    closed = WorkingCalendar(days_off={date(2027, 2, day): "Đóng cửa" for day in range(1, 29)})
    schedule = Schedule(kind="last_working_day")
    assert next_due(schedule, local("2027-01-30 00:00"), closed) == local("2027-03-31 08:00")


def test_short_months_have_their_last_day() -> None:
    schedule = Schedule(kind="monthly", day=31)
    assert shown(upcoming(schedule, local("2027-01-31 08:00"), OFFICE, 3)) == [
        "28/02/2027 08:00",
        "31/03/2027 08:00",
        "30/04/2027 08:00",
    ]


def test_a_run_may_move_into_the_month_before_or_after() -> None:
    new_year = Schedule(kind="monthly", day=1, skip="before")
    assert next_due(new_year, local("2026-12-15 00:00"), OFFICE) == local("2026-12-31 08:00")
    end = Schedule(kind="monthly", day=31, skip="after")
    assert next_due(end, local("2027-01-15 00:00"), OFFICE) == local("2027-02-01 08:00")


def test_a_series_ends_with_its_last_date_and_with_its_times() -> None:
    market = Schedule(kind="weekly", weekdays=(5,), until=date(2026, 12, 12))
    assert len(upcoming(market, NOW, OFFICE, 50)) == 3
    assert len(upcoming(Schedule(kind="weekly", weekdays=(5,), times=2), NOW, OFFICE, 50)) == 2
    assert Schedule(kind="weekly", times=2).allows(2)
    assert not Schedule(kind="weekly", times=2).allows(3)
    assert not Schedule(kind="once").allows(2)


@pytest.mark.parametrize(("skip", "ran"), [("before", "2027-02-04 08:00"), ("after", "2027-02-11 08:00")])
def test_a_run_that_was_moved_is_not_due_again_when_the_calendar_changes(skip: str, ran: str) -> None:
    schedule = Schedule(kind="monthly", day=5 if skip == "before" else 10, skip=skip)
    day_off = date(2027, 2, schedule.day)
    assert next_due(schedule, local("2027-01-20 00:00"), WorkingCalendar(days_off={day_off: "Nghỉ"})) == local(ran)
    shifted = WorkingCalendar(days_off={} if skip == "before" else {day_off: "Nghỉ", date(2027, 2, 11): "Nghỉ"})
    again = next_due(schedule, local(ran), shifted)
    assert again is not None
    assert again < local(ran) + timedelta(days=2)
    after = next_due(schedule, local(ran), shifted, local(ran))
    assert after is not None
    assert to_local(after).strftime("%m") == "03"


def test_days_off_that_are_entered_late_still_move_a_run() -> None:
    schedule = Schedule(kind="monthly", day=5, skip="after")
    ran = local("2027-01-05 08:00")
    assert next_due(schedule, ran, WorkingCalendar(), ran) == local("2027-02-05 08:00")
    moved = next_due(schedule, ran, OFFICE, ran)
    assert moved is not None
    assert works(to_local(moved).date())
    assert moved > local("2027-02-05 08:00")


@settings(deadline=None)
@given(SERIES, MOMENTS, CALENDARS)
def test_knowing_the_run_before_changes_nothing_while_the_calendar_holds(
    schedule: Schedule, after: datetime, calendar: WorkingCalendar
) -> None:
    planned = upcoming(schedule, after, calendar, 10)
    for earlier, later in itertools.pairwise(planned):
        assert next_due(schedule, earlier, calendar, earlier) == later


def test_nothing_is_looked_for_beyond_four_hundred_days() -> None:
    assert next_due(Schedule(kind="once", at=NOW + timedelta(days=401)), NOW, OFFICE) is None
    never = WorkingCalendar(days_off={date(2026, 11, 1) + timedelta(days=n): "Đóng cửa" for n in range(600)})
    assert next_due(Schedule(kind="monthly", day=5, skip="after"), NOW, never) is None
    assert next_due(Schedule(kind="last_working_day"), NOW, never) is None


@pytest.mark.parametrize("text", ["", "8", "24:00", "08:60", "08:0", "8 giờ", "-1:00", "08:00:00", "٠٨:٠٠"])
def test_a_time_is_hours_and_minutes(text: str) -> None:
    assert local_time(text) is None


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Schedule(), []),
        (Schedule(kind="hourly"), [("kind", "unknown_schedule")]),
        (Schedule(kind="once"), [("at", "empty")]),
        (Schedule(kind="once", at=NOW - timedelta(days=1)), [("at", "in_the_past")]),
        (Schedule(kind="once", at=NOW), [("at", "in_the_past")]),
        (Schedule(kind="once", at=NOW + timedelta(days=370)), [("at", "too_far")]),
        (Schedule(kind="once", at=NOW + timedelta(minutes=1)), []),
        (Schedule(kind="weekly"), [("weekdays", "no_weekday")]),
        (Schedule(kind="weekly", weekdays=(7,)), [("weekdays", "no_weekday")]),
        (Schedule(kind="weekly", weekdays=(0,), time="25:00"), [("time", "not_a_time")]),
        (Schedule(kind="weekly", weekdays=(0,), skip="before"), [("skip", "only_monthly")]),
        (Schedule(kind="monthly"), [("day", "not_a_day")]),
        (Schedule(kind="monthly", day=32), [("day", "not_a_day")]),
        (Schedule(kind="monthly", day=5, skip="maybe"), [("skip", "unknown_skip")]),
        (Schedule(kind="monthly", day=5, until=date(2026, 11, 26)), [("until", "in_the_past")]),
        (Schedule(kind="monthly", day=5, until=date(2028, 1, 1)), [("until", "too_far")]),
        (Schedule(kind="monthly", day=5, until=date(2026, 12, 4)), [("until", "no_run")]),
        (Schedule(kind="monthly", day=5, times=-1), [("times", "not_a_number")]),
        (Schedule(kind="last_working_day", until=date(2026, 11, 30)), []),
        (Schedule(kind="monthly", day=0, time="x"), [("time", "not_a_time"), ("day", "not_a_day")]),
    ],
)
def test_what_is_wrong_is_named_by_field(schedule: Schedule, expected: list[tuple[str, str]]) -> None:
    assert [(error.field, error.code) for error in problems(schedule, NOW)] == expected


@settings(deadline=None)
@given(SERIES, MOMENTS, CALENDARS)
def test_runs_come_strictly_later_and_never_twice(
    schedule: Schedule, after: datetime, calendar: WorkingCalendar
) -> None:
    found = upcoming(schedule, after, calendar, 15)
    assert all(earlier < later for earlier, later in zip([after, *found], found, strict=False))
    days = [to_local(moment).date() for moment in found]
    assert len(set(days)) == len(days)
    assert all(to_local(moment).strftime("%H:%M") == schedule.time for moment in found)


@settings(deadline=None)
@given(SERIES, MOMENTS, CALENDARS)
def test_runs_are_where_they_may_be(schedule: Schedule, after: datetime, calendar: WorkingCalendar) -> None:
    for moment in upcoming(schedule, after, calendar, 8):
        day = to_local(moment).date()
        if schedule.kind == "weekly":
            assert day.weekday() in schedule.weekdays
            assert not (schedule.skip and day in calendar.days_off and day not in calendar.days_worked)
        elif schedule.kind == "last_working_day" or schedule.skip:
            assert works(day, calendar)
        else:
            assert day.day == schedule.day or (day + timedelta(days=1)).day == 1


@settings(deadline=None)
@given(SERIES, MOMENTS, st.lists(st.integers(1, 90 * 24 * 60), min_size=1, max_size=20))
def test_a_clock_that_ticks_at_odd_times_sees_every_run_once(
    schedule: Schedule, start: datetime, steps: list[int]
) -> None:
    """Whoever looks now and then, and after a pause of months, runs what is due once and goes on from there."""
    planned = upcoming(schedule, start, OFFICE, 40)
    ran: list[datetime] = []
    clock, due = start, next_due(schedule, start, OFFICE)
    for minutes in steps:
        clock += timedelta(minutes=minutes)
        while due is not None and due <= clock:
            ran.append(due)
            due = next_due(schedule, due, OFFICE)
    assert ran[:40] == planned[: len(ran)]
    assert all(moment > clock for moment in planned[len(ran) :])


@settings(deadline=None)
@given(SERIES, MOMENTS, st.dates(date(2026, 1, 1), date(2028, 6, 30)), st.integers(0, 5))
def test_bounds_only_cut_a_series_short(schedule: Schedule, after: datetime, until: date, times: int) -> None:
    from dataclasses import replace

    free = upcoming(schedule, after, OFFICE, 12)
    bound = upcoming(replace(schedule, until=until, times=times), after, OFFICE, 12)
    wanted = [moment for moment in free if to_local(moment).date() <= until]
    assert bound == (wanted[:times] if times else wanted)


@given(st.one_of(SERIES, st.builds(Schedule, kind=st.just("once"), at=MOMENTS), st.just(Schedule())))
def test_a_schedule_survives_its_json(schedule: Schedule) -> None:
    assert Schedule.from_json(json.loads(json.dumps(schedule.to_json()))) == schedule


def test_an_empty_json_is_a_new_schedule() -> None:
    assert Schedule.from_json({}) == Schedule()
