"""Updates are handled once, whatever is slow, breaks, is stopped or loses its lease."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from bot import clock as real
from bot.config import Settings
from bot.domain.update import MessageReceived, Update
from bot.runtime import Runtime, opened
from bot.store import arrivals, inbox, outbox
from bot.store.accounts import AccountRow
from bot.store.inbox import InboxRow
from bot.store.outbox import OutboxRow
from bot.store.unit_of_work import UnitOfWork
from handlers.dispatch import Desk
from jobs import handle_updates as module
from jobs.handle_updates import handle_updates
from jobs.requeue_stuck import requeue_stuck
from tests import commune
from tests.bot.store.test_inbox import arrival
from tests.live import running
from tests.runtime_fixtures import Clock
from tests.simulator.simulator import Simulator

PAYLOAD = Path(__file__).parents[1] / "payloads" / "zalo" / "events" / "user_send_text.json"


class Handler:
    """Stand in for everything behind dispatch: note who wrote what, hang or break where told to."""

    def __init__(self) -> None:
        self.handled: list[tuple[str, str]] = []
        self.begun: Counter[str] = Counter()
        self.hang: dict[str, asyncio.Event] = {}
        self.broken: set[str] = set()

    async def __call__(self, _desk: Desk, _uow: UnitOfWork, _account: AccountRow, update: Update, _id: int) -> None:
        assert isinstance(update, MessageReceived)
        self.begun[update.sender] += 1
        if update.sender in self.hang:
            await self.hang[update.sender].wait()
        if update.sender in self.broken:
            message = "broken"
            raise OSError(message)
        self.handled.append((update.sender, update.text))

    async def has_begun(self, sender: str, times: int = 1) -> None:
        async with asyncio.timeout(10):
            while self.begun[sender] < times:  # noqa: ASYNC110 - polling with a limit
                await asyncio.sleep(0.005)


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Handler:
    it = Handler()
    monkeypatch.setattr(module, "dispatch", it)
    return it


@pytest.fixture
async def office(runtime: Runtime) -> Runtime:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
    await runtime.refresh_accounts()
    return runtime


@pytest.fixture
async def second(office: Runtime, clock: Clock) -> AsyncIterator[Runtime]:
    """Give another worker process on the same database."""
    async with opened(office.settings, clock) as it:
        await it.refresh_accounts()
        yield it


async def write(runtime: Runtime, *messages: tuple[str, str]) -> None:
    """Let people write: (who, what) in this order."""
    data: dict[str, Any] = json.loads(PAYLOAD.read_text())
    made = []
    for number, (who, what) in enumerate(messages):
        data["sender"]["id"], data["recipient"]["id"], data["message"]["text"] = who, commune.OA, what
        data["message"]["msg_id"] = f"m-{who}-{what}-{number}"
        values = {"raw": json.dumps(data).encode(), "account": commune.OA, "received_at": runtime.now()}
        made.append(arrival(data["message"]["msg_id"], who, **values))
    await arrivals.store_arrivals(runtime.database, made)


async def rows(runtime: Runtime) -> list[InboxRow]:
    async with runtime.database.reading() as session:
        return list((await session.exec(select(InboxRow).order_by(text("id")))).all())


async def test_each_once_and_in_order_per_contact(office: Runtime, handler: Handler) -> None:
    sent = [(str(10**17 + n % 7), f"{n:03}") for n in range(70)]
    await write(office, *sent)
    assert await handle_updates(office) == 70
    assert sorted(handler.handled) == sorted(sent)
    for who in {who for who, _ in sent}:
        said = [what for name, what in handler.handled if name == who]
        assert said == sorted(said)


async def test_one_that_is_slow_does_not_keep_others_waiting(office: Runtime, handler: Handler) -> None:
    if office.database.is_sqlite:
        return  # one writer: whoever hangs inside a transaction holds up all; nothing there waits for anything else
    handler.hang["100"] = asyncio.Event()
    await write(office, ("100", "slow"), *((str(1000 + n), "quick") for n in range(60)))
    running = asyncio.create_task(handle_updates(office))
    async with asyncio.timeout(20):
        while len(handler.handled) < 60:  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.01)
    await write(office, ("2000", "late"))
    await office.queue.wake("handle_updates")
    office.queue.bell("handle_updates").set()
    await handler.has_begun("2000")
    handler.hang["100"].set()
    assert await asyncio.wait_for(running, 10) == 62


async def test_what_takes_long_keeps_its_lease(
    office: Runtime, second: Runtime, handler: Handler, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    if office.database.is_sqlite:
        return  # a lease is extended by the same single writer
    monkeypatch.setattr(module, "_LEASE_SECONDS", 0.3)
    handler.hang["100"] = asyncio.Event()
    await write(office, ("100", "long"))
    running = asyncio.create_task(handle_updates(office))
    await handler.has_begun("100")
    for _ in range(4):
        [before] = await rows(office)
        clock.forward(seconds=0.2)
        async with asyncio.timeout(5):
            while (now := (await rows(office))[0]).leased_until == before.leased_until:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert now.lease == before.lease
        assert await requeue_stuck(second) == 0
        assert await handle_updates(second) == 0
    handler.hang["100"].set()
    await asyncio.wait_for(running, 10)
    assert handler.handled == [("100", "long")]


async def test_a_worker_that_lost_its_lease_commits_nothing(
    office: Runtime, second: Runtime, handler: Handler, clock: Clock
) -> None:
    if office.database.is_sqlite:
        return  # two workers share no SQLite
    handler.hang["100"] = asyncio.Event()
    await write(office, ("100", "paused"))
    paused = asyncio.create_task(handle_updates(office))
    await handler.has_begun("100")
    clock.forward(seconds=61)
    assert await requeue_stuck(second) == 1
    taking = asyncio.create_task(handle_updates(second))
    await handler.has_begun("100", 2)
    handler.hang["100"].set()
    await asyncio.wait_for(asyncio.gather(paused, taking), 10)
    [row] = await rows(office)
    assert (row.state, row.attempts) == ("handled", 2)
    assert handler.begun["100"] == 2


async def test_a_lease_lost_is_noticed_and_its_work_ended(
    office: Runtime, handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    if office.database.is_sqlite:
        return
    monkeypatch.setattr(module, "_LEASE_SECONDS", 0.06)
    handler.hang["100"] = asyncio.Event()
    await write(office, ("100", "hangs"))
    running = asyncio.create_task(handle_updates(office))
    await handler.has_begun("100")
    async with office.database.connection() as connection:
        await connection.execute(text("UPDATE inbox SET lease = 'somebody else'"))
    assert await asyncio.wait_for(running, 10) == 1
    [row] = await rows(office)
    assert (row.state, row.lease) == ("handling", "somebody else")
    assert handler.handled == []


async def test_one_that_never_ends_counts_as_failed(
    office: Runtime, handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONGEST_SECONDS", 0.05)
    handler.hang["100"] = asyncio.Event()
    await write(office, ("100", "hangs"))
    assert await asyncio.wait_for(handle_updates(office), 10) == 1
    [row] = await rows(office)
    assert (row.state, row.attempts) == ("new", 1)
    assert "TimeoutError" in row.error


async def test_one_that_fails_for_long_is_parked_and_its_contact_goes_on(
    office: Runtime, handler: Handler, clock: Clock
) -> None:
    handler.broken = {"100"}
    await write(office, ("100", "first"))
    await handle_updates(office)
    clock.forward(seconds=3)
    await handle_updates(office)
    handler.broken = set()
    await write(office, ("100", "second"))
    await handle_updates(office)
    assert handler.handled == [("100", "second")], "the first has failed twice and is set aside until its time"
    handler.broken = {"100"}
    for _ in range(4):
        clock.forward(seconds=800)
        await handle_updates(office)
    assert [row.state for row in await rows(office)] == ["parked", "handled"]
    handler.broken = set()
    async with office.units_of_work() as uow:
        assert await inbox.retry_parked(uow.session, 1, uow.now)
    await handle_updates(office)
    assert handler.handled[-1] == ("100", "first")


async def test_a_stop_finishes_what_has_begun_and_begins_nothing_more(office: Runtime, handler: Handler) -> None:
    handler.hang = {str(n): asyncio.Event() for n in range(100, 130)}
    await write(office, *((who, "x") for who in handler.hang))
    running = asyncio.create_task(handle_updates(office))
    await handler.has_begun("100")
    office.stopping.set()
    for event in handler.hang.values():
        event.set()
    assert await asyncio.wait_for(running, 10) == 20
    assert Counter(row.state for row in await rows(office)) == {"handled": 20, "new": 10}


async def test_what_is_cut_short_is_given_back_as_if_it_had_not_been_tried(office: Runtime, handler: Handler) -> None:
    handler.hang = {"100": asyncio.Event()}
    await write(office, ("100", "x"), ("100", "y"))
    running = asyncio.create_task(handle_updates(office))
    await handler.has_begun("100")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 10)
    assert [(row.state, row.attempts, row.lease) for row in await rows(office)] == [("new", 0, None)] * 2
    handler.hang = {}
    assert await handle_updates(office) == 2
    assert handler.handled == [("100", "x"), ("100", "y")]


async def test_workers_share_a_backlog_without_doing_anything_twice(
    office: Runtime, second: Runtime, handler: Handler
) -> None:
    if office.database.is_sqlite:
        return
    sent = [(str(10**17 + n % 23), f"{n:03}") for n in range(230)]
    await write(office, *sent)
    shares = await asyncio.gather(handle_updates(office), handle_updates(second))
    assert sum(shares) == 230
    assert min(shares) > 0
    assert sorted(handler.handled) == sorted(sent)
    for who in {who for who, _ in sent}:
        said = [what for name, what in handler.handled if name == who]
        assert said == sorted(said)


async def test_workers_with_clocks_an_hour_apart_neither_steal_nor_come_early(
    settings: Settings, office: Runtime, handler: Handler
) -> None:
    """The one whose clock is ahead would see every lease of the other as run out, and every pause as over."""
    if office.database.is_sqlite:
        return
    handler.hang["100"] = asyncio.Event()

    def ahead() -> Any:
        return real.utc_now() + timedelta(hours=1)

    async with opened(settings) as right, opened(settings, ahead, follow=True) as wrong:
        for worker in (right, wrong):
            await worker.refresh_accounts()
        handler.broken = {"200"}
        await write(right, ("100", "in hand"), ("200", "waits for its next try"))
        running = asyncio.create_task(handle_updates(right))
        await handler.has_begun("100")
        async with asyncio.timeout(10):
            while (await rows(right))[1].attempts < 1 or (await rows(right))[1].state != "new":  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert await requeue_stuck(wrong) == 0, "the lease runs"
        assert await handle_updates(wrong) == 0, "neither is due"
        handler.hang["100"].set()
        await asyncio.wait_for(running, 10)
    assert handler.handled == [("100", "in hand")]
    assert handler.begun == {"100": 1, "200": 1}


CITIZEN = "1234567890123456789"


@pytest.fixture
async def sending(office: Runtime) -> OutboxRow:
    """Give an answer to a citizen that is on its way out."""
    await write(office, (CITIZEN, "chào"))
    await handle_updates(office)
    async with office.units_of_work() as uow:
        return (await outbox.claim(uow.session, "sender", uow.now, 60, 10))[0]


async def told(runtime: Runtime, message_id: str) -> int:
    """Let the provider say that a message has arrived; returns the update's number."""
    data = {
        "app_id": "1", "event_name": "user_received_message", "timestamp": str(int(runtime.now().timestamp() * 1000)),
        "sender": {"id": commune.OA}, "recipient": {"id": CITIZEN}, "message": {"msg_ids": [message_id]},
    }  # fmt: skip
    values = {"raw": json.dumps(data).encode(), "account": commune.OA, "received_at": runtime.now()}
    await arrivals.store_arrivals(runtime.database, [arrival(f"received {message_id}", CITIZEN, **values)])
    return [row.id for row in await rows(runtime)][-1] or 0


