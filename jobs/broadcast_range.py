"""Send one range of a broadcast: window after window, each marked before it leaves, within the account's allowance."""

import asyncio
import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot import metrics
from bot.actions import contacts
from bot.channels.channel import AccountRef, Channel, Recipient
from bot.channels.rate_limit import BROADCAST, SHARES, URGENT, Window, in_lane, prepaid
from bot.domain.audience import Way
from bot.domain.broadcast import personal, tracking_id
from bot.domain.delivery import (
    TEMPLATE_REASONS,
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
from bot.queue import SEND_BROADCASTS, SETTLE_DELIVERIES
from bot.runtime import Runtime, ref
from bot.store import broadcasts, decided, deliveries
from bot.store.accounts import AccountRow
from bot.store.deliveries import Chunk, Done, Due
from bot.store.unit_of_work import UnitOfWork
from bot.vault import stop_account

_log = logger("broadcast")
LEASE_SECONDS = 60.0
_LEASE_MARGIN = 15.0
"""A range is not sent from in the last seconds of its lease: a try may take as long as the HTTP time-out."""
_WINDOW = 256
"""Deliveries marked at a time: as many as this are in doubt at most, for each range, when a worker dies."""
_LONG_WAIT = 3.0
_GIVE_WAY_SECONDS = 0.25
BROKEN_SECONDS = 60.0
"""A range that broke is not handed out again sooner, so that one which always breaks does not take up the round."""
_CHAT, _BY_PHONE = Way.CHAT.value, Way.TEMPLATE_PHONE.value
_TOKENS = frozenset({"refresh_token_dead", "token_refused", "no_credentials", "credentials_unreadable", "oa_blocked"})
"""Why an account can do nothing at all, whatever is sent."""


class Round(Protocol):
    """What a range asks of the round of sending that it belongs to."""

    runtime: Runtime
    tries: int

    @property
    def over(self) -> bool:
        """Whether it is time to give back what is held."""

    @property
    def at_once(self) -> int:
        """How many messages of one range may be under way together."""

    def hold_off(self, account_id: str, seconds: float, *, urgent: bool) -> None:
        """Lease no range of an account for so long: none that is urgent, or none that is not."""


@dataclass(slots=True)
class Range:
    """One leased range on its way out."""

    round: Round
    chunk: Chunk
    account: AccountRow
    ref: AccountRef = field(init=False)
    channel: Channel = field(init=False)
    lane: int = field(init=False)
    windows: tuple[Window, ...] = field(init=False)
    slower: tuple[Window, ...] = field(init=False)
    message: Message = field(init=False)
    parts: list[Message] = field(init=False)
    cursor: int = field(init=False)
    outcomes: list[Done] = field(default_factory=list)
    gone: dict[str, str] = field(default_factory=dict)
    rest: SendError | None = None
    again_in: float | None = None
    paced: float | None = None
    safe_until: float = 0.0
    marked_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.ref = ref(self.account)
        self.channel = self.round.runtime.channel(self.account)
        self.lane = URGENT if self.chunk.urgent else BROADCAST
        # By phone a template counts in no minute of the account (contract §3.3); the channel keeps what limit there is.
        self.windows = () if self.chunk.way == _BY_PHONE else self.channel.limits(self.ref)
        self.slower = (*self._pace(), *self.windows)
        self.message = Message.from_json(self.chunk.message)
        self.parts = fit(self.message, self.channel.capabilities(self.ref))
        self.cursor = self.chunk.first - 1
        self.marked_at = self.round.runtime.now()

    def _pace(self) -> tuple[Window, ...]:
        """Return the window that keeps a broadcast slower than its account, such that its lane may fill it."""
        if not self.chunk.per_minute:
            return ()
        limit = math.ceil(self.chunk.per_minute * 100 / SHARES[self.lane])
        return (Window(f"broadcast:{self.chunk.broadcast_id}", limit, 60),)

    async def send(self) -> None:
        """Send window after window until the range is through, the allowance is spent, or the round is over."""
        try:
            while not self.round.over and self.rest is None:
                await self.round.runtime.urgency.give_way(_GIVE_WAY_SECONDS)
                if not await self._window():
                    break
        except Exception:
            self.again_in = self.again_in or BROKEN_SECONDS
            raise
        finally:
            await asyncio.shield(self._end())

    async def _window(self) -> bool:
        budget, cost = self.round.runtime.budget, len(self.parts)
        grant = await budget.take(self.slower, self.lane, _WINDOW * cost)
        if not grant.number:
            return await self._wait(grant.wait)
        # A message of more parts than may leave at once begins all the same; its last parts are paid one by one.
        number = max(1, grant.number // cost)
        # Being cancelled while the mark is committed would leave open whether it was.
        marking = asyncio.create_task(self._mark(number))
        try:
            due = await asyncio.shield(marking)
        except asyncio.CancelledError:
            self._unsent([row for row in await marking if row.n not in {done.n for done in self.outcomes}])
            raise
        by_phone = self.chunk.way == _BY_PHONE
        try:
            # What the account's windows do not count is paid for when it leaves, in those that the channel knows.
            with in_lane(self.lane) if by_phone else prepaid(grant.number, self.lane, grant.until) as paid:
                await self._send_all(due)
        finally:
            if self.slower and paid.left:
                await budget.give_back(self.slower, paid.left)
        return bool(due)

    async def _wait(self, seconds: float) -> bool:
        if seconds > _LONG_WAIT:
            self.again_in = seconds
            if self.chunk.per_minute:
                self.paced = seconds
            else:
                self.round.hold_off(self.account.id, seconds, urgent=self.chunk.urgent)
            return False
        await asyncio.sleep(max(seconds, 0.01))
        return True

    async def _mark(self, number: int) -> list[Due]:
        """Write what became of the last window and mark the next one, in one transaction; [] when there is none."""
        now = self.round.runtime.now()
        begun = time.monotonic()
        async with self.round.runtime.database.connection() as connection:
            holds = await deliveries.held(connection, self.chunk, now, LEASE_SECONDS)
            await deliveries.record(connection, self.chunk, self.outcomes, self.marked_at, now)
            due = await deliveries.mark(connection, self.chunk, self.cursor, number, now) if holds else []
            against = await decided.against(connection, self.chunk, due)
        self.outcomes.clear()
        self.marked_at = now
        self.safe_until = begun + LEASE_SECONDS - _LEASE_MARGIN
        if due:
            self.cursor = due[-1].n
        # Who has said stop since the audience was frozen is not written to.
        self.outcomes += [
            Done(row.n, DeliveryState.CANCELLED.value, reason="opted_out", part=row.part, counted=False)
            for row in due
            if row.recipient in against
        ]
        return due

    async def _send_all(self, due: list[Due]) -> None:
        settled = {done.n for done in self.outcomes}
        left = iter([row for row in due if row.n not in settled])
        started: set[int] = set()
        at_once = min(self.round.at_once, len(due))
        workers = [asyncio.ensure_future(self._worker(left, started)) for _ in range(at_once)]
        try:
            await asyncio.gather(*workers)
        finally:
            # None may go on sending what is about to be called not tried.
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
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
        part, provider_id = row.part, None
        try:
            parts, to = self._ready(row)
        except Exception:  # noqa: BLE001 - whatever is wrong with one row must not end the others' window
            _log.exception("a delivery cannot be made", broadcast=self.chunk.broadcast_id, n=row.n)
            return Done(row.n, DeliveryState.FAILED.value, reason="unreadable", part=part)
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

    def _ready(self, row: Due) -> tuple[list[Message], Recipient]:
        """Return one recipient's message as it leaves, and where it goes."""
        message, parts = personal(self.message, row.merged), self.parts
        if message is not self.message:
            parts = fit(message, self.channel.capabilities(self.ref))
        return parts, self._recipient(row)

    def _recipient(self, row: Due) -> Recipient:
        if self.chunk.way != _BY_PHONE:
            return Recipient(row.address)
        phone = self.round.runtime.box.open(bytes.fromhex(row.address))
        return Recipient(phone, by="phone", tracking=tracking_id(self.chunk.broadcast_id, row.n))

    def _failed(self, row: Due, error: SendError, part: int) -> Done:
        now = self.round.runtime.now()
        step = next_step(error, row.attempts, now, random.random())  # noqa: S311 - jitter
        metrics.sends.labels(self.account.provider, error.outcome.value).inc()
        if step.recipient_gone and self.chunk.way != _BY_PHONE:  # a phone that takes none says nothing of the chat
            self.gone[row.recipient] = step.reason
        broken = self.chunk.way != _CHAT and error.reason in TEMPLATE_REASONS
        rests = broken or step.stops_account or isinstance(error, QuotaExhaustedError | NightError)
        if rests:
            self.rest = error
        if broken:
            return Done(row.n, DeliveryState.QUEUED.value, reason=step.reason, part=part, counted=False)
        # What lets the whole broadcast rest says when it goes on; the range need not wait for a moment of its own.
        paused = isinstance(error, QuotaExhaustedError | NightError)
        if step.at is not None and step.state is DeliveryState.QUEUED and not paused:
            wait = max(1.0, (step.at - now) / timedelta(seconds=1))
            self.again_in = wait if self.again_in is None else min(self.again_in, wait)
            if isinstance(error, ThrottledError):
                self.round.hold_off(self.account.id, wait, urgent=self.chunk.urgent)
        counted = not (rests or isinstance(error, ThrottledError))
        return Done(row.n, step.state.value, reason=step.reason, part=part, counted=counted)

    async def _end(self) -> None:
        """Write what is known and give the range back, however the sending ended."""
        runtime = self.round.runtime
        async with runtime.units_of_work() as uow:
            connection = await uow.session.connection()
            await deliveries.record(connection, self.chunk, self.outcomes, self.marked_at, uow.now)
            for recipient, reason in sorted(self.gone.items()):  # in the order in which everybody locks contacts
                await contacts.refused(uow, self.account, recipient, reason, self.marked_at)
            if self.rest is not None:
                await self._pause(uow, self.rest)
            if self.paced is not None:
                until = uow.now + timedelta(seconds=self.paced)
                await broadcasts.rest(uow.session, self.chunk.broadcast_id, until)
            doubt = await deliveries.give_back(connection, self.chunk, uow.now, self.again_in, tried=self.cursor)
            states = {done.state for done in self.outcomes}
            if doubt or DeliveryState.UNKNOWN.value in states:
                uow.after_commit(SETTLE_DELIVERIES.name)
            if DeliveryState.QUEUED.value in states and self.again_in is None:
                uow.after_commit(SEND_BROADCASTS.name)
            uow.announce(f"broadcast:{self.chunk.broadcast_id}")

    async def _pause(self, uow: UnitOfWork, error: SendError) -> None:
        """Let rest what would be refused, too: this broadcast, all of the account, or the account itself."""
        waits = isinstance(error, QuotaExhaustedError | NightError)
        at = next_step(error, 1, uow.now, random.random()).at if waits else None  # noqa: S311 - jitter
        if self.chunk.way != _CHAT and (waits or error.reason not in _TOKENS):
            # What is wrong with templates or with the money for them says nothing about answers in the chat.
            await broadcasts.pause_one(uow.session, self.chunk.broadcast_id, error.reason, at)
        elif waits:
            await broadcasts.pause_account(uow.session, self.account.id, error.reason, at)
        else:
            await stop_account(uow, self.account.id, error.reason, error.detail, self.marked_at)
        uow.announce("health")
