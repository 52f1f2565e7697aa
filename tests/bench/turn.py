"""Measure a turn of the conversation: a webhook is accepted, and the provider receives the bot's reply."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import orjson
from aiohttp import web

from tests.bench import service
from tests.bench.harness import Figure, Options, Run, VoidError, benchmark, median
from tests.bench.load import Load, request
from tests.bench.service import Service

TURNS = 200
WORDS = "phản ánh"
_PAUSE = 0.03
_LIMIT = 15


class Provider:
    """Take every message at once and remember when the first for each person came."""

    def __init__(self) -> None:
        self.url = ""
        self._reached: dict[str, asyncio.Future[float]] = {}
        self._number = 0

    def reached(self, person: str) -> asyncio.Future[float]:
        """Return the moment at which the first message for somebody comes."""
        return self._reached.setdefault(person, asyncio.get_running_loop().create_future())

    async def answer(self, asked: web.Request) -> web.Response:
        """Say yes to everything."""
        now, body = time.perf_counter(), await asked.read()
        self._number += 1
        data: dict[str, object] = {"message_id": f"m{self._number}"}
        if "/message" in asked.path and asked.method == "POST":
            person = str(orjson.loads(body)["recipient"]["user_id"])
            data["user_id"] = person
            if not self.reached(person).done():
                self.reached(person).set_result(now)
        return web.json_response({"error": 0, "message": "Success", "data": data})


@contextlib.asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    """Run the provider in this process."""
    it = Provider()
    async with listening(it.answer) as it.url:
        yield it


@contextlib.asynccontextmanager
async def listening(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """Answer every request on a port of this machine; gives the address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def turns(it: Service, zalo: Provider, name: str, number: int) -> list[float]:
    """Let so many people, one after the other, write for the first time; returns the seconds each reply took."""
    load = Load(port=it.port, count=number, run=name, app_id=service.APP_ID, oa_id=service.OA, key=service.KEY)
    taken = []
    async with aiohttp.ClientSession() as http:
        for n in range(number):
            person = f"{name}{n}"
            head, _, body = request(load, n, person, WORDS).partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
            taken.append(await one_turn(http, f"{it.url}/webhooks/zalo", body, headers, zalo.reached(person)))
            await asyncio.sleep(_PAUSE)
    return taken


async def one_turn(
    http: aiohttp.ClientSession, url: str, body: bytes | str, headers: dict[str, str], reached: asyncio.Future[float]
) -> float:
    """Send one webhook; returns the seconds from its acknowledgement until `reached`. Raises VoidError."""
    async with http.post(url, data=body, headers=headers) as answer:
        if answer.status != web.HTTPOk.status_code:
            raise VoidError(f"the webhook was answered {answer.status}")
        accepted = time.perf_counter()
    try:
        # A reply that is quicker than the acknowledgement took no time at all.
        return max(await asyncio.wait_for(reached, _LIMIT) - accepted, 0.0)
    except TimeoutError:
        raise VoidError(f"no reply within {_LIMIT} s") from None


async def _idle(it: Service, zalo: Provider, options: Options, run: int) -> Run:
    number = options.scaled(TURNS)
    cpu = it.cpu_seconds()
    return summed_up(it, await turns(it, zalo, f"t{run}x", number), cpu)


def summed_up(it: Service, seconds: list[float], cpu: float) -> Run:
    """Return the 95th percentile of turns in ms with details; `cpu` is what the process had used before them."""
    taken, number = sorted(seconds), len(seconds)
    detail = {
        "turns": number, "p50_ms": round(taken[number // 2] * 1e3, 1), "worst_ms": round(taken[-1] * 1e3, 1),
        "cpu_ms_per_turn": round((it.cpu_seconds() - cpu) / number * 1e3, 1),
    }  # fmt: skip
    return Run(taken[number * 95 // 100] * 1e3, detail)


@benchmark("turn.p95_ms")
async def turn(options: Options) -> list[Figure]:
    """Let people write to an idle `loa serve` on SQLite."""
    async with provider() as zalo, service.serve("sqlite", options, zalo.url) as it:
        await turns(it, zalo, "w", 5)
        return [await median("turn.p95_ms", "ms", options, lambda run: _idle(it, zalo, options, run))]
