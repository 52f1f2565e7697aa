"""Measure turns of the conversation while a broadcast of 100 000 messages leaves through the same process."""

import asyncio
import time

import aiohttp
from aiohttp import web

from bot import config
from bot.runtime import opened
from bot.store.broadcasts import BroadcastRow
from bot.store.database import Database
from tests.bench import send, service
from tests.bench.harness import Figure, Options, Run, VoidError, benchmark, median
from tests.bench.load import Load, request
from tests.bench.service import Service

RECIPIENTS = 100_000
TURNS = 60
WORDS = "phản ánh"
_PAUSE = 0.05
_LIMIT = 30


async def _write(http: aiohttp.ClientSession, it: Service, person: str, n: int) -> float:
    """Let somebody write for the first time; returns when the webhook was accepted (monotonic seconds)."""
    load = Load(port=it.port, count=1, run="b", app_id=service.APP_ID, oa_id=service.OA, key=service.KEY)
    head, _, body = request(load, n, person, WORDS).partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    async with http.post(f"{it.url}/webhooks/zalo", data=body, headers=headers) as answer:
        if answer.status != web.HTTPOk.status_code:
            raise VoidError(f"the webhook was answered {answer.status}")
        return time.monotonic()


async def _reached(http: aiohttp.ClientSession, fake: send.Fake, person: str) -> float:
    """Wait for somebody's first message; returns when it came."""
    async with asyncio.timeout(_LIMIT):
        while True:
            async with http.get(f"{fake.url}/reached") as answer:
                found = await answer.json(content_type=None)
            if person in found:
                return float(found[person])
            await asyncio.sleep(0.02)


async def _once(kind: str, options: Options, run: int) -> Run:
    total, taken = options.scaled(RECIPIENTS), list[float]()
    async with send.fake_zalo() as fake:
        configuration, port, url = await service.prepared(kind, options, fake.url, embedded=kind == "sqlite")
        configuration.write_text(configuration.read_text().replace("[zalo]", "[zalo]\napp_per_minute = 0"))
        async with opened(config.load(configuration)) as runtime:
            number, _ = await send.begun(runtime, await send.people(runtime, total))
        database = Database(url)
        it = await service.launch(["bot", "serve"], configuration, port, url)
        try:
            await it.ready()
            async with aiohttp.ClientSession() as http:
                for n in range(TURNS):
                    if await _finished(database, number):
                        break
                    accepted = await _write(http, it, f"b{run}x{n}", n)
                    taken.append(max(await _reached(http, fake, f"b{run}x{n}") - accepted, 0.0))
                    await asyncio.sleep(_PAUSE)
            await send.finished(database, number)
            per_second = await send.rate(database, number, fake, total)
        finally:
            await it.stop()
            await database.close()
    if len(taken) < options.scaled(TURNS) // 3:
        raise VoidError(f"the broadcast was through after {len(taken)} turns")
    taken.sort()
    detail = {
        "turns": len(taken), "p50_ms": round(taken[len(taken) // 2] * 1e3, 1), "worst_ms": round(taken[-1] * 1e3, 1),
        "recipients": total, "sends_per_s": round(per_second),
    }  # fmt: skip
    return Run(taken[len(taken) * 95 // 100] * 1e3, detail)


async def _finished(database: Database, number: int) -> bool:
    async with database.reading() as session:
        row = await session.get(BroadcastRow, number)
    return row is not None and row.finished_at is not None


@benchmark("turn.busy.p95_ms")
async def busy(options: Options) -> list[Figure]:
    """Let people write to `loa serve` on SQLite while it sends."""
    return [await median("turn.busy.p95_ms", "ms", options, lambda run: _once("sqlite", options, run))]
