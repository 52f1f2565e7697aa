"""Tests of a dossier's clock: golden tables, and that pauses and days off only ever put a date off."""

import operator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.calendar import WorkingCalendar, prefill
from bot.domain.deadline import Budget, Pause, compute, elapsed
from bot.domain.dossier import Status
from bot.domain.dossier_clock import Compared, Dates, compared, dates, explained, law_due, standing
from bot.domain.remaining import Remaining, Signal
from bot.domain.working_line import WorkingLine, line_of

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
OFFICE = WorkingCalendar(
    days_off=dict(prefill([2026, 2027])),
    days_worked={date(2026, 8, 22): "Làm bù cho ngày 31/8"},
    confirmed_years=frozenset({2026, 2027}),
)
LINE = line_of(OFFICE)


def at(text: str) -> datetime:
    """Read a local time written as `2026-11-27 16:30`."""
    return datetime.fromisoformat(text).replace(tzinfo=HANOI)


@pytest.mark.parametrize(
    ("received", "days", "pauses", "due"),
    [
        # the day of acceptance is not counted, the last day counts to its end
        ("2026-11-25 08:00", 1, [], "2026-11-26 17:00"),
        ("2026-11-25 16:59", 1, [], "2026-11-26 17:00"),
        ("2026-11-25 10:00", 5, [], "2026-12-02 17:00"),
        # Friday 16:30
        ("2026-11-27 16:30", 1, [], "2026-11-30 17:00"),
        ("2026-11-27 16:30", 3, [], "2026-12-02 17:00"),
        # filed on a Saturday, and at night
        ("2026-11-28 10:00", 3, [], "2026-12-02 17:00"),
        ("2026-11-26 23:30", 2, [], "2026-11-30 17:00"),
        # the 24th of November is a day off, Tết more than a week
        ("2026-11-23 09:00", 1, [], "2026-11-25 17:00"),
        ("2026-02-13 16:30", 1, [], "2026-02-23 17:00"),
        ("2026-02-11 09:00", 10, [], "2026-03-04 17:00"),
        # a Saturday worked instead counts
        ("2026-08-20 09:00", 2, [], "2026-08-22 17:00"),
        ("2026-08-21 16:30", 1, [], "2026-08-22 17:00"),
        # the same day: until 15:00, after it, on the last day of the week, without work
        ("2026-11-25 14:59", 0, [], "2026-11-25 17:00"),
        ("2026-11-25 15:00", 0, [], "2026-11-25 17:00"),
        ("2026-11-25 15:01", 0, [], "2026-11-26 17:00"),
        ("2026-11-27 16:30", 0, [], "2026-11-30 17:00"),
        ("2026-11-28 09:00", 0, [], "2026-11-30 17:00"),
        ("2026-02-13 15:30", 0, [], "2026-02-23 17:00"),
        # pauses: whole days, part of a day, over a weekend, before the time begins, after it has run out
        ("2026-11-25 10:00", 5, [("2026-11-26 08:00", "2026-11-27 17:00")], "2026-12-04 17:00"),
        ("2026-11-25 10:00", 5, [("2026-11-26 09:00", "2026-11-26 10:00")], "2026-12-03 17:00"),
        ("2026-11-25 10:00", 5, [("2026-11-27 17:00", "2026-11-30 08:00")], "2026-12-02 17:00"),
        ("2026-11-25 10:00", 5, [("2026-11-25 10:30", "2026-11-25 16:00")], "2026-12-02 17:00"),
        ("2026-11-25 10:00", 5, [("2026-12-03 09:00", "2026-12-10 09:00")], "2026-12-02 17:00"),
        ("2026-11-25 10:00", 0, [("2026-11-25 11:00", "2026-11-26 11:00")], "2026-11-26 17:00"),
        # a pause that lasts, no limit, no beginning, a limit that is none
        ("2026-11-25 10:00", 5, [("2026-11-26 09:00", None)], None),
        ("2026-11-25 10:00", None, [], None),
        (None, 5, [], None),
        ("2026-11-25 10:00", -1, [], None),
        ("2026-11-25 10:00", 5000, [], None),
        ("1899-12-30 00:00", 5, [], None),
        ("2999-01-01 00:00", 5, [], None),
    ],
)
def test_the_date_by_the_limit(
    received: str | None, days: int | None, pauses: list[tuple[str, str | None]], due: str | None
) -> None:
    given_pauses = [(at(low), at(high) if high else None) for low, high in pauses]
    found = law_due(LINE, at(received) if received else None, days, given_pauses)
    assert found == (at(due) if due else None)


