"""Measure how peers take webhooks: FastAPI with a commit each, Flask with Celery, aiogram's own server."""

import asyncio
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import aiohttp
import asyncpg
import redis

from tests.bench import service
from tests.bench.harness import Figure, Options, Run, VoidError, benchmark, median
from tests.bench.load import Load, Seen
from tests.bench.peers.environments import environment, versions
from tests.bench.peers.program import PeerProgram, empty_redis, free_port, new_folder, running
from tests.servers import postgres_server

COUNT, AIOGRAM_COUNT, WARM_UP = 8_000, 20_000, 1_000
SETTLE_SECONDS = 10
Offer = Callable[[PeerProgram, int], Awaitable[Seen]]
Count = Callable[[PeerProgram], Awaitable[int]]


async def _zalo(peer: PeerProgram, count: int) -> Seen:
    return await service.offer(peer, count=count)


async def _telegram(peer: PeerProgram, count: int) -> Seen:
    load = Load(peer.port, count, "t", service.APP_ID, service.OA, service.KEY, core=service.cores()[1])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.peers.telegram_load", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    out, _ = await process.communicate(json.dumps(asdict(load)).encode())
    return Seen(**json.loads(out))


async def _one(
    options: Options, command: list[str], settings: Mapping[str, str], folder: Path, port: int, count: int,
    kept: Count, offer: Offer = _zalo,
) -> Run:  # fmt: skip
    """Start the peer, warm it up, load it, and compare what it kept with what it acknowledged."""
    requests = options.scaled(count)
    async with running(command, {"PEER_SECRET": service.KEY, **settings}, folder, port) as peer:
        await peer.ready()
        warm = await offer(peer, options.scaled(WARM_UP))
        cpu = peer.cpu_seconds()
        seen = await offer(peer, requests)
        cpu = peer.cpu_seconds() - cpu
        await _balance(kept, peer, warm.acknowledged + seen.acknowledged)
    detail = {
        "requests": requests, "cpu_us_per_request": round(cpu / requests * 1e6, 1), "connections": 64,
        "p50_ms": round(seen.p50 * 1e3, 2), "p99_ms": round(seen.p99 * 1e3, 2),
    }  # fmt: skip
    return Run(seen.measured / seen.seconds, detail)


async def _balance(kept: Count, peer: PeerProgram, acknowledged: int) -> None:
    """Wait for what the peer does after its answer; raises VoidError when the numbers never agree."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while (stored := await kept(peer)) != acknowledged:
        if time.monotonic() > deadline:
            raise VoidError(f"{stored} kept for {acknowledged} acknowledgements")
        await asyncio.sleep(0.05)


async def _fastapi(options: Options, folder: Path, url: str, connections: int, kept: Count) -> Run:
    port = free_port()
    command = [
        str(environment("fastapi") / "uvicorn"), "fastapi_app:app", "--host", "127.0.0.1", "--port", str(port),
        "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip
    settings = {"PEER_DATABASE": url, "PEER_CONNECTIONS": str(connections)}
    return await _one(options, command, settings, folder, port, COUNT, kept)


@benchmark("peer.fastapi.sqlite.rps")
async def fastapi_sqlite(options: Options) -> list[Figure]:
    """FastAPI, uvicorn and async SQLAlchemy, a commit each: SQLite in WAL mode, synchronous=FULL, one connection."""

    async def once(_: int) -> Run:
        folder = new_folder(options)

        async def rows(_: PeerProgram) -> int:
            with closing(sqlite3.connect(folder / "peer.db")) as connection:
                return int(connection.execute("SELECT count(*) FROM events").fetchone()[0])

        # SQLite has one writer at a time; with more connections they wait for its lock in sleeps and are slower.
        return await _fastapi(options, folder, f"sqlite+aiosqlite:///{folder}/peer.db", 1, rows)

    return [_told(await median("peer.fastapi.sqlite.rps", "1/s", options, once), "fastapi", *_FASTAPI, "aiosqlite")]


@benchmark("peer.fastapi.postgres.rps")
async def fastapi_postgres(options: Options) -> list[Figure]:
    """Do the same on PostgreSQL, fsync and synchronous_commit on, with a pool of 10 connections."""

    async def once(number: int) -> Run:
        server = postgres_server.durable()
        folder, name = new_folder(options), f"peer_fastapi_{number}"
        url = await server.create(name, "template0")

        async def rows(_: PeerProgram) -> int:
            connection = await asyncpg.connect(url)
            try:
                return int(await connection.fetchval("SELECT count(*) FROM events"))
            finally:
                await connection.close()

        try:
            return await _fastapi(options, folder, url.replace("postgresql:", "postgresql+asyncpg:"), 10, rows)
        finally:
            await server.drop(name)

    return [_told(await median("peer.fastapi.postgres.rps", "1/s", options, once), "fastapi", *_FASTAPI, "asyncpg")]


@benchmark("peer.flask_celery.rps")
async def flask_celery(options: Options) -> list[Figure]:
    """Flask in gunicorn, one worker with 16 threads, each event a Celery task in Redis (in memory, not synced)."""

    async def once(_: int) -> Run:
        folder, port, url = new_folder(options), free_port(), empty_redis()
        command = [
            str(environment("celery") / "gunicorn"), "--workers", "1", "--threads", "16", "--worker-class", "gthread",
            "--keep-alive", "75", "--bind", f"127.0.0.1:{port}", "--log-level", "warning", "flask_app:app",
        ]  # fmt: skip

        async def queued(_: PeerProgram) -> int:
            with redis.Redis.from_url(url) as client:
                length = client.llen("celery")
                assert isinstance(length, int)
                return length

        return await _one(options, command, {"PEER_REDIS": url}, folder, port, COUNT, queued)

    figure = await median("peer.flask_celery.rps", "1/s", options, once)
    return [_told(figure, "celery", "flask", "gunicorn", "celery", "redis")]


@benchmark("peer.aiogram.rps")
async def aiogram(options: Options) -> list[Figure]:
    """Take updates by aiogram's SimpleRequestHandler as it comes, a handler that does nothing: nothing is kept."""

    async def once(_: int) -> Run:
        folder, port = new_folder(options), free_port()
        command = [str(environment("aiogram") / "python"), "aiogram_app.py", str(port)]

        async def handled(peer: PeerProgram) -> int:
            async with aiohttp.ClientSession() as http, http.get(f"{peer.url}/healthz") as answer:
                return int((await answer.json())["handled"])

        return await _one(options, command, {}, folder, port, AIOGRAM_COUNT, handled, _telegram)

    figure = await median("peer.aiogram.rps", "1/s", options, once)
    return [_told(figure, "aiogram", "aiogram", "aiohttp", "uvloop")]


_FASTAPI = ("fastapi", "uvicorn", "sqlalchemy", "uvloop", "httptools")


def _told(figure: Figure, name: str, *packages: str) -> Figure:
    """Put the versions of a peer into its figure."""
    figure.detail["versions"] = versions(name, *packages)
    return figure
