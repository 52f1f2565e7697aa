"""A process says that it lives and takes its leave; a watcher outside hears of every good round of a job."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import ConfigError
from bot.health import presence
from bot.health.presence import Pings, attended
from bot.runtime import Runtime
from bot.store import health, processes
from bot.store.processes import ProcessRow
from handlers.machines import answering
from tests.runtime_fixtures import Clock
from tests.servers.run import free_port


class Watcher:
    """A watcher elsewhere: what it heard, and whether it can be reached."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.status = 200

    async def hear(self, request: web.Request) -> web.Response:
        self.heard.append(request.match_info["job"])
        return web.Response(status=self.status)


@pytest.fixture
async def watcher(runtime: Runtime) -> AsyncIterator[Watcher]:
    watcher = Watcher()
    app = web.Application()
    app.router.add_get("/ping/{job}", watcher.hear)
    async with TestServer(app) as server:
        url = str(server.make_url("/ping/")) + "{job}"
        runtime.settings = replace(runtime.settings, health=replace(runtime.settings.health, ping_url=url))
        yield watcher


async def seen(runtime: Runtime) -> list[ProcessRow]:
    async with runtime.database.reading() as session:
        return await processes.processes(session)


async def ran(runtime: Runtime, job: str, error: str = "") -> None:
    async with runtime.units_of_work() as uow:
        row = await uow.session.get(health.JobRunRow, job)
        if row is None:
            row = health.JobRunRow(name=job, started_at=uow.now)
            uow.session.add(row)
        if error:
            row.error = error
        else:
            row.finished_at = uow.now


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 - what is waited for stands in the database
            await asyncio.sleep(0.01)


async def test_a_process_is_there_until_it_ends(
    runtime: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "_EVERY_SECONDS", 0.01)
    async with attended(runtime, "web"), attended(runtime, "worker"):
        assert sorted(row.kind for row in await seen(runtime)) == ["web", "worker"]
        clock.forward(hours=5)

        async def both_said_so() -> bool:
            return sum(clock.now - row.seen_at < timedelta(minutes=1) for row in await seen(runtime)) == 2

        await until(both_said_so)
    assert await seen(runtime) == []


async def test_every_good_round_is_told_once(runtime: Runtime, clock: Clock, watcher: Watcher) -> None:
    pings = Pings(runtime)
    assert await pings.tell() == 0
    await ran(runtime, "forget")
    await ran(runtime, "reconcile", error="disk full")
    assert await pings.tell() == 1
    assert await pings.tell() == 0
    clock.forward(minutes=1)
    await ran(runtime, "forget")
    assert await pings.tell() == 1
    assert watcher.heard == ["forget", "forget"]


async def test_a_watcher_that_refuses_is_told_again(runtime: Runtime, watcher: Watcher) -> None:
    pings = Pings(runtime)
    await ran(runtime, "forget")
    watcher.status = 500
    assert await pings.tell() == 0
    watcher.status = 200
    assert await pings.tell() == 1


async def test_only_processes_that_do_jobs_tell(
    runtime: Runtime, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "_EVERY_SECONDS", 0.01)
    await ran(runtime, "forget")
    async with attended(runtime, "web"):
        clock_before = (await seen(runtime))[0].seen_at

        async def again() -> bool:
            return (await seen(runtime))[0].seen_at > clock_before

        await until(again)
    assert watcher.heard == []

    async def heard() -> bool:
        return watcher.heard == ["forget"]

    async with attended(runtime, "worker"):
        await until(heard)


async def test_a_worker_answers_machines_on_its_own_port(runtime: Runtime) -> None:
    port = free_port()
    runtime.settings = replace(runtime.settings, health=replace(runtime.settings.health, port=port))
    async with answering(runtime):
        for path, words in (("healthz", "ok"), ("readyz", "ready"), ("metrics", "loa_backlog")):
            async with runtime.http.get(f"http://127.0.0.1:{port}/{path}") as answer:
                assert answer.status == 200
                assert words in await answer.text()
        async with runtime.http.get(f"http://127.0.0.1:{port}/login") as answer:
            assert answer.status == 404
        with pytest.raises(ConfigError, match="cannot be used"):
            async with answering(runtime):
                pass
