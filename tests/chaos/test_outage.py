"""R2: while PostgreSQL is away webhooks go to the disk; where that is full they are refused and come again."""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chaos import town
from tests.chaos.rounds import TIME_SCALE, Game, game
from tests.chaos.servers import OwnPostgres, OwnRedis

AWAY_SECONDS = float(os.environ.get("CHAOS_AWAY_SECONDS") or 3)
"""Also the time that is needed for a minute: CHAOS_AWAY_SECONDS=60."""
LIMIT = 90.0
DYING_MS, NOTICED_MS = 500, 2000
"""How long it takes until the database is really away, and until its return is noticed."""
FULL_DISK = ("--largest-file", "0")


@pytest.fixture
def postgres() -> OwnPostgres:
    server = OwnPostgres()
    server.start()
    return server


@pytest.fixture
async def played(postgres: OwnPostgres, tmp_path: Path) -> AsyncIterator[Game]:
    """Give two web processes, the second with a full disk, and two workers, on a PostgreSQL that may be stopped."""
    url = await postgres.create("loa")
    await town.prepare(url)
    redis = OwnRedis()
    redis.start()
    async with game(
        tmp_path / "service", url, redis, seed=1, extra={1: FULL_DISK}, time_scale=min(TIME_SCALE, 3600 / AWAY_SECONDS)
    ) as it:  # Zalo's repeats last longer than the outage, or it would rightly switch the webhook off
        yield it
    redis.stop()
    postgres.stop()


@pytest.mark.processes
@pytest.mark.timeout(AWAY_SECONDS + 4 * LIMIT)
async def test_nothing_is_lost_while_postgresql_is_away(played: Game, postgres: OwnPostgres) -> None:
    crowd = asyncio.create_task(played.crowd.gather(random.Random(1), 8))
    deliveries = played.simulator.provider.webhooks.deliveries
    await played.simulator.wait(lambda: len(deliveries) > 20, 30)
    await asyncio.to_thread(postgres.stop)
    began = played.simulator.provider.clock.now_ms()
    more = asyncio.create_task(played.crowd.gather(random.Random(2), 8))
    await asyncio.sleep(AWAY_SECONDS)  # the outage itself, not a wait for something
    ended = played.simulator.provider.clock.now_ms()
    await asyncio.to_thread(postgres.start)
    back = played.simulator.provider.clock.now_ms()
    await asyncio.gather(crowd, more)
    tried = [a["status"] for d in deliveries for a in d.attempts if began + 500 < a["at_ms"] < ended - 500]
    await played.come_to_rest(LIMIT)
    await played.check(1, ["PostgreSQL away"], [(began - DYING_MS, back + NOTICED_MS)])
    assert 200 in tried, "where there is room on the disk, webhooks are acknowledged all the same"
    assert 503 in tried, "where there is none, they are refused"
