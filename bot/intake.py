"""Write webhooks down before they are acknowledged: all that wait in one transaction, or to disk if that fails."""

import asyncio
import contextlib
import json
import os
from base64 import b64decode, b64encode
from collections import Counter
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from bot import metrics
from bot.clock import Now, new_id
from bot.errors import ConfigError, NotKeptError
from bot.logs import logger
from bot.store import accounts, health, inbox
from bot.store.database import DATABASE_ERRORS, Database
from bot.store.inbox import Arrival

_log = logger("intake")
_MOST = 200
_DRAIN_SECONDS = 5.0


class Spool:
    """A folder that keeps webhooks while the database refuses; one file each, synced, in order of arrival."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / ".probe"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise ConfigError([f"[security] spool: {folder} is not writable: {error.strerror}"]) from error

    def write(self, arrivals: list[Arrival]) -> None:
        """Keep arrivals; returns when they are on the disk."""
        for arrival in arrivals:
            path = self.folder / f"{new_id()}.json"
            with path.with_suffix(".part").open("wb") as part:
                part.write(json.dumps(_to_json(arrival)).encode())
                part.flush()
                os.fsync(part.fileno())
            path.with_suffix(".part").rename(path)
        directory = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        metrics.spooled.inc(len(arrivals))

    def files(self) -> list[Path]:
        """Return what is kept, in order of arrival."""
        return sorted(self.folder.glob("*.json"))


def _to_json(arrival: Arrival) -> dict[str, Any]:
    data = asdict(arrival)
    data["raw"] = b64encode(arrival.raw).decode()
    data["occurred_at"], data["received_at"] = arrival.occurred_at.isoformat(), arrival.received_at.isoformat()
    return data


def _from_json(text: bytes) -> Arrival:
    data = json.loads(text)
    data["raw"] = b64decode(data["raw"])
    data["occurred_at"] = datetime.fromisoformat(data["occurred_at"])
    data["received_at"] = datetime.fromisoformat(data["received_at"])
    return Arrival(**data)


def _read(path: Path) -> Arrival | None:
    try:
        return _from_json(path.read_bytes())
    except (ValueError, KeyError, TypeError):
        path.rename(path.with_suffix(".broken"))
        _log.error("a file of the spool cannot be read and is set aside", file=path.name)
        return None


class Intake:
    """Take arrivals from many requests, write them together, and let each request go on once its own is durable."""

    def __init__(self, database: Database, spool: Spool, now: Now) -> None:
        self._database = database
        self._now = now
        self.spool = spool
        self._waiting: list[tuple[Arrival, asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()
        self._stored: list[Any] = []
        self._refusals: Counter[tuple[str, str]] = Counter()
        self._seen: dict[str, datetime] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._draining = asyncio.Lock()
        self._spooling = True
        """Whether files may lie in the spool: they go in before anything newer, so that order is kept."""

    def on_stored(self, callback: Any) -> None:
        """Call `await callback()` after each transaction that stored something."""
        self._stored.append(callback)

    def start(self) -> None:
        """Begin writing."""
        self._tasks = [asyncio.create_task(self._write_for_ever()), asyncio.create_task(self._drain_for_ever())]

    async def stop(self) -> None:
        """Write what still waits, then end."""
        while self._waiting:
            self._arrived.set()
            await asyncio.sleep(0.01)
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.note_counts()

    async def submit(self, arrival: Arrival, account_id: str | None) -> None:
        """Return once the arrival is durable, in the database or in the spool."""
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
        while True:
            await self._arrived.wait()
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            if not self._waiting:
                self._arrived.clear()
            if batch:
                await self._write_batch(batch)

    async def _write_batch(self, batch: list[tuple[Arrival, asyncio.Future[None]]]) -> None:
        failure: Exception | None = None
        try:
            await self._write([arrival for arrival, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever broke, requests must be answered and the next ones written
            _log.error("webhooks could not be kept anywhere", error=type(error).__name__, number=len(batch))
            failure = error
        for _, done in batch:
            if done.done():
                continue
            if failure is None:
                done.set_result(None)
            else:
                done.set_exception(NotKeptError("neither the database nor the spool takes webhooks"))

    async def _write(self, arrivals: list[Arrival]) -> None:
        metrics.batch.observe(len(arrivals))
        try:
            if self._spooling:
                await self.drain()
            async with self._database.connection() as connection:
                await inbox.store_arrivals(connection, arrivals)
        except DATABASE_ERRORS as error:
            _log.error("database refuses, webhooks go to the spool", error=type(error).__name__, number=len(arrivals))
            self._spooling = True
            await asyncio.to_thread(self.spool.write, arrivals)
            return
        for provider, number in Counter(a.provider for a in arrivals).items():
            metrics.received.labels(provider).inc(number)
        for callback in self._stored:
            await callback()

    async def _drain_for_ever(self) -> None:
        while True:
            await asyncio.sleep(_DRAIN_SECONDS)
            try:
                await self.drain()
                await self.note_counts()
            except Exception as error:  # noqa: BLE001 - draining must go on however often it fails
                _log.warning("spool waits", error=type(error).__name__)

    async def drain(self) -> int:
        """Move the spool into the database, in order; returns how many went. An unreadable file is set aside."""
        async with self._draining:
            return await self._drain()

    async def _drain(self) -> int:
        files = await asyncio.to_thread(self.spool.files)
        metrics.spool_files.set(len(files))
        moved = 0
        for start in range(0, len(files), _MOST):
            part = files[start : start + _MOST]
            arrivals = [arrival for path in part if (arrival := _read(path)) is not None]
            async with self._database.connection() as connection:
                await inbox.store_arrivals(connection, arrivals)
            for path in part:
                path.unlink(missing_ok=True)
            moved += len(arrivals)
        self._spooling = False
        if moved:
            for callback in self._stored:
                await callback()
        return moved

    async def note_counts(self) -> None:
        """Write refusals and the accounts heard from to the database, for the health page."""
        refusals, self._refusals = self._refusals, Counter()
        seen, self._seen = self._seen, {}
        if not refusals and not seen:
            return
        async with self._database.writing() as session:
            for (provider, reason), number in refusals.items():
                await health.add_refusals(session, provider, reason, number, self._now())
            await accounts.touch(session, seen)
            await session.commit()
