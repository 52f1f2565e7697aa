"""Chats that could not be written to for a while: their cards are true again, and what was missed arrives."""

import pytest

from bot.actions import repair, work_case
from bot.domain.update import Followed
from bot.store import contacts
from bot.store.cases import CaseRow
from jobs.refresh_cards import refresh_cards
from tests.handlers.official.pocket import GROUP, SENDERS, Pocket
from tests.handlers.official.test_withdrawn import rows, tried


async def gone(pocket: Pocket, chat: str) -> str:
    async with pocket.runtime.database.reading() as session:
        found = await contacts.known(session, "bot", SENDERS.get(chat, chat))
    assert found is not None
    return found.gone


async def accepted(pocket: Pocket, case: CaseRow, by: str = "head") -> None:
    async with pocket.as_staff(by) as uow:
        await work_case.accept(uow, case.id)
    pocket.clock.forward(seconds=2)
    await refresh_cards(pocket.runtime)


async def muted(pocket: Pocket) -> tuple[CaseRow, CaseRow]:
    """Return a case whose card the group has, and one whose card it refused."""
    await pocket.link_group()
    shown, refused = await pocket.new_case(), await tried(pocket, gone="group_refuses")
    assert await gone(pocket, GROUP) == "group_refuses"
    return shown, refused


async def test_a_group_that_gives_the_bot_its_rights_back_is_told_of_cases_again(pocket: Pocket) -> None:
    shown, refused = await muted(pocket)
    await pocket.news("rights_in_group", GROUP, title="Phòng Kinh tế")
    assert await gone(pocket, GROUP) == ""
    await pocket.settle()
    assert refused.code in pocket.card(GROUP).text
    await accepted(pocket, shown)
    await pocket.settle()
    (card,) = [m for m in pocket.screen(GROUP) if shown.code in m.text]
    assert "đang xử lý" in card.text


async def test_a_group_that_refused_the_bot_is_tried_with_the_next_case(pocket: Pocket) -> None:
    """Rights that a group gives to all its members come without a word to the bot."""
    shown, refused = await muted(pocket)
    await accepted(pocket, shown)
    await pocket.deliver()
    other = await pocket.new_case(text="Trạm bơm thôn Kim Lâm hỏng, mất nước", citizen="55")
    await pocket.settle()
    texts = [m.text for m in pocket.screen(GROUP)]
    assert await gone(pocket, GROUP) == ""
    for case in (other, refused):
        assert any(case.code in text for text in texts)
    assert "đang xử lý" in next(text for text in texts if shown.code in text)


async def test_rights_in_a_group_of_no_unit_are_nothing_to_us(pocket: Pocket) -> None:
    await pocket.news("rights_in_group", "-77", title="Ai đó")
    assert pocket.screen("-77") == []


@pytest.mark.parametrize("how", ["writes", "unblocks", "presses", "links"])
async def test_an_edit_that_a_block_refused_is_made_when_the_official_is_back(pocket: Pocket, how: str) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    await accepted(pocket, case)
    assert await pocket.refuse(gone="bot_blocked") == 1
    assert "chưa nhận" in pocket.card("official").text
    match how:
        case "writes":
            await pocket.say("official", "/viec")
        case "unblocks":
            await pocket.update(Followed(**pocket._facts(SENDERS["official"], ""), how="unblocked"))
        case "presses":
            await pocket.press("official", "c:work:0:0")
        case _:
            await pocket.link("official")
    await pocket.settle()
    card = pocket.card("official")
    assert "đang xử lý" in card.text
    assert "Nhận việc" not in card.labels


async def test_what_changed_during_a_block_shows_afterwards(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    async with pocket.as_staff("head") as uow:
        await work_case.set_level(uow, case.id, None, "urgent", "Nguy hiểm cho trẻ em")
    pocket.clock.forward(seconds=2)
    await refresh_cards(pocket.runtime)
    await pocket.refuse(gone="bot_blocked")
    await accepted(pocket, case)
    assert await pocket.deliver() == 0, "nobody can be written to there"
    await pocket.say("official", "/viec")
    await pocket.settle()
    assert "đang xử lý" in pocket.card("official").text


async def test_a_failed_card_tried_again_shows_what_is_true_by_then(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await tried(pocket, for_good=True)
    (failed,) = await rows(pocket, "failed")
    await accepted(pocket, case)
    async with pocket.runtime.units_of_work() as uow:
        assert await repair.retry_message(uow, failed.id)
    await pocket.settle()
    (card,) = [m for m in pocket.screen("official") if case.code in m.text]
    assert "đang xử lý" in card.text
    assert "Nhận việc" not in card.labels
    await pocket.settle(2 * 3600)
    assert len([m for m in pocket.screen("official") if case.code in m.text]) == 1, "and it is sent once"


async def test_a_card_that_was_let_go_and_arrives_late_is_corrected(pocket: Pocket) -> None:
    from bot.actions import outgoing
    from bot.domain.message import Message
    from bot.store import outbox

    await pocket.link("official")
    case = await tried(pocket, gone="bot_blocked")
    (failed,) = await rows(pocket, "failed")
    await accepted(pocket, case)
    async with pocket.runtime.units_of_work() as uow:
        late = await outbox.row(uow.session, failed.id)
        assert late is not None
        await outgoing.late(uow, late, pocket._show(SENDERS["official"], Message.from_json(late.body)))
    await pocket.settle()
    assert "đang xử lý" in pocket.card("official").text


async def test_a_card_that_never_arrived_is_tried_again_by_itself_after_an_hour(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await tried(pocket, for_good=True)
    await pocket.settle()
    assert not pocket.has_card("official")
    await pocket.settle(3600)
    assert case.code in pocket.card("official").text


async def test_a_card_that_may_have_arrived_is_not_sent_once_more_by_itself(pocket: Pocket) -> None:
    from bot.actions.outgoing import given_up
    from bot.store import outbox

    await pocket.link("official")
    await pocket.make_case()
    pocket.clock.forward(seconds=2)
    await refresh_cards(pocket.runtime)
    async with pocket.runtime.units_of_work() as uow:
        (row,) = await outbox.claim(uow.session, "l", uow.now, 60, 5)
        await outbox.record(uow.session, row.id, "l", state="failed", failed_at=uow.now, reason="outcome_unknown")
        current = await outbox.row(uow.session, row.id)
        assert current is not None
        await given_up(uow, current)
    await pocket.settle(2 * 3600)
    assert not pocket.has_card("official")


async def test_what_happens_to_a_case_brings_its_given_up_card_back(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await tried(pocket, for_good=True)
    await accepted(pocket, case)
    await pocket.settle()
    assert "đang xử lý" in pocket.card("official").text


async def test_a_closed_case_sends_no_card_that_never_arrived(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await tried(pocket, for_good=True)
    async with pocket.as_staff("head") as uow:
        await work_case.refuse(uow, case.id, None, "Không thuộc thẩm quyền của xã", "Điều 10 Luật Khiếu nại 2011")
    await pocket.settle(2 * 3600)
    await pocket.settle(2 * 3600)
    assert not pocket.has_card("official")
