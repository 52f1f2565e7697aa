"""Run the jobs on arq: woken by name, and each periodic one by the clock."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import arq.worker
from arq.cron import CronJob, cron
from arq.worker import Function, Worker, func

from bot.logs import logger
from bot.queue import JOBS, Job
from bot.runtime import Runtime
from bot.store import health, inbox, outbox
from jobs.close_answered import close_answered
from jobs.deliver_messages import deliver_messages
from jobs.fetch_attachments import fetch_attachments
from jobs.fetch_profiles import fetch_profiles
from jobs.forget import forget
from jobs.handle_updates import handle_updates
from jobs.reconcile import reconcile
from jobs.refresh_credentials import refresh_credentials
from jobs.remind_deadlines import remind_deadlines
from jobs.requeue_stuck import requeue_stuck
from jobs.resume_conversations import resume_conversations
from jobs.send_broadcasts import send_broadcasts
from jobs.settle_messages import settle_messages

_log = logger("jobs")
_POLL_SECONDS = 0.02
_JOB_SECONDS = 300
_AT_ONCE = 20
_ACCOUNTS_SECONDS = 5
_STOP_SECONDS = 20
_MINUTE = 60
_HOUR = 3600

Run = Callable[[Runtime], Awaitable[int]]
REGISTERED: dict[str, Run] = {
    "handle_updates": handle_updates,
    "deliver_messages": deliver_messages,
    "send_broadcasts": send_broadcasts,
    "settle_messages": settle_messages,
    "resume_conversations": resume_conversations,
    "fetch_attachments": fetch_attachments,
    "fetch_profiles": fetch_profiles,
    "requeue_stuck": requeue_stuck,
    "refresh_credentials": refresh_credentials,
    "remind_deadlines": remind_deadlines,
    "close_answered": close_answered,
    "forget": forget,
    "reconcile": reconcile,
}


async def run_once(runtime: Runtime, name: str) -> int:
    """Run one job now and return what it says it did."""
    return await REGISTERED[name](runtime)


async def run_periodic(runtime: Runtime, name: str) -> int:
    """Run one job and note for the health page when it began and how it ended."""
    async with runtime.units_of_work() as uow:
        await health.job_started(uow.session, name, uow.now)
    error = ""
    try:
        return await run_once(runtime, name)
    except Exception as problem:  # noqa: BLE001 - one job that breaks must not end the worker
        _log.exception("periodic job failed", job=name)
        error = f"{type(problem).__name__}: {problem}"
        return 0
    finally:
        async with runtime.units_of_work() as uow:
            await health.job_ended(uow.session, name, uow.now, error)


def _woken(runtime: Runtime, job: Job) -> Function:
    async def run(_context: dict[str, Any]) -> None:
        try:
            await run_once(runtime, job.name)
        except Exception:  # noqa: BLE001 - one job that breaks must not end the worker
            _log.exception("job failed, its sweeper will try again", job=job.name)

    coroutine: Any = run
    return func(coroutine, name=job.name, keep_result=0, max_tries=1, timeout=_JOB_SECONDS)


def _timed(runtime: Runtime, job: Job) -> CronJob:
    async def run(_context: dict[str, Any]) -> None:
        await run_periodic(runtime, job.name)

    every = job.every or _MINUTE
    times: dict[str, Any] = {"second": 0}
    if every < _MINUTE:
        times = {"second": set(range(0, _MINUTE, every))}
    elif every < _HOUR:
        times["minute"] = set(range(0, _MINUTE, every // _MINUTE))
    else:
        times["minute"] = 7
    coroutine: Any = run
    return cron(
        coroutine, name=f"cron:{job.name}", unique=True, keep_result=0, max_tries=1, timeout=_JOB_SECONDS,
        run_at_startup=True, **times,
    )  # fmt: skip


def build_worker(runtime: Runtime) -> Worker:
    """Make the arq worker of this process; signals are the caller's."""
    if runtime.queue.embedded:
        setattr(arq.worker, "log_redis_info", _no_info)  # noqa: B010 - arq offers no other way to leave INFO out
    return Worker(
        functions=[_woken(runtime, job) for job in JOBS],
        cron_jobs=[_timed(runtime, job) for job in JOBS if job.every],
        redis_pool=runtime.queue.redis,
        handle_signals=False,
        poll_delay=_POLL_SECONDS,
        max_jobs=_AT_ONCE,
        job_timeout=_JOB_SECONDS,
        keep_result=0,
        max_tries=1,
        log_results=False,
        health_check_interval=_HOUR,
    )


async def _no_info(_redis: Any, _log: Any) -> None:
    """Stand in for arq's start-up report: the Redis in this process has no INFO command."""


@contextlib.asynccontextmanager
async def working(runtime: Runtime, *, alone: bool) -> AsyncIterator[None]:
    """Work until left; `alone` says that no other process works on this database, so every lease found is dead."""
    if alone:
        async with runtime.units_of_work() as uow:
            await inbox.release_leases(uow.session, None)
            await outbox.doubt_expired(uow.session, None)
    await runtime.refresh_accounts()
    worker = build_worker(runtime)
    running = asyncio.create_task(worker.async_run())
    watching = asyncio.create_task(_watch_accounts(runtime))
    try:
        yield
    finally:
        watching.cancel()
        await _finish(worker, running)
        with contextlib.suppress(asyncio.CancelledError):
            await watching


async def _finish(worker: Worker, running: asyncio.Task[None]) -> None:
    """Let the loop and the jobs that have begun come to an end; what takes too long is cancelled, its sweeper finds it.

    Cancelling the loop at once could hit it in the middle of a Redis transaction and leave a connection open.
    """
    worker.allow_pick_jobs = False
    worker.burst, worker.max_burst_jobs = True, 0
    await asyncio.wait([running], timeout=_STOP_SECONDS)
    left = [task for task in (running, *worker.tasks.values()) if not task.done()]
    for task in left:
        task.cancel()
    await asyncio.gather(running, *left, return_exceptions=True)


async def _watch_accounts(runtime: Runtime) -> None:
    while True:
        await asyncio.sleep(_ACCOUNTS_SECONDS)
        try:
            await runtime.refresh_accounts()
        except Exception:  # noqa: BLE001 - one job that breaks must not end the worker
            _log.exception("accounts not read")
