"""Broadcasts as rows: each recipient once and with one end, whatever breaks, pauses or is taken over meanwhile."""

import asyncio
import contextlib
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select

from bot.actions import accounts as account_verbs
from bot.config import QueueSettings, Settings
from bot.domain.message import Message
from bot.domain.update import MessageReceived
from bot.one_by_one import SomeFailedError
from bot.runtime import Runtime, opened
from bot.store import accounts, deliveries, delivery_outcomes
from bot.store.accounts import AccountRow
from bot.store.broadcasts import BroadcastRow, ChunkRow, DeliveryRow
from bot.store.contacts import ContactRow
from bot.store.database import Database
from bot.store.deliveries import Done
from bot.store.inbox import InboxRow
from handlers.dispatch import Desk, dispatch
from jobs.deliver_messages import deliver_messages
from jobs.handle_updates import handle_updates
from jobs.send_broadcasts import send_broadcasts
from jobs.settle_deliveries import settle_deliveries
from tests import broadcasting, commune
from tests.fakes.scripted_server import Answer, Asked, ScriptedServer
from tests.runtime_fixtures import Clock, with_zalo

Judge = Callable[[str, str], Answer | None]
FINAL = {"sent", "delivered", "seen", "failed", "cancelled"}


class Provider:
    """Takes every send, unless `judge(user_id, text)` says otherwise; remembers what it took and what it was asked.

    `listed` is what stands in the chats; `list_as` may answer otherwise when it is asked for.
    """

    def __init__(self) -> None:
        self.judge: Judge = lambda _user, _text: None
        self.taken: list[tuple[str, str]] = []
        self.asked = Counter[str]()
        self.listed: list[dict[str, Any]] = []
        self.list_as: Callable[[Answer], Answer] = lambda answer: answer
        self._numbers = itertools.count(1)
        self.server = ScriptedServer(self._answer)

    def _answer(self, asked: Asked) -> Answer:
        if asked.path.endswith("/conversation"):
            wanted = asked.data["user_id"]
            return self.list_as(Answer({"error": 0, "data": [m for m in self.listed if m["to_id"] == wanted]}))
        if not asked.path.endswith("/message"):
            return Answer({"error": -201, "message": "unexpected"})
        user, text = asked.json["recipient"]["user_id"], asked.json["message"]["text"]
        self.asked[user] += 1
        answer = self.judge(user, text)
        return self.take(user, text) if answer is None else answer

    def take(self, user: str, text: str, **how: Any) -> Answer:
        """Take a message; `hang_up` loses the answer."""
        number = f"m{next(self._numbers)}"
        self.taken.append((user, text))
        return Answer({"error": 0, "message": "Success", "data": {"message_id": number, "user_id": user}}, **how)

    @property
    def times(self) -> Counter[str]:
        return Counter(user for user, _ in self.taken)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    it = Provider()
    async with it.server.running():
        yield it


@contextlib.asynccontextmanager
async def worker(settings: Settings, provider: Provider, clock: Clock) -> AsyncIterator[Runtime]:
    # Broadcasts are kept by the database alone: what wakes workers, and where, is tested elsewhere.
    fast = replace(settings, zalo=replace(settings.zalo, app_per_minute=0), queue=QueueSettings("embedded"))
    async with opened(with_zalo(fast, provider.server.url), clock) as runtime:
        yield runtime


@pytest.fixture
async def runtime(settings: Settings, provider: Provider, clock: Clock) -> AsyncIterator[Runtime]:
    """Give a commune whose account has no rate limit."""
    async with worker(settings, provider, clock) as it:
        async with it.units_of_work() as uow:
            made = await commune.build(uow)
            await uow.session.delete(made.account)
        await account(it, commune.OA)
        yield it


async def account(runtime: Runtime, oa_id: str, per_minute: int = 0) -> AccountRow:
    async with runtime.units_of_work() as uow:
        secrets = account_verbs.Secrets("access", "refresh", "key", runtime.now() + timedelta(days=400))
        made = await account_verbs.add_account(
            uow, runtime.box, oa_id=oa_id, name=oa_id, unit_code="10183", kind="state", secrets=secrets
        )
        made.learnt = {"per_minute": str(per_minute)}
        return made