async def row_of(runtime: Runtime, number: int) -> InboxRow:
    return next(row for row in await rows(runtime) if row.id == number)


async def test_a_receipt_long_before_the_outcome_waits_for_it_and_is_no_dead_letter(
    office: Runtime, clock: Clock, sending: OutboxRow
) -> None:
    number = await told(office, "of ours")
    for _ in range(50):
        await handle_updates(office)
        row = await row_of(office, number)
        assert (row.state, row.attempts) == ("new", 0), "waiting is no try that failed"
        clock.forward(seconds=0.5)
    async with office.units_of_work() as uow:
        await outbox.record(uow.session, sending.id, "sender", state="sent", provider_id="of ours", sent_at=uow.now)
    clock.forward(seconds=5)
    await handle_updates(office)
    assert (await row_of(office, number)).state == "handled"
    async with office.database.reading() as session:
        found = await outbox.row(session, sending.id)
    assert found is not None
    assert found.state == "delivered"


@pytest.mark.usefixtures("sending")
async def test_a_receipt_that_waited_as_long_as_a_message_can_be_on_its_way_is_not_of_ours(
    office: Runtime, clock: Clock
) -> None:
    number = await told(office, "of another")
    looks = 0
    for _ in range(70):
        looks += await handle_updates(office)
        clock.forward(seconds=0.5)
        async with office.units_of_work() as uow:  # other messages go out meanwhile
            row = (await uow.session.exec(select(OutboxRow).where(col(OutboxRow.state) == "sending"))).one()
            row.sending_at = uow.now
    assert (await row_of(office, number)).state == "handled"
    assert looks < 20, "it is looked at less and less often"


