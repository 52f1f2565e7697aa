"""Tests of working calendars."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from bot.domain.calendar import CalendarError, Hours, WorkingCalendar, prefill, prefill_worked, round_the_clock

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
MONDAY, SATURDAY = date(2026, 11, 23), date(2026, 11, 28)
WEEK = frozenset(range(7))


def local(calendar: WorkingCalendar, day: date) -> list[str]:
    """Show the hours of a day as people read them."""
    return [
        f"{start.astimezone(HANOI):%H:%M}-{end.astimezone(HANOI):%H:%M}" for start, end in calendar.day_intervals(day)
    ]


def test_the_default_week_is_monday_to_friday_in_two_halves() -> None:
    calendar = WorkingCalendar()
    assert local(calendar, MONDAY) == ["08:00-12:00", "13:00-17:00"]
    assert calendar.day_intervals(MONDAY)[0][0] == datetime(2026, 11, 23, 1, tzinfo=UTC)
    assert local(calendar, SATURDAY) == []


def test_days_off_do_not_work_and_say_why() -> None:
    calendar = WorkingCalendar(days_off={MONDAY: "Ngày hội"})
    assert local(calendar, MONDAY) == []
    assert calendar.rest_reason(MONDAY) == "day_off:Ngày hội"
    assert calendar.rest_reason(SATURDAY) == "weekly_rest"
    assert calendar.rest_reason(date(2026, 11, 24)) is None


def test_a_saturday_worked_instead_has_the_hours_of_an_ordinary_day() -> None:
    rows = (*WorkingCalendar().intervals, Hours({5}, ((time(8), time(11)),)))
    calendar = WorkingCalendar(intervals=rows, days_worked={SATURDAY: "Làm bù"})
    assert local(calendar, SATURDAY) == ["08:00-12:00", "13:00-17:00"]
    assert local(calendar, date(2026, 12, 5)) == ["08:00-11:00"]


def test_a_weekday_worked_in_spite_of_a_day_off_keeps_its_own_hours() -> None:
    rows = (Hours({0, 1, 2, 3}, ((time(7), time(16)),)), Hours({4}, ((time(7), time(11)),)))
    friday = date(2026, 11, 27)
    calendar = WorkingCalendar(intervals=rows, days_off={friday: "x"}, days_worked={friday: "y"})
    assert local(calendar, friday) == ["07:00-11:00"]


def test_round_the_clock_is_always_open_and_needs_no_confirmation() -> None:
    calendar = round_the_clock()
    assert local(calendar, SATURDAY) == ["00:00-00:00"]
    assert calendar.is_confirmed(2099)
    start, end = calendar.day_intervals(SATURDAY)[0]
    assert (end - start).total_seconds() == 86_400
    assert end == calendar.day_end(SATURDAY)


def test_years_are_confirmed_one_by_one() -> None:
    calendar = WorkingCalendar(confirmed_years=frozenset({2026}))
    assert calendar.is_confirmed(2026)
    assert not calendar.is_confirmed(2027)


def test_the_date_is_the_office_s_own() -> None:
    assert WorkingCalendar().local_date(datetime(2026, 11, 22, 18, tzinfo=UTC)) == MONDAY


@pytest.mark.parametrize(
    "rows",
    [
        (),
        (Hours(WEEK, ()),),
        (Hours(frozenset(), ((time(8), time(12)),)),),
        (Hours({7}, ((time(8), time(12)),)),),
        (Hours({0}, ((time(12), time(8)),)),),
        (Hours({0}, ((time(8), time(8)),)),),
        (Hours({0}, ((time(8), time(12)), (time(11), time(17)))),),
        (Hours({0}, ((time(8), time(12)),)), Hours({4}, ((time(8), time(12)), (time(9), time(10))))),
        (Hours({0}, ((time(8), time(0)), (time(9), time(10)))),),
    ],
)
def test_senseless_hours_are_refused(rows: tuple[Hours, ...]) -> None:
    with pytest.raises(CalendarError):
        WorkingCalendar(intervals=rows)


def test_calendars_with_the_same_rows_are_equal_and_hashable() -> None:
    assert WorkingCalendar() == WorkingCalendar()
    assert hash(WorkingCalendar()) == hash(WorkingCalendar())
    assert WorkingCalendar() != WorkingCalendar(days_off={MONDAY: "x"})


def test_prefill_knows_the_public_holidays_with_lunar_new_year() -> None:
    table = dict(prefill([2026, 2027]))
    assert table[date(2026, 2, 17)] == "Tết Nguyên Đán"
    assert table[date(2027, 2, 6)] == "Tết Nguyên Đán"
    assert table[date(2026, 9, 2)] == "Quốc khánh"
    assert table[date(2026, 4, 30)]
    assert {day.year for day in table} == {2026, 2027}
    assert list(table) == sorted(table)
    assert prefill([]) == []


def test_prefill_knows_announced_bridge_days_and_their_saturdays() -> None:
    assert date(2026, 8, 31) in dict(prefill([2026]))
    assert prefill_worked([2026]) == [date(2026, 8, 22)]
