"""Measure how long the service takes from the start of its process until it can serve, with much waiting for it."""

import time
from datetime import UTC, datetime

from bot.store.arrivals import Arrival, store_arrivals
from bot.store.database import Database
from tests.bench import service
from tests.bench.harness import Figure, Options, Run, VoidError, benchmark, median
from tests.bench.load import Load, request

WAITING = 100_000
_BATCH = 5_000


async def _fill(url: str, number: int) -> None:
    """Put webhooks of many people into the inbox, as if nobody had handled them for a while."""
    load = Load(port=1, count=number, run="s", app_id=service.APP_ID, oa_id=service.OA, key=service.KEY)
    now, event = datetime.now(UTC), "user_send_text"
    database = Database(url)
    try:
        for start in range(0, number, _BATCH):
            part = range(start, min(start + _BATCH, number))
            bodies = [request(load, n).partition(b"\r\n\r\n")[2] for n in part]
            batch = [
                Arrival("zalo", service.OA, event, f"{event}:s{n}", f"{n % 5000}", body, now, now, known=True)
                for n, body in zip(part, bodies, strict=True)
            ]
            await store_arrivals(database, batch, "bench")
    finally:
        await database.close()


async def _start(options: Options) -> Run:
    configuration, port, url = await service.prepared("sqlite", options, "http://127.0.0.1:1", embedded=True)
    number = options.scaled(WAITING)
    await _fill(url, number)
    begun = time.perf_counter()
    it = await service.launch(["bot", "serve"], configuration, port, url)
    try:
        await it.ready("/readyz")
        seconds, cpu = time.perf_counter() - begun, it.cpu_seconds()
        if await service.rows(it) != number:
            raise VoidError("the inbox does not hold what was put into it")
    finally:
        await it.stop()
    return Run(seconds, {"waiting": number, "cpu_s": round(cpu, 2)})


@benchmark("start.s")
async def start(options: Options) -> list[Figure]:
    """Start `loa serve` on SQLite until /readyz says 200."""
    return [await median("start.s", "s", options, lambda _: _start(options))]
