"""Web and worker as real processes, and both in one: each is there, is scraped, and takes its leave.

They are started as in life, each with an interpreter of its own; other tests fork (tests/servers/starter.py).
"""

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot.config import Settings
from bot.store import processes
from bot.store.database import Database
from tests.process import READY_SECONDS, ServiceProcess, command, write_config
from tests.servers.run import free_port

pytestmark = pytest.mark.processes


@asynccontextmanager
async def running(service: ServiceProcess, kind: str, port: int) -> AsyncIterator[aiohttp.ClientSession]:
    """Start `loa <kind>` answering machines on a port, and end it politely."""
    text = service.config.read_text()
    path = service.config.with_name(f"{kind}.toml")
    path.write_text(re.sub(r"(?m)^port = \d+$", f"port = {port}", text, count=1) + f"[health]\nport = {port}\n")
    with path.with_suffix(".log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", kind, "--config", str(path), stdout=log, stderr=log
        )
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        try:
            async with asyncio.timeout(READY_SECONDS):
                while not await _answers(http):
                    assert process.returncode is None, path.with_suffix(".log").read_text()[-3000:]
                    await asyncio.sleep(0.05)
            yield http
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), 30)


async def _answers(http: aiohttp.ClientSession) -> bool:
    try:
        async with http.get("/healthz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def kinds(database: Database) -> list[str]:
    async with database.reading() as session:
        return sorted(row.kind for row in await processes.processes(session))


async def one_alone(service: ServiceProcess, database: Database) -> None:
    """Several processes need PostgreSQL and Redis; without them one does all."""
    async with running(service, "serve", free_port()) as http:
        assert await kinds(database) == ["serve"]
        for page in ("/metrics", "/readyz", "/login"):
            async with http.get(page) as answer:
                assert answer.status == 200, page
    assert await kinds(database) == []


async def test_every_process_is_seen_and_scraped(settings: Settings, database: Database, tmp_path: Path) -> None:
    service = write_config(tmp_path, settings.database.url, settings.queue.url, "http://127.0.0.1:1")
    if database.is_sqlite:
        await one_alone(service, database)
        return
    async with (
        running(service, "worker", free_port()) as worker,
        running(service, "web", free_port()) as web,
    ):
        assert await kinds(database) == ["web", "worker"]
        for http in (worker, web):
            async with http.get("/metrics") as answer:
                assert re.search(r"^loa_database_up 1\.0$", await answer.text(), re.MULTILINE)
            async with http.get("/readyz") as answer:
                assert answer.status == 200
        async with worker.get("/login") as answer:
            assert answer.status == 404
        async with web.get("/login") as answer:
            assert answer.status == 200
        assert json.loads(await command(service, "reconcile", "--json"))["add_up"] is True
    assert await kinds(database) == []
