"""Measure how long after a wake-up its job starts, in the same process and in another one over Redis."""

import asyncio
import time

from bot import config
from bot.runtime import Runtime, opened
from jobs import worker
from tests.bench import service
from tests.bench.harness import Figure, Options, Run, benchmark, median

WAKES = 300
_PAUSE = 0.02
_JOB = "close_answered"
_LIMIT = 5


class _Started:
    """A job that notes when it began."""

    def __init__(self) -> None:
        self.at = 0.0
        self.news = asyncio.Event()

    async def __call__(self, _runtime: Runtime) -> int:
        self.at = time.perf_counter()
        self.news.set()
        return 0

    async def lag(self, web: Runtime) -> float:
        self.news.clear()
        begun = time.perf_counter()
        await web.queue.wake(_JOB)
        await asyncio.wait_for(self.news.wait(), _LIMIT)
        return self.at - begun


async def _heard(web: Runtime) -> None:
    async with asyncio.timeout(_LIMIT):
        while not (await web.queue.redis.pubsub_numsub("loa:wakes"))[0][1]:  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.01)


async def _once(kind: str, options: Options) -> Run:
    embedded = kind == "embedded"
    database = "sqlite" if embedded else "postgres"
    configuration, _port, _url = await service.prepared(database, options, "http://127.0.0.1:1", embedded=embedded)
    settings, job = config.load(configuration), _Started()
    real, worker.REGISTERED[_JOB] = worker.REGISTERED[_JOB], job
    try:
        async with opened(settings) as web, opened(settings) as other:
            home = web if embedded else other
            async with worker.working(home, alone=embedded):
                if not embedded:
                    await _heard(web)
                lags = []
                for _ in range(options.scaled(WAKES, 30)):
                    lags.append(await job.lag(web))
                    await asyncio.sleep(_PAUSE)
    finally:
        worker.REGISTERED[_JOB] = real
    lags.sort()
    p95 = lags[int(len(lags) * 0.95)] * 1000
    return Run(p95, {"wakes": len(lags), "p50_ms": round(lags[len(lags) // 2] * 1000, 2)})


@benchmark("wake.embedded.p95_ms")
async def embedded(options: Options) -> list[Figure]:
    """Wake a job in the same process."""
    return [await median("wake.embedded.p95_ms", "ms", options, lambda _: _once("embedded", options))]


@benchmark("wake.redis.p95_ms")
async def redis(options: Options) -> list[Figure]:
    """Wake a job of another runtime over Redis."""
    return [await median("wake.redis.p95_ms", "ms", options, lambda _: _once("redis", options))]
