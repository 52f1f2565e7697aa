"""Cards under strain: several workers at once, sends that fail, readers who have gone, and nobody to tell."""

import asyncio

import pytest
from sqlmodel import col, select

from bot.actions import work_case
from bot.actions.outgoing import given_up
from bot.domain.message import Message
from bot.runtime import Runtime
from bot.store import cards, outbox
from bot.store.cards import CardRow
from bot.store.cases import CaseEventRow, CaseRow
from bot.store.contacts import ContactRow
from bot.store.outbox import OutboxRow
from jobs.refresh_cards import refresh_cards
from tests.handlers.official.pocket import GROUP, Pocket
from tests.runtime_fixtures import Clock


@pytest.fixture
async def pocket(runtime: Runtime, clock: Clock) -> Pocket:
    made = Pocket(runtime, clock)
    await made.build()
    return made


async def cards_of(pocket: Pocket, case: CaseRow) -> list[CardRow]:
    async with pocket.runtime.database.reading() as session:
        return list((await session.exec(select(CardRow).where(CardRow.case_id == case.id))).all())


async def give_up(pocket: Pocket, *, gone: bool = False) -> Message:
    """Let the one message that is due fail for good; returns it."""
    async with pocket.runtime.units_of_work() as uow:
        (row,) = await outbox.claim(uow.session, "lease", uow.now, 60, 5)
        await outbox.record(uow.session, row.id, "lease", state="failed", failed_at=uow.now, reason="x")
        current = await outbox.row(uow.session, row.id)
        assert current is not None
        await given_up(uow, current, gone=gone)
        return Message.from_json(row.body)


async def test_with_no_linked_chat_events_are_told_to_nobody(pocket: Pocket) -> None:
    await pocket.new_case()
    async with pocket.runtime.database.reading() as session:
        untold = (await session.exec(select(CaseEventRow).where(col(CaseEventRow.told_at).is_(None)))).all()
        sent = (await session.exec(select(OutboxRow))).all()
    assert untold == []
    assert sent == []


async def test_several_workers_send_each_card_once_and_show_the_last_state(pocket: Pocket) -> None:
    await pocket.link("official", "head")
    await pocket.link_group()
    made = [await pocket.make_case(text=f"Đèn số {n} hỏng rồi, tối quá", citizen=f"3{n}") for n in range(6)]
    pocket.clock.forward(seconds=2)
    await asyncio.gather(*(refresh_cards(pocket.runtime) for _ in range(4)))
    await pocket.settle()

    async def work(case: CaseRow) -> None:
        for text in ("một", "hai"):
            async with pocket.as_staff("official") as uow:
                await work_case.add_note(uow, case.id, text)
        async with pocket.as_staff("official") as uow:
            await work_case.accept(uow, case.id)

    async def refresh_often() -> None:
        for _ in range(5):
            await refresh_cards(pocket.runtime)
            await pocket.deliver()

    await asyncio.gather(*(work(case) for case in made), refresh_often(), refresh_often())
    await pocket.settle()
    for chat in ("official", "head", GROUP):
        for case in made:
            (shown,) = [m for m in pocket.screen(chat) if case.code in m.text]
            assert "đang xử lý" in shown.text
    for case in made:
        assert not any(card.stale for card in await cards_of(pocket, case))


async def test_an_edit_that_fails_is_tried_a_few_times(pocket: Pocket) -> None:
    await pocket.link_group()
    case = await pocket.new_case()
    async with pocket.as_staff("official") as uow:
        await work_case.accept(uow, case.id)
    for _ in range(3):
        pocket.clock.forward(seconds=2)
        await refresh_cards(pocket.runtime)
        assert (await give_up(pocket)).edits == pocket.card(GROUP).id
    pocket.clock.forward(seconds=2)
    await refresh_cards(pocket.runtime)
    assert await pocket.deliver() == 0
    (card,) = await cards_of(pocket, case)
    assert not card.live


async def test_an_edit_that_fails_once_shows_the_state_with_the_next(pocket: Pocket) -> None:
    await pocket.link_group()
    case = await pocket.new_case()
    async with pocket.as_staff("official") as uow:
        await work_case.accept(uow, case.id)
    pocket.clock.forward(seconds=2)
    await refresh_cards(pocket.runtime)
    await give_up(pocket)
    await pocket.settle()
    assert "đang xử lý" in pocket.card(GROUP).text
    (card,) = await cards_of(pocket, case)
    assert (card.live, card.stale, card.failures) == (True, False, 0)


async def test_a_card_that_never_arrived_is_let_go_and_the_case_says_nothing_of_it(pocket: Pocket) -> None:
    await pocket.link_group()
    case = await pocket.make_case()
    for _ in range(3):
        pocket.clock.forward(hours=1)
        await refresh_cards(pocket.runtime)
        await give_up(pocket)
    await pocket.settle(2 * 3600)
    assert not pocket.has_card(GROUP)
    (card,) = await cards_of(pocket, case)
    assert not card.live
    async with pocket.runtime.database.reading() as session:
        events = (await session.exec(select(CaseEventRow).where(CaseEventRow.kind == "undeliverable"))).all()
    assert events == []


async def test_who_blocks_the_bot_gets_nothing_until_they_come_back(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await pocket.new_case()
    async with pocket.as_staff("head") as uow:
        await work_case.accept(uow, case.id)
    pocket.clock.forward(seconds=2)
    await refresh_cards(pocket.runtime)
    await give_up(pocket, gone=True)
    await pocket.block("official")
    before = len(pocket.screen("official"))
    await pocket.new_case(text="Mất nước thôn Cát Động hai ngày rồi", citizen="44", category="dien-nuoc")
    assert len(pocket.screen("official")) == before
    await pocket.say("official", "/viec")
    other = await pocket.new_case(text="Trạm bơm thôn Kim Lâm hỏng, mất nước", citizen="55", category="dien-nuoc")
    assert other.code in pocket.card("official").text


async def test_what_is_old_news_makes_no_card(pocket: Pocket) -> None:
    await pocket.link("official")
    case = await pocket.make_case()
    pocket.clock.forward(days=2)
    await pocket.settle()
    assert not pocket.has_card("official")
    async with pocket.as_staff("head") as uow:
        await work_case.hand_over(uow, case.id, None, "economy", "official", "Giao cho anh làm")
    await pocket.settle()
    assert case.code in pocket.card("official").text


async def test_the_books_of_a_chat_add_up(pocket: Pocket) -> None:
    from bot.store import books

    await pocket.link("official")
    await pocket.link_group()
    case = await pocket.new_case()
    async with pocket.as_staff("official") as uow:
        await work_case.accept(uow, case.id)
    await pocket.settle()
    async with pocket.runtime.database.reading() as session:
        assert await books.made_but_not_said(session, "0", "Z") == (0, [])
        assert await books.said_but_not_made(session, "0", "Z") == (0, [])
        assert len((await session.exec(select(ContactRow).where(ContactRow.kind == "group"))).all()) == 1
        assert await cards.stale(session) == []
