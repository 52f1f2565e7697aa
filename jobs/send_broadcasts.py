"""Send broadcasts range by range, within each account's allowance, giving way to what a person waits for."""

import asyncio
import time
from collections import Counter
from datetime import timedelta

from bot.actions import announcement_runs
from bot.clock import new_id
from bot.logs import logger
from bot.one_by_one import SomeFailedError
from bot.queue import PLAN_ANNOUNCEMENTS, SEND_BROADCASTS, SETTLE_DELIVERIES
from bot.runtime import Runtime
from bot.store import accounts, broadcasts, deliveries
from bot.store import broadcast_ends as ends
from bot.store.accounts import AccountRow
from bot.store.deliveries import Chunk
from jobs.broadcast_range import BROKEN_SECONDS, LEASE_SECONDS, Range

_log = logger("broadcast")
_AT_ONCE = 16
_RANGES = 48
_RANGES_PER_ACCOUNT = 2
_CONNECTIONS = 75
"""Sends at once in this process; the other connections are left to answers and notices."""
_ROUND_SECONDS = 60.0


async def send_broadcasts(runtime: Runtime) -> int:
    """Send what is due of every broadcast for about a minute; returns how many tries were made."""
    async with runtime.units_of_work() as uow:
        if await deliveries.free_expired(uow.session, uow.now):
            uow.after_commit(SETTLE_DELIVERIES.name)
        await broadcasts.resume_due(uow.session, uow.now)
        # What was let go on, by the clock or by somebody, may still have to wait for the hour.
        await announcement_runs.hush(uow)
    while True:
        async with runtime.units_of_work() as uow:
            if not await broadcasts.cancel_rest(uow.session):
                break
    return await _Round(runtime).work()


class _Round:
    """One minute of sending in this process, many ranges side by side."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.ends = time.monotonic() + _ROUND_SECONDS
        self.tries = 0
        self._waits: dict[tuple[str, bool], float] = {}
        self._running: dict[asyncio.Task[None], tuple[str, bool]] = {}
        self._broke: list[BaseException] = []

    @property
    def over(self) -> bool:
        """Whether it is time to give back what is held."""
        return self.runtime.stopping.is_set() or time.monotonic() >= self.ends

    @property
    def at_once(self) -> int:
        """How many messages of one range may be under way together."""
        return max(1, min(_AT_ONCE, _CONNECTIONS // max(1, len(self._running))))

    def hold_off(self, account_id: str, seconds: float, *, urgent: bool) -> None:
        """Lease no range of an account for so long: none that is urgent, or none that is not."""
        self._waits[account_id, urgent] = time.monotonic() + seconds

    async def work(self) -> int:
        """Send until nothing is due or the round is over; raises SomeFailedError at the end if a range broke."""
        try:
            while await self._start_ranges():
                await self._some_end()
        except Exception:
            # Whatever else is broken, what is under way may have left: its outcome is waited for.
            self.ends = time.monotonic()
            await asyncio.gather(*self._running, return_exceptions=True)
            raise
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
        await self._finish()
        if self._broke:
            msg = f"{len(self._broke)} ranges broke, the first with {type(self._broke[0]).__name__}: {self._broke[0]}"
            raise SomeFailedError(msg) from self._broke[0]
        return self.tries

    async def _some_end(self) -> None:
        """Wait until a range is through, or until there is news: another broadcast may be more urgent."""
        rung = asyncio.create_task(self.runtime.queue.bell(SEND_BROADCASTS.name).wait())
        try:
            await asyncio.wait({*self._running, rung}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            rung.cancel()
        for task in [task for task in self._running if task.done()]:
            del self._running[task]
            error = None if task.cancelled() else task.exception()
            if error is not None:
                # One range that breaks says nothing of the others that are under way.
                _log.error("a range broke", exc_info=error)
                self._broke.append(error)

    async def _start_ranges(self) -> bool:
        self.runtime.queue.bell(SEND_BROADCASTS.name).clear()
        while len(self._running) < _RANGES and not self.over:
            chunk, account = await self._lease()
            if chunk is None or account is None:
                break
            self._running[asyncio.create_task(self._send(chunk, account))] = (account.id, chunk.urgent)
        return bool(self._running)

    async def _send(self, chunk: Chunk, account: AccountRow) -> None:
        try:
            ready = Range(self, chunk, account)
        except Exception:
            async with self.runtime.database.connection() as connection:
                nothing = chunk.first - 1
                await deliveries.give_back(connection, chunk, self.runtime.now(), BROKEN_SECONDS, tried=nothing)
            raise
        await ready.send()

    async def _lease(self) -> tuple[Chunk | None, AccountRow | None]:
        now = time.monotonic()
        busy = Counter(self._running.values())
        full = {key for key, n in busy.items() if n >= _RANGES_PER_ACCOUNT}
        full |= {key for key, until in self._waits.items() if until > now}
        # An emergency finds a place beside what is under way, and room that the others may not use.
        avoid, avoid_urgent = ({account for account, urgent in full if urgent is which} for which in (False, True))
        async with self.runtime.units_of_work() as uow:
            connection = await uow.session.connection()
            chunk = await deliveries.lease(connection, new_id(), uow.now, LEASE_SECONDS, avoid, avoid_urgent)
            account = await accounts.account(uow.session, chunk.account_id) if chunk else None
        return chunk, account

    async def _finish(self) -> None:
        async with self.runtime.database.reading() as session:
            through = {number: await ends.open_ranges(session, number) for number in await ends.through(session)}
        for number, left in through.items():
            await self._finish_one(number, left)
        async with self.runtime.units_of_work() as uow:
            due = await deliveries.next_due(uow.session, uow.now)
            waits = [max(0.0, t - time.monotonic()) for t in self._waits.values()]
            if due is not None:
                waits.append((due - uow.now) / timedelta(seconds=1))
            if self.over and not self.runtime.stopping.is_set():
                waits.append(0.0)
            if waits:
                uow.after_commit(SEND_BROADCASTS.name, min(waits))

    async def _finish_one(self, number: int, left: dict[int, set[str]]) -> None:
        """Call a broadcast finished, unless `left` names ranges of it that were called done too early."""
        async with self.runtime.units_of_work() as uow:
            for first, states in left.items():
                _log.error("a range called done has no end yet", broadcast=number, first=first, states=sorted(states))
                await ends.take_up(uow.session, number, first, states)
                uow.after_commit(SETTLE_DELIVERIES.name)
                uow.after_commit(SEND_BROADCASTS.name)
            if not left and await ends.finish(uow.session, number, uow.now):
                _log.info("broadcast finished", broadcast=number)
                uow.announce(f"broadcast:{number}")
                uow.after_commit(PLAN_ANNOUNCEMENTS.name)
