"""Committed work starts at once, in this process or over Redis, and a lost wake-up loses no work."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.config import QueueSettings, Settings
from bot.queue import DELIVER_MESSAGES, HANDLE_UPDATES, QUEUE_ERRORS, Job, Queue
from bot.runtime import Runtime, opened
from jobs import periodic, worker
from tests.chaos.servers import OwnRedis
from tests.runtime_fixtures import Clock


class Seen:
    """Note when a job ran."""

    def __init__(self) -> None:
        self.moments: list[float] = []
        self.news = asyncio.Event()

    async def __call__(self, _runtime: Runtime) -> int:
        self.moments.append(time.monotonic())
        self.news.set()
        return 0

    async def next(self, seconds: float = 10) -> float:
        await asyncio.wait_for(self.news.wait(), seconds)
        self.news.clear()
        return self.moments[-1]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    it = Seen()
    monkeypatch.setitem(worker.REGISTERED, "handle_updates", it)
    return it


@pytest.fixture
async def web(settings: Settings) -> AsyncIterator[Runtime]:
    """Give a process that wakes: the same one where the queue is embedded, one without jobs where it is Redis."""
    async with opened(settings) as it:
        yield it


@pytest.fixture
async def working(
    settings: Settings, web: Runtime, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Runtime]:
    """Run jobs, without sweepers that could find what a wake-up missed."""
    monkeypatch.setattr(periodic, "JOBS", ())
    if web.queue.embedded:
        async with worker.working(web, alone=True):
            await seen.next()
            yield web
        return
    async with opened(settings) as it, worker.working(it, alone=False):
        await seen.next()
        await until_heard(web)
        yield it


async def until_heard(web: Runtime) -> None:
    """Wait until the worker listens: before, it would look by itself twice a second."""
    async with asyncio.timeout(10):
        while not (await web.queue.redis.pubsub_numsub("loa:wakes"))[0][1]:  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("delay", [0.0, 0.12])
@pytest.mark.usefixtures("working")
async def test_each_wake_up_starts_the_job_though_nothing_sweeps_and_nobody_looks(
    web: Runtime, seen: Seen, delay: float
) -> None:
    """How soon it starts is measured by `make bench` as wake.*.p95_ms."""
    for _ in range(9):
        wanted = time.monotonic() + delay
        await web.queue.wake("handle_updates", delay)
        assert await seen.next() - wanted > -0.01, "never early"


@pytest.mark.usefixtures("working")
async def test_many_wake_ups_are_few_runs_and_the_last_is_not_lost(web: Runtime, seen: Seen) -> None:
    began = len(seen.moments)
    for _ in range(300):
        await web.queue.wake("handle_updates")
        last = time.monotonic()
        await asyncio.sleep(0.0005)
    async with asyncio.timeout(5):
        while seen.moments[-1] < last:  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.005)
    assert len(seen.moments) - began < 150


async def test_a_wake_up_in_redis_is_due_whatever_the_clocks_say(web: Runtime) -> None:
    if web.queue.embedded:
        return
    await web.queue.wake("handle_updates")
    async with asyncio.timeout(5):
        while not (waiting := await web.queue.redis.zrange("arq:queue", 0, -1, withscores=True)):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert [score for _, score in waiting] == [1.0], "long ago by any clock, however far two machines are apart"


async def test_a_process_that_is_told_to_wake_never_waits_for_redis(settings: Settings, clock: Clock) -> None:
    if settings.queue.url == "embedded":
        return
    deaf = replace(settings, queue=QueueSettings(url="redis://192.0.2.1:6379/0"))  # an address that never answers
    async with opened(deaf, clock) as runtime:
        for _ in range(100):
            await runtime.queue.wake("handle_updates")
            await runtime.queue.announce("health")
        assert runtime.queue._sender is not None
        assert not runtime.queue._sender.done(), "all were told while the first is still waiting for Redis"
        runtime.queue._sender.cancel()


async def test_what_one_process_announces_reaches_the_pages_of_all(settings: Settings) -> None:
    async with opened(settings) as one, opened(settings) as two:
        other = one if one.queue.embedded else two
        async with one.queue.news() as here, other.queue.news() as there:
            await one.queue.announce("health")
            assert [await asyncio.wait_for(q.get(), 5) for q in (here, there)] == ["health", "health"]


class Work:
    """Work in a table of its own, so to speak: committed, then woken for, and found by whoever looks."""

    def __init__(self) -> None:
        self.waiting: set[int] = set()
        self.done: list[int] = []
        self.swept = True

    async def __call__(self, _runtime: Runtime) -> int:
        found, self.waiting = self.waiting, set()
        self.done += sorted(found)
        return len(found)

    async def sweep(self, runtime: Runtime) -> int:
        return await self(runtime) if self.swept else 0

    async def all_done(self, number: int, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while len(self.done) < number:  # noqa: ASYNC110 - polling with a limit
                await asyncio.sleep(0.02)
        assert sorted(self.done) == list(range(number))


@pytest.fixture
def own_redis() -> Iterator[OwnRedis]:
    it = OwnRedis()
    it.start()
    yield it
    it.stop()


@pytest.fixture
async def apart(
    settings: Settings, own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Runtime, Work]]:
    """Give a web process and its work, with a worker process beside it, on a Redis that may be stopped."""
    work = Work()
    monkeypatch.setitem(worker.REGISTERED, "handle_updates", work)
    monkeypatch.setitem(worker.REGISTERED, "requeue_stuck", work.sweep)
    monkeypatch.setattr(periodic, "JOBS", (Job("requeue_stuck", 1, limit=None),))
    mine = replace(settings, queue=QueueSettings(url=own_redis.url))
    async with opened(mine) as web, opened(mine) as other, worker.working(other, alone=False):
        yield web, work


async def add(web: Runtime, work: Work, number: int) -> None:
    work.waiting.add(number)
    await web.queue.wake("handle_updates")


async def test_redis_flushed_at_random_moments_loses_no_work(apart: tuple[Runtime, Work], own_redis: OwnRedis) -> None:
    web, work = apart
    chance = random.Random(7)
    for number in range(300):
        await add(web, work, number)
        if chance.random() < 0.1:
            await asyncio.to_thread(own_redis.flush)
        await asyncio.sleep(0.002)
    await work.all_done(300, 10)


async def test_a_worker_outlives_a_redis_that_is_stopped_and_started_again(
    apart: tuple[Runtime, Work], own_redis: OwnRedis
) -> None:
    web, work = apart
    await add(web, work, 0)
    await work.all_done(1, 10)
    await asyncio.to_thread(own_redis.stop)
    for number in range(1, 30):  # more than arq has places: a start that fails must not keep one
        await add(web, work, number)
        await asyncio.sleep(0.01)
    await work.all_done(30, 10)
    await asyncio.to_thread(own_redis.start)
    await until_heard_again(web)
    work.swept = False
    await add(web, work, 30)
    await work.all_done(31, 10)


async def until_heard_again(web: Runtime) -> None:
    async with asyncio.timeout(15):
        while True:
            try:
                if (await web.queue.redis.pubsub_numsub("loa:wakes"))[0][1]:
                    return
            except QUEUE_ERRORS:
                pass
            await asyncio.sleep(0.05)


async def test_the_same_wake_up_given_twice_for_later_is_one() -> None:
    queue = Queue(None)
    rung: list[Any] = []
    queue.attach(rung.append)
    await queue.wake(DELIVER_MESSAGES.name)
    await queue.wake(HANDLE_UPDATES.name, 0.01)
    await queue.wake(HANDLE_UPDATES.name, 0.01)
    async with asyncio.timeout(5):
        while len(rung) < 2:  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.001)
    assert rung == ["deliver_messages", "handle_updates"]
    await queue.close()