async def people(runtime: Runtime, number: int, oa_id: str = commune.OA) -> AccountRow:
    async with runtime.units_of_work() as uow:
        it = await accounts.by_external_id(uow.session, "zalo", oa_id)
        assert it is not None
        for n in range(number):
            uow.session.add(
                ContactRow(
                    id=f"{oa_id[-3:]}{n:023d}", account_id=it.id, external_id=f"{oa_id[-3:]}{n:06d}", name="Công dân",
                    created_at=uow.now, last_interaction_at=uow.now,
                )
            )  # fmt: skip
        return it


async def begun(runtime: Runtime, to: AccountRow, text: str = "Họp thôn 14 giờ", unit: str = "commune") -> int:
    async with runtime.units_of_work() as uow:
        it = await accounts.account(uow.session, to.id)
        assert it is not None
        row = await broadcasting.begin(uow, it, unit, Message(text=text))
        assert row.id is not None
        return row.id


async def everyone(runtime: Runtime) -> list[DeliveryRow]:
    async with runtime.database.reading() as session:
        query = select(DeliveryRow).order_by(col(DeliveryRow.broadcast_id), col(DeliveryRow.n))
        return list((await session.exec(query)).all())


async def states(runtime: Runtime) -> Counter[str]:
    return Counter(row.state for row in await everyone(runtime))


async def broadcast(runtime: Runtime, number: int) -> BroadcastRow:
    async with runtime.database.reading() as session:
        row = await session.get(BroadcastRow, number)
    assert row is not None
    return row


def refusal(code: int, message: str = "no") -> Answer:
    return Answer({"error": code, "message": message})


async def test_everybody_gets_it_once_and_the_rows_say_so(runtime: Runtime, provider: Provider) -> None:
    number = await begun(runtime, await people(runtime, 1203))
    assert await send_broadcasts(runtime) == 1203
    assert set(provider.times.values()) == {1}
    assert len(provider.times) == 1203
    assert await states(runtime) == {"sent": 1203}
    assert {(row.state, row.total) for row in [await broadcast(runtime, number)]} == {("finished", 1203)}
    ids = [row.provider_id for row in await everyone(runtime)]
    assert len(set(ids)) == 1203
    assert None not in ids


async def test_the_planner_knows_of_a_broadcast_from_its_beginning(runtime: Runtime) -> None:
    """PostgreSQL looks by itself a minute later; until then each window of 256 would read the whole broadcast."""
    if runtime.database.is_sqlite:
        pytest.skip("SQLite goes by the index in any case")
    await begun(runtime, await people(runtime, 300))
    async with runtime.database.connection() as connection:
        told = await connection.exec_driver_sql("SELECT reltuples FROM pg_class WHERE relname = 'deliveries'")
        assert told.scalar_one() == 300


async def test_merge_fields_are_filled_for_each(runtime: Runtime, provider: Provider) -> None:
    await begun(runtime, await people(runtime, 3), "Chào {{ten}}, mời nhận {{ khoan }} tại xã")
    async with runtime.units_of_work() as uow:
        for row in (await uow.session.exec(select(DeliveryRow))).all():
            row.merged = {"ten": f"bác {row.n}", "khoan": "500.000 đồng"}
    await send_broadcasts(runtime)
    assert sorted(text for _, text in provider.taken) == [
        f"Chào bác {n}, mời nhận 500.000 đồng tại xã" for n in (1, 2, 3)
    ]


async def test_a_long_text_goes_in_parts_and_resumes_from_the_remainder(runtime: Runtime, provider: Provider) -> None:
    text = "\n".join(f"Dòng {n}: " + "nội dung thông báo dài " * 8 for n in range(25))
    await begun(runtime, await people(runtime, 2), text)
    refused = iter([True])
    provider.judge = lambda _user, said: (
        refusal(-214) if "Dòng 20" in said and next(refused, False) else None
    )  # the last part fails once
    await send_broadcasts(runtime)
    clock_forward(runtime, minutes=10)
    await send_broadcasts(runtime)
    assert await states(runtime) == {"sent": 2}
    assert max(Counter(provider.taken).values()) == 1
    assert len({said for _, said in provider.taken}) == len(provider.taken) / 2


