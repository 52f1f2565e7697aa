"""Name the jobs, wake workers, and spread news to open pages; the work itself is kept by the database.

Redis, or a Redis in this process when the queue is embedded: losing either loses no work, since every job looks for
what is due in the database and sweepers wake it again.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from arq.connections import ArqRedis, RedisSettings, create_pool
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from bot.logs import logger

_log = logger("queue")
_NEWS = "loa:news"
QUEUE_ERRORS = (RedisError, OSError)
"""What is raised when the queue cannot be reached."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job: `every` seconds when it also runs by itself, `sweeps` the state whose rows it keeps moving."""

    name: str
    every: int | None = None
    sweeps: str = ""


HANDLE_UPDATES = Job("handle_updates", 10, "inbox new")
DELIVER_MESSAGES = Job("deliver_messages", 10, "outbox queued")
SEND_BROADCASTS = Job("send_broadcasts", 10, "broadcast running, delivery queued")
SETTLE_MESSAGES = Job("settle_messages", 10, "outbox unknown, delivery unknown")
RESUME_CONVERSATIONS = Job("resume_conversations", 10, "conversation waiting")
FETCH_ATTACHMENTS = Job("fetch_attachments", 20, "attachment pending")
FETCH_PROFILES = Job("fetch_profiles", 60)
REQUEUE_STUCK = Job("requeue_stuck", 10, "inbox handling, outbox sending")
REFRESH_CREDENTIALS = Job("refresh_credentials", 300)
REMIND_DEADLINES = Job("remind_deadlines", 300, "case open")
CLOSE_ANSWERED = Job("close_answered", 600, "case answered")
FORGET = Job("forget", 3600)
RECONCILE = Job("reconcile", 86400)
JOBS = (
    HANDLE_UPDATES,
    DELIVER_MESSAGES,
    SEND_BROADCASTS,
    SETTLE_MESSAGES,
    RESUME_CONVERSATIONS,
    FETCH_ATTACHMENTS,
    FETCH_PROFILES,
    REQUEUE_STUCK,
    REFRESH_CREDENTIALS,
    REMIND_DEADLINES,
    CLOSE_ANSWERED,
    FORGET,
    RECONCILE,
)
BY_NAME = {job.name: job for job in JOBS}


def _embedded_pool() -> ArqRedis:
    from fakeredis import FakeServer
    from fakeredis.aioredis import FakeAsyncRedisConnection

    kind: Any = FakeAsyncRedisConnection
    return ArqRedis(connection_pool=ConnectionPool(connection_class=kind, server=FakeServer()))


class Queue:
    """Wake jobs and pass news on, over Redis or inside this process."""

    def __init__(self, redis: ArqRedis, *, embedded: bool) -> None:
        self.redis = redis
        self.embedded = embedded
        self._listeners: set[asyncio.Queue[str]] = set()
        self._reader: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, url: str) -> "Queue":
        """Connect; "embedded" needs nothing, anything else is a Redis address."""
        if url == "embedded":
            return cls(_embedded_pool(), embedded=True)
        return cls(await create_pool(RedisSettings.from_dsn(url)), embedded=False)

    async def wake(self, job: str, delay: float = 0.0) -> None:
        """Start a job after `delay` seconds; a queue that is down is only logged, since sweepers find the work."""
        assert job in BY_NAME
        try:
            await self.redis.enqueue_job(job, _defer_by=timedelta(seconds=delay) if delay else None)
        except QUEUE_ERRORS as error:
            _log.warning("wake-up lost, a sweeper will find the work", job=job, error=type(error).__name__)

    async def announce(self, topic: str) -> None:
        """Tell every process' open pages that `topic` has news."""
        try:
            await self.redis.publish(_NEWS, topic)
        except QUEUE_ERRORS as error:
            _log.warning("news not spread", topic=topic, error=type(error).__name__)

    @contextlib.asynccontextmanager
    async def news(self) -> AsyncIterator[asyncio.Queue[str]]:
        """Give a queue that receives the topics announced from now on."""
        if self._reader is None or self._reader.done():
            ready: asyncio.Event = asyncio.Event()
            self._reader = asyncio.create_task(self._read(ready))
            await asyncio.wait_for(ready.wait(), 5)
        mine: asyncio.Queue[str] = asyncio.Queue(maxsize=200)
        self._listeners.add(mine)
        try:
            yield mine
        finally:
            self._listeners.discard(mine)

    async def _read(self, ready: asyncio.Event) -> None:
        while True:
            try:
                async with self.redis.pubsub() as channel:
                    await channel.subscribe(_NEWS)
                    ready.set()
                    async for item in channel.listen():
                        if item["type"] == "message":
                            self._spread(item["data"].decode())
            except QUEUE_ERRORS as error:
                _log.warning("news interrupted", error=type(error).__name__)
                await asyncio.sleep(1)

    def _spread(self, topic: str) -> None:
        for listener in self._listeners:
            if not listener.full():
                listener.put_nowait(topic)

    async def ping(self) -> None:
        """Raise when the queue does not answer."""
        await self.redis.ping()

    async def close(self) -> None:
        """Close connections."""
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        await self.redis.aclose(close_connection_pool=True)
