"""Rules about units, their limits, and calendars, without the pages."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.actions import calendars, rules
from bot.actions import units as actions
from bot.actions.import_units import RowProblem, import_units
from bot.domain.calendar import WorkingCalendar
from bot.domain.remaining import Remaining, Signal, WorkingTime
from bot.errors import InvalidInputError
from bot.runtime import Runtime
from bot.store import units
from bot.tables import TableRow
from tests import commune


@pytest.fixture
async def office(runtime: Runtime) -> Runtime:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
    return runtime


def test_lists_are_written_in_any_way() -> None:
    assert actions.several("chợ, lấn chiếm;\nvỉa hè ,, chợ") == ["chợ", "lấn chiếm", "vỉa hè"]


@pytest.mark.parametrize("text", ["x", "0", "-5", "1.5", "٣", "999999999"])
def test_limits_are_whole_positive_minutes(text: str) -> None:
    with pytest.raises(InvalidInputError, match="not_a_number"):
        actions.limits_of({"accept": text})


async def test_a_code_may_come_back_with_another_date(office: Runtime) -> None:
    async with office.units_of_work() as uow:
        home = await actions.unit_of(uow, "commune")
        for day in (date(2025, 7, 1), date(2026, 1, 1)):
            await actions.add_unit(uow, home, code="10126", name=f"Tên {day}", kind="commune", valid_from=day)
        with pytest.raises(InvalidInputError, match="taken"):
            await actions.add_unit(uow, home, code="10126", name="x", kind="commune", valid_from=date(2026, 1, 1))


async def test_an_import_stays_within_bounds(office: Runtime) -> None:
    def row(number: int, code: str, parent: str) -> TableRow:
        return TableRow(number, {"code": code, "name": "x", "kind": "x", "parent": parent, "valid_from": "2025-07-01"})

    async with office.units_of_work() as uow:
        done = await import_units(uow, [row(2, "A", "10183.police"), row(3, "B", "10183")], ("/commune/police/",))
    assert (done.added, done.problems) == (1, [RowProblem(3, "outside", "B")])


async def test_a_unit_gets_a_calendar_of_its_own_from_the_one_above(office: Runtime) -> None:
    async with office.units_of_work() as uow:
        await calendars.set_day(uow, "commune", date(2026, 9, 2), "Quốc khánh", works=False)
        await calendars.set_day(uow, "police", date(2026, 9, 3), "Trực", works=True)
    async with office.database.reading() as session:
        days = await units.calendar_days(session, "police", date(2026, 1, 1), date(2026, 12, 31))
    assert [(d.day.day, d.works) for d in days] == [(2, False), (3, True)]


async def test_entered_days_survive_filling_in_holidays(office: Runtime) -> None:
    async with office.units_of_work() as uow:
        await calendars.set_day(uow, "commune", date(2026, 9, 2), "Tên của chúng tôi", works=False)
        await calendars.prefill_year(uow, "commune", 2026, "Làm bù")
        await calendars.prefill_year(uow, "commune", 2026, "Làm bù")
    async with office.database.reading() as session:
        days = await units.calendar_days(session, "commune", date(2026, 1, 1), date(2026, 12, 31))
    assert [d.name for d in days if d.day == date(2026, 9, 2)] == ["Tên của chúng tôi"]
    assert len(days) == len({d.day for d in days}) > 10


async def test_a_trial_names_what_stands_in_the_way(office: Runtime) -> None:
    async with office.database.reading() as session:
        home = await units.unit(session, "commune")
        assert home is not None
        known = (await units.routing_rules(session, "commune"), await units.categories(session, "commune"))
        areas = await units.areas(session, "commune")
    trial = rules.try_text(home, *known, areas, "Đèn đường thôn Kim Lâm hỏng")
    assert trial.category is not None
    assert trial.area is not None
    assert (trial.category.code, trial.area.id, trial.routed.unit_id) == ("dien-nuoc", "kim-lam", "economy")
    restricted = rules.try_text(home, *known, areas, "x", "thai-do-can-bo")
    assert restricted.routed.reason == ("restricted",)


MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""09:00 in Viet Nam."""


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (2, Remaining(Signal.SOON, 2, "hours")),
        (4.5, Remaining(Signal.SOON, 3, "hours")),
        (24, Remaining(Signal.SOON, 1, "days")),
        (24 * 4, Remaining(Signal.CALM, 4, "days")),
        (24 * 7, Remaining(Signal.CALM, 5, "days")),
        (0.5, Remaining(Signal.SOON, 30, "minutes")),
        (-0.25, Remaining(Signal.LATE, 15, "minutes")),
        (-24 * 3, Remaining(Signal.LATE, 1, "days")),
    ],
)
def test_what_is_left_is_told_in_working_time(hours: float, expected: Remaining) -> None:
    counted = WorkingTime(WorkingCalendar())
    assert counted.remaining(MONDAY + timedelta(hours=hours), 5 * 480, MONDAY, is_open=True) == expected


def test_what_is_paused_or_done_has_no_number() -> None:
    counted = WorkingTime(WorkingCalendar())
    assert counted.remaining(None, 480, MONDAY, is_open=True) == Remaining(Signal.PAUSED)
    assert counted.remaining(MONDAY, 480, MONDAY, is_open=False) == Remaining(Signal.DONE)


def test_quick_counting_agrees_with_the_deadlines_own() -> None:
    from bot.domain.deadline import elapsed

    calendar = WorkingCalendar(days_off={date(2026, 11, 25): "x"}, days_worked={date(2026, 11, 28): "y"})
    counted = WorkingTime(calendar)
    for hours in (1, 5, 20, 48, 77, 150, 600):
        end = MONDAY + timedelta(hours=hours, minutes=7)
        assert counted.between(MONDAY, end) == elapsed(MONDAY, end, calendar), hours
