"""Tests of due dates: golden tables and properties (promise R16)."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.calendar import CalendarError, Hours, WorkingCalendar, prefill, round_the_clock
from bot.domain.deadline import Budget, Pause, compute, elapsed, ladder, read_clock, remaining

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
OFFICE = WorkingCalendar(
    days_off=dict(prefill([2026, 2027])),
    days_worked={date(2026, 8, 22): "Làm bù cho ngày 31/8"},
    confirmed_years=frozenset({2026, 2027}),
)
MORNINGS = WorkingCalendar(
    intervals=(Hours({0, 2, 4}, ((time(7, 30), time(9)), (time(9, 15), time(11)))), Hours({5}, ((time(22), time(0)),))),
    days_off={date(2026, 11, 25): "Nghỉ"},
)


def at(text: str) -> datetime:
    """Read a local time written as `2026-11-27 16:30`."""
    return datetime.fromisoformat(text).replace(tzinfo=HANOI)


def pause(low: str, high: str | None) -> Pause:
    return at(low), at(high) if high else None


GOLDEN = [
    # a Friday afternoon runs on into Monday
    ("2026-11-27 16:30", Budget(60), [], "2026-11-30 08:30"),
    # lunch does not count
    ("2026-11-23 11:30", Budget(60), [], "2026-11-23 13:30"),
    ("2026-11-23 12:20", Budget(60), [], "2026-11-23 14:00"),
    # work that ends with the morning is due at noon, with the day at five
    ("2026-11-23 11:00", Budget(60), [], "2026-11-23 12:00"),
    ("2026-11-23 08:00", Budget(480), [], "2026-11-23 17:00"),
    # outside hours
    ("2026-11-23 06:00", Budget(30), [], "2026-11-23 08:30"),
    ("2026-11-23 21:00", Budget(30), [], "2026-11-25 08:30"),  # the 24th is Culture Day
    ("2026-11-28 10:00", Budget(30), [], "2026-11-30 08:30"),
    # exactly at the end of the day and of the week
    ("2026-11-25 17:00", Budget(30), [], "2026-11-26 08:30"),
    ("2026-11-27 17:00", Budget(30), [], "2026-11-30 08:30"),
    # days: one of them is eight working hours
    ("2026-11-25 10:00", Budget.days(1), [], "2026-11-26 10:00"),
    ("2026-11-25 10:00", Budget.days(5), [], "2026-12-02 10:00"),
    ("2026-11-25 10:00", Budget.days(15), [], "2026-12-16 10:00"),
    # lunar new year
    ("2026-02-13 16:30", Budget(60), [], "2026-02-23 08:30"),
    ("2026-02-12 09:00", Budget.days(5), [], "2026-02-26 09:00"),
    ("2027-02-03 16:00", Budget(120), [], "2027-02-11 09:00"),
    ("2027-02-02 09:00", Budget.days(3), [], "2027-02-12 09:00"),
    # new year's day, a Friday
    ("2026-12-31 16:30", Budget(60), [], "2027-01-04 08:30"),
    # the Saturday worked instead of the bridge day
    ("2026-08-21 16:30", Budget(60), [], "2026-08-22 08:30"),
    ("2026-08-28 16:30", Budget(60), [], "2026-09-03 08:30"),
    # pauses: inside a morning, over a weekend, over the whole start, overlapping, empty, the wrong way round
    ("2026-11-25 08:00", Budget(60), [pause("2026-11-25 08:30", "2026-11-25 09:30")], "2026-11-25 10:00"),
    ("2026-11-27 16:00", Budget(120), [pause("2026-11-27 16:30", "2026-11-30 10:00")], "2026-11-30 11:30"),
    ("2026-11-25 08:00", Budget(60), [pause("2026-11-24 08:00", "2026-11-26 08:00")], "2026-11-26 09:00"),
    (
        "2026-11-25 08:00",
        Budget(60),
        [pause("2026-11-25 09:30", "2026-11-25 11:00"), pause("2026-11-25 08:30", "2026-11-25 10:00")],
        "2026-11-25 11:30",
    ),
    ("2026-11-25 08:00", Budget(60), [pause("2026-11-25 08:30", "2026-11-25 08:30")], "2026-11-25 09:00"),
    ("2026-11-25 08:00", Budget(60), [pause("2026-11-25 08:40", "2026-11-25 08:30")], "2026-11-25 09:00"),
    # pauses after the due date and at night change nothing
    ("2026-11-25 08:00", Budget(60), [pause("2026-11-25 09:00", "2026-11-26 08:30")], "2026-11-25 09:00"),
    ("2026-11-25 16:30", Budget(60), [pause("2026-11-25 18:00", "2026-11-26 07:00")], "2026-11-26 08:30"),
    ("2026-11-25 08:00", Budget(60), [pause("2026-11-25 09:00", None)], "2026-11-25 09:00"),
]  # fmt: skip


@pytest.mark.parametrize(("start", "budget", "pauses", "due"), GOLDEN)
def test_due_dates_of_the_office(start: str, budget: Budget, pauses: list[Pause], due: str) -> None:
    deadline = compute(at(start), budget, OFFICE, pauses)
    assert deadline.due_at == at(due)
    assert deadline.due_at.tzinfo is UTC
    assert sum(span.minutes for span in deadline.spans) == budget.minutes
    assert elapsed(at(start), deadline.due_at, OFFICE, pauses) == budget.minutes
    assert deadline.warnings == ()


@pytest.mark.parametrize(
    ("start", "due"),
    [("2026-11-28 23:30", "2026-11-29 00:30"), ("2026-02-17 00:00", "2026-02-17 01:00")],
)
def test_round_the_clock_counts_every_hour(start: str, due: str) -> None:
    assert compute(at(start), Budget(60), round_the_clock()).due_at == at(due)
    assert compute(at(start), Budget(60), round_the_clock()).warnings == ()


def test_the_explanation_names_spans_and_skipped_days() -> None:
    deadline = compute(at("2026-08-28 16:30"), Budget(60), OFFICE)
    assert [(span.day, span.start, span.end, span.minutes, span.note) for span in deadline.spans] == [
        (date(2026, 8, 28), at("2026-08-28 16:30"), at("2026-08-28 17:00"), 30, ""),
        (date(2026, 9, 3), at("2026-09-03 08:00"), at("2026-09-03 08:30"), 30, ""),
    ]
    assert deadline.skipped == (
        (date(2026, 8, 29), "weekly_rest"),
        (date(2026, 8, 30), "weekly_rest"),
        (date(2026, 8, 31), "day_off:Ngày nghỉ (thay cho ngày 22/08/2026)"),
        (date(2026, 9, 1), "day_off:Quốc khánh"),
        (date(2026, 9, 2), "day_off:Quốc khánh"),
    )


def test_the_explanation_names_days_worked_instead_and_pauses() -> None:
    deadline = compute(at("2026-08-21 16:30"), Budget(60), OFFICE)
    assert [span.note for span in deadline.spans] == ["", "day_worked:Làm bù cho ngày 31/8"]
    paused = compute(at("2026-11-25 16:00"), Budget(60), OFFICE, [pause("2026-11-25 16:30", "2026-11-27 08:00")])
    assert [(span.minutes, span.note) for span in paused.spans] == [(30, "pause"), (30, "")]
    assert paused.skipped == ((date(2026, 11, 26), "pause"),)


def test_an_open_pause_leaves_no_due_date_but_what_counted() -> None:
    pauses = [pause("2026-11-25 08:30", None), pause("2026-11-26 08:00", "2026-11-27 08:00")]
    deadline = compute(at("2026-11-25 08:00"), Budget(60), OFFICE, pauses)
    assert deadline.due_at is None
    assert [span.minutes for span in deadline.spans] == [30]
    assert compute(at("2026-11-26 08:00"), Budget(60), OFFICE, pauses).spans == ()


def test_unconfirmed_years_are_warned_of() -> None:
    calendar = WorkingCalendar(confirmed_years=frozenset({2026}))
    assert compute(at("2026-12-31 16:30"), Budget(60), calendar).warnings == ("year_not_confirmed:2027",)
    assert compute(at("2026-12-30 16:30"), Budget(60), calendar).warnings == ()


def test_odd_seconds_lose_no_minute_of_the_sum() -> None:
    start = at("2026-11-25 11:59").replace(second=31, microsecond=7)
    deadline = compute(start, Budget(3), OFFICE)
    assert deadline.due_at == at("2026-11-25 13:02").replace(second=31, microsecond=7)
    assert [span.minutes for span in deadline.spans] == [0, 3]


def test_a_calendar_whose_days_are_all_off_is_an_error_and_no_endless_loop() -> None:
    first = date(2026, 1, 1)
    calendar = WorkingCalendar(days_off={first + timedelta(days=n): "x" for n in range(5 * 366)})
    with pytest.raises(CalendarError):
        compute(at("2026-01-02 08:00"), Budget(1), calendar)
    assert elapsed(at("2026-01-02 08:00"), at("2026-06-01 08:00"), calendar) == 0


def test_a_pause_of_a_human_life_is_an_error_and_no_endless_loop() -> None:
    with pytest.raises(CalendarError):
        compute(at("2026-11-25 08:00"), Budget(1), OFFICE, [pause("2026-11-25 08:00", "2126-01-01 00:00")])


def test_a_pause_of_four_years_is_counted() -> None:
    due = compute(at("2026-11-25 08:00"), Budget(60), OFFICE, [pause("2026-11-25 08:00", "2030-11-25 08:00")]).due_at
    assert due == at("2030-11-25 09:00")


@pytest.mark.parametrize("minutes", [0, -1, 10**9])
def test_a_senseless_budget_is_refused(minutes: int) -> None:
    with pytest.raises(ValueError, match="budget"):
        Budget(minutes)


def test_moments_need_a_time_zone() -> None:
    naive = datetime(2026, 11, 25, 8)  # noqa: DTZ001  the very mistake under test
    with pytest.raises(ValueError, match="time zone"):
        compute(naive, Budget(1), OFFICE)


def test_the_clock_shows_share_rest_and_delay() -> None:
    start, budget = at("2026-11-25 08:00"), Budget(240)
    early = read_clock(start, at("2026-11-25 11:30"), budget, OFFICE)
    assert (early.elapsed, early.percent, early.remaining, early.overdue, early.paused) == (210, 87, 30, 0, False)
    assert early.due_at == at("2026-11-25 12:00")
    late = read_clock(start, at("2026-11-25 14:00"), budget, OFFICE)
    assert (late.percent, late.remaining, late.overdue) == (125, -60, 60)
    assert remaining(start, at("2026-11-25 14:00"), budget, OFFICE) == -60
    paused = read_clock(start, at("2026-11-25 10:00"), budget, OFFICE, [pause("2026-11-25 09:00", None)])
    assert (paused.elapsed, paused.paused, paused.due_at) == (60, True, None)
    assert read_clock(start, at("2026-11-24 10:00"), budget, OFFICE).elapsed == 0


def test_the_ladder_climbs_in_working_time() -> None:
    steps = ladder(at("2026-11-27 08:00"), Budget(480), OFFICE)
    assert steps == (at("2026-11-27 15:24"), at("2026-11-27 17:00"), at("2026-11-30 12:00"))
    held = ladder(at("2026-11-27 08:00"), Budget(480), OFFICE, [pause("2026-11-27 16:00", None)])
    assert held == (at("2026-11-27 15:24"), None, None)


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 3, 1), timezones=st.just(UTC))  # noqa: DTZ001  strategy bounds are naive by design
BUDGETS = st.integers(1, 12 * 480).map(Budget)
CALENDARS = st.sampled_from([OFFICE, MORNINGS, round_the_clock()])
CLOSED = st.tuples(MOMENTS, st.timedeltas(timedelta(), timedelta(days=12))).map(lambda pair: lasting(*pair))
PAUSES: st.SearchStrategy[list[Pause]] = st.lists(CLOSED, max_size=3)


def lasting(begin: datetime, length: timedelta) -> Pause:
    return begin, begin + length


def due(start: datetime, budget: Budget, calendar: WorkingCalendar, pauses: list[Pause]) -> datetime:
    found = compute(start, budget, calendar, pauses).due_at
    assert found is not None
    return found


@settings(max_examples=60, deadline=None)
@given(MOMENTS, BUDGETS, CALENDARS, PAUSES)
def test_elapsed_at_the_due_date_is_the_budget(
    start: datetime, budget: Budget, calendar: WorkingCalendar, pauses: list[Pause]
) -> None:
    deadline = compute(start, budget, calendar, pauses)
    assert deadline.due_at is not None
    assert elapsed(start, deadline.due_at, calendar, pauses) == budget.minutes
    assert sum(span.minutes for span in deadline.spans) == budget.minutes
    assert sum((span.end - span.start for span in deadline.spans), timedelta()) == timedelta(minutes=budget.minutes)
    assert elapsed(start, deadline.due_at - timedelta(microseconds=1), calendar, pauses) == budget.minutes - 1


@settings(max_examples=60, deadline=None)
@given(MOMENTS, st.timedeltas(timedelta(), timedelta(days=9)), BUDGETS, CALENDARS, PAUSES)
def test_a_later_start_is_never_due_earlier(
    start: datetime, later: timedelta, budget: Budget, calendar: WorkingCalendar, pauses: list[Pause]
) -> None:
    assert due(start, budget, calendar, pauses) <= due(start + later, budget, calendar, pauses)


@settings(max_examples=60, deadline=None)
@given(MOMENTS, BUDGETS, st.integers(1, 480), CALENDARS, PAUSES)
def test_a_bigger_budget_is_due_later_and_parts_make_the_whole(
    start: datetime, budget: Budget, more: int, calendar: WorkingCalendar, pauses: list[Pause]
) -> None:
    part = due(start, budget, calendar, pauses)
    whole = due(start, Budget(budget.minutes + more), calendar, pauses)
    assert part < whole
    assert due(part, Budget(more), calendar, pauses) == whole


@settings(max_examples=60, deadline=None)
@given(MOMENTS, BUDGETS, CALENDARS, PAUSES, CLOSED)
def test_one_more_pause_never_shortens(
    start: datetime, budget: Budget, calendar: WorkingCalendar, pauses: list[Pause], one_more: Pause
) -> None:
    assert due(start, budget, calendar, pauses) <= due(start, budget, calendar, [*pauses, one_more])


@settings(max_examples=60, deadline=None)
@given(MOMENTS, st.timedeltas(timedelta(), timedelta(days=9)), st.timedeltas(timedelta(), timedelta(days=9)), CALENDARS)
def test_time_passed_only_grows_and_adds_up(
    start: datetime, first: timedelta, second: timedelta, calendar: WorkingCalendar
) -> None:
    middle, end = start + first, start + first + second
    whole = elapsed(start, end, calendar)
    assert elapsed(start, middle, calendar) <= whole
    assert 0 <= whole - elapsed(start, middle, calendar) - elapsed(middle, end, calendar) <= 1


@settings(max_examples=40, deadline=None)
@given(MOMENTS, BUDGETS, CALENDARS, PAUSES)
def test_no_step_of_the_ladder_falls_outside_hours(
    start: datetime, budget: Budget, calendar: WorkingCalendar, pauses: list[Pause]
) -> None:
    steps = [step for step in ladder(start, budget, calendar, pauses) if step is not None]
    assert steps == sorted(steps)
    for step in steps:
        day = calendar.local_date(step - timedelta(microseconds=1))
        assert any(low < step <= high for low, high in calendar.day_intervals(day))
