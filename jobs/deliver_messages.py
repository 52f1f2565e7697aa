"""Hand messages to their providers: most urgent first, in order per person, every outcome recorded."""

import asyncio
import itertools
import math
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bot import metrics
from bot.actions.contacts import refused
from bot.actions.outgoing import given_up, postponed, sent
from bot.channels.channel import Recipient
from bot.channels.rate_limit import prepaid
from bot.clock import new_id
from bot.domain.audience import Way
from bot.domain.delivery import (
    DeliveryState,
    NextStep,
    RecipientGoneError,
    RecipientMovedError,
    SendError,
    Sent,
    UnknownOutcomeError,
    next_step,
)
from bot.domain.message import Message, fit
from bot.logs import logger
from bot.queue import DELIVER_MESSAGES
from bot.runtime import Runtime, ref
from bot.store import accounts, cases, contacts, outbox
from bot.store.accounts import AccountRow
from bot.store.contacts import ContactRow
from bot.store.outbox import OutboxRow, Share
from bot.store.unit_of_work import UnitOfWork
from bot.vault import stop_account

_log = logger("delivery")
_LEASE_SECONDS = 60.0
_LEASE_MARGIN = 20.0
"""No try begins in the last seconds of a lease: uploading a file and sending it may take as long."""
_PLACES = 40
_PLACES_PER_ACCOUNT = 20
_TOGETHER_SECONDS = 0.005
_BY_PHONE = Way.TEMPLATE_PHONE.value
_RECORD_PAUSES = (0.1, 1.0, 4.0)
"""Seconds before an outcome that could not be written is written again: what is known of a message must not be lost."""


@dataclass(frozen=True, slots=True)
class _Leased:
    """Messages of one account leased together.

    Until when a try may begin, and until when the requests taken with the lease hold (monotonic seconds).
    """

    rows: list[OutboxRow]
    lease: str
    account: AccountRow
    people: dict[str, ContactRow]
    safe_until: float
    paid_until: float


async def deliver_messages(runtime: Runtime) -> int:
    """Send everything that is due now and allowed; returns how many tries were made.

    A message whose provider does not answer keeps only its own place: the others are filled again. No account holds
    more than half of the places.
    """
    bell = runtime.queue.bell(DELIVER_MESSAGES.name)
    under_way: dict[asyncio.Task[None], str] = {}
    total = 0
    try:
        while True:
            if not runtime.stopping.is_set() and len(under_way) < _PLACES:
                bell.clear()
                for batch in await _lease_fairly(runtime, _PLACES - len(under_way), Counter(under_way.values())):
                    total += len(batch.rows)
                    for row in batch.rows:
                        under_way[asyncio.create_task(_one(runtime, batch, row))] = batch.account.id
            if not under_way:
                return total
            await _some_end(under_way, bell)
    except Exception:
        # Whatever else is broken, what is under way may have left: its outcome is waited for.
        await asyncio.gather(*under_way, return_exceptions=True)
        raise
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _some_end(under_way: dict[asyncio.Task[None], str], bell: asyncio.Event) -> None:
    """Wait until a message has its outcome, or until there is news and room for it."""
    waiting: set[asyncio.Task[Any]] = {*under_way}
    rung = asyncio.create_task(bell.wait())
    if len(under_way) < _PLACES:
        waiting.add(rung)
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if done - {rung}:
            # Others that end in the same moment share the look for more.
            await asyncio.wait(under_way, timeout=_TOGETHER_SECONDS)
    finally:
        rung.cancel()
    for task in [task for task in under_way if task.done()]:
        del under_way[task]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # One outcome that cannot be written says nothing of the others that are under way.
            _log.error("an outcome was not written", exc_info=error)


async def _lease_fairly(runtime: Runtime, room: int, busy: Counter[str]) -> list[_Leased]:
    """Lease some messages: the most urgent lane first, in it every unit of every account its part.

    `busy` counts the places that each account holds already.
    """
    with runtime.urgency.working():
        async with runtime.database.reading() as session:
            shares = await outbox.waiting(session, runtime.now())
            known = {a.id: a for a in await accounts.all_accounts(session)} if shares else {}
        leased: list[_Leased] = []
        waits: list[float] = []
        for _, in_lane in itertools.groupby(shares, key=lambda share: share.lane):
            lane = [share for share in in_lane if busy[share.account_id] < _PLACES_PER_ACCOUNT]
            random.shuffle(lane)
            units = Counter(share.account_id for share in lane)
            for place, share in enumerate(lane):
                free = math.ceil((_PLACES_PER_ACCOUNT - busy[share.account_id]) / units[share.account_id])
                part = min(share.number, room, free, math.ceil(room / (len(lane) - place)))
                units[share.account_id] -= 1
                batch, wait = await _lease(runtime, share, known[share.account_id], part) if part > 0 else (None, 0.0)
                if batch is not None:
                    leased.append(batch)
                    room -= len(batch.rows)
                    busy[share.account_id] += len(batch.rows)
                if wait:
                    waits.append(wait)
    if waits:
        await runtime.queue.wake(DELIVER_MESSAGES.name, min(waits))
    return leased


