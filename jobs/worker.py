"""Run the jobs: woken in this process or over Redis, where arq carries the wake-ups, and periodic ones by lease."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

from arq.worker import Function, Worker, func

from bot.logs import logger
from bot.queue import BY_NAME, JOBS, QUEUE_ERRORS
from bot.runtime import Runtime
from bot.store import credentials, deliveries, dossier_notices, health, inbox, outbox, receptions
from jobs.check_lists import check_lists
from jobs.close_answered import close_answered
from jobs.date_dossiers import date_dossiers
from jobs.deliver_messages import deliver_messages
from jobs.fetch_attachments import fetch_attachments
from jobs.fetch_profiles import fetch_profiles
from jobs.fetch_templates import fetch_templates
from jobs.forget import forget
from jobs.handle_updates import handle_updates
from jobs.import_dossiers import import_dossiers
from jobs.import_followers import import_followers
from jobs.keep_webhooks import keep_webhooks
from jobs.match_procedures import match_procedures
from jobs.periodic import run_all, turn
from jobs.plan_announcements import plan_announcements
from jobs.poll_updates import poll_updates
from jobs.reconcile import reconcile
from jobs.refresh_cards import refresh_cards
from jobs.refresh_credentials import refresh_credentials
from jobs.remind_deadlines import remind_deadlines
from jobs.requeue_stuck import requeue_stuck
from jobs.resume_conversations import resume_conversations
from jobs.runner import Runner
from jobs.send_broadcasts import send_broadcasts
from jobs.settle_deliveries import settle_deliveries
from jobs.settle_messages import settle_messages
from jobs.tell_dossiers import tell_dossiers
from jobs.watch_dossiers import watch_dossiers

_log = logger("jobs")
_POLL_SECONDS = 0.5
_PAUSE_SECONDS = 1.0
_AT_ONCE = 20
_ACCOUNTS_SECONDS = 5
_STOP_SECONDS = 15.0
_END_SECONDS = 5.0
_HOUR = 3600

Run = Callable[[Runtime], Awaitable[int]]
REGISTERED: dict[str, Run] = {
    "handle_updates": handle_updates,
    "deliver_messages": deliver_messages,
    "plan_announcements": plan_announcements,
    "send_broadcasts": send_broadcasts,
    "settle_deliveries": settle_deliveries,
    "settle_messages": settle_messages,
    "resume_conversations": resume_conversations,
    "fetch_attachments": fetch_attachments,
    "fetch_profiles": fetch_profiles,
    "fetch_templates": fetch_templates,
    "import_followers": import_followers,
    "refresh_cards": refresh_cards,
    "match_procedures": match_procedures,
    "tell_dossiers": tell_dossiers,
    "date_dossiers": date_dossiers,
    "requeue_stuck": requeue_stuck,
    "refresh_credentials": refresh_credentials,
    "keep_webhooks": keep_webhooks,
    "poll_updates": poll_updates,
    "remind_deadlines": remind_deadlines,
    "close_answered": close_answered,
    "check_lists": check_lists,
    "import_dossiers": import_dossiers,
    "watch_dossiers": watch_dossiers,
    "forget": forget,
    "reconcile": reconcile,
}


async def run_once(runtime: Runtime, name: str) -> int:
    """Run one job now and return what it says it did."""
    return await REGISTERED[name](runtime)


async def run_periodic(runtime: Runtime, name: str) -> int:
    """Run one job if it is its turn, and note for the health page when it began and how it ended; returns what it did.

    What it raises is noted and logged, not raised.
    """
    done = 0

    async def sweep(name: str) -> bool:
        nonlocal done
        done = await run_once(runtime, name)
        return True

    await turn(runtime, name, timedelta(seconds=BY_NAME[name].every or 0), sweep)
    return done


class WakeReader(Worker):
    """Read wake-ups from Redis as soon as it says that there are some, instead of asking for them all the time.

    Each is taken by one process of all. Redis may be away, or come back empty, at any time.
    """

    def __init__(self, functions: list[Function], redis: Any) -> None:
        super().__init__(
            functions, redis_pool=redis, handle_signals=False, max_jobs=_AT_ONCE, keep_result=0, max_tries=1,
            log_results=False, health_check_interval=_HOUR, poll_delay=_POLL_SECONDS,
        )  # fmt: skip
        self.heard = asyncio.Event()
        self.ending = False

    async def main(self) -> None:
        """Start what is there, then wait to hear of more, and look by itself every half second."""
        while not self.ending:
            self.heard.clear()
            try:
                await self._poll_iteration()
            except QUEUE_ERRORS as error:
                _log.warning("wake-ups not read", error=type(error).__name__)
                await self._hear(_PAUSE_SECONDS)
            else:
                await self._hear(_POLL_SECONDS)
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """Start wake-ups; one whose start fails gives its place back, which arq would keep for good."""
        try:
            await super().start_jobs(job_ids)
        except QUEUE_ERRORS:
            self._release_sem_dec_counter_on_complete()
            raise

    async def _hear(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.heard.wait(), seconds)

    async def end(self) -> None:
        """Take no more wake-ups."""
        self.ending, self.allow_pick_jobs = True, False
        self.heard.set()


def _woken(runner: Runner, name: str) -> Function:
    async def ring(_context: dict[str, Any]) -> None:
        runner.ring(name)

    coroutine: Any = ring
    return func(coroutine, name=name, keep_result=0, max_tries=1)


@contextlib.asynccontextmanager
async def working(runtime: Runtime, *, alone: bool, hurry: asyncio.Event | None = None) -> AsyncIterator[None]:
    """Work until left; `alone` says that no other process works on this database, so every lease found is dead.

    When left, jobs that run have some seconds to end, or until `hurry`; then what they hold is given back.
    """
    if alone:
        async with runtime.units_of_work() as uow:
            await inbox.release_leases(uow.session, None)
            await outbox.doubt_expired(uow.session, None)
            await deliveries.free_expired(uow.session, None)
            await dossier_notices.release_leases(uow.session)
            await credentials.release_all(uow.session)
            await receptions.release_all(uow.session)
            await health.release_jobs(uow.session)
    await runtime.refresh_accounts()
    await runtime.load_channels()
    runtime.stopping.clear()
    runner = Runner(runtime.queue, lambda name: run_once(runtime, name))
    runtime.queue.attach(runner.ring)
    tasks = [asyncio.create_task(run_all(runtime, runner.sweep)), asyncio.create_task(_watch_accounts(runtime))]
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(_end, runtime, runner, tasks, hurry or asyncio.Event())
        if not runtime.queue.embedded:
            await stack.enter_async_context(_reading_wakes(runtime, runner))
        for job in JOBS:
            if job.limit is None:
                runner.ring(job.name)
        yield


async def _end(runtime: Runtime, runner: Runner, tasks: list[asyncio.Task[None]], hurry: asyncio.Event) -> None:
    runtime.stopping.set()
    runtime.queue.attach(None)
    await runner.end(_STOP_SECONDS, hurry)
    await asyncio.wait(tasks, timeout=_END_SECONDS)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def _reading_wakes(runtime: Runtime, runner: Runner) -> AsyncIterator[None]:
    reader = WakeReader([_woken(runner, job.name) for job in JOBS], runtime.queue.redis)
    reading = asyncio.create_task(reader.async_run())
    hearing = asyncio.create_task(runtime.queue.hear_wakes(reader.heard))
    try:
        yield
    finally:
        await reader.end()
        await asyncio.wait([reading], timeout=_END_SECONDS)
        for task in (reading, hearing, *reader.tasks.values()):
            task.cancel()
        await asyncio.gather(reading, hearing, *reader.tasks.values(), return_exceptions=True)


async def _watch_accounts(runtime: Runtime) -> None:
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(runtime.stopping.wait(), _ACCOUNTS_SECONDS)
            return
        try:
            await runtime.refresh_accounts()
            await runtime.load_channels()
        except Exception:  # noqa: BLE001 - one job that breaks must not end the worker
            _log.exception("accounts not read")
