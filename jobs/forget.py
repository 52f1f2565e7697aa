"""Forget in time: raw webhooks, ended sessions, audit rows, lists of recipients, and bytes of what was discarded."""

from datetime import datetime, timedelta

from bot.actions import recipient_lists
from bot.actions.desk_drafts import forget_old
from bot.runtime import Runtime
from bot.store import audit, broadcasts, files, inbox, messages, recipients, staff

_BEGUN = timedelta(days=2)
"""What an official began in a chat and left lying, and codes that have ended, are kept so long."""

_SLICE = 2048
"""Deliveries that are blanked in one transaction."""


async def forget(runtime: Runtime) -> int:
    """Delete what has passed its retention; returns how many rows and files went."""
    kept = runtime.settings.privacy
    gone = await _updates(runtime, kept.inbox_days) if kept.inbox_days else 0
    async with runtime.units_of_work() as uow:
        if kept.audit_days:
            gone += await audit.forget(uow.session, uow.now - timedelta(days=kept.audit_days))
        gone += await forget_old(uow, uow.now - _BEGUN)
        if kept.session_days:
            gone += await staff.clear_old(uow.session, uow.now - timedelta(days=kept.session_days))
        discarded = await messages.discarded_files(uow.session)
        rows = {row.id: row for row in await files.files(uow.session, [f for _, f in discarded])}
    for attachment_id, file_id in discarded:
        row = rows.get(file_id)
        if row is not None:
            await runtime.blobs.delete(row.key)
            if row.thumbnail_key:
                await runtime.blobs.delete(row.thumbnail_key)
        async with runtime.units_of_work() as uow:
            await files.mark_deleted(uow.session, file_id, uow.now)
            await messages.let_go(uow.session, attachment_id)
        gone += 1
    if kept.recipient_list_days:
        gone += await _lists(runtime, runtime.now() - timedelta(days=kept.recipient_list_days))
    return gone


async def _lists(runtime: Runtime, before: datetime) -> int:
    """Remove old lists of recipients that nothing needs any more, and values and phones of those long written to."""
    async with runtime.units_of_work() as uow:
        lists = await recipients.old(uow.session, before)
        for list_id in lists:
            await recipient_lists.remove(uow, list_id)
        filled = await broadcasts.with_old_values(uow.session, before)
    gone = len(lists)
    for broadcast_id, total in filled:
        for last in range(total, 0, -_SLICE):  # the first rows at last: they say whether there are any left
            async with runtime.units_of_work() as uow:
                gone += await broadcasts.blank_values(uow.session, broadcast_id, max(1, last - _SLICE + 1), last)
    return gone


async def _updates(runtime: Runtime, days: int) -> int:
    """Delete old webhooks a few thousand at a time, so that nobody waits long for the database."""
    before, gone = runtime.now() - timedelta(days=days), 0
    while True:
        async with runtime.units_of_work() as uow:
            number = await inbox.forget_handled(uow.session, before)
        if not number:
            return gone
        gone += number
