"""Agree on one clock, the database's: leases and due times mean the same to every machine that shares it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from sqlalchemy import func, select

from bot.clock import FollowingClock, Now, correct_ids, utc_now
from bot.logs import logger
from bot.store.database import DATABASE_ERRORS, Database

_log = logger("clock")
_EVERY_SECONDS = 30.0
_ASKED = 3
LOUD = timedelta(seconds=5)
"""A clock that is wrong by more is worth a word: everything else on that machine reads it too."""


async def ahead(database: Database, local: Now) -> timedelta:
    """Return how far PostgreSQL's clock is ahead of `local`; nothing for SQLite, which has none of its own.

    Of several answers the one that took least is believed, as read in the middle of its time on the way; a difference
    within that time may be the way's and counts as none.
    """
    if database.is_sqlite:
        return timedelta(0)
    answers: list[tuple[timedelta, timedelta]] = []
    async with database.connection() as connection:
        for _ in range(_ASKED):
            before = local()
            theirs: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
            took = local() - before
            answers.append((took, theirs - (before + took / 2)))
    took, found = min(answers)
    return found if abs(found) > took else timedelta(0)


@contextlib.asynccontextmanager
async def followed(database: Database, local: Now) -> AsyncIterator[FollowingClock]:
    """Give a clock that follows the database's, measured at once and every half minute until left."""
    clock = FollowingClock(local)
    await _measure(database, clock)
    measuring = asyncio.create_task(_measure_for_ever(database, clock))
    try:
        yield clock
    finally:
        measuring.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await measuring


async def _measure(database: Database, clock: FollowingClock) -> None:
    clock.offset = await ahead(database, clock.local)
    if clock.local is utc_now:
        correct_ids(clock.offset)
    if abs(clock.offset) > LOUD:
        _log.warning("this machine's clock is wrong, the database's is used", seconds=clock.offset.total_seconds())


async def _measure_for_ever(database: Database, clock: FollowingClock) -> None:
    while True:
        await asyncio.sleep(_EVERY_SECONDS)
        try:
            await _measure(database, clock)
        except DATABASE_ERRORS as error:
            _log.warning("the database's clock was not read", error=type(error).__name__)
