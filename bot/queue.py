"""Name the jobs, wake whoever runs them, and spread news to open pages; the work itself is kept by the database.

Where the jobs run in the same process they are woken directly. Other processes are told over Redis, by arq jobs that
mean no more than "look for work" and a message that says so at once. Losing any of it loses no work, since every job
looks for what is due in the database, and sweepers wake it again.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from bot.logs import logger

_log = logger("queue")
_NEWS = "loa:news"
_WAKES = "loa:wakes"
_COALESCE_SECONDS = 0.005
_CONNECT_SECONDS = 2.0
_SEND_SECONDS = 5.0
_PAUSE_SECONDS = 1.0
_DUE_ALWAYS = datetime.fromtimestamp(0.001, UTC)
"""When a wake-up is due: long ago by every machine's clock, so that clocks which disagree do not delay it."""
_KEPT = timedelta(hours=1)
QUEUE_ERRORS = (RedisError, OSError, TimeoutError)
"""What is raised when the queue cannot be reached."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job: `every` seconds when it also runs by itself, `sweeps` the state whose rows it keeps moving.

    A run is ended after `limit` seconds; None for those that go on as long as there is work.
    """

    name: str
    every: int | None = None
    sweeps: str = ""
    limit: int | None = 300


HANDLE_UPDATES = Job("handle_updates", 10, "inbox new", limit=None)
DELIVER_MESSAGES = Job("deliver_messages", 10, "outbox queued", limit=None)
PLAN_ANNOUNCEMENTS = Job(
    "plan_announcements", 10, "announcement approved, run planning, run waiting, run running", limit=None
)
SEND_BROADCASTS = Job("send_broadcasts", 10, "broadcast running, delivery queued, delivery sending", limit=None)
SETTLE_MESSAGES = Job("settle_messages", 10, "outbox unknown")
SETTLE_DELIVERIES = Job("settle_deliveries", 10, "delivery unknown")
RESUME_CONVERSATIONS = Job("resume_conversations", 10, "conversation waiting, desk draft waiting")
FETCH_ATTACHMENTS = Job("fetch_attachments", 20, "attachment pending")
FETCH_PROFILES = Job("fetch_profiles", 60)
FETCH_TEMPLATES = Job("fetch_templates", 3600)
IMPORT_FOLLOWERS = Job("import_followers", 30, "follower import running")
REFRESH_CARDS = Job("refresh_cards", 30, "case event untold, card stale")
MATCH_PROCEDURES = Job("match_procedures", 86400)
TELL_DOSSIERS = Job("tell_dossiers", 30, "dossier notice due, dossier notice leaving", limit=None)
DATE_DOSSIERS = Job("date_dossiers", 1800, limit=1800)
REQUEUE_STUCK = Job("requeue_stuck", 10, "inbox handling, outbox sending")
REFRESH_CREDENTIALS = Job("refresh_credentials", 300)
KEEP_WEBHOOKS = Job("keep_webhooks", 300)
POLL_UPDATES = Job("poll_updates", 10, limit=None)
REMIND_DEADLINES = Job("remind_deadlines", 300, "case open")
CLOSE_ANSWERED = Job("close_answered", 600, "case answered")
CHECK_LISTS = Job("check_lists", 30, "recipient list checking, recipient list removing", limit=1800)
IMPORT_DOSSIERS = Job("import_dossiers", 30, "dossier import reading, dossier import applying", limit=None)
WATCH_DOSSIERS = Job("watch_dossiers", 60)
FORGET = Job("forget", 3600)
RECONCILE = Job("reconcile", 86400)
JOBS = (
    HANDLE_UPDATES,
    DELIVER_MESSAGES,
    PLAN_ANNOUNCEMENTS,
    SEND_BROADCASTS,
    SETTLE_MESSAGES,
    SETTLE_DELIVERIES,
    RESUME_CONVERSATIONS,
    FETCH_ATTACHMENTS,
    FETCH_PROFILES,
    FETCH_TEMPLATES,
    IMPORT_FOLLOWERS,
    REFRESH_CARDS,
    MATCH_PROCEDURES,
    TELL_DOSSIERS,
    DATE_DOSSIERS,
    REQUEUE_STUCK,
    REFRESH_CREDENTIALS,
    KEEP_WEBHOOKS,
    POLL_UPDATES,
    REMIND_DEADLINES,
    CLOSE_ANSWERED,
    CHECK_LISTS,
    IMPORT_DOSSIERS,
    WATCH_DOSSIERS,
    FORGET,
    RECONCILE,
)
BY_NAME = {job.name: job for job in JOBS}


