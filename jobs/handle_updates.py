"""Handle stored updates: each once, in order per contact, in parallel across contacts."""

import asyncio
import random
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot import metrics
from bot.channels.channel import AnswersTaps, Channel
from bot.clock import new_id
from bot.domain.delivery import SendError
from bot.domain.update import UNKNOWN_EVENT, ButtonPressed, MessageReceived, Unrecognised, Update
from bot.errors import TooEarlyError
from bot.logs import logger
from bot.queue import HANDLE_UPDATES
from bot.runtime import Runtime, ref
from bot.store import accounts, inbox
from bot.store.accounts import AccountRow
from bot.store.database import DATABASE_ERRORS
from bot.store.inbox import InboxRow
from bot.store.turns import Turns
from handlers.dispatch import Desk, dispatch

_log = logger("handling")
_LEASE_SECONDS = 60.0
_LONGEST_SECONDS = 120.0
"""One update that takes longer counts as failed: whatever it hangs on, its contact must not wait for ever."""
_AT_ONCE = 20
_REFILL_SECONDS = 0.05
_GLANCE_SECONDS = 0.02
_HELP_SECONDS = 1.0
_SOON_SECONDS, _LATE_SECONDS = 0.3, 5.0
"""The shortest and the longest pause before an update that came too early is looked at again."""
_TAP_SECONDS = 5.0
_FIRST_YEAR = 2012
"""Zalo began in 2012: an earlier time means that the event told none, and the time of arrival is used."""
_PAUSES = (2, 10, 60, 600)
"""Seconds between the tries of one update; after the last it is parked for a person."""


class LeaseLostError(Exception):
    """Another worker took the update over; what was done here is rolled back."""


class UnreadableError(Exception):
    """The webhook could not be read as anything; it is parked at once, since trying again changes nothing."""


@dataclass(slots=True)
class _InHand:
    """What this run works on: the task of each update, and the lease it was claimed under."""

    tasks: dict[asyncio.Task[None], tuple[int, str]] = field(default_factory=dict)
    turns: Turns = field(default_factory=Turns)
    total: int = 0

    def by_lease(self) -> dict[str, list[int]]:
        leases: dict[str, list[int]] = {}
        for row_id, lease in self.tasks.values():
            leases.setdefault(lease, []).append(row_id)
        return leases


async def handle_updates(runtime: Runtime) -> int:
    """Handle everything that is due now; returns how many updates were handled or put back.

    A slow update does not keep the others waiting: places that get free are filled again. When the process is about
    to end no more is begun; what is cancelled is given back as if it had not been tried.
    """
    hand = _InHand()
    beating = asyncio.create_task(_keep_leases(runtime, hand))
    try:
        with runtime.urgency.working():
            await _work_off(runtime, hand)
    finally:
        beating.cancel()
        left = hand.by_lease()
        for task in hand.tasks:
            task.cancel()
        await asyncio.gather(beating, *hand.tasks, return_exceptions=True)
        for lease, ids in left.items():
            async with runtime.units_of_work() as uow:
                await inbox.give_back(uow.session, ids, lease)
    return hand.total


async def _work_off(runtime: Runtime, hand: _InHand) -> None:
    """Look for updates whenever places are free, until there are none; or finish what was begun, if told to stop."""
    bell = runtime.queue.bell(HANDLE_UPDATES.name)
    helped_at = time.monotonic()
    while True:
        if not runtime.stopping.is_set():
            bell.clear()
            free = _AT_ONCE - len(hand.tasks)
            if await _begin(runtime, hand, free) == free and time.monotonic() - helped_at > _HELP_SECONDS:
                helped_at = time.monotonic()
                runtime.queue.call_for_help(HANDLE_UPDATES.name)
        if not hand.tasks:
            return
        await _places(hand, bell)


async def _begin(runtime: Runtime, hand: _InHand, number: int) -> int:
    """Claim updates and begin to handle them; returns how many."""
    lease = new_id()
    async with runtime.units_of_work() as uow:
        rows = await inbox.claim(uow.session, lease, uow.now, _LEASE_SECONDS, number, hand.turns)
    for row in rows:
        assert row.id is not None
        hand.tasks[asyncio.create_task(_one(runtime, row, lease))] = row.id, lease
    hand.total += len(rows)
    return len(rows)


