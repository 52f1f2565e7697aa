"""The legal clock of a case when its level or the calendar changes."""

import asyncio
from datetime import date, timedelta

import pytest

from bot.actions import calendars, work_case
from bot.domain.case import Level
from bot.errors import ConflictError
from bot.store import cases
from bot.store.cases import CaseRow
from bot.store.unit_of_work import UnitOfWork
from tests.talk import Official, Talk


async def level(talk: Talk, name: str) -> CaseRow:
    async with Official(talk, "head").unit_of_work() as uow:
        case = (await talk.cases())[-1]
        return await work_case.set_level(uow, case.id, None, name, "Đã xem lại")


async def reopened(talk: Talk) -> CaseRow:
    case = await talk.report()
    await Official(talk, "official").answer()
    await Official(talk, "head").approve()
    await talk.sent()
    talk.clock.forward(days=7)
    await talk.say(f"#danhgia {case.code} 1")
    await talk.say("Đèn vẫn không sáng")
    return (await talk.cases())[-1]


async def test_a_level_set_after_a_reopening_counts_from_the_reopening(talk: Talk) -> None:
    case = await reopened(talk)
    assert case.opened_at > case.created_at + timedelta(days=6)
    assert (await level(talk, "complex")).clock_from == case.opened_at
    assert (await level(talk, "urgent")).clock_from == case.accept_due_at
    again = await level(talk, "normal")
    assert (again.clock_from, again.due_at) == (case.opened_at, case.due_at)


async def test_a_case_made_urgent_before_acceptance_has_the_date_of_one_that_began_urgent(talk: Talk) -> None:
    await talk.report()
    made = await level(talk, "urgent")
    assert made.clock_from == made.accept_due_at
    await Official(talk, "official").accept()
    [case] = await talk.cases()
    assert case.clock_from == case.accepted_at
    assert (await level(talk, "normal")).clock_from == case.opened_at
    assert (await level(talk, "urgent")).clock_from == case.accepted_at


@pytest.mark.parametrize("wanted", list(Level))
async def test_a_finished_case_keeps_its_level(talk: Talk, wanted: Level) -> None:
    case = await talk.report()
    async with Official(talk, "head").unit_of_work() as uow:
        await work_case.refuse(uow, case.id, None, "Việc của điện lực tỉnh", "Luật Điện lực, Điều 5")
    with pytest.raises(ConflictError):
        await level(talk, wanted.value)


async def close_tomorrow(uow: UnitOfWork) -> int:
    return await calendars.set_day(uow, "commune", date(2026, 11, 24), "Nghỉ bão", works=False)


async def test_a_day_off_moves_the_time_to_accept_and_what_an_urgent_case_assumes(talk: Talk) -> None:
    await talk.report()
    before = await level(talk, "urgent")
    assert before.accept_due_at is not None
    async with Official(talk, "admin").unit_of_work() as uow:
        assert await close_tomorrow(uow) == 1
    [case] = await talk.cases()
    assert case.accept_due_at is not None
    assert before.due_at is not None
    assert case.accept_due_at > before.accept_due_at
    assert case.clock_from == case.accept_due_at
    assert case.due_at is not None
    assert case.due_at > before.due_at


async def test_a_case_that_changes_while_the_calendar_does_keeps_both_changes(talk: Talk) -> None:
    case = await talk.report()

    async def close() -> None:
        async with Official(talk, "admin").unit_of_work() as uow:
            await close_tomorrow(uow)

    await asyncio.gather(close(), Official(talk, "official").ask())
    async with talk.runtime.database.reading() as session:
        row = await cases.case(session, case.id)
    assert row is not None
    assert (row.state, row.due_at) == ("waiting_for_citizen", None), "a date must not come back while the clock pauses"
    await talk.say("Cột số 12 ạ")
    [row] = await talk.cases()
    assert row.due_at is not None
    assert case.due_at is not None
    assert row.due_at >= case.due_at + timedelta(days=1)
