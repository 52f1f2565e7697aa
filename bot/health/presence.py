"""Say that this process is alive, and tell a watcher outside after each good round of a periodic job."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from datetime import datetime

import aiohttp

from bot.clock import new_id
from bot.logs import logger
from bot.runtime import Runtime
from bot.store import health, processes
from bot.store.database import DATABASE_ERRORS
from bot.store.processes import ProcessRow

_log = logger("presence")
_EVERY_SECONDS = 20.0
_PING_SECONDS = 5


@contextlib.asynccontextmanager
async def attended(runtime: Runtime, kind: str) -> AsyncIterator[None]:
    """Keep this process on the health page until left; `kind` is web | worker | serve.

    One that does jobs also calls `[health] ping_url`, so that somebody outside notices when a job stops.
    """
    now = runtime.now()
    process = ProcessRow(
        id=new_id(), kind=kind, host=socket.gethostname(), pid=os.getpid(), started_at=now, seen_at=now
    )
    pings = Pings(runtime) if kind != "web" and runtime.settings.health.ping_url else None
    await _alive(runtime, process)
    task = asyncio.create_task(_stay(runtime, process, pings))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        with contextlib.suppress(*DATABASE_ERRORS):
            async with runtime.units_of_work() as uow:
                await processes.leave(uow.session, process.id)


async def _stay(runtime: Runtime, process: ProcessRow, pings: "Pings | None") -> None:
    while True:
        await asyncio.sleep(_EVERY_SECONDS)
        await _alive(runtime, process)
        if pings is not None:
            await pings.tell()


async def _alive(runtime: Runtime, process: ProcessRow) -> None:
    try:
        async with runtime.units_of_work() as uow:
            await processes.say_alive(uow.session, process, uow.now)
            living = await processes.processes(uow.session)
    except DATABASE_ERRORS as error:
        _log.warning("nobody was told that this process lives", error=type(error).__name__)
    else:
        ages = {row.id: (uow.now - row.started_at).total_seconds() for row in living}
        await runtime.budget.share_among(process.id, ages)


class Pings:
    """Call an address after each good round of a periodic job (dead man's switch): silence is the alarm."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._told: dict[str, datetime] = {}

    async def tell(self) -> int:
        """Call the address of every job that has ended well since it was called last; returns how many were told."""
        try:
            async with self._runtime.database.reading() as session:
                runs = await health.job_runs(session)
        except DATABASE_ERRORS as error:
            _log.warning("job runs were not read", error=type(error).__name__)
            return 0
        ended = {name: run.finished_at for name, run in runs.items() if run.finished_at is not None}
        fresh = [(name, at) for name, at in ended.items() if self._told.get(name) != at]
        return sum(await asyncio.gather(*(self._call(name, at) for name, at in fresh)))

    async def _call(self, job: str, at: datetime) -> bool:
        url = self._runtime.settings.health.ping_url.replace("{job}", job)
        try:
            async with self._runtime.http.get(url, timeout=aiohttp.ClientTimeout(total=_PING_SECONDS)) as answer:
                answer.raise_for_status()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning("the watcher did not hear of a job", job=job, error=type(error).__name__)
            return False
        self._told[job] = at
        return True
