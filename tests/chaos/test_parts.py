"""R15 and R19: a long text goes on where it broke off, and nothing holds the database while the provider is slow."""

import asyncio

import pytest
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlmodel import select

from bot.actions.messages import say
from bot.domain.message import Message
from bot.store.accounts import AccountRow
from bot.store.contacts import ContactRow
from bot.store.outbox import OutboxRow
from tests.live import STATE_OA, Live
from tests.simulator.model import Json
from tests.simulator.simulator import Phone

PARTS = 3
SENTENCE = "Câu số {} của một câu trả lời rất dài, để nó phải được chia ra làm nhiều phần khi gửi đi."


async def met(live: Live) -> Phone:
    """Return a phone that the bot knows and has nothing more to say to."""
    phone = await live.phone()
    await phone.follow()
    await phone.wait_for("Xin chào")
    return phone


async def tell(live: Live, phone: Phone, text: str) -> list[str]:
    async with live.runtime.units_of_work() as uow:
        contact = (await uow.session.exec(select(ContactRow).where(ContactRow.external_id == phone.user_id))).one()
        account = (await uow.session.exec(select(AccountRow).where(AccountRow.external_id == STATE_OA))).one()
        return await say(uow, account, contact, Message(text=text), purpose="answer")


@pytest.mark.parametrize("fault", [{"kind": "error", "code": -214}, {"kind": "drop_after_accept"}])
async def test_a_text_in_parts_goes_on_with_the_part_that_failed(live: Live, fault: Json) -> None:
    for broken in range(PARTS):
        await _fails_at(live, broken, fault)


async def _fails_at(live: Live, broken: int, fault: Json) -> None:
    text = " ".join(SENTENCE.format(n) for n in range(60))
    phone = await met(live)
    before = len(phone.inbox)
    struck: list[int] = []

    def strike(_change: Json) -> None:
        if len(phone.inbox) == before + broken and not struck:
            struck.append(broken)
            live.simulator.provider.faults.set(**fault, count=1)

    async def arrived() -> bool:
        rows = [row for row in await live.rows(OutboxRow) if row.id in ids]
        return all(row.state in {"sent", "delivered", "seen"} for row in rows)

    live.simulator.provider.world.listeners.append(strike)
    strike({})
    ids = await tell(live, phone, text)
    assert len(ids) == PARTS
    await live.until(arrived, 30)
    live.simulator.provider.world.listeners.remove(strike)
    assert struck, f"part {broken + 1} failed once"
    assert " ".join(m.text for m in phone.inbox[before:]).split() == text.split(), "each part once, in order"


async def test_the_database_is_free_while_the_provider_lets_us_wait(live: Live) -> None:
    phones = [await met(live) for _ in range(8)]
    await live.simulator.fault("slow", ms=1500)
    pool = live.runtime.database.engine.pool
    assert isinstance(pool, AsyncAdaptedQueuePool)
    for number, phone in enumerate(phones):
        await tell(live, phone, f"Tin số {number}")
    await live.until(lambda: _under_way(live, len(phones) // 2))
    used = []
    while await _under_way(live, 1):
        used.append(pool.checkedout())
        await asyncio.sleep(0.01)
    assert len(used) > 20
    # Held over the sends, a connection would be out in every look; other work takes one for moments only, which on a
    # busy machine are longer.
    assert used.count(0) > len(used) / 5, "while the provider thinks, no connection is held"


async def _under_way(live: Live, least: int) -> bool:
    return len([row for row in await live.rows(OutboxRow) if row.state == "sending"]) >= least
