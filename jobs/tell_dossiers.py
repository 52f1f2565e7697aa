"""Tell people of their dossiers: each notice once, by the first way that is allowed, or why by none."""

import asyncio
from datetime import timedelta
from functools import partial

from bot.actions import dossier_fee
from bot.actions.dossier_notices import follow, tell
from bot.actions.files import blob_key
from bot.clock import new_id
from bot.one_by_one import SomeFailedError, one_by_one
from bot.queue import TELL_DOSSIERS
from bot.runtime import Runtime
from bot.store import dossier_notices, files

_LEASE_SECONDS = 60.0
_BATCH = 20
_GIVE_WAY_SECONDS = 0.25
_SOON = 3600.0


async def tell_dossiers(runtime: Runtime) -> int:
    """Send on its way every notice that is due, and take in what became of others; returns how many moved.

    One that breaks keeps its lease for a while, so that it holds nobody up.
    """
    moved, broke = await _follow(runtime), None
    while not runtime.stopping.is_set():
        lease = new_id()
        async with runtime.units_of_work() as uow:
            due = await dossier_notices.claim(uow.session, lease, uow.now, _LEASE_SECONDS, _BATCH)
        if not due:
            break
        try:
            moved += await one_by_one(due, partial(_one, runtime, lease))
        except SomeFailedError as error:
            broke = error
    await _wake_for_next(runtime)
    if broke is not None:
        raise broke
    return moved


async def _one(runtime: Runtime, lease: str, notice_id: str) -> bool:
    await runtime.urgency.give_way(_GIVE_WAY_SECONDS)
    async with runtime.database.reading() as session:
        holds = await dossier_fee.transfer(session, notice_id)
    picture = await asyncio.to_thread(dossier_fee.draw, holds) if holds else b""
    if picture:
        await runtime.blobs.put(blob_key(notice_id), picture)
    async with runtime.units_of_work() as uow:
        moved = await tell(uow, runtime.box, notice_id, lease, picture)
        used = not picture or await files.file(uow.session, notice_id) is not None
    if not used:  # it left as a template, or not at all
        await runtime.blobs.delete(blob_key(notice_id))
    return moved


async def _follow(runtime: Runtime) -> int:
    async with runtime.database.reading() as session:
        ended = await dossier_notices.ended(session)

    async def one(outbox_id: str) -> bool:
        async with runtime.units_of_work() as uow:
            return await follow(uow, outbox_id)

    return await one_by_one(ended, one)


async def _wake_for_next(runtime: Runtime) -> None:
    """Have the next notice that waits for its hour told then, and not only by the sweeper."""
    now = runtime.now()
    async with runtime.database.reading() as session:
        at = await dossier_notices.next_due(session, now)
    seconds = (at - now) / timedelta(seconds=1) if at is not None else _SOON
    if seconds < _SOON:
        await runtime.queue.wake(TELL_DOSSIERS.name, seconds)