async def _lease(runtime: Runtime, share: Share, account: AccountRow, most: int) -> tuple[_Leased | None, float]:
    """Lease up to `most` of one share, as many as the account's allowance has room for; also returns the wait."""
    windows = runtime.channel(account).limits(ref(account))
    grant = await runtime.budget.take(windows, share.lane, most)
    if not grant.number:
        return None, grant.wait
    lease, begun = new_id(), time.monotonic()
    async with runtime.units_of_work() as uow:
        rows = await outbox.claim(uow.session, lease, uow.now, _LEASE_SECONDS, grant.number, share)
        people = await contacts.contacts(uow.session, [r.contact_id for r in rows])
    if windows and len(rows) < grant.number and time.monotonic() <= grant.until:
        await runtime.budget.give_back(windows, grant.number - len(rows))
    safe_until = begun + _LEASE_SECONDS - _LEASE_MARGIN
    return (_Leased(rows, lease, account, people, safe_until, grant.until) if rows else None), 0.0


async def _one(runtime: Runtime, batch: _Leased, row: OutboxRow) -> None:
    account, lease = batch.account, batch.lease
    if time.monotonic() > batch.safe_until:
        return  # this process stood still: the sweeper has called the message's outcome unknown
    try:
        result = await _paid(runtime, row, batch)
    except SendError as error:
        await _failed_for(runtime, row, lease, account, error)
    except Exception as error:  # noqa: BLE001 - whatever broke, the row must get its outcome
        _log.exception("sending broke", outbox=row.id)
        await _failed_for(runtime, row, lease, account, UnknownOutcomeError("technical", type(error).__name__))
    else:
        await _succeeded(runtime, row, lease, account, result)


async def _failed_for(runtime: Runtime, row: OutboxRow, lease: str, account: AccountRow, error: SendError) -> None:
    metrics.sends.labels(account.provider, error.outcome.value).inc()
    await _kept(row, lambda: _failed(runtime, row, lease, account, error))


async def _succeeded(runtime: Runtime, row: OutboxRow, lease: str, account: AccountRow, result: Sent) -> None:
    metrics.sends.labels(account.provider, "sent").inc()
    try:
        await _kept(row, lambda: _arrived(runtime, row, lease, account, result))
    except Exception:
        # What has arrived must not be sent again, even if what should follow from it cannot be done.
        await _kept(row, lambda: _only_arrived(runtime, row, lease, result))
        raise


async def _kept(row: OutboxRow, write: Callable[[], Awaitable[None]]) -> None:
    """Write an outcome, some times over if that fails: one that is lost would leave the message in doubt."""
    for pause in _RECORD_PAUSES:
        try:
            await write()
        except Exception as error:  # noqa: BLE001 - the last try tells what it was
            _log.warning("an outcome is to be written again", outbox=row.id, error=type(error).__name__)
            await asyncio.sleep(pause)
        else:
            return
    await write()


async def _paid(runtime: Runtime, row: OutboxRow, batch: _Leased) -> Sent:
    """Send on the request that was taken with the lease; what was not needed goes back."""
    account, by_phone = batch.account, row.way == _BY_PHONE
    # By phone a template counts in no window of the account; the channel keeps what limit there is.
    with prepaid(0 if by_phone else 1, row.lane, batch.paid_until) as paid:
        try:
            return await _send(runtime, row, account, batch.people[row.contact_id])
        finally:
            if by_phone:
                await runtime.budget.give_back(runtime.channel(account).limits(ref(account)), 1)
            elif paid.left:
                await runtime.budget.give_back(runtime.channel(account).limits(ref(account)), paid.left)


async def _send(runtime: Runtime, row: OutboxRow, account: AccountRow, person: ContactRow) -> Sent:
    channel = runtime.channel(account)
    message = Message.from_json(row.body)
    parts = fit(message, channel.capabilities(ref(account)))
    recipient = _recipient(runtime, row, person)
    ready = parts[0] if len(parts) == 1 else replace(message, buttons=(), replies_to=None)
    return await channel.send(ref(account), recipient, ready)


