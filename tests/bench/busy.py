"""Measure turns of the conversation while a broadcast of 100 000 messages leaves through the same process."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
from aiohttp import web

from bot import config
from bot.runtime import opened
from bot.store.broadcasts import BroadcastRow
from bot.store.database import Database
from tests.bench import send, service, telegram
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


Turn = Callable[[aiohttp.ClientSession, Service, int], Awaitable[float]]
"""Let the person with this number write for the first time; returns the seconds until the reply."""


async def _once(options: Options, fake: send.Fake, prepared: tuple[Path, int, str], turn: Turn) -> Run:
    """Begin a broadcast, start the service, and let people write until it is through."""
    configuration, port, url = prepared
    configuration.write_text(configuration.read_text().replace("[zalo]", "[zalo]\napp_per_minute = 0"))
    total = options.scaled(RECIPIENTS)
    async with opened(config.load(configuration)) as runtime:
        number, _ = await send.begun(runtime, await send.people(runtime, total))
    database = Database(url)
    it = await service.launch(["bot", "serve"], configuration, port, url)
    try:
        await it.ready()
        taken = await _turns(it, database, number, turn)
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


async def _turns(it: Service, database: Database, broadcast: int, turn: Turn) -> list[float]:
    taken: list[float] = []
    async with aiohttp.ClientSession() as http:
        while len(taken) < TURNS and not await _finished(database, broadcast):
            taken.append(await turn(http, it, len(taken)))
            await asyncio.sleep(_PAUSE)
    return taken


async def _finished(database: Database, number: int) -> bool:
    async with database.reading() as session:
        row = await session.get(BroadcastRow, number)
    return row is not None and row.finished_at is not None


async def _on_zalo(options: Options, run: int) -> Run:
    async with send.fake_zalo() as fake:

        async def turn(http: aiohttp.ClientSession, it: Service, n: int) -> float:
            accepted = await _write(http, it, f"b{run}x{n}", n)
            return max(await _reached(http, fake, f"b{run}x{n}") - accepted, 0.0)

        return await _once(options, fake, await service.prepared("sqlite", options, fake.url, embedded=True), turn)


async def _on_telegram(options: Options, run: int) -> Run:
    async with send.fake_zalo() as fake, telegram.bot_api() as api:

        async def turn(http: aiohttp.ClientSession, it: Service, n: int) -> float:
            await telegram.connected(api, 1)
            return await telegram.turn_of(http, it, api, service.bot_of(0), (run + 1) * 1_000_000 + n)

        prepared = await service.prepared("sqlite", options, fake.url, embedded=True, bots=1)
        text = prepared[0].read_text()
        prepared[0].write_text(
            text.replace(f'[telegram]\napi_url = "{fake.url}"', f'[telegram]\napi_url = "{api.url}"')
        )
        return await _once(options, fake, prepared, turn)


@benchmark("turn.busy.p95_ms")
async def busy(options: Options) -> list[Figure]:
    """Let people write to an Official Account of `loa serve` on SQLite while it sends."""
    return [await median("turn.busy.p95_ms", "ms", options, lambda run: _on_zalo(options, run))]


@benchmark("turn.telegram.busy.p95_ms")
async def busy_telegram(options: Options) -> list[Figure]:
    """Let people write to a bot of `loa serve` on SQLite while it sends a broadcast to the Official Account's."""
    return [await median("turn.telegram.busy.p95_ms", "ms", options, lambda run: _on_telegram(options, run))]