def clock_forward(runtime: Runtime, **amount: float) -> None:
    assert isinstance(runtime.now, Clock)
    runtime.now.forward(**amount)


async def test_who_blocked_the_account_fails_with_the_reason_and_is_known_as_gone(
    runtime: Runtime, provider: Provider
) -> None:
    await begun(runtime, await people(runtime, 5))
    provider.judge = lambda user, _text: refusal(-213) if user.endswith("2") else None
    await send_broadcasts(runtime)
    assert await states(runtime) == {"sent": 4, "failed": 1}
    async with runtime.database.reading() as session:
        gone = [c.external_id for c in (await session.exec(select(ContactRow).where(ContactRow.gone != ""))).all()]
    assert [g[-1] for g in gone] == ["2"]


async def test_a_passing_refusal_is_tried_again_later(runtime: Runtime, provider: Provider) -> None:
    number = await begun(runtime, await people(runtime, 4))
    first = {"666000001": refusal(-214), "666000003": refusal(-214)}
    provider.judge = lambda user, _text: first.pop(user, None)
    await send_broadcasts(runtime)
    assert await states(runtime) == {"sent": 2, "queued": 2}
    clock_forward(runtime, minutes=1)
    await send_broadcasts(runtime)
    assert await states(runtime) == {"sent": 4}
    assert (await broadcast(runtime, number)).state == "finished"
    assert set(provider.times.values()) == {1}


async def test_a_used_up_allowance_pauses_until_the_next_morning_and_fails_nobody(
    runtime: Runtime, provider: Provider
) -> None:
    number = await begun(runtime, await people(runtime, 40))
    provider.judge = lambda _user, _text: refusal(-211) if len(provider.taken) >= 10 else None
    await send_broadcasts(runtime)
    row = await broadcast(runtime, number)
    assert (row.state, row.resume_at is not None) == ("paused", True)
    assert (await states(runtime))["failed"] == 0
    provider.judge = lambda _user, _text: None
    await send_broadcasts(runtime)
    assert len(provider.taken) < 40
    clock_forward(runtime, hours=24)
    await send_broadcasts(runtime)
    assert await states(runtime) == {"sent": 40}
    assert set(provider.times.values()) == {1}


async def test_a_stopped_account_keeps_its_broadcast_for_later(runtime: Runtime, provider: Provider) -> None:
    to = await people(runtime, 30)
    await begun(runtime, to)
    provider.judge = lambda _user, _text: Answer({"x": 1}, status=404) if len(provider.taken) >= 5 else None
    await send_broadcasts(runtime)
    async with runtime.database.reading() as session:
        assert (await session.get(AccountRow, to.id)).state == "stopped"  # type: ignore[union-attr] # it is there
    assert (await states(runtime))["failed"] == 0
    provider.judge = lambda _user, _text: None
    async with runtime.units_of_work() as uow:
        row = await uow.session.get(AccountRow, to.id)
        assert row is not None
        accounts.let_in(row, uow.now)
    clock_forward(runtime, minutes=10)
    await send_broadcasts(runtime)
    assert await states(runtime) == {"sent": 30}


async def test_a_lost_answer_is_never_followed_by_a_second_message(runtime: Runtime, provider: Provider) -> None:
    number = await begun(runtime, await people(runtime, 6))
    provider.judge = lambda user, text: provider.take(user, text, hang_up=True) if user.endswith("4") else None
    await send_broadcasts(runtime)
    assert await states(runtime) == {"sent": 5, "unknown": 1}
    clock_forward(runtime, seconds=10)
    await settle_deliveries(runtime)
    await send_broadcasts(runtime)
    assert await states(runtime) == {"sent": 5, "failed": 1}
    assert {row.reason for row in await everyone(runtime) if row.state == "failed"} == {"outcome_unknown"}
    assert set(provider.times.values()) == {1}
    assert (await broadcast(runtime, number)).state == "finished"