def _recipient(runtime: Runtime, row: OutboxRow, person: ContactRow) -> Recipient:
    if row.way != _BY_PHONE:
        return Recipient(person.external_id, person.conversation_id if person.anonymous else None)
    if person.phone is None:
        raise RecipientGoneError("phone_invalid")  # forgotten since
    return Recipient(runtime.box.open(person.phone), by="phone", tracking=row.id)


async def _arrived(runtime: Runtime, row: OutboxRow, lease: str, account: AccountRow, result: Sent) -> None:
    with runtime.urgency.working():
        async with runtime.units_of_work() as uow:
            await _follow_sent(uow, row, lease, account, result)


async def _follow_sent(uow: UnitOfWork, row: OutboxRow, lease: str, account: AccountRow, result: Sent) -> None:
    await _lock(uow, row)
    if not await _record_sent(uow, row, lease, result):
        return
    current = await outbox.row(uow.session, row.id)
    assert current is not None
    await sent(uow, current)
    if result.quota_type is not None:
        quota = {result.quota_type: {"remaining": result.quota_remaining, "at": uow.now.isoformat()}}
        await accounts.note_quota(uow.session, account.id, quota)
    if row.purpose not in {"answer", "ask_back"}:
        metrics.turn_seconds.observe((uow.now - row.created_at).total_seconds())


async def _only_arrived(runtime: Runtime, row: OutboxRow, lease: str, result: Sent) -> None:
    async with runtime.units_of_work() as uow:
        await _record_sent(uow, row, lease, result)


async def _record_sent(uow: UnitOfWork, row: OutboxRow, lease: str, result: Sent) -> bool:
    """Write that the provider has the message; who has lost the lease may still tell, unless it was tried again."""
    values: dict[str, Any] = {
        "state": DeliveryState.SENT.value,
        "provider_id": result.message_id,
        "quota_type": result.quota_type,
        "sent_at": uow.now,
        "reason": "",
    }
    if await outbox.record(uow.session, row.id, lease, **values):
        return True
    return row.sending_at is not None and await outbox.record_late(uow.session, row.id, row.sending_at, **values)


async def _lock(uow: UnitOfWork, row: OutboxRow) -> None:
    """Take the locks in the order in which everybody takes them: person, case, message."""
    if row.case_id is not None:
        await cases.lock_with_contact(uow.session, row.case_id)


async def _failed(runtime: Runtime, row: OutboxRow, lease: str, account: AccountRow, error: SendError) -> None:
    async with runtime.units_of_work() as uow:
        await _lock(uow, row)
        if isinstance(error, RecipientMovedError) and not await contacts.move(
            uow.session, row.contact_id, error.moved_to
        ):
            error = RecipientGoneError(error.reason, error.detail)
        step = next_step(error, row.attempts, uow.now, random.random())  # noqa: S311 - jitter
        if step.stops_account and not await _stops(uow, row, account, error):
            step = replace(step, at=uow.now)
        _log.warning("not sent", outbox=row.id, reason=error.reason, code=error.provider_code, next=step.state.value)
        values: dict[str, Any] = {
            "state": step.state.value,
            "next_attempt_at": step.at,
            "reason": step.reason,
            "detail": error.detail[:500],
        }
        if step.attempts is not None:
            values["attempts"] = step.attempts
        if step.state is DeliveryState.FAILED:
            values["failed_at"] = uow.now
        if not await outbox.record(uow.session, row.id, lease, **values):
            return
        await _follow_up(uow, row, account, step, error)


async def _stops(uow: UnitOfWork, row: OutboxRow, account: AccountRow, error: SendError) -> bool:
    return await stop_account(uow, account.id, error.reason, error.detail, row.sending_at or uow.now)


async def _follow_up(uow: UnitOfWork, row: OutboxRow, account: AccountRow, step: NextStep, error: SendError) -> None:
    if step.recipient_gone and row.way != _BY_PHONE:  # a phone that takes none says nothing of a chat
        await refused(uow, account, row.contact_id, error.reason, row.sending_at or uow.now)
    if step.state is DeliveryState.FAILED:
        current = await outbox.row(uow.session, row.id)
        assert current is not None
        await given_up(uow, current, gone=step.recipient_gone)
        uow.announce("health")
    elif step.state is DeliveryState.UNKNOWN:
        uow.after_commit("settle_messages")
    elif step.at is not None:
        await postponed(uow, row)
        uow.after_commit("deliver_messages", max(0.0, (step.at - uow.now) / timedelta(seconds=1)))
