"""What becomes of messages in doubt: by one settler or several, and though some of them cannot be settled."""

import asyncio
from typing import Any

import pytest
from sqlmodel import col, select

from bot.channels.rate_limit import NOTICE
from bot.one_by_one import SomeFailedError
from bot.runtime import Runtime
from bot.store.outbox import OutboxRow
from jobs.deliver_messages import deliver_messages
from jobs.settle_messages import settle_messages
from tests.fakes.scripted_server import Answer
from tests.jobs.test_deliver_messages import queue, states
from tests.jobs.test_send_broadcasts import Provider, account, clock_forward, people, provider, runtime

__all__ = ["provider", "runtime"]
OTHER = "2222333344445555888"


async def in_doubt(runtime: Runtime, ids: list[str], **values: Any) -> None:
    async with runtime.units_of_work() as uow:
        for row in (await uow.session.exec(select(OutboxRow).where(col(OutboxRow.id).in_(ids)))).all():
            row.state, row.sending_at, row.attempts = "unknown", uow.now, 1
            for name, value in values.items():
                setattr(row, name, value)


async def test_two_settlers_of_one_message_repeat_it_once(runtime: Runtime, provider: Provider) -> None:
    """The second comes to its answer when the repeat has left and is in doubt itself."""
    await people(runtime, 1)
    await queue(runtime, 1, lane=NOTICE)
    provider.judge = lambda user, text: provider.take(user, text, hang_up=True)
    await deliver_messages(runtime)
    clock_forward(runtime, seconds=10)
    gate, asked = asyncio.Event(), asyncio.Event()

    def slow(answer: Answer) -> Answer:
        asked.set()
        answer.wait = gate
        return answer

    provider.list_as = slow
    second = asyncio.create_task(settle_messages(runtime))
    await asked.wait()
    provider.list_as = lambda answer: answer
    assert await settle_messages(runtime) == 1
    clock_forward(runtime, seconds=10)
    await deliver_messages(runtime)
    assert len(provider.taken) == 2
    gate.set()
    assert await second == 0
    await deliver_messages(runtime)
    assert len(provider.taken) == 2
    clock_forward(runtime, seconds=10)
    assert await settle_messages(runtime) == 1
    assert await states(runtime) == {"failed": 1}


async def test_a_message_that_cannot_be_settled_does_not_hold_up_the_others(runtime: Runtime) -> None:
    await people(runtime, 4)
    ids = await queue(runtime, 4)
    await in_doubt(runtime, ids)
    await in_doubt(runtime, ids[:2], body={"buttons": [{}]})
    clock_forward(runtime, seconds=10)
    with pytest.raises(SomeFailedError, match="2 of 4"):
        await settle_messages(runtime)
    assert await states(runtime) == {"queued": 2, "unknown": 2}


async def test_messages_that_can_never_be_settled_do_not_keep_those_behind_them_waiting(runtime: Runtime) -> None:
    await people(runtime, 70)
    ids = await queue(runtime, 70)
    await in_doubt(runtime, ids)
    await in_doubt(runtime, ids[:65], body={"buttons": [{}]})
    clock_forward(runtime, seconds=10)
    for _ in range(50):
        with pytest.raises(SomeFailedError):
            await settle_messages(runtime)
        if await states(runtime) == {"queued": 5, "unknown": 65}:
            return
    pytest.fail("some never had their turn")


async def test_an_account_of_which_nothing_can_be_learnt_does_not_hold_up_another(
    runtime: Runtime, provider: Provider
) -> None:
    await people(runtime, 60)
    many = await queue(runtime, 60)
    await account(runtime, OTHER)
    await people(runtime, 1, OTHER)
    await in_doubt(runtime, [*many, *await queue(runtime, 1, oa=OTHER)])
    mute = Answer({"error": -200, "message": "Send message failed"})
    provider.list_as = lambda answer: mute if len(provider.server.asked) != 2 else answer
    clock_forward(runtime, seconds=10)
    await settle_messages(runtime)
    assert "888" in [asked.data["user_id"][:3] for asked in provider.server.asked[:2]]
    assert await states(runtime) == {"queued": 1, "unknown": 60}


async def test_what_waits_behind_a_settled_message_leaves_though_another_cannot_be_settled(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people(runtime, 2)
    ids = await queue(runtime, 2)
    await in_doubt(runtime, ids)
    await in_doubt(runtime, ids[:1], body={"buttons": [{}]})
    woken: list[str] = []

    async def wake(job: str, _delay: float = 0.0) -> None:
        woken.append(job)

    monkeypatch.setattr(runtime.queue, "wake", wake)
    clock_forward(runtime, seconds=10)
    with pytest.raises(SomeFailedError):
        await settle_messages(runtime)
    assert "deliver_messages" in woken
