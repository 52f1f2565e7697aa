"""Every state that is not final, built by hand as a dead worker leaves it: its sweeper repairs it once, not twice."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import SQLModel, select

from bot.one_by_one import SomeFailedError, by_turns, one_by_one
from bot.runtime import Runtime
from bot.store import contacts
from bot.store.broadcasts import BroadcastRow, ChunkRow, DeliveryRow
from bot.store.cases import CaseRow
from bot.store.contacts import ContactRow, ConversationRow
from bot.store.inbox import InboxRow
from bot.store.messages import AttachmentRow
from bot.store.outbox import OutboxRow
from handlers import dispatch
from jobs import resume_conversations as resuming
from jobs import worker
from tests import commune
from tests.runtime_fixtures import Clock
from tests.talk import Official, Talk


@pytest.fixture
async def talk(runtime: Runtime, clock: Clock) -> Talk:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
    return Talk(runtime, clock)


async def rows(talk: Talk, kind: type[SQLModel]) -> list[dict[str, Any]]:
    async with talk.runtime.database.reading() as session:
        return [row.model_dump() for row in (await session.exec(select(kind))).all()]


async def change(talk: Talk, kind: type[SQLModel], **values: Any) -> None:
    async with talk.runtime.units_of_work() as uow:
        for row in (await uow.session.exec(select(kind))).all():
            for name, value in values.items():
                setattr(row, name, value)


async def stored(talk: Talk, **values: Any) -> None:
    now = talk.clock.now
    made: dict[str, Any] = {
        "provider": "zalo", "account": "unknown", "event": "user_send_text", "key": "k", "contact": "c", "raw": b"{}",
        "next_attempt_at": now, "occurred_at": now, "received_at": now,
    }  # fmt: skip
    async with talk.runtime.units_of_work() as uow:
        uow.session.add(InboxRow(**(made | values)))


async def handling(talk: Talk) -> None:
    await stored(talk, state="handling", attempts=1, lease="dead", leased_until=talk.clock.now)


async def handling_for_the_last_time(talk: Talk) -> None:
    await stored(talk, state="handling", attempts=50, lease="dead", leased_until=talk.clock.now)


async def without_a_wake_up(talk: Talk) -> None:
    await stored(talk, raw=b"no json")


async def sending(talk: Talk) -> None:
    await talk.follow()
    now = talk.clock.now
    await change(talk, OutboxRow, state="sending", lease="dead", leased_until=now, sending_at=now, attempts=1)


async def too_late_to_send(talk: Talk) -> None:
    await talk.follow()
    await change(talk, OutboxRow, expires_at=talk.clock.now)


async def waiting_for_quiet(talk: Talk) -> None:
    await talk.photo()
    async with talk.runtime.database.reading() as session:
        assert await contacts.due_conversations(session, talk.clock.now + timedelta(minutes=1))
    await change(talk, AttachmentRow, state="stored")


async def being_fetched(talk: Talk) -> None:
    await talk.photo()
    await change(talk, AttachmentRow, attempts=1, url="http://foreign.example/x.jpg", next_attempt_at=talk.clock.now)


async def ending_every_worker_that_fetches_it(talk: Talk) -> None:
    await talk.photo()
    await change(talk, AttachmentRow, attempts=8, next_attempt_at=talk.clock.now)


async def answered(talk: Talk) -> None:
    await talk.report()
    await Official(talk, "official").answer()
    await Official(talk, "head").approve()
    await talk.sent()
    talk.clock.forward(days=30)


async def held_range(talk: Talk) -> None:
    await talk.follow()
    await change(talk, ContactRow, gone="left")
    now = talk.clock.now
    async with talk.runtime.units_of_work() as uow:
        row = BroadcastRow(
            account_id="account", unit_id="commune", state="running", message={"text": "x"}, total=1, created_at=now
        )
        uow.session.add(row)
        await uow.session.flush()
        assert row.id is not None
        uow.session.add(ChunkRow(broadcast_id=row.id, first=1, last=1, state="running", lease="dead", leased_until=now))
        uow.session.add(
            DeliveryRow(broadcast_id=row.id, n=1, recipient="r", address="r", state="sending", sending_at=now)
        )


async def marked_in_a_range_called_done(talk: Talk) -> None:
    await held_range(talk)
    await change(talk, ChunkRow, state="done", lease=None, leased_until=None)


async def in_doubt_where_nothing_is_found(talk: Talk) -> None:
    await marked_in_a_range_called_done(talk)
    await change(talk, DeliveryRow, state="unknown")
    await change(talk, ChunkRow, doubtful=True)


Build = Callable[[Talk], Awaitable[None]]
STUCK: list[tuple[Build, str, type[SQLModel], dict[str, Any]]] = [
    (handling, "requeue_stuck", InboxRow, {"state": "new", "lease": None}),
    (handling_for_the_last_time, "requeue_stuck", InboxRow, {"state": "parked"}),
    (without_a_wake_up, "handle_updates", InboxRow, {"state": "parked", "attempts": 1}),
    (sending, "requeue_stuck", OutboxRow, {"state": "unknown", "attempts": 1}),
    (too_late_to_send, "requeue_stuck", OutboxRow, {"state": "expired"}),
    (waiting_for_quiet, "resume_conversations", ConversationRow, {"resume_at": None}),
    (being_fetched, "fetch_attachments", AttachmentRow, {"state": "failed", "attempts": 2, "failure": "foreign_host"}),
    (ending_every_worker_that_fetches_it, "fetch_attachments", AttachmentRow, {"state": "failed"}),
    (answered, "close_answered", CaseRow, {"state": "closed"}),
    (held_range, "send_broadcasts", DeliveryRow, {"state": "unknown"}),
    (marked_in_a_range_called_done, "send_broadcasts", DeliveryRow, {"state": "unknown"}),
    (marked_in_a_range_called_done, "send_broadcasts", ChunkRow, {"state": "done", "doubtful": True}),
    (in_doubt_where_nothing_is_found, "settle_deliveries", DeliveryRow, {"state": "failed"}),
]


@pytest.mark.parametrize(("build", "job", "kind", "repaired"), STUCK, ids=[one[0].__name__ for one in STUCK])
async def test_the_sweeper_repairs_once(
    talk: Talk, build: Build, job: str, kind: type[SQLModel], repaired: dict[str, Any]
) -> None:
    await build(talk)
    talk.clock.forward(minutes=2)
    await worker.run_once(talk.runtime, job)
    once = await rows(talk, kind)
    assert [{name: row[name] for name in repaired} for row in once] == [repaired] * len(once)
    assert once
    await talk.new_messages()
    await worker.run_once(talk.runtime, job)
    assert await rows(talk, kind) == once
    assert await talk.new_messages() == []


async def test_a_conversation_that_breaks_does_not_hold_up_the_others(
    talk: Talk, runtime: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await talk.photo()
    other = Talk(runtime, clock, user="9999")
    await other.photo()
    async with runtime.database.reading() as session:
        first = (await contacts.due_conversations(session, clock.now + timedelta(minutes=1)))[0]

    async def resume(desk: Any, uow: Any, account: Any, contact_id: str) -> bool:
        if contact_id == first:
            raise KeyError(contact_id)
        return await dispatch.resume(desk, uow, account, contact_id)

    monkeypatch.setattr(resuming, "resume", resume)
    clock.forward(minutes=1)
    with pytest.raises(SomeFailedError, match="1 of 2 failed, the first with KeyError"):
        await resuming.resume_conversations(runtime)
    left = [row["contact_id"] for row in await rows(talk, ConversationRow) if row["resume_at"] is not None]
    assert left == [first]


async def test_one_by_one_counts_what_was_done() -> None:
    async def double(number: int) -> int:
        return 2 * number

    assert await one_by_one([1, 2, 3], double) == 12
    assert await one_by_one([], double) == 0


def test_every_owner_has_a_turn_before_any_has_a_second_one() -> None:
    assert by_turns(["a1", "a2", "a3", "b1", "c1", "b2"], lambda item: item[0]) == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert by_turns([], str) == []