async def test_a_lost_answer_is_settled_by_what_stands_in_the_chat(
    runtime: Runtime, provider: Provider, clock: Clock
) -> None:
    await begun(runtime, await people(runtime, 3))
    provider.judge = lambda user, text: provider.take(user, text, hang_up=True) if user.endswith("1") else None
    await send_broadcasts(runtime)
    provider.listed = [
        {
            "src": 0, "to_id": "666000001", "from_id": commune.OA, "message_id": "seen-there", "type": "text",
            "message": "Họp thôn 14 giờ", "time": int(clock.now.timestamp() * 1000),
        }
    ]  # fmt: skip
    clock_forward(runtime, seconds=10)
    await settle_deliveries(runtime)
    assert await states(runtime) == {"sent": 3}
    assert "seen-there" in {row.provider_id for row in await everyone(runtime)}


async def event(runtime: Runtime, name: str, user: str, message_id: str, text: str = "") -> None:
    """Let the provider tell something of a message, by a webhook in the inbox."""
    at = runtime.now()
    from_us = name.startswith("oa_")
    body: dict[str, Any] = {
        "app_id": "1", "event_name": name, "timestamp": str(int(at.timestamp() * 1000)),
        "sender": {"id": commune.OA if from_us or name.endswith("_message") else user},
        "recipient": {"id": user if from_us or name.endswith("_message") else commune.OA},
        "message": {"msg_id": message_id, "msg_ids": [message_id], "text": text},
    }  # fmt: skip
    from orjson import dumps

    async with runtime.units_of_work() as uow:
        uow.session.add(
            InboxRow(
                provider="zalo", account=commune.OA, event=name, key=f"{name}{message_id}", contact=user,
                raw=dumps(body), next_attempt_at=at, occurred_at=at, received_at=at,
            )
        )  # fmt: skip
    await handle_updates(runtime)


async def test_the_echo_of_a_delivery_in_doubt_settles_it(runtime: Runtime, provider: Provider) -> None:
    await begun(runtime, await people(runtime, 3))
    provider.judge = lambda user, text: provider.take(user, text, hang_up=True) if user.endswith("1") else None
    await send_broadcasts(runtime)
    await event(runtime, "oa_send_text", "666000001", "echoed", "Họp thôn 14 giờ")
    assert await states(runtime) == {"sent": 3}
    assert "echoed" in {row.provider_id for row in await everyone(runtime)}


async def test_an_echo_that_comes_after_a_delivery_was_given_up_still_tells_the_truth(
    runtime: Runtime, provider: Provider
) -> None:
    await begun(runtime, await people(runtime, 1))
    provider.judge = lambda user, text: provider.take(user, text, hang_up=True)
    await send_broadcasts(runtime)
    clock_forward(runtime, seconds=30)
    await settle_deliveries(runtime)
    assert await states(runtime) == {"failed": 1}
    await event(runtime, "oa_send_text", "666000000", "late", "Họp thôn 14 giờ")
    assert await states(runtime) == {"sent": 1}


async def test_receipts_move_a_delivery_on_and_never_back(runtime: Runtime) -> None:
    await begun(runtime, await people(runtime, 2))
    await send_broadcasts(runtime)
    row = (await everyone(runtime))[0]
    assert row.provider_id is not None
    await event(runtime, "user_seen_message", row.address, row.provider_id)
    await event(runtime, "user_received_message", row.address, row.provider_id)
    row = (await everyone(runtime))[0]
    assert row.state == "seen"
    assert row.seen_at is not None


async def test_the_echo_of_a_known_delivery_is_not_taken_for_a_person_of_the_office(runtime: Runtime) -> None:
    from bot.store.messages import MessageRow

    await begun(runtime, await people(runtime, 1))
    await send_broadcasts(runtime)
    row = (await everyone(runtime))[0]
    assert row.provider_id is not None
    await event(runtime, "oa_send_text", row.address, row.provider_id, "Họp thôn 14 giờ")
    async with runtime.database.reading() as session:
        assert (await session.exec(select(MessageRow))).all() == []


