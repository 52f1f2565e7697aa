"""Play many rounds: python -m tests.chaos --rounds 200 [--seed N] [--database sqlite|postgres|both] [--bent]."""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.chaos import town
from tests.chaos.rounds import game
from tests.chaos.servers import OwnRedis
from tests.servers import postgres_server, run

ROUNDS_A_GAME = 10
"""After so many rounds the database is a new one, so that the books stay quick to compare."""


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make chaos", description="Rounds of chaos; every seed is printed.")
    parser.add_argument("--rounds", type=int, default=200, help="in all")
    parser.add_argument("--seed", type=int, help="of the first round; the next ones count on")
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long things break in a round")
    parser.add_argument("--people", type=int, default=25, help="citizens in a round")
    parser.add_argument("--limit", type=float, default=240.0, help="seconds in which everything must come to rest")
    parser.add_argument("--bent", action="store_true", help="with leases and sweepers of seconds, as in make test")
    return parser.parse_args()


async def play(given: argparse.Namespace) -> int:
    """Play; returns how many games failed, each of which ends with its first unbalanced round."""
    first = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    kinds = ("sqlite", "postgres") if given.database == "both" else (given.database,)
    begun, played, failed = time.monotonic(), 0, 0
    while played < given.rounds:
        kind = kinds[played // ROUNDS_A_GAME % len(kinds)]
        number = min(ROUNDS_A_GAME, given.rounds - played)
        try:
            await _game(given, kind, first + played, number)
        except Exception:  # noqa: BLE001 - whatever a round met, the others are played and the sum says so
            failed += 1
            _say(traceback.format_exc())
        played += number
    _say(f"{played} rounds from seed {first} in {time.monotonic() - begun:.0f} s: {failed} games failed")
    return failed


async def _game(given: argparse.Namespace, kind: str, seed: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="loa-chaos-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        redis = None
        if kind == "postgres":
            server, database = postgres_server.running(), f"chaos_{seed}"
            url = await server.create(database, await server.template(town.prepare))
            redis = OwnRedis()
            redis.start()
        else:
            url = f"sqlite:///{folder}/loa.db"
            await town.prepare(url)
        async with game(folder / "service", url, redis, seed=seed, bent=given.bent) as it:
            it.throttles = True
            for number in range(rounds):
                played = await it.play(
                    seed + number, number=seed + number, seconds=given.seconds, people=given.people, limit=given.limit
                )
                _say(f"{kind} {played}")
        if redis is not None:
            redis.stop()
            await server.drop(database)


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # killed processes leave requests half said
    run.begin()
    try:
        failures = asyncio.run(play(arguments()))
    finally:
        run.end()
    sys.exit(1 if failures else 0)
