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
from sqlmodel import select

from bot import clock as real
from bot.config import Settings
from bot.domain.update import MessageReceived, Update
from bot.runtime import Runtime, opened
from bot.store import arrivals, inbox
from bot.store.accounts import AccountRow
from bot.store.inbox import InboxRow
from bot.store.unit_of_work import UnitOfWork
from handlers.dispatch import Desk
from jobs import handle_updates as module
from jobs.handle_updates import handle_updates
from jobs.requeue_stuck import requeue_stuck
from tests import commune
from tests.bot.store.test_inbox import arrival
from tests.runtime_fixtures import Clock

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
