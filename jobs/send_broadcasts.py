"""Send broadcasts range by range, within each account's allowance, giving way to what a person waits for."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot import metrics
from bot.channels.channel import AccountRef, Channel, Recipient
from bot.channels.rate_limit import BROADCAST, Window, prepaid
from bot.clock import new_id
from bot.domain.broadcast import personal
from bot.domain.delivery import (
    DeliveryState,
    NightError,
    QuotaExhaustedError,
    SendError,
    ThrottledError,
    UnknownOutcomeError,
    next_step,
)
from bot.domain.message import Message, fit
from bot.logs import logger
from bot.one_by_one import SomeFailedError
from bot.queue import SEND_BROADCASTS, SETTLE_DELIVERIES
from bot.runtime import Runtime, ref
from bot.store import accounts, broadcasts, contacts, deliveries
from bot.store import broadcast_ends as ends
from bot.store.accounts import AccountRow
from bot.store.deliveries import Chunk, Done, Due
from bot.vault import stop_account

_log = logger("broadcast")
_LEASE_SECONDS = 60.0
_LEASE_MARGIN = 15.0
"""A range is not sent from in the last seconds of its lease: a try may take as long as the HTTP time-out."""
_WINDOW = 256
"""Deliveries marked at a time: as many as this are in doubt at most, for each range, when a worker dies."""
_AT_ONCE = 16
_RANGES = 48
_RANGES_PER_ACCOUNT = 2
_CONNECTIONS = 75
"""Sends at once in this process; the other connections are left to answers and notices."""
_ROUND_SECONDS = 60.0
_LONG_WAIT = 3.0
_GIVE_WAY_SECONDS = 0.25
_BROKEN_SECONDS = 60.0
"""A range that broke is not handed out again sooner, so that one which always breaks does not take up the round."""


async def send_broadcasts(runtime: Runtime) -> int:
    """Send what is due of every broadcast for about a minute; returns how many tries were made."""
    async with runtime.units_of_work() as uow:
        if await deliveries.free_expired(uow.session, uow.now):
            uow.after_commit(SETTLE_DELIVERIES.name)
        await broadcasts.resume_due(uow.session, uow.now)
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
        self._waits: dict[str, float] = {}
        self._running: dict[asyncio.Task[None], str] = {}
        self._broke: list[BaseException] = []

    @property
    def over(self) -> bool:
        """Whether it is time to give back what is held."""
        return self.runtime.stopping.is_set() or time.monotonic() >= self.ends

    @property
    def at_once(self) -> int:
        """How many messages of one range may be under way together."""
        return max(1, min(_AT_ONCE, _CONNECTIONS // max(1, len(self._running))))

    def hold_off(self, account_id: str, seconds: float) -> None:
        """Lease no range of an account for so long."""
        self._waits[account_id] = time.monotonic() + seconds

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
            self._running[asyncio.create_task(self._send(chunk, account))] = account.id
        return bool(self._running)

    async def _send(self, chunk: Chunk, account: AccountRow) -> None:
        try:
            ready = _Range(self, chunk, account)
        except Exception:
            async with self.runtime.database.connection() as connection:
                nothing = chunk.first - 1
                await deliveries.give_back(connection, chunk, self.runtime.now(), _BROKEN_SECONDS, tried=nothing)
            raise
        await ready.send()

    async def _lease(self) -> tuple[Chunk | None, AccountRow | None]:
        now = time.monotonic()
        busy = Counter(self._running.values())
        avoid = {a for a, n in busy.items() if n >= _RANGES_PER_ACCOUNT} | {
            a for a, t in self._waits.items() if t > now
        }
        async with self.runtime.units_of_work() as uow:
            connection = await uow.session.connection()
            chunk = await deliveries.lease(connection, new_id(), uow.now, _LEASE_SECONDS, avoid)
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


@dataclass(slots=True)
class _Range:
    """One leased range on its way out."""

    round: _Round
    chunk: Chunk
    account: AccountRow
    ref: AccountRef = field(init=False)
    channel: Channel = field(init=False)
    windows: tuple[Window, ...] = field(init=False)
    message: Message = field(init=False)
    parts: list[Message] = field(init=False)
    cursor: int = field(init=False)
    outcomes: list[Done] = field(default_factory=list)
    gone: dict[str, str] = field(default_factory=dict)
    rest: SendError | None = None
    again_in: float | None = None
    safe_until: float = 0.0
    marked_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.ref = ref(self.account)
        self.channel = self.round.runtime.channel(self.account)
        self.windows = self.channel.limits(self.ref)
        self.message = Message.from_json(self.chunk.message)
        self.parts = fit(self.message, self.channel.capabilities(self.ref))
        self.cursor = self.chunk.first - 1
        self.marked_at = self.round.runtime.now()

    async def send(self) -> None:
        """Send window after window until the range is through, the allowance is spent, or the round is over."""
        try:
            while not self.round.over and self.rest is None:
                await self.round.runtime.urgency.give_way(_GIVE_WAY_SECONDS)
                if not await self._window():
                    break
        except Exception:
            self.again_in = self.again_in or _BROKEN_SECONDS
            raise
        finally:
            await asyncio.shield(self._end())

    async def _window(self) -> bool:
        budget, cost = self.round.runtime.budget, len(self.parts)
        grant = await budget.take(self.windows, BROADCAST, _WINDOW * cost)
        if not grant.number:
            return await self._wait(grant.wait)
        # A message of more parts than may leave at once begins all the same; its last parts are paid one by one.
        number = max(1, grant.number // cost)
        # Being cancelled while the mark is committed would leave open whether it was.
        marking = asyncio.create_task(self._mark(number))
        try:
            due = await asyncio.shield(marking)
        except asyncio.CancelledError:
            self._unsent(await marking)
            raise
        try:
            with prepaid(grant.number, BROADCAST, grant.until) as paid:
                await self._send_all(due)
        finally:
            if self.windows and paid.left:
                await budget.give_back(self.windows, paid.left)
        return bool(due)

    async def _wait(self, seconds: float) -> bool:
        if seconds > _LONG_WAIT:
            self.again_in = seconds
            self.round.hold_off(self.account.id, seconds)
            return False
        await asyncio.sleep(max(seconds, 0.01))
        return True

    async def _mark(self, number: int) -> list[Due]:
        """Write what became of the last window and mark the next one, in one transaction; [] when there is none."""
        now = self.round.runtime.now()
        begun = time.monotonic()
        async with self.round.runtime.database.connection() as connection:
            holds = await deliveries.held(connection, self.chunk, now, _LEASE_SECONDS)
            await deliveries.record(connection, self.chunk, self.outcomes, self.marked_at, now)
            due = await deliveries.mark(connection, self.chunk, self.cursor, number, now) if holds else []
        self.outcomes.clear()
        self.marked_at = now
        self.safe_until = begun + _LEASE_SECONDS - _LEASE_MARGIN
        if due:
            self.cursor = due[-1].n
        return due

    async def _send_all(self, due: list[Due]) -> None:
        left = iter(due)
        started: set[int] = set()
        try:
            await asyncio.gather(*(self._worker(left, started) for _ in range(min(self.round.at_once, len(due)))))
        finally:
            known = {done.n for done in self.outcomes}
            missing = [row for row in due if row.n not in known]
            self._unsent([row for row in missing if row.n not in started])
            for row in missing:
                if row.n in started:
                    unknown = DeliveryState.UNKNOWN.value
                    self.outcomes.append(Done(row.n, unknown, reason="interrupted", part=row.part))
            self.round.tries += len(started)
            metrics.sends.labels(self.account.provider, "sent").inc(sum(d.state == "sent" for d in self.outcomes))

    def _unsent(self, due: list[Due]) -> None:
        """Note deliveries that were marked and then not tried."""
        queued = DeliveryState.QUEUED.value
        self.outcomes += [Done(row.n, queued, part=row.part, counted=False) for row in due]

    async def _worker(self, left: Iterator[Due], started: set[int]) -> None:
        urgency = self.round.runtime.urgency
        for row in left:
            if self.rest is not None or time.monotonic() > self.safe_until:
                return
            if urgency.under_way:
                await urgency.give_way(_GIVE_WAY_SECONDS)
            started.add(row.n)
            self.outcomes.append(await self._one(row))

    async def _one(self, row: Due) -> Done:
        parts = self.parts
        message = personal(self.message, row.merged)
        if message is not self.message:
            parts = fit(message, self.channel.capabilities(self.ref))
        to = Recipient(row.address)
        part, provider_id = row.part, None
        try:
            while part < len(parts):
                provider_id = (await self.channel.send(self.ref, to, parts[part])).message_id
                part += 1
        except SendError as error:
            return self._failed(row, error, part)
        except Exception as error:  # noqa: BLE001 - whatever broke, the row must get its outcome
            _log.exception("sending broke", broadcast=self.chunk.broadcast_id, n=row.n)
            return self._failed(row, UnknownOutcomeError("technical", type(error).__name__), part)
        return Done(row.n, "sent", provider_id, part=part)

    def _failed(self, row: Due, error: SendError, part: int) -> Done:
        now = self.round.runtime.now()
        step = next_step(error, row.attempts, now, random.random())  # noqa: S311 - jitter
        metrics.sends.labels(self.account.provider, error.outcome.value).inc()
        if step.recipient_gone:
            self.gone[row.recipient] = step.reason
        rests = step.stops_account or isinstance(error, QuotaExhaustedError | NightError)
        if rests:
            self.rest = error
        if step.at is not None and step.state is DeliveryState.QUEUED:
            wait = max(1.0, (step.at - now) / timedelta(seconds=1))
            self.again_in = wait if self.again_in is None else min(self.again_in, wait)
            if isinstance(error, ThrottledError):
                self.round.hold_off(self.account.id, wait)
        counted = not (rests or isinstance(error, ThrottledError))
        return Done(row.n, step.state.value, reason=step.reason, part=part, counted=counted)

    async def _end(self) -> None:
        """Write what is known and give the range back, however the sending ended."""
        runtime = self.round.runtime
        async with runtime.units_of_work() as uow:
            connection = await uow.session.connection()
            await deliveries.record(connection, self.chunk, self.outcomes, self.marked_at, uow.now)
            for recipient, reason in self.gone.items():
                await contacts.set_gone(uow.session, recipient, reason)
            if isinstance(self.rest, QuotaExhaustedError | NightError):
                at = next_step(self.rest, 1, uow.now, random.random()).at  # noqa: S311 - jitter
                await broadcasts.pause_account(uow.session, self.account.id, self.rest.reason, at)
                uow.announce("health")
            elif self.rest is not None:
                await stop_account(uow, self.account.id, self.rest.reason, self.rest.detail, self.marked_at)
            doubt = await deliveries.give_back(connection, self.chunk, uow.now, self.again_in, tried=self.cursor)
            states = {done.state for done in self.outcomes}
            if doubt or DeliveryState.UNKNOWN.value in states:
                uow.after_commit(SETTLE_DELIVERIES.name)
            if DeliveryState.QUEUED.value in states and self.again_in is None:
                uow.after_commit(SEND_BROADCASTS.name)
            uow.announce(f"broadcast:{self.chunk.broadcast_id}")
