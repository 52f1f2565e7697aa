"""What becomes of a broadcast's deliveries in doubt: by one settler or several, and though some cannot be settled."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from bot.one_by_one import SomeFailedError
from bot.runtime import Runtime
from bot.store.accounts import AccountRow
from bot.store.broadcasts import BroadcastRow, ChunkRow, DeliveryRow
from jobs.send_broadcasts import send_broadcasts
from jobs.settle_deliveries import settle_deliveries
from tests import commune
from tests.fakes.scripted_server import Answer
from tests.jobs.test_send_broadcasts import (
    Provider,
    account,
    begun,
    broadcast,
    clock_forward,
    everyone,
    people,
    provider,
    runtime,
    states,
)
from tests.runtime_fixtures import Clock

__all__ = ["provider", "runtime"]
LONG = "\n".join(f"Dòng {n}: " + "nội dung thông báo dài " * 8 for n in range(25))
OTHER = "2222333344445555888"


def in_chat(user: str, text: str, message_id: str, clock: Clock) -> dict[str, Any]:
    """Say a message as it stands in the provider's list."""
    at = int(clock.now.timestamp() * 1000)
    return {
        "src": 0, "to_id": user, "from_id": commune.OA, "message_id": message_id, "type": "text", "message": text,
        "time": at,
    }  # fmt: skip


async def until_taken(provider: Provider, number: int) -> None:
    async with asyncio.timeout(10):
        while len(provider.taken) < number:  # noqa: ASYNC110 - polling with a limit is the rule of these tests
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("found", [True, False])
async def test_two_settlers_of_one_part_do_not_have_the_next_one_sent_twice(
    runtime: Runtime, provider: Provider, clock: Clock, *, found: bool
) -> None:
    """The second comes to its answer, whatever it is, when the part after it is already on its way."""
    await begun(runtime, await people(runtime, 1), LONG)
    provider.judge = lambda user, text: provider.take(user, text, hang_up=True)
    await send_broadcasts(runtime)
    user, text = provider.taken[0]
    clock_forward(runtime, seconds=10)
    gate, asked = asyncio.Event(), asyncio.Event()

    def slow(answer: Answer) -> Answer:
        asked.set()
        answer.wait = gate
        return answer

    provider.list_as = slow
    provider.listed = [in_chat(user, text, "part", clock)] if found else []
    second = asyncio.create_task(settle_deliveries(runtime))
    await asked.wait()
    provider.list_as = lambda answer: answer
    provider.listed = [in_chat(user, text, "part", clock)]
    assert await settle_deliveries(runtime) == 1
    answer = asyncio.Event()
    provider.judge = lambda user, text: provider.take(user, text, wait=answer) if len(provider.taken) == 1 else None
    sending = asyncio.create_task(send_broadcasts(runtime))
    await until_taken(provider, 2)
    gate.set()
    assert await second == 0
    assert await states(runtime) == {"sending": 1}
    answer.set()
    await sending
    for _ in range(3):
        clock_forward(runtime, minutes=2)
        await send_broadcasts(runtime)
        await settle_deliveries(runtime)
    assert set(Counter(provider.taken).values()) == {1}
    assert await states(runtime) == {"sent": 1}


async def doubts(runtime: Runtime, to: AccountRow, number: int, broken: int = 0) -> int:
    """Make a broadcast with a delivery in doubt in each of so many ranges; the first `broken` cannot be read."""
    async with runtime.units_of_work() as uow:
        row = BroadcastRow(
            account_id=to.id, unit_id="commune", state="running", message={"text": "Chào {{ten}}"}, total=number,
            created_at=uow.now,
        )  # fmt: skip
        uow.session.add(row)
        await uow.session.flush()
        assert row.id is not None
        for n in range(1, number + 1):
            merged: Any = ["no fields"] if n <= broken else {"ten": "bác"}
            uow.session.add(ChunkRow(broadcast_id=row.id, first=n, last=n, state="done", doubtful=True))
            uow.session.add(
                DeliveryRow(
                    broadcast_id=row.id, n=n, recipient=f"r{n}", address=f"{to.external_id[-3:]}{n}", merged=merged,
                    state="unknown", sending_at=uow.now, attempts=1,
                )
            )  # fmt: skip
        return row.id


async def left_in_doubt(runtime: Runtime, number: int) -> int:
    return sum(row.state == "unknown" for row in await everyone(runtime) if row.broadcast_id == number)


async def test_a_delivery_that_cannot_be_settled_does_not_hold_up_the_others(runtime: Runtime) -> None:
    number = await doubts(runtime, await people(runtime, 0), 5, broken=2)
    clock_forward(runtime, seconds=10)
    with pytest.raises(SomeFailedError, match="2 of 5"):
        await settle_deliveries(runtime)
    assert await left_in_doubt(runtime, number) == 2
    async with runtime.database.reading() as session:
        doubtful = (await session.exec(select(ChunkRow.first).where(ChunkRow.doubtful))).all()
    assert sorted(doubtful) == [1, 2]


async def test_deliveries_that_can_never_be_settled_do_not_keep_those_behind_them_waiting(runtime: Runtime) -> None:
    number = await doubts(runtime, await people(runtime, 0), 30, broken=26)
    clock_forward(runtime, seconds=10)
    for _ in range(50):
        with pytest.raises(SomeFailedError):
            await settle_deliveries(runtime)
        if await left_in_doubt(runtime, number) == 26:
            return
    pytest.fail("some never had their turn")


async def test_an_account_of_which_nothing_can_be_learnt_does_not_hold_up_another(
    runtime: Runtime, provider: Provider
) -> None:
    many = await doubts(runtime, await people(runtime, 0), 60)
    one = await doubts(runtime, await account(runtime, OTHER), 1)
    mute = Answer({"error": -200, "message": "Send message failed"})
    provider.list_as = lambda answer: mute if len(provider.server.asked) != 2 else answer
    clock_forward(runtime, seconds=10)
    await settle_deliveries(runtime)
    asked = [asked.data["user_id"][:3] for asked in provider.server.asked]
    assert "888" in asked[:2]
    assert await left_in_doubt(runtime, many) + await left_in_doubt(runtime, one) == 60


async def test_doubt_is_settled_while_the_rest_of_its_range_is_still_being_sent(runtime: Runtime) -> None:
    """An account of little allowance is at a range for many minutes, nearly without a gap between its holders."""
    number = await doubts(runtime, await people(runtime, 0), 1)
    async with runtime.units_of_work() as uow:
        chunk = (await uow.session.exec(select(ChunkRow))).one()
        chunk.state, chunk.lease, chunk.leased_until = "running", "held", uow.now + timedelta(minutes=1)
    clock_forward(runtime, seconds=10)
    assert await settle_deliveries(runtime) == 1
    async with runtime.database.reading() as session:
        chunk = (await session.exec(select(ChunkRow))).one()
    assert (chunk.state, chunk.lease, chunk.doubtful) == ("running", "held", False)
    assert await left_in_doubt(runtime, number) == 0


async def test_doubt_that_nothing_stands_behind_is_cleared(runtime: Runtime) -> None:
    number = await doubts(runtime, await people(runtime, 0), 2)
    async with runtime.units_of_work() as uow:
        for row in (await uow.session.exec(select(DeliveryRow))).all():
            row.state, row.sent_at = "sent", uow.now - timedelta(seconds=1)
    assert await settle_deliveries(runtime) == 0
    await send_broadcasts(runtime)
    assert (await broadcast(runtime, number)).state == "finished"