@pytest.mark.parametrize(
    ("received", "due", "soon", "late"),
    [
        # ten working days: amber after eight
        ("2026-11-30 08:00", "2026-12-11 17:00", "2026-12-09 17:00", "2026-12-12 00:00"),
        # short: the last working day
        ("2026-11-25 10:00", "2026-11-26 17:00", "2026-11-26 08:00", "2026-11-27 00:00"),
        # a day without a time counts to the end of work
        ("2026-11-30 08:00", "2026-12-11 00:00", "2026-12-09 17:00", "2026-12-12 00:00"),
        # a date on a Sunday: the last working day is the Friday before
        ("2026-11-25 10:00", "2026-11-29 00:00", "2026-11-27 08:00", "2026-11-30 00:00"),
        (None, "2026-11-26 17:00", "2026-11-26 08:00", "2026-11-27 00:00"),
    ],
)
def test_when_the_light_changes(received: str | None, due: str, soon: str, late: str) -> None:
    found = dates(LINE, at(received) if received else None, None, at(due))
    assert found == Dates(None, at(soon), at(late))


def test_without_an_appointed_date_the_law_s_counts() -> None:
    found = dates(LINE, at("2026-11-25 10:00"), 1, None)
    assert found == Dates(at("2026-11-26 17:00"), at("2026-11-26 08:00"), at("2026-11-27 00:00"))
    assert dates(LINE, at("2026-11-25 10:00"), None, None) == Dates(None, None, None)


@pytest.mark.parametrize(
    ("now", "status", "shown"),
    [
        ("2026-11-30 09:00", Status.PROCESSING, Remaining(Signal.CALM, 9, "days")),
        ("2026-12-10 08:00", Status.PROCESSING, Remaining(Signal.SOON, 2, "days")),
        ("2026-12-11 14:00", Status.PROCESSING, Remaining(Signal.SOON, 3, "hours")),
        ("2026-12-11 16:40", Status.PROCESSING, Remaining(Signal.SOON, 20, "minutes")),
        ("2026-12-11 20:00", Status.PROCESSING, Remaining(Signal.SOON, 0, "minutes")),
        ("2026-12-12 00:00", Status.PROCESSING, Remaining(Signal.LATE, 0, "minutes")),
        ("2026-12-14 11:00", Status.ACCEPTED, Remaining(Signal.LATE, 3, "hours")),
        ("2026-12-15 17:00", Status.PROCESSING, Remaining(Signal.LATE, 2, "days")),
        ("2026-12-15 17:00", Status.FEE, Remaining(Signal.PAUSED)),
        ("2026-12-15 17:00", Status.READY, Remaining(Signal.DONE)),
        ("2026-12-15 17:00", Status.WITHDRAWN, Remaining(Signal.DONE)),
    ],
)
def test_how_a_dossier_stands(now: str, status: Status, shown: Remaining) -> None:
    due = at("2026-12-11 17:00")
    when = dates(LINE, at("2026-11-30 08:00"), None, due)
    assert standing(LINE, status, due, None, when, at(now)) == shown


def test_grey_without_a_date() -> None:
    shown = standing(LINE, Status.PROCESSING, None, None, Dates(None, None, None), at("2026-12-11 17:00"))
    assert shown == Remaining(Signal.PAUSED, 0, "no_date")


@pytest.mark.parametrize(
    ("due", "law", "words"),
    [
        ("2026-12-02 10:00", "2026-12-02 17:00", Compared("same", 0)),
        ("2026-12-04 17:00", "2026-12-02 17:00", Compared("later", 2)),
        ("2026-11-27 00:00", "2026-12-02 17:00", Compared("earlier", 3)),
        ("2026-12-05 00:00", "2026-12-04 17:00", Compared("later", 0)),
        (None, "2026-12-02 17:00", None),
        ("2026-12-02 17:00", None, None),
    ],
)
def test_the_appointed_date_beside_the_law_s(due: str | None, law: str | None, words: Compared | None) -> None:
    assert compared(LINE, at(due) if due else None, at(law) if law else None) == words


