"""R7: a send whose outcome is unknown is cleared up before anything is repeated, and never stays unknown."""

from datetime import datetime
from typing import Any

import pytest
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.domain.update import Echo, Receipt, ReceiptKind
from bot.runtime import Runtime
from bot.store import outbox
from bot.store.messages import MessageRow
from bot.store.outbox import OutboxRow
from tests import commune
from tests.live import Live
from tests.runtime_fixtures import Clock
from tests.talk import Talk


async def rows(live: Live) -> list[OutboxRow]:
    return sorted(await live.rows(OutboxRow), key=lambda row: row.id)


async def settled(live: Live) -> bool:
    return all(row.state in {"sent", "delivered", "seen", "failed"} for row in await rows(live))


async def test_a_message_that_never_arrived_is_not_taken_for_an_equal_one_before_it(live: Live) -> None:
    phone = await live.phone()
    await phone.say("xin chào")  # the first answer greets
    await live.until(lambda: settled_with(live, 1))
    await phone.say("menu")
    await live.until(lambda: settled_with(live, 2))
    await live.simulator.fault("error", code=-200, count=1)
    await phone.say("menu")
    await live.until(lambda: settled_with(live, 3), 30)
    _, first, second = await rows(live)
    assert first.text == second.text
    assert first.provider_id != second.provider_id
    assert (second.state in {"sent", "delivered"}, second.repeated) == (True, 1)
    assert len(phone.inbox) == 3


async def settled_with(live: Live, number: int) -> bool:
    return len(await rows(live)) == number and await settled(live)


@pytest.mark.parametrize("news", ["echo", "receipt"])
async def test_news_of_a_message_may_come_while_its_outcome_is_being_written(
    runtime: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch, news: str
) -> None:
    """Fault found by rounds: our own message stood in the thread as typed by a person, or its receipt was lost."""
    if runtime.database.is_sqlite:
        pytest.skip("SQLite has one writer: nothing can be written meanwhile")
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
    talk = Talk(runtime, clock)
    await talk.follow()
    async with runtime.units_of_work() as uow:
        [row] = await outbox.claim(uow.session, "lease", uow.now, 60, 1)
    look = outbox.in_doubt_for

    async def while_written(session: AsyncSession, contact_id: str, since: datetime) -> list[OutboxRow]:
        async with runtime.units_of_work() as uow:
            await outbox.record(uow.session, row.id, "lease", state="sent", provider_id="z1", sent_at=uow.now)
        return await look(session, contact_id, since)

    monkeypatch.setattr(outbox, "in_doubt_for", while_written)
    told: dict[str, Any] = {"account": commune.OA, "external_id": "e", "sender": talk.user, "occurred_at": clock.now}
    if news == "echo":
        await talk.update(Echo(**told, message_id="z1", text=row.text))
    else:
        await talk.update(Receipt(**told, kind=ReceiptKind.DELIVERED, message_ids=("z1",)))
    async with runtime.database.reading() as session:
        assert (await session.exec(select(MessageRow).where(MessageRow.author == "oa_tool"))).all() == []
        now = await outbox.row(session, row.id)
    assert now is not None
    assert now.state == ("sent" if news == "echo" else "delivered")


async def test_an_echo_is_of_one_message_though_the_same_words_are_already_on_their_way_again(
    runtime: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault found by rounds: two rows claimed one message of the provider, and one of two was never sent."""
    if runtime.database.is_sqlite:
        pytest.skip("SQLite has one writer: nothing can be written meanwhile")
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
    talk = Talk(runtime, clock)
    await talk.follow()
    async with runtime.units_of_work() as uow:
        for row in await outbox.claim(uow.session, "l", uow.now, 60, 9):
            await outbox.record(uow.session, row.id, "l", state="sent", provider_id="z0", sent_at=uow.now)
    await talk.say("menu")
    await talk.say("menu")
    async with runtime.units_of_work() as uow:
        [first] = await outbox.claim(uow.session, "one", uow.now, 60, 9)
    look, second = outbox.in_doubt_for, []

    async def while_sent_again(session: AsyncSession, contact_id: str, since: datetime) -> list[OutboxRow]:
        async with runtime.units_of_work() as uow:
            await outbox.record(uow.session, first.id, "one", state="sent", provider_id="z1", sent_at=uow.now)
        async with runtime.units_of_work() as uow:
            second.extend(await outbox.claim(uow.session, "two", uow.now, 60, 9))
        return await look(session, contact_id, since)

    monkeypatch.setattr(outbox, "in_doubt_for", while_sent_again)
    echo = Echo(
        account=commune.OA, external_id="e", sender=talk.user, occurred_at=clock.now, message_id="z1", text=first.text
    )
    await talk.update(echo)
    assert [row.text for row in second] == [first.text]
    async with runtime.units_of_work() as uow:
        assert await outbox.record(uow.session, second[0].id, "two", state="sent", provider_id="z2", sent_at=uow.now)
