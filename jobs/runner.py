"""Run each job of this process when it is woken, never twice at once, and once more if woken meanwhile."""

import asyncio
import contextvars
import time
from collections.abc import Awaitable, Callable

from bot import metrics
from bot.logs import logger
from bot.queue import BY_NAME, Queue

_log = logger("jobs")
_LOOK_SECONDS = 5.0
_APART_SECONDS = 0.005


class Runner:
    """Hold the runs of one process; `run(job)` does one."""

    def __init__(self, queue: Queue, run: Callable[[str], Awaitable[int]]) -> None:
        self._queue = queue
        self._run = run
        self._running: dict[str, asyncio.Task[None]] = {}
        self._woken_at: dict[str, float] = {}
        self._began_at: dict[str, float] = {}
        self._errors: dict[str, Exception | None] = {}
        self._ending = False

    def ring(self, job: str) -> None:
        """Wake a job: it runs now, or once more when the present run has ended."""
        if self._ending:
            return
        self._queue.bell(job).set()
        self._woken_at.setdefault(job, time.monotonic())
        if job not in self._running:
            # A context of its own: whoever wakes a job may hold a transaction, the job does not.
            self._running[job] = asyncio.create_task(self._until_quiet(job), context=contextvars.Context())

    async def sweep(self, job: str) -> bool:
        """Run a job and return when it has looked for work; False if it was ended before. Raises what its run raised.

        One that goes on for as long as there is work need not have ended: it has looked when it has taken the bell.
        Whoever stops waiting ends the run, unless it is one of those.
        """
        if self._ending:
            return False
        self.ring(job)
        task, lasting = self._running[job], BY_NAME[job].limit is None
        try:
            while not task.done():
                await asyncio.wait([task], timeout=_LOOK_SECONDS)
                if lasting and not self._queue.bell(job).is_set():
                    return True
        except asyncio.CancelledError:
            if not lasting:
                task.cancel()
            raise
        if task.cancelled():
            return False
        error = self._errors.get(job)
        if error is not None:
            raise error
        return True

    async def _until_quiet(self, job: str) -> None:
        bell = self._queue.bell(job)
        try:
            while bell.is_set() and not self._ending:
                await self._apart(job)
                bell.clear()
                metrics.wake_seconds.labels(job).observe(time.monotonic() - self._woken_at.pop(job, time.monotonic()))
                await self._once(job)
        finally:
            del self._running[job]

    async def _apart(self, job: str) -> None:
        """Let a few milliseconds lie between two starts of a job, in which many wake-ups become one."""
        now = time.monotonic()
        pause = self._began_at.get(job, 0.0) + _APART_SECONDS - now
        if pause > 0:
            await asyncio.sleep(pause)
        self._began_at[job] = now + max(pause, 0.0)

    async def _once(self, job: str) -> None:
        self._errors[job] = None
        try:
            async with asyncio.timeout(BY_NAME[job].limit):
                await self._run(job)
        except Exception as error:  # noqa: BLE001 - one job that breaks must not end the worker
            _log.exception("job failed, its sweeper will try again", job=job)
            self._errors[job] = error

    async def end(self, patience: float, hurry: asyncio.Event) -> None:
        """Start nothing more; let what runs end within `patience` seconds or until hurried, then cancel it."""
        self._ending = True
        running = set(self._running.values())
        if not running:
            return
        hurried = asyncio.create_task(hurry.wait())
        ended = asyncio.create_task(_all(running))
        await asyncio.wait({ended, hurried}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        left = sorted(self._running)
        if left:
            _log.warning("jobs are ended before their time", jobs=left)
        for task in (hurried, *running):
            task.cancel()
        await asyncio.gather(hurried, ended, return_exceptions=True)


async def _all(tasks: set[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