class Queue:
    """Wake jobs and pass news on, inside this process or over Redis."""

    def __init__(self, redis: ArqRedis | None) -> None:
        self._redis = redis
        self._ring: Callable[[str], None] | None = None
        self._bells = {name: asyncio.Event() for name in BY_NAME}
        self._later: dict[tuple[str, int], asyncio.TimerHandle] = {}
        self._wakes: set[str] = set()
        self._topics: dict[str, None] = {}
        self._sender: asyncio.Task[None] | None = None
        self._listeners: set[asyncio.Queue[str]] = set()
        self._reader: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, url: str) -> "Queue":
        """Make the queue of one process: "embedded" for one alone, anything else is a Redis address.

        Connections are made when they are needed, so that a Redis that is down delays wake-ups and no start.
        """
        if url == "embedded":
            return cls(None)
        pool = ConnectionPool.from_url(url, socket_connect_timeout=_CONNECT_SECONDS, socket_keepalive=True)
        return cls(ArqRedis(connection_pool=pool))

    @property
    def embedded(self) -> bool:
        """Whether this process is the only one."""
        return self._redis is None

    @property
    def redis(self) -> ArqRedis:
        """The Redis that the processes share; there is none when the queue is embedded."""
        assert self._redis is not None
        return self._redis

    def bell(self, job: str) -> asyncio.Event:
        """Return what is set whenever a job of this process is woken.

        A job that looks for work more than once in a run clears its bell before it looks, and then need not be run
        again for what it found; a bell that is set when a run ends starts the next one.
        """
        return self._bells[job]

    def attach(self, ring: Callable[[str], None] | None) -> None:
        """Have `ring(job)` called for every wake-up: the jobs run in this process. None when they no longer do."""
        self._ring = ring

    async def wake(self, job: str, delay: float = 0.0) -> None:
        """Start a job after `delay` seconds, within 50 ms; never waits for Redis.

        Many wake-ups within 5 ms are one. A wake-up that is lost, with Redis or with the process that was to give it
        later, is only logged, since sweepers find the work.
        """
        assert job in BY_NAME
        if delay <= 0:
            self._wake_now(job)
            return
        loop = asyncio.get_running_loop()
        at = loop.time() + delay
        key = (job, int(at / _COALESCE_SECONDS))
        if key not in self._later:
            self._later[key] = loop.call_at(at, self._wake_later, key)

    def _wake_later(self, key: tuple[str, int]) -> None:
        del self._later[key]
        self._wake_now(key[0])

    def _wake_now(self, job: str) -> None:
        if self._ring is not None:
            self._ring(job)
        else:
            self.call_for_help(job)

    def call_for_help(self, job: str) -> None:
        """Wake a job in some process, be it this one: there is more to do than one can take."""
        if self._redis is not None:
            self._wakes.add(job)
            self._send_soon()

    async def announce(self, topic: str) -> None:
        """Tell every process' open pages that `topic` has news; never waits for Redis."""
        if self._redis is None:
            self._spread(topic)
        else:
            self._topics[topic] = None
            self._send_soon()

    def _send_soon(self) -> None:
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send())

    async def _send(self) -> None:
        """Send what has gathered, and once more what gathers meanwhile, with a pause in which the same is said once."""
        while self._wakes or self._topics:
            wakes, self._wakes = self._wakes, set()
            topics, self._topics = self._topics, {}
            try:
                async with asyncio.timeout(_SEND_SECONDS):
                    for job in sorted(wakes):
                        await self.redis.enqueue_job(job, _defer_until=_DUE_ALWAYS, _expires=_KEPT)
                    for job in sorted(wakes):
                        await self.redis.publish(_WAKES, job)
                    for topic in topics:
                        await self.redis.publish(_NEWS, topic)
            except QUEUE_ERRORS as error:
                lost = [*sorted(wakes), *topics]
                _log.warning("not told to other processes, sweepers find it", lost=lost, error=type(error).__name__)
            await asyncio.sleep(_COALESCE_SECONDS)

    @contextlib.asynccontextmanager
    async def news(self) -> AsyncIterator[asyncio.Queue[str]]:
        """Give a queue that receives the topics announced from now on."""
        if self._redis is not None and (self._reader is None or self._reader.done()):
            ready: asyncio.Event = asyncio.Event()
            self._reader = asyncio.create_task(self._listen(_NEWS, self._spread, ready))
            await asyncio.wait_for(ready.wait(), 5)
        mine: asyncio.Queue[str] = asyncio.Queue(maxsize=200)
        self._listeners.add(mine)
        try:
            yield mine
        finally:
            self._listeners.discard(mine)

    async def hear_wakes(self, heard: asyncio.Event) -> None:
        """Set `heard` whenever some process has put a wake-up into Redis, until cancelled."""
        await self._listen(_WAKES, lambda _job: heard.set(), asyncio.Event())

    async def _listen(self, channel: str, take: Callable[[str], None], ready: asyncio.Event) -> None:
        while True:
            try:
                async with self.redis.pubsub() as subscription:
                    await subscription.subscribe(channel)
                    ready.set()
                    async for item in subscription.listen():
                        if item["type"] == "message":
                            take(item["data"].decode())
            except QUEUE_ERRORS as error:
                _log.warning("not heard from other processes", channel=channel, error=type(error).__name__)
                await asyncio.sleep(_PAUSE_SECONDS)

    def _spread(self, topic: str) -> None:
        for listener in self._listeners:
            if not listener.full():
                listener.put_nowait(topic)

    async def ping(self) -> None:
        """Raise when the queue does not answer."""
        if self._redis is not None:
            await self._redis.ping()

    async def close(self) -> None:
        """Send what still waits, forget what was to come later, and close connections."""
        for handle in self._later.values():
            handle.cancel()
        self._later.clear()
        if self._sender is not None and not self._sender.done():
            await asyncio.wait([self._sender], timeout=_SEND_SECONDS)
        for task in (self._sender, self._reader):
            if task is not None and not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if self._redis is not None:
            await self._redis.aclose(close_connection_pool=True)
