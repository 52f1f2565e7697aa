"""Measure the way in: signed events acknowledged only after a durable write, and the server's ceiling without one."""

from tests.bench import service
from tests.bench.harness import Figure, Options, Run, VoidError, benchmark, median
from tests.bench.service import Service

COUNT = 60_000
PACED_PER_SECOND, PACED_SECONDS = 2_000, 10


async def _closed(web: Service, options: Options, *, kept: bool) -> Run:
    """Send as fast as answered; rows must equal acknowledgements when the webhooks are kept."""
    count = options.scaled(COUNT)
    before, cpu = (await service.rows(web) if kept else 0), web.cpu_seconds()
    seen = await service.offer(web, count=count)
    cpu = web.cpu_seconds() - cpu
    await _balance(web, before, seen.acknowledged if kept else 0)
    detail = {
        "requests": count, "cpu_us_per_request": round(cpu / count * 1e6, 1), "connections": 64,
        "p50_ms": round(seen.p50 * 1e3, 2), "p99_ms": round(seen.p99 * 1e3, 2),
    }  # fmt: skip
    return Run(seen.measured / seen.seconds, detail)


async def _balance(web: Service, before: int, acknowledged: int) -> None:
    stored = await service.rows(web) - before
    if stored != acknowledged:
        raise VoidError(f"{stored} rows for {acknowledged} acknowledgements")


async def _paced(web: Service, options: Options) -> Run:
    """Send at a steady rate; the time counts from the moment a request was due."""
    count = options.scaled(PACED_PER_SECOND * PACED_SECONDS)
    before, cpu = await service.rows(web), web.cpu_seconds()
    seen = await service.offer(web, count=count, rate=PACED_PER_SECOND)
    cpu = web.cpu_seconds() - cpu
    await _balance(web, before, seen.acknowledged)
    detail = {
        "rate": PACED_PER_SECOND, "requests": count, "cpu_us_per_request": round(cpu / count * 1e6, 1),
        "p50_ms": round(seen.p50 * 1e3, 2), "worst_ms": round(seen.worst * 1e3, 2),
    }  # fmt: skip
    return Run(seen.p99 * 1e3, detail)


async def _both(kind: str, options: Options) -> list[Figure]:
    async with service.web(kind, options) as web:
        await service.offer(web, count=options.scaled(10_000))
        rps = await median(f"ingest.{kind}.rps", "1/s", options, lambda _: _closed(web, options, kept=True))
        p99 = await median(f"ingest.{kind}.p99_ms", "ms", options, lambda _: _paced(web, options))
    return [rps, p99]


@benchmark("ingest.bare.rps")
async def bare(options: Options) -> list[Figure]:
    """Answer after signature check and parse, without writing."""
    async with service.web("sqlite", options, bare=True) as web:
        await service.offer(web, count=options.scaled(10_000))
        return [await median("ingest.bare.rps", "1/s", options, lambda _: _closed(web, options, kept=False))]


@benchmark("ingest.sqlite.rps", "ingest.sqlite.p99_ms")
async def sqlite(options: Options) -> list[Figure]:
    """Keep webhooks in SQLite, synchronous=FULL."""
    return await _both("sqlite", options)


@benchmark("ingest.postgres.rps", "ingest.postgres.p99_ms")
async def postgres(options: Options) -> list[Figure]:
    """Keep webhooks in PostgreSQL, fsync and synchronous_commit on."""
    return await _both("postgres", options)
