"""Run each periodic job in one process of all: whoever takes its lease in the database, an interval after the last."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.clock import new_id
from bot.logs import logger
from bot.queue import JOBS, Job
from bot.runtime import Runtime
from bot.store import health
from bot.store.database import DATABASE_ERRORS

_log = logger("jobs")
LEASE_SECONDS = 30.0
_FIRST_SECONDS = 1.0
_RETRY_SECONDS = 5.0
_SHORTEST_SECONDS = 0.2

Sweep = Callable[[str], Awaitable[bool]]


async def run_all(runtime: Runtime, sweep: Sweep) -> None:
    """Run every periodic job at its intervals until cancelled or the process is about to end."""
    async with asyncio.TaskGroup() as tasks:
        for job in JOBS:
            if job.every is not None:
                tasks.create_task(_for_ever(runtime, job, timedelta(seconds=job.every), sweep))


async def _for_ever(runtime: Runtime, job: Job, every: timedelta, sweep: Sweep) -> None:
    pause = _FIRST_SECONDS
    while not await _stopping(runtime, pause):
        try:
            due = await turn(runtime, job.name, every, sweep)
        except DATABASE_ERRORS as error:
            _log.warning("periodic job waits for the database", job=job.name, error=type(error).__name__)
            pause = _RETRY_SECONDS
        else:
            pause = max((due - runtime.now()).total_seconds(), _SHORTEST_SECONDS)


async def _stopping(runtime: Runtime, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(runtime.stopping.wait(), seconds)
    return runtime.stopping.is_set()


async def turn(runtime: Runtime, name: str, every: timedelta, sweep: Sweep) -> datetime:
    """Run one job if it is due and nobody else has it; returns when it is worth asking again.

    `sweep` says whether it came to its end; what it raises is noted for the health page.
    """
    lease = new_id()
    async with runtime.units_of_work() as uow:
        mine = await health.job_started(uow.session, name, uow.now, lease, every, LEASE_SECONDS)
        due = uow.now + every if mine else await health.job_due(uow.session, name, uow.now, every)
    if mine:
        await _held(runtime, name, lease, sweep)
    return due


async def _held(runtime: Runtime, name: str, lease: str, sweep: Sweep) -> None:
    """Run a job while its lease is kept; without it, it is ended and may note nothing: another has it now."""
    running = asyncio.ensure_future(sweep(name))
    beating = asyncio.create_task(_beat(runtime, name, lease))
    ended, error = False, ""
    try:
        await asyncio.wait([running, beating], return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            ended = running.result()
    except Exception as problem:  # noqa: BLE001 - one job that breaks must not end the worker
        ended, error = True, f"{type(problem).__name__}: {problem}"
    finally:
        for task in (running, beating):
            task.cancel()
        await asyncio.gather(running, beating, return_exceptions=True)
        async with runtime.units_of_work() as uow:
            if ended:
                kept = await health.job_ended(uow.session, name, uow.now, error, lease)
            else:
                kept = await health.job_given_back(uow.session, name, lease)
        if not kept:
            _log.warning("periodic job was taken over by another process", job=name)


async def _beat(runtime: Runtime, name: str, lease: str) -> None:
    """Keep the lease for as long as it is ours; returns when it is not."""
    while True:
        await asyncio.sleep(LEASE_SECONDS / 3)
        try:
            async with runtime.units_of_work() as uow:
                if not await health.job_goes_on(uow.session, name, uow.now, lease, LEASE_SECONDS):
                    return
        except DATABASE_ERRORS as error:
            _log.warning("lease not extended", job=name, error=type(error).__name__)
