"""An answer that is taken back leaves nobody stuck and nothing behind."""

import pytest

from bot.actions import answer_case, work_case
from bot.store import cases, units
from bot.store.cases import AnswerRow
from tests.talk import Official, Talk


async def answers(talk: Talk) -> list[AnswerRow]:
    async with talk.runtime.database.reading() as session:
        return await cases.answers(session, (await talk.cases())[-1].id)


@pytest.mark.parametrize(
    ("approval", "state", "kept"), [(True, "drafted", "submitted"), (False, "in_progress", "taken_back")]
)
async def test_undoing_an_answer_leaves_the_case_where_somebody_can_go_on(
    talk: Talk, approval: bool, state: str, kept: str
) -> None:
    async with talk.runtime.units_of_work() as uow:
        unit = await units.unit(uow.session, "economy")
        assert unit is not None
        unit.settings = {"approval": approval}
    await talk.report()
    await talk.sent()
    await Official(talk, "official").answer(undo=10)
    if approval:
        await Official(talk, "head").approve(undo=10)
    [case] = await talk.cases()
    assert (await talk.contact()).human_until is not None
    async with Official(talk, "official").unit_of_work() as uow:
        event = next(e for e in await cases.events(uow.session, case.id) if e.kind == "approve")
        await answer_case.take_answer_back(uow, case.id, event.id)
    [case] = await talk.cases()
    [answer] = await answers(talk)
    assert (case.state, answer.state, answer.outbox_ids) == (state, kept, [])
    assert (await talk.contact()).human_until is None
    if not approval:
        await Official(talk, "official").answer("Đã thay cả bóng và dây, sáng từ tối nay.")
    assert [a.state for a in await answers(talk)][-1] == ("submitted" if approval else "approved")


async def test_handing_over_takes_a_waiting_answer_back(talk: Talk) -> None:
    case = await talk.report()
    await Official(talk, "official").answer()
    async with Official(talk, "head").unit_of_work() as uow:
        await work_case.hand_over(uow, case.id, None, "police", None, "Thuộc công an xã")
    assert [a.state for a in await answers(talk)] == ["taken_back"]
    await Official(talk, "stranger").answer("Công an xã đã làm việc với hộ gây mất trật tự.")
    await Official(talk, "leader").approve()
    await talk.sent()
    said = [m.text for m in await talk.new_messages() if m.purpose == "answer"]
    assert len(said) == 1
    assert "Công an xã đã làm việc" in said[0]