def test_the_calculation_is_shown() -> None:
    found = explained(LINE, at("2026-11-23 09:00"), 5, [(at("2026-11-26 08:00"), at("2026-11-26 17:00"))])
    assert found is not None
    assert (found.rule, found.first, found.last) == ("next_day", date(2026, 11, 25), date(2026, 12, 1))
    assert found.paused == 480
    assert found.law_due_at == at("2026-12-02 17:00")
    assert [day for day, _ in found.skipped] == [date(2026, 11, 24), date(2026, 11, 28), date(2026, 11, 29)]
    assert found.skipped[0][1].startswith("day_off:")
    assert found.warnings == ()
    late = explained(LINE, at("2027-12-31 16:00"), 0)
    assert late is not None
    assert (late.rule, late.warnings) == ("after_last_hour", (2028,))


MOMENTS = st.integers(0, 700 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 2, tzinfo=UTC) + timedelta(minutes=minutes)
)
LENGTHS = st.timedeltas(timedelta(), timedelta(days=12))
PAUSES = st.lists(st.tuples(MOMENTS, LENGTHS).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=4)
DAYS = st.integers(0, 40)


@settings(deadline=None)
@given(received=MOMENTS, days=DAYS, pauses=PAUSES, more=PAUSES)
def test_a_pause_never_shortens(received: datetime, days: int, pauses: list[Pause], more: list[Pause]) -> None:
    plain = law_due(LINE, received, days)
    paused = law_due(LINE, received, days, pauses)
    longer = law_due(LINE, received, days, [*pauses, *more])
    assert plain is not None
    assert paused is not None
    assert longer is not None
    assert plain <= paused <= longer


@settings(deadline=None)
@given(received=MOMENTS, later=LENGTHS, days=DAYS, more=st.integers(0, 10))
def test_what_comes_later_or_may_take_longer_is_due_no_earlier(
    received: datetime, later: timedelta, days: int, more: int
) -> None:
    first = law_due(LINE, received, days)
    assert first is not None
    for other in (law_due(LINE, received + later, days), law_due(LINE, received, days + more)):
        assert other is not None
        assert first <= other


@settings(deadline=None)
@given(received=MOMENTS, days=st.integers(1, 40), pauses=PAUSES)
def test_it_is_the_same_time_that_cases_count(received: datetime, days: int, pauses: list[Pause]) -> None:
    begin = LINE.opens(LINE.workday(LINE.day(received), 1))
    counted = compute(begin, Budget.days(days), OFFICE, pauses).due_at
    found = law_due(LINE, received, days, pauses)
    assert counted is not None
    assert found is not None
    assert LINE.day(found) == LINE.day(counted)
    assert found >= counted


@settings(deadline=None)
@given(low=MOMENTS, span=LENGTHS)
def test_the_line_is_the_calendar(low: datetime, span: timedelta) -> None:
    line = LINE
    begin, end = line.place(low), line.place(low + span)
    assert int(end - begin) // 60 == elapsed(low, low + span, OFFICE)
    if end > begin:
        assert abs((line.moment(end) - low).total_seconds()) <= span.total_seconds()
        assert abs(line.place(line.moment(end)) - end) < 0.001


@settings(deadline=None, max_examples=20)
@given(years=st.lists(st.integers(2010, 2040), min_size=2, max_size=5))
def test_places_stay_where_they_are_however_far_the_line_reaches(years: list[int]) -> None:
    line = WorkingLine(OFFICE)
    marks = [datetime(year, 6, 17, 3, 30, tzinfo=UTC) for year in years]
    first = [line.place(mark) for mark in marks]
    again = [line.place(mark) for mark in marks]
    assert first == pytest.approx(again)
    ordered = sorted(set(marks))
    assert all(map(operator.lt, map(line.place, ordered), map(line.place, ordered[1:])))


@settings(deadline=None)
@given(received=MOMENTS, days=DAYS, due=st.none() | MOMENTS, pauses=PAUSES, now=MOMENTS)
def test_the_light_turns_in_order(
    received: datetime, days: int, due: datetime | None, pauses: list[Pause], now: datetime
) -> None:
    when = dates(LINE, received, days, due, pauses)
    assert when.soon_at is not None
    assert when.late_at is not None
    assert when.soon_at < when.late_at
    shown = standing(LINE, Status.PROCESSING, due, when.law_due_at, when, now)
    expected = Signal.LATE if now >= when.late_at else Signal.SOON if now >= when.soon_at else Signal.CALM
    assert shown.signal is expected
    assert shown.number >= 0
