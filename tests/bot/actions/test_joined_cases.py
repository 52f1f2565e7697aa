"""Cases that were joined: whoever sent one hears how the matter ends, however often it was joined."""

import asyncio

from bot.actions import answer_case, work_case
from bot.errors import InvalidInputError, LoaError
from bot.store import cases
from bot.store.cases import CaseEventRow, CaseRow
from tests.talk import Official, Talk

ANSWER = "Đã thay bóng đèn ở cột số 12."


async def reported(talk: Talk, number: int) -> tuple[list[Talk], list[CaseRow]]:
    """Let so many citizens report; returns their chats and cases."""
    chats = [Talk(talk.runtime, talk.clock, user=f"44440{n}") for n in range(number)]
    return chats, [
        await chat.report(f"Đèn đường thôn Kim Lâm cột số {n} hỏng, tối quá") for n, chat in enumerate(chats)
    ]


async def join(talk: Talk, case: CaseRow, into: CaseRow) -> None:
    async with Official(talk, "head").unit_of_work() as uow:
        await work_case.merge(uow, case.id, None, into.code)


async def read(talk: Talk, case: CaseRow) -> tuple[CaseRow, list[CaseEventRow]]:
    async with talk.runtime.database.reading() as session:
        row = await cases.case(session, case.id)
        assert row is not None
        return row, await cases.events(session, case.id)


async def answer(talk: Talk, case: CaseRow) -> None:
    async with Official(talk, "official").unit_of_work() as uow:
        await answer_case.submit(uow, case.id, None, ANSWER, [], 0, 30)
    async with Official(talk, "head").unit_of_work() as uow:
        await answer_case.approve(uow, case.id, None, 0, 30)


async def test_a_chain_of_joins_ends_in_an_answer_for_everybody(talk: Talk) -> None:
    chats, (first, second, third) = await reported(talk, 3)
    await join(talk, first, second)
    await join(talk, second, third)
    await answer(talk, third)
    await talk.sent()
    for chat, case in zip(chats, (first, second, third), strict=True):
        assert any(ANSWER in m.text and case.code in m.text for m in await chat.new_messages()), case.code
    row, events = await read(talk, first)
    assert row.merged_into_id == third.id
    assert [e.data["into"] for e in events if e.kind == "merge"] == [second.code, third.code]
    _, events = await read(talk, third)
    assert {e.data["code"] for e in events if e.kind == "joined"} == {first.code, second.code}


async def test_joins_that_cross_leave_one_case_open(talk: Talk) -> None:
    _, (first, second) = await reported(talk, 2)
    done = await asyncio.gather(join(talk, first, second), join(talk, second, first), return_exceptions=True)
    assert sum(one is None for one in done) == 1
    assert [type(one) for one in done if one is not None] == [InvalidInputError]
    rows = [(await read(talk, case))[0] for case in (first, second)]
    assert sorted(row.state for row in rows) == ["assigned", "merged"]


async def test_nothing_joins_a_case_that_is_being_answered_unheard(talk: Talk) -> None:
    (_, chat), (first, second) = await reported(talk, 2)
    await answer(talk, first)
    done = await asyncio.gather(talk.sent(), join(talk, second, first), return_exceptions=True)
    row, _ = await read(talk, second)
    told = [m.text for m in await chat.new_messages() if ANSWER in m.text]
    assert [one for one in done if one is not None and not isinstance(one, LoaError)] == []
    assert bool(told) is (row.state == "merged")


async def test_joined_reporters_are_told_of_a_refusal(talk: Talk) -> None:
    (_, chat), (first, second) = await reported(talk, 2)
    await join(talk, second, first)
    await chat.new_messages()
    async with Official(talk, "head").unit_of_work() as uow:
        await work_case.refuse(uow, first.id, None, "Việc của điện lực tỉnh", "Luật Điện lực, Điều 5")
    [told] = await chat.new_messages()
    assert second.code in told.text
    assert first.code not in told.text
    assert "Luật Điện lực" in told.text
    _, events = await read(talk, second)
    assert (events[-1].kind, events[-1].reason) == ("joined_told", "Việc của điện lực tỉnh")


async def test_joined_reporters_are_told_where_their_report_went(talk: Talk) -> None:
    (_, chat), (first, second) = await reported(talk, 2)
    await join(talk, second, first)
    await chat.new_messages()
    async with Official(talk, "head").unit_of_work() as uow:
        await work_case.forward(uow, first.id, None, "Điện lực Thanh Oai", "Lưới điện của điện lực")
    [told] = await chat.new_messages()
    assert f"{second.code} tới Điện lực Thanh Oai" in told.text
    _, events = await read(talk, second)
    assert events[-1].kind == "joined_told"


async def test_joined_reporters_get_an_answer_that_was_told_by_phone(talk: Talk) -> None:
    (_, chat), (first, second) = await reported(talk, 2)
    await join(talk, second, first)
    await answer(talk, first)
    await chat.new_messages()
    async with Official(talk, "official").unit_of_work() as uow:
        await answer_case.told_otherwise(uow, first.id, None, "Gọi điện lúc 9 giờ")
    [told] = await chat.new_messages()
    assert ANSWER in told.text
    assert second.code in told.text
    row, events = await read(talk, second)
    assert events[-1].kind == "joined_answer"
    assert row.answered_at is not None