async def test_two_workers_at_once_send_each_message_once(
    runtime: Runtime, settings: Settings, provider: Provider, clock: Clock
) -> None:
    number = await begun(runtime, await people(runtime, 1300))
    async with worker(settings, provider, clock) as other:
        tries = await asyncio.gather(send_broadcasts(runtime), send_broadcasts(other))
    assert sum(tries) == 1300
    assert set(provider.times.values()) == {1}
    assert await states(runtime) == {"sent": 1300}
    assert (await broadcast(runtime, number)).finished_at is not None


async def test_a_worker_that_stood_still_past_its_lease_sends_nothing_twice(
    runtime: Runtime, settings: Settings, provider: Provider, clock: Clock
) -> None:
    await begun(runtime, await people(runtime, 40))
    go_on = asyncio.Event()
    provider.judge = lambda user, text: provider.take(user, text, wait=go_on) if len(provider.taken) < 16 else None
    first = asyncio.create_task(send_broadcasts(runtime))
    async with asyncio.timeout(10):
        while len(provider.taken) < 16:  # noqa: ASYNC110 - polling with a limit is the rule of these tests
            await asyncio.sleep(0.01)
    clock.forward(minutes=5)
    async with worker(settings, provider, clock) as other:
        await send_broadcasts(other)
        go_on.set()
        await first
        clock.forward(seconds=10)
        await settle_deliveries(other)
        clock.forward(minutes=5)
        await send_broadcasts(other)
    assert set(provider.times.values()) == {1}
    assert set(await states(runtime)) <= {"sent", "failed"}
    sent = {row.address for row in await everyone(runtime) if row.state == "sent"}
    assert sent <= set(provider.times)


async def test_what_a_worker_past_its_lease_never_tried_is_sent_though_another_has_called_the_range_done(
    runtime: Runtime, settings: Settings, provider: Provider, clock: Clock
) -> None:
    number = await begun(runtime, await people(runtime, 20))
    async with runtime.database.connection() as connection:
        chunk = await deliveries.lease(connection, "paused", clock.now, 60)
        assert chunk is not None
        due = await deliveries.mark(connection, chunk, 0, 20, marked_at := clock.now)
    clock.forward(minutes=5)
    async with worker(settings, provider, clock) as other:
        await send_broadcasts(other)
    assert await states(runtime) == {"unknown": 20}
    assert (await broadcast(runtime, number)).state == "running", "what is in doubt keeps it open"
    known = [Done(row.n, "sent", f"p{row.n}", part=1) for row in due[3:]]
    never_tried = [Done(row.n, "queued", counted=False) for row in due[:3]]
    async with runtime.database.connection() as connection:
        await deliveries.record(connection, chunk, [*known, *never_tried], marked_at, clock.now)
        await deliveries.give_back(connection, chunk, clock.now, None, tried=20)
    await settle_deliveries(runtime)
    await send_broadcasts(runtime)
    assert await states(runtime) == {"sent": 20}
    assert provider.times == {row.address: 1 for row in due[:3]}
    assert (await broadcast(runtime, number)).state == "finished"


async def test_a_cancelled_worker_knows_what_it_has_not_tried(runtime: Runtime, provider: Provider) -> None:
    await begun(runtime, await people(runtime, 100))
    never = asyncio.Event()
    provider.judge = lambda user, text: provider.take(user, text, wait=never) if len(provider.taken) >= 30 else None
    sending = asyncio.create_task(send_broadcasts(runtime))
    async with asyncio.timeout(10):
        while len(provider.taken) < 46:  # noqa: ASYNC110 - polling with a limit is the rule of these tests
            await asyncio.sleep(0.01)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert await states(runtime) == {"sent": 30, "unknown": 16, "queued": 54}
    never.set()


@contextlib.contextmanager
def answer_of_commit_lost(monkeypatch: pytest.MonkeyPatch, which: int) -> Iterator[None]:
    """Lose the database's answer to one commit of a window, though it has gone through."""
    begin, number = Database.connection, itertools.count(1)

    @contextlib.asynccontextmanager
    async def connection(self: Database) -> AsyncIterator[AsyncConnection]:
        async with begin(self) as one:
            yield one
        if next(number) == which:
            raise OperationalError("COMMIT", {}, Exception("connection lost"))

    with monkeypatch.context() as patch:
        patch.setattr(Database, "connection", connection)
        yield