@pytest.mark.usefixtures("sending")
async def test_what_a_citizen_writes_does_not_wait_behind_a_receipt_that_came_too_early(office: Runtime) -> None:
    number = await told(office, "of ours")
    await handle_updates(office)
    await write(office, (CITIZEN, "phản ánh"))
    assert await handle_updates(office) == 1
    assert [row.state for row in await rows(office)] == ["handled", "new", "handled"]
    assert (await row_of(office, number)).state == "new"


async def test_a_receipt_of_what_the_office_typed_while_zalo_is_slow_with_ours_is_no_dead_letter(
    settings: Settings,
) -> None:
    async with Simulator() as simulator, running(settings, simulator) as live:
        phone = await live.phone()
        await phone.follow()
        await phone.wait_for("Xin chào")
        await simulator.fault("slow", ms=4000, count=1)
        await phone.say("phản ánh")

        async def under_way() -> bool:
            return any(row.state == "sending" for row in await live.rows(OutboxRow))

        await live.until(under_way)
        await simulator.verbs.staff_reply(oa_id=commune.OA, user_id=phone.user_id, text="Chào bác")
        await phone.wait_for("về việc gì", timeout=30)

        async def at_rest() -> bool:
            """Between two of Zalo's receipts everything that has come is handled, and more is to come."""
            passing = {"queued", "sending", "sent", "unknown"}
            if passing & {row.state for row in await live.rows(OutboxRow)}:
                return False
            return not {"new", "handling"} & {row.state for row in await live.rows(InboxRow)}

        await live.until(at_rest, 40)
        assert {row.state for row in await live.rows(OutboxRow)} <= {"delivered", "seen"}
        assert {row.state for row in await live.rows(InboxRow)} == {"handled"}
