"""Handle stored updates: each once, in order per contact, in parallel across contacts."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta

from bot import metrics
from bot.channels.channel import Channel
from bot.clock import new_id
from bot.domain.update import UNKNOWN_EVENT, MessageReceived, Unrecognised, Update
from bot.errors import TooEarlyError
from bot.logs import logger
from bot.runtime import Runtime
from bot.store import accounts, inbox
from bot.store.inbox import InboxRow
from handlers.dispatch import Desk, dispatch

_log = logger("handling")
_LEASE_SECONDS = 60.0
_BATCH = 20
_SOON_SECONDS = 0.3
_FIRST_YEAR = 2012
"""Zalo began in 2012: an earlier time means that the event told none, and the time of arrival is used."""
_PAUSES = (2, 10, 60, 600)
"""Seconds between the tries of one update; after the last it is parked for a person."""


class LeaseLostError(Exception):
    """Another worker took the update over; what was done here is rolled back."""


class UnreadableError(Exception):
    """The webhook could not be read as anything; it is parked at once, since trying again changes nothing."""


async def handle_updates(runtime: Runtime) -> int:
    """Handle everything that is due now; returns how many updates were handled or put back."""
    total = 0
    while True:
        lease = new_id()
        async with runtime.units_of_work() as uow:
            rows = await inbox.claim(uow.session, lease, uow.now, _LEASE_SECONDS, _BATCH)
        if not rows:
            return total
        await asyncio.gather(*(_one(runtime, row, lease) for row in rows))
        total += len(rows)


async def _one(runtime: Runtime, row: InboxRow, lease: str) -> None:
    assert row.id is not None
    channel = runtime.channels.get(row.provider)
    updates: list[Update] = []
    try:
        updates = _read(channel, row)
        await _handle(runtime, row, lease, updates)
    except LeaseLostError:
        _log.warning("lease lost, another worker took over", inbox=row.id)
    except Exception as error:  # noqa: BLE001 - whatever broke, the row must get its outcome
        await _put_back(runtime, row, lease, error)
    else:
        for update in updates:
            metrics.handled.labels(type(update).__name__).inc()


def _read(channel: Channel | None, row: InboxRow) -> list[Update]:
    if channel is None:
        msg = f"no channel for provider {row.provider}"
        raise UnreadableError(msg)
    updates = channel.parse(row.raw)
    broken = [u for u in updates if isinstance(u, Unrecognised) and u.why != UNKNOWN_EVENT]
    if broken:
        raise UnreadableError(broken[0].why)
    return [u if u.occurred_at.year > _FIRST_YEAR else replace(u, occurred_at=row.occurred_at) for u in updates]


async def _handle(runtime: Runtime, row: InboxRow, lease: str, updates: list[Update]) -> None:
    assert row.id is not None
    async with runtime.units_of_work() as uow:
        account = await runtime.account_row(uow, row.provider, row.account)
        if any(isinstance(update, MessageReceived) and update.test for update in updates):
            await accounts.note_test(uow.session, row.provider, uow.now)
        if account is not None:
            for update in updates:
                await dispatch(Desk(runtime.settings.conversation, runtime.box), uow, account, update, row.id)
        if not await inbox.finish(uow.session, row.id, lease, uow.now):
            raise LeaseLostError


async def _put_back(runtime: Runtime, row: InboxRow, lease: str, error: Exception) -> None:
    assert row.id is not None
    if isinstance(error, TooEarlyError) and row.attempts <= len(_PAUSES):
        async with runtime.units_of_work() as uow:
            soon = uow.now + timedelta(seconds=_SOON_SECONDS)
            await inbox.fail(uow.session, row.id, lease, "too early", soon)
            uow.after_commit("handle_updates", _SOON_SECONDS)
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
