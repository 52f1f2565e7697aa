"""Write webhooks down before they are acknowledged: all that wait in one transaction, or to disk if that fails."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path

from bot import metrics
from bot.clock import Now, new_id
from bot.errors import NotKeptError
from bot.logs import logger
from bot.spool import Spool
from bot.store import accounts, health, tallies
from bot.store.arrivals import CONTENT_ERRORS, Arrival, writer
from bot.store.database import Database

__all__ = ["Intake", "Spool"]

LIMIT_SECONDS = 1.3
"""A database that takes longer for a transaction counts as one that refuses: Zalo wants its answer within 2 s."""

_log = logger("intake")
_MOST = 500
_TELL_SECONDS = 0.02
_LOOK_SECONDS = 1.0
_COUNT_SECONDS = 5.0
_DRAIN_LIMIT_SECONDS = 30.0
_FEW_FILES = 5

_Waiting = tuple[Arrival, asyncio.Future[None]]


class Intake:
    """Take arrivals from many requests, write them together, and let each request go on once its own is durable."""

    def __init__(self, database: Database, spool: Spool, now: Now) -> None:
        self._database = database
        self._now = now
        self.spool = spool
        self._source = f"intake {new_id()}"
        self._writer = writer(database, self._source)
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()
        self._stopping = False
        self._tellers: list[Callable[[], Awaitable[None]]] = []
        self._news = asyncio.Event()
        self._refusals: Counter[tuple[str, str]] = Counter()
        self._seen: dict[str, datetime] = {}
        self._aside: list[datetime] = []
        self._writing: asyncio.Task[None] | None = None
        self._others: list[asyncio.Task[None]] = []
        self._draining = asyncio.Lock()
        self._order = asyncio.Lock()
        """Held while a batch is kept, and while it is decided that the spool is empty and the database is next."""
        self._spooling = True
        """Whether files may lie in the spool: they go in before anything newer, so that order is kept."""

    def on_stored(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Call `await callback()` soon after something was stored, once for all that came meanwhile."""
        self._tellers.append(callback)

    def start(self) -> None:
        """Begin writing; what an earlier process left in the spool goes first."""
        self.spool.adopt()
        self._spooling = bool(self.spool.mine())
        self._writing = asyncio.create_task(self._write_for_ever())
        self._others = [asyncio.create_task(self._look_for_ever()), asyncio.create_task(self._tell_for_ever())]

    async def stop(self) -> None:
        """Write what still waits, then end."""
        self._stopping = True
        self._arrived.set()
        if self._writing is not None:
            await self._writing
        for task in self._others:
            task.cancel()
        await asyncio.gather(*self._others, return_exceptions=True)
        await self._tell()
        try:
            await self.note_counts()
        finally:
            await self._writer.close()
            self.spool.close()

    async def submit(self, arrival: Arrival, account_id: str | None) -> None:
        """Return once the arrival is durable, in the database or in the spool; raises NotKeptError if in neither."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, done))
        if account_id is not None:
            self._seen[account_id] = arrival.received_at
        self._arrived.set()
        await done

    def refuse(self, provider: str, reason: str) -> None:
        """Count a request that was refused; nothing of it is kept."""
        metrics.refused.labels(provider, reason).inc()
        self._refusals[provider, reason] += 1

    async def _write_for_ever(self) -> None:
        while self._waiting or not self._stopping:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                await self._write_batch(batch)

    async def _write_batch(self, batch: Sequence[_Waiting]) -> None:
        failed = False
        try:
            await self._keep([arrival for arrival, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever broke, requests must be answered and the next ones written
            _log.error("webhooks could not be kept anywhere", error=type(error).__name__, number=len(batch))
            failed = True
        for _, done in batch:
            if done.done():
                continue
            if failed:
                done.set_exception(NotKeptError("neither the database nor the spool takes webhooks"))
            else:
                done.set_result(None)

    async def _keep(self, arrivals: Sequence[Arrival]) -> None:
        metrics.batch.observe(len(arrivals))
        with metrics.intake_seconds.time():
            await self._keep_somewhere(arrivals)

    async def _keep_somewhere(self, arrivals: Sequence[Arrival]) -> None:
        async with self._order:
            if not self._spooling:
                try:
                    await self._store(arrivals, LIMIT_SECONDS)
                except Exception as error:  # noqa: BLE001 - whatever the database says, webhooks must be kept
                    _log.error("database refuses, webhooks go to the spool", error=type(error).__name__)
                    self._spooling = True
                else:
                    return
            await asyncio.to_thread(self.spool.write, arrivals)
            metrics.spooled.inc(len(arrivals))

    async def _store(self, arrivals: Sequence[Arrival], limit: float) -> None:
        """Write to the database; what no database can hold is set aside, and does not stop the others."""
        try:
            async with asyncio.timeout(limit):
                await self._writer.write(arrivals)
        except CONTENT_ERRORS as error:
            if len(arrivals) > 1:
                for arrival in arrivals:
                    await self._store([arrival], limit)
                return
            await self.set_aside(arrivals[0], error)
            return
        for provider, number in Counter([a.provider for a in arrivals]).items():
            metrics.received.labels(provider).inc(number)
        self._news.set()

    async def set_aside(self, arrival: Arrival, error: Exception) -> None:
        """Keep what no database can hold as a file, for a person; `note_counts` then writes it into the books."""
        _log.error("a webhook cannot be stored and is set aside", error=type(error).__name__, key=arrival.key)
        if await asyncio.to_thread(self.spool.set_aside, [arrival]):
            self._aside.append(arrival.received_at)

    async def _tell_for_ever(self) -> None:
        while True:
            await self._news.wait()
            await self._tell()
            await asyncio.sleep(_TELL_SECONDS)

    async def _tell(self) -> None:
        if not self._news.is_set():
            return
        self._news.clear()
        for callback in self._tellers:
            try:
                await callback()
            except Exception as error:  # noqa: BLE001 - the webhook is durable; a sweeper finds what nobody was told of
                _log.warning("nobody was told of new webhooks", error=type(error).__name__)

    async def _look_for_ever(self) -> None:
        """Drain while there is something to drain, and write counts down now and then."""
        counted_at = asyncio.get_running_loop().time()
        while True:
            try:
                await self.drain()
                if self._aside or asyncio.get_running_loop().time() - counted_at > _COUNT_SECONDS:
                    counted_at = asyncio.get_running_loop().time()
                    async with asyncio.timeout(_DRAIN_LIMIT_SECONDS):
                        await self.note_counts()
            except Exception as error:  # noqa: BLE001 - draining must go on however often it fails
                _log.warning("spool waits", error=type(error).__name__)
            await asyncio.sleep(_LOOK_SECONDS)

    async def drain(self) -> int:
        """Move the spool into the database, in order; returns how many went. An unreadable line is set aside."""
        async with self._draining:
            files = await asyncio.to_thread(self._look)
            if not files and not self._spooling:
                return 0
            await self._spool_newer()
            moved, least = 0, 1  # the first while nobody waits, however few: they show whether the database works
            while len(files) >= least:
                moved += await self._move(files, _DRAIN_LIMIT_SECONDS)
                files, least = await asyncio.to_thread(self.spool.mine), _FEW_FILES + 1
            return moved + await self._move_last()

    async def _spool_newer(self) -> None:
        """Let what comes from now on go to the spool, behind what lies there, and not past it."""
        async with self._order:
            self._spooling = True

    async def _move_last(self) -> int:
        """Move the last few while new ones wait, for no longer than these can: then the database is next again."""
        async with self._order, asyncio.timeout(LIMIT_SECONDS):
            moved = await self._move(await asyncio.to_thread(self.spool.mine), LIMIT_SECONDS)
            self._spooling = False
        return moved

    def _look(self) -> list[Path]:
        self.spool.adopt()
        metrics.spool_files.set(len(self.spool.files()))
        metrics.spool_webhooks.set(self.spool.waiting())
        return self.spool.mine()

    async def _move(self, files: Sequence[Path], limit: float) -> int:
        moved = 0
        for path in files:
            arrivals = await asyncio.to_thread(self.spool.read, path)
            if arrivals:
                await self._store(arrivals, limit)
            self._aside += [self._now()] * (self.spool.number(path) - len(arrivals))
            await asyncio.to_thread(self.spool.remove, [path])
            moved += len(arrivals)
        return moved

    async def note_counts(self) -> None:
        """Write down refusals and the accounts heard from, for the health page; what was set aside, for the books."""
        refusals, self._refusals = self._refusals, Counter()
        seen, self._seen = self._seen, {}
        aside, self._aside = self._aside, []
        if not refusals and not seen and not aside:
            return
        try:
            async with self._database.writing() as session:
                for (provider, reason), number in refusals.items():
                    await health.add_refusals(session, provider, reason, number, self._now())
                await accounts.touch(session, seen)
                await tallies.add_each(await session.connection(), "aside", aside, self._source)
                await session.commit()
        except BaseException:
            self._refusals.update(refusals)
            self._seen = seen | self._seen
            self._aside += aside
            raise