async def _places(hand: _InHand, bell: asyncio.Event) -> None:
    """Wait until looking for more is worth a transaction: half of the places are free, or somebody has waited a bit."""
    began, changed = time.monotonic(), False
    while hand.tasks:
        done, _ = await asyncio.wait(hand.tasks, timeout=_GLANCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            del hand.tasks[task]
        changed = changed or bool(done) or bell.is_set()
        free = _AT_ONCE - len(hand.tasks)
        waited = bell.is_set() or time.monotonic() - began > _REFILL_SECONDS
        if changed and free and (2 * free >= _AT_ONCE or waited):
            return


async def _keep_leases(runtime: Runtime, hand: _InHand) -> None:
    """Extend the leases of what is being worked on; what has been lost is dropped, since another worker has it."""
    while True:
        await asyncio.sleep(_LEASE_SECONDS / 3)
        try:
            for lease, ids in hand.by_lease().items():
                async with runtime.units_of_work() as uow:
                    kept = await inbox.extend(uow.session, ids, lease, uow.now, _LEASE_SECONDS)
                for task, (row_id, held) in hand.tasks.items():
                    if held == lease and row_id in ids and row_id not in kept and not task.done():
                        _log.warning("lease lost, another worker took over", inbox=row_id)
                        task.cancel()
        except DATABASE_ERRORS as error:
            _log.warning("leases not extended", error=type(error).__name__)


async def _one(runtime: Runtime, row: InboxRow, lease: str) -> None:
    assert row.id is not None
    channel = runtime.channels.get(row.provider)
    updates: list[Update] = []
    try:
        updates = _read(channel, row)
        async with asyncio.timeout(_LONGEST_SECONDS):
            account, toast = await _handle(runtime, row, lease, updates)
    except LeaseLostError:
        _log.warning("lease lost, another worker took over", inbox=row.id)
    except Exception as error:  # noqa: BLE001 - whatever broke, the row must get its outcome
        await _put_back(runtime, row, lease, error)
    else:
        for update in updates:
            metrics.handled.labels(type(update).__name__).inc()
            pressed = isinstance(update, ButtonPressed) and update.tap_id
            if pressed and account is not None and isinstance(channel, AnswersTaps):
                runtime.in_background(_answer(channel, account, pressed, toast))


async def _answer(channel: AnswersTaps, account: AccountRow, tap_id: str, toast: str) -> None:
    """Let a pressed button stop spinning; nobody waits for that, and what was done stays done without it."""
    try:
        async with asyncio.timeout(_TAP_SECONDS):
            await channel.answer_tap(ref(account), tap_id, toast)
    except (SendError, TimeoutError) as error:
        _log.info("tap not answered", account=account.external_id, reason=getattr(error, "reason", "timeout"))


def _read(channel: Channel | None, row: InboxRow) -> list[Update]:
    if channel is None:
        msg = f"no channel for provider {row.provider}"
        raise UnreadableError(msg)
    updates = channel.parse(row.raw)
    broken = [u for u in updates if isinstance(u, Unrecognised) and u.why != UNKNOWN_EVENT]
    if broken:
        raise UnreadableError(broken[0].why)
    return [u if u.occurred_at.year > _FIRST_YEAR else replace(u, occurred_at=row.occurred_at) for u in updates]


async def _handle(runtime: Runtime, row: InboxRow, lease: str, updates: list[Update]) -> tuple[AccountRow | None, str]:
    """Handle updates in one transaction; returns their account, and what is to be shown to whoever pressed a button."""
    assert row.id is not None
    async with runtime.units_of_work() as uow:
        account = await runtime.account_row(uow, row.provider, row.account)
        if any(isinstance(update, MessageReceived) and update.test for update in updates):
            await accounts.note_test(uow.session, row.provider, uow.now)
        desk = Desk(runtime.settings.conversation, runtime.box, runtime.settings.server.public_url)
        if account is not None:
            for update in updates:
                await dispatch(desk, uow, account, update, row.id)
        if not await inbox.finish(uow.session, row.id, lease, uow.now):
            raise LeaseLostError
    return account, uow.toast


async def _put_back(runtime: Runtime, row: InboxRow, lease: str, error: Exception) -> None:
    assert row.id is not None
    if isinstance(error, TooEarlyError):
        await _look_again(runtime, row, lease)
        return
    final = isinstance(error, UnreadableError) or row.attempts > len(_PAUSES)
    metrics.handling_failed.labels(str(final)).inc()
    _log.error(
        "update failed", inbox=row.id, kind=row.event, attempt=row.attempts, final=final, error=type(error).__name__,
        exc_info=None if isinstance(error, UnreadableError) else error,
    )  # fmt: skip
    async with runtime.units_of_work() as uow:
        pause = None if final else _PAUSES[row.attempts - 1] * (1 + random.random() / 4)  # noqa: S311 - jitter
        at = None if pause is None else uow.now + timedelta(seconds=pause)
        await inbox.fail(uow.session, row.id, lease, f"{type(error).__name__}: {error}", at)
        if pause is not None:
            uow.after_commit("handle_updates", pause)
        else:
            uow.announce("health")


async def _look_again(runtime: Runtime, row: InboxRow, lease: str) -> None:
    """Put back what came too early, for longer the longer it waits; its handler says when it has waited enough."""
    assert row.id is not None
    async with runtime.units_of_work() as uow:
        waited = (uow.now - row.received_at).total_seconds()
        pause = min(max(_SOON_SECONDS, waited / 2), _LATE_SECONDS)
        await inbox.look_again(uow.session, row.id, lease, uow.now + timedelta(seconds=pause))
        uow.after_commit("handle_updates", pause)
