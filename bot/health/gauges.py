"""Measure for /metrics how much waits and for how long: a few counts over indexes, at most once in some seconds."""

import asyncio
from datetime import datetime, timedelta

from bot import metrics
from bot.health.broadcasts import last_progress
from bot.health.machine import spooled_bytes
from bot.logs import logger
from bot.runtime import Runtime
from bot.store import books, health, inbox, outbox_figures, waiting
from bot.store.database import DATABASE_ERRORS, Session
from bot.store.outbox import LANES
from bot.store.waiting import Waiting

_log = logger("metrics")
_FRESH = timedelta(seconds=5)
_SECONDS = 5


class Gauges:
    """Set the gauges of this process; those of the database are the same in every process that shares it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._read_at: datetime | None = None
        self._reading = asyncio.Lock()

    async def refresh(self) -> None:
        """Set every gauge anew unless that was done just now; a database that is down only sets loa_database_up."""
        async with self._reading:
            now = self._runtime.now()
            if self._read_at is not None and timedelta(0) <= now - self._read_at < _FRESH:
                return
            self._read_at = now
            spool = self._runtime.intake.spool
            metrics.spool_files.set(len(await asyncio.to_thread(spool.files)))
            metrics.spool_bytes.set(await asyncio.to_thread(spooled_bytes, spool))
            try:
                async with asyncio.timeout(_SECONDS), self._runtime.database.reading() as session:
                    await _measure(session, now)
            except DATABASE_ERRORS as error:
                _log.warning("ages and backlogs were not read", error=type(error).__name__)
                metrics.database_up.set(0)
            else:
                metrics.database_up.set(1)


async def _measure(session: Session, now: datetime) -> None:
    counts = await inbox.open_counts(session)
    number = counts.get("new", 0) + counts.get("handling", 0)
    _set("inbox", Waiting(number, await inbox.oldest_open(session)), now)
    metrics.parked.set(counts.get("parked", 0))
    looked = await books.last_result(session, "books")
    metrics.books_differences.set(len(looked.found) if looked else 0)
    for name, found in (await _lanes(session, now)).items():
        _set(name, found, now)
    _set("doubt", await waiting.in_doubt(session, now), now)
    _set("broadcast_doubt", await waiting.deliveries_in_doubt(session), now)
    _set("conversations", await waiting.conversations_due(session, now), now)
    _set("attachments", await waiting.attachments_due(session, now), now)
    for name, run in (await health.job_runs(session)).items():
        if run.finished_at is not None:
            metrics.job_age.labels(name).set((now - run.finished_at).total_seconds())


async def _lanes(session: Session, now: datetime) -> dict[str, Waiting]:
    """Return what waits in each lane; in the last one also the recipients of broadcasts, since the last progress."""
    counts, oldest = await outbox_figures.open_counts(session), await outbox_figures.oldest_due(session, now)
    lanes = {
        name: Waiting(sum(counts.get((lane, state), 0) for state in ("queued", "sending")), oldest.get(lane))
        for name, lane in LANES.items()
    }
    left = await waiting.left_over(session)
    running = [row for row in await waiting.open_broadcasts(session) if row.state == "running"]
    many = lanes["broadcast"]
    since = [last_progress(row) for row in running] + ([many.since] if many.since else [])
    number = many.number + sum(left.get(row.id or 0, 0) for row in running)
    return lanes | {"broadcast": Waiting(number, min(since, default=None))}


def _set(name: str, found: Waiting, now: datetime) -> None:
    metrics.queue_age.labels(name).set(found.age(now).total_seconds())
    metrics.backlog.labels(name).set(found.number)
