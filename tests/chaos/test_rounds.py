"""Rounds of chaos: nothing is lost, nothing comes twice, order is kept, whatever breaks."""

import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chaos.rounds import Game, game
from tests.chaos.servers import OwnRedis

ROUNDS = 5
SECONDS = 2.5
PEOPLE = 8
LIMIT = 60.0


@pytest.fixture
async def played(database_url: str, tmp_path: Path) -> AsyncIterator[Game]:
    """Give a running service on either database."""
    redis = None
    if database_url.startswith("postgres"):
        redis = OwnRedis()
        redis.start()
    async with game(tmp_path / "service", database_url, redis, seed=_seed()) as it:
        yield it
    if redis is not None:
        redis.stop()


def _seed() -> int:
    """Return the seed that the environment names, else a new one each time: a flaw should not hide from luck."""
    return int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(10**6))


@pytest.mark.processes
@pytest.mark.timeout(400)
async def test_the_books_balance_after_each_round(played: Game, capsys: pytest.CaptureFixture[str]) -> None:
    """After a failure: CHAOS_SEED=<seed> pytest tests/chaos/test_rounds.py, or make chaos SEED=<seed> ARGS=--bent."""
    seed = _seed()
    for number in range(ROUNDS):
        done = await played.play(seed + number, number=number * 3, seconds=SECONDS, people=PEOPLE, limit=LIMIT)
        with capsys.disabled():
            print(f"\n{done}", end="")  # noqa: T201 - the seed of a round must be known afterwards