@pytest.mark.parametrize("which", [1, 2, 3])
async def test_a_window_whose_commit_gave_no_answer_is_sent_once_and_does_not_stay_half_done(
    runtime: Runtime, provider: Provider, monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    number = await begun(runtime, await people(runtime, 600))
    with answer_of_commit_lost(monkeypatch, which), pytest.raises(SomeFailedError, match="connection lost"):
        await send_broadcasts(runtime)
    assert set(await states(runtime)) <= {"sent", "queued"}, "what was only marked is known not to have left"
    clock_forward(runtime, minutes=2)
    await send_broadcasts(runtime)
    found = await everyone(runtime)
    assert Counter((row.state, row.attempts) for row in found) == {("sent", 1): 600}
    assert set(provider.times.values()) == {1}
    assert (await broadcast(runtime, number)).state == "finished"


@pytest.mark.parametrize("state", ["sending", "unknown", "queued"])
async def test_a_broadcast_is_not_finished_while_a_range_called_done_has_something_open(
    runtime: Runtime, provider: Provider, state: str
) -> None:
    number = await begun(runtime, await people(runtime, 6))
    async with runtime.units_of_work() as uow:
        for row in (await uow.session.exec(select(DeliveryRow))).all():
            row.state, row.sending_at = ("sent" if row.n < 4 else state), uow.now
        for chunk in (await uow.session.exec(select(ChunkRow))).all():
            chunk.state = "done"
    clock_forward(runtime, minutes=2)
    await send_broadcasts(runtime)
    assert (await broadcast(runtime, number)).state == "running"
    await settle_deliveries(runtime)
    await send_broadcasts(runtime)
    assert await states(runtime) == {"sent": 6 if state == "queued" else 3} | (
        {"failed": 3} if state != "queued" else {}
    )
    assert len(provider.taken) == (3 if state == "queued" else 0)
    assert (await broadcast(runtime, number)).state == "finished"


async def test_a_holder_that_ends_leaves_nothing_marked_behind(runtime: Runtime, clock: Clock) -> None:
    """What lies up to where it went may have left; what was marked beyond that never did."""
    await begun(runtime, await people(runtime, 5))
    async with runtime.database.connection() as connection:
        chunk = await deliveries.lease(connection, "l", clock.now, 60)
        assert chunk is not None
        await deliveries.mark(connection, chunk, 0, 4, clock.now)
        assert await deliveries.give_back(connection, chunk, clock.now, None, tried=2)
    assert [row.state for row in await everyone(runtime)] == ["unknown", "unknown", "queued", "queued", "queued"]
    async with runtime.database.reading() as session:
        [left] = (await session.exec(select(ChunkRow))).all()
    assert (left.state, left.doubtful) == ("waiting", True)


async def test_a_worker_past_its_lease_does_not_write_over_another_s_try_of_a_later_part(
    runtime: Runtime, clock: Clock
) -> None:
    await begun(runtime, await people(runtime, 2))
    async with runtime.database.connection() as connection:
        late = await deliveries.lease(connection, "late", clock.now, 60)
        assert late is not None
        await deliveries.mark(connection, late, 0, 2, marked_at := clock.now)
    clock.forward(minutes=5)
    async with runtime.units_of_work() as uow:
        await deliveries.free_expired(uow.session, uow.now)
    async with runtime.units_of_work() as uow:
        for row in await delivery_outcomes.unknown(uow.session, late.broadcast_id, 1, 2):
            assert await delivery_outcomes.settle_unknown(uow.session, row, state="queued", part=1)
    async with runtime.database.connection() as connection:
        other = await deliveries.lease(connection, "other", clock.now, 60)
        assert other is not None
        await deliveries.mark(connection, other, 0, 2, clock.now)
    knows = [Done(1, "queued", part=2, counted=False), Done(2, "sent", "p", part=3)]
    async with runtime.database.connection() as connection:
        await deliveries.record(connection, late, knows, marked_at, clock.now)
    assert [(row.state, row.part) for row in await everyone(runtime)] == [("sending", 1), ("sending", 1)]


async def test_a_broadcast_that_cannot_be_read_does_not_end_another_s_range(
    runtime: Runtime, provider: Provider
) -> None:
    to = await people(runtime, 40)
    await begun(runtime, to)
    broken = await begun(runtime, to, "Sẽ hỏng")
    async with runtime.units_of_work() as uow:
        row = await uow.session.get(BroadcastRow, broken)
        assert row is not None
        row.message = {"buttons": [{}]}
    with pytest.raises(SomeFailedError, match="label"):
        await send_broadcasts(runtime)
    assert await states(runtime) == {"sent": 40, "queued": 40}
    assert set(provider.times.values()) == {1}
    async with runtime.database.reading() as session:
        chunk = (await session.exec(select(ChunkRow).where(ChunkRow.broadcast_id == broken))).one()
    assert chunk.state == "waiting"
    assert chunk.next_attempt_at is not None
    assert chunk.next_attempt_at > runtime.now() + timedelta(seconds=50), "it does not take up the round"


async def test_looking_for_a_range_that_fails_lets_what_is_under_way_end(
    runtime: Runtime, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begun(runtime, await people(runtime, 16))
    late = asyncio.Event()
    provider.judge = lambda user, text: provider.take(user, text, wait=late)
    sending = asyncio.create_task(send_broadcasts(runtime))
    async with asyncio.timeout(10):
        while len(provider.taken) < 16:  # noqa: ASYNC110 - polling with a limit is the rule of these tests
            await asyncio.sleep(0.01)

        async def broken(*_: object) -> None:
            asyncio.get_running_loop().call_later(0.1, late.set)
            raise OperationalError("SELECT", {}, Exception("connection lost"))

        monkeypatch.setattr(deliveries, "lease", broken)
        runtime.queue.bell("send_broadcasts").set()
        with pytest.raises(OperationalError):
            await sending
    assert await states(runtime) == {"sent": 16}


async def test_pause_and_resume_leave_no_gap_and_no_double(runtime: Runtime, provider: Provider) -> None:
    number = await begun(runtime, await people(runtime, 900))

    async def pause_soon() -> None:
        async with asyncio.timeout(10):
            while len(provider.taken) < 100:  # noqa: ASYNC110 - polling with a limit is the rule of these tests
                await asyncio.sleep(0.001)
        async with runtime.units_of_work() as uow:
            await broadcasting.pause(uow, number)

    await asyncio.gather(send_broadcasts(runtime), pause_soon())
    taken = len(provider.taken)
    assert 100 <= taken < 900
    assert await states(runtime) == {"sent": taken, "queued": 900 - taken}
    async with runtime.units_of_work() as uow:
        await broadcasting.resume(uow, number)
    await send_broadcasts(runtime)
    assert await states(runtime) == {"sent": 900}
    assert set(provider.times.values()) == {1}


async def test_stop_leaves_an_exact_remainder(runtime: Runtime, provider: Provider) -> None:
    number = await begun(runtime, await people(runtime, 700))
    async with runtime.units_of_work() as uow:
        await broadcasting.pause(uow, number)
        await broadcasting.stop(uow, number)
    await send_broadcasts(runtime)
    assert await states(runtime) == {"cancelled": 700}
    assert provider.taken == []
    row = await broadcast(runtime, number)
    assert (row.state, row.finished_at is not None) == ("stopped", True)


async def test_the_account_s_allowance_is_kept_and_the_rest_follows(runtime: Runtime, provider: Provider) -> None:
    slow = await account(runtime, "2222333344445555888", per_minute=100)
    await people(runtime, 150, "2222333344445555888")
    await begun(runtime, slow)
    runtime.stopping.clear()
    sending = asyncio.create_task(send_broadcasts(runtime))
    async with asyncio.timeout(20):
        while not provider.taken:  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.01)
    runtime.stopping.set()
    await sending
    assert 1 <= len(provider.taken) <= 80, "a broadcast's share of a minute, however long this took"
    assert (await states(runtime))["sent"] == len(provider.taken)
    async with runtime.database.reading() as session:
        assert {c.state for c in (await session.exec(select(ChunkRow))).all()} == {"waiting"}


async def test_a_large_broadcast_of_one_unit_does_not_keep_another_s_waiting(runtime: Runtime) -> None:
    to = await people(runtime, 1100)
    await begun(runtime, to, "Của kinh tế", "economy")
    other = await begun(runtime, to, "Của công an", "police")
    order = []
    async with runtime.units_of_work() as uow:
        connection = await uow.session.connection()
        for n in range(4):
            leased = await deliveries.lease(connection, f"l{n}", uow.now, 60)
            assert leased is not None
            order.append(leased.broadcast_id == other)
    assert sorted(order[:2]) == [False, True]
    assert sorted(order[2:]) == [False, True]


async def test_an_urgent_broadcast_goes_first(runtime: Runtime) -> None:
    to = await people(runtime, 600)
    await begun(runtime, to)
    async with runtime.units_of_work() as uow:
        it = await accounts.account(uow.session, to.id)
        assert it is not None
        row = await broadcasting.begin(uow, it, "commune", Message(text="Bão số 9"), urgent=True)
        await uow.session.flush()
        leased = await deliveries.lease(await uow.session.connection(), "l", uow.now, 60)
        assert leased is not None
        assert leased.broadcast_id == row.id


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_everybody_ends_in_one_final_state(
    runtime: Runtime, settings: Settings, provider: Provider, clock: Clock, seed: int
) -> None:
    """Refusals, lost answers, pauses and dead workers at random; at most one try without an answer each."""
    chance = random.Random(seed)
    number = await begun(runtime, await people(runtime, 620))

    def judge(user: str, text: str) -> Answer | None:
        luck = chance.random()
        if luck < 0.03:
            return provider.take(user, text, hang_up=True)
        if luck < 0.05:
            return Answer(hang_up=True)
        if luck < 0.1:
            return refusal(chance.choice((-200, -214, -213, -201, -32, -218)))
        return None

    provider.judge = judge
    for _ in range(200):
        async with worker(settings, provider, clock) as one:
            task = asyncio.create_task(send_broadcasts(one))
            await asyncio.wait([task], timeout=chance.uniform(0.02, 0.6))
            if not task.done():
                task.cancel()  # a worker that ends in the middle
            await asyncio.gather(task, return_exceptions=True)
        row = await broadcast(runtime, number)
        async with runtime.units_of_work() as uow:
            if row.state == "running" and chance.random() < 0.3:
                await broadcasting.pause(uow, number)
            elif row.state == "paused":
                await broadcasting.resume(uow, number)
        clock.forward(minutes=chance.choice((0.5, 3, 10, 24 * 60)))
        await settle_deliveries(runtime)
        if row.state == "finished":
            break
    await send_broadcasts(runtime)
    assert (await broadcast(runtime, number)).state == "finished"
    found = await everyone(runtime)
    assert {row.state for row in found} <= FINAL
    assert set(provider.times.values()) <= {1}
    assert {row.address for row in found if row.state == "sent"} <= set(provider.times)
    assert sum((await states(runtime)).values()) == 620


async def test_answers_go_out_while_a_broadcast_runs(runtime: Runtime, provider: Provider) -> None:
    await begun(runtime, await people(runtime, 700))
    sending = asyncio.create_task(send_broadcasts(runtime))
    desk = Desk(runtime.settings.conversation, runtime.box)
    async with runtime.units_of_work() as uow:
        it = await runtime.account_row(uow, "zalo", commune.OA)
        assert it is not None
        said = MessageReceived(
            account=commune.OA, external_id="x", sender="666000001", occurred_at=uow.now, message_id="x", text="menu"
        )
        await dispatch(desk, uow, it, said, 0)
    assert await deliver_messages(runtime) >= 1
    assert any(user == "666000001" and "Họp" not in text for user, text in provider.taken)
    await sending
    assert await states(runtime) == {"sent": 700}


async def test_one_person_s_full_day_does_not_rest_everybody(runtime: Runtime, provider: Provider) -> None:
    number = await begun(runtime, await people(runtime, 10))
    provider.judge = lambda user, _text: refusal(-218) if user.endswith("3") else None
    await send_broadcasts(runtime)
    assert await states(runtime) == {"sent": 9, "queued": 1}
    assert (await broadcast(runtime, number)).state == "running"
