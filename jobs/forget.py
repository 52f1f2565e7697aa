"""Forget in time: raw webhooks, ended sessions, audit rows, lists of recipients, bytes of what was discarded."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.actions import api_calls, dossier_imports, recipient_lists
from bot.actions.desk_drafts import forget_old
from bot.runtime import Runtime
from bot.store import audit, broadcasts, files, inbox, messages, outbox, recipients, staff

_BEGUN = timedelta(days=2)
"""What an official began in a chat and left lying, and codes that have ended, are kept so long."""

_ORPHANED = timedelta(days=1)
"""Bytes that belong to nothing are kept so long: they may be older than the row that is being made of them."""

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
        gone += await api_calls.forget_old(uow)
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
    gone += await _left_behind(runtime)
    if kept.recipient_list_days:
        before = runtime.now() - timedelta(days=kept.recipient_list_days)
        gone += await _lists(runtime, before)
        # Bad rows of imports that nobody has put right, and files that nobody has confirmed: people stand in them.
        async for keys in runtime.blobs.old(dossier_imports.FOLDER, before):
            gone += await _delete(runtime, keys)
    return gone


async def _left_behind(runtime: Runtime) -> int:
    """Delete pictures that no announcement has any more, and bytes of pictures and lists that no row knows."""
    before, gone = runtime.now() - _ORPHANED, 0
    async with runtime.database.reading() as session:
        pictures = await files.unannounced(session, before)
    for row in pictures:
        async with runtime.units_of_work() as uow:  # first, so that nobody is shown a picture whose bytes are gone
            await files.mark_deleted(uow.session, row.id, uow.now)
        for key in filter(None, (row.key, row.thumbnail_key)):
            await runtime.blobs.delete(key)
        gone += 1
    async for keys in runtime.blobs.old(files.ANNOUNCED, before):
        async with runtime.database.reading() as session:
            unknown = await files.unknown_keys(session, keys)
        gone += await _delete(runtime, unknown)
    async for keys in runtime.blobs.old(recipient_lists.FOLDER, before):
        async with runtime.database.reading() as session:
            ids = await recipients.without_bytes(session, [key.removeprefix(recipient_lists.FOLDER) for key in keys])
        gone += await _delete(runtime, [recipient_lists.blob_key(each) for each in ids])
    return gone


async def _delete(runtime: Runtime, keys: Sequence[str]) -> int:
    for key in keys:
        await runtime.blobs.delete(key)
    return len(keys)


async def _lists(runtime: Runtime, before: datetime) -> int:
    """Remove old lists of recipients that nothing needs any more, and values and phones of those long written to."""
    async with runtime.units_of_work() as uow:
        lists = await recipients.old(uow.session, before)
        for list_id in lists:
            await recipient_lists.remove(uow, list_id)
        filled = await broadcasts.with_old_values(uow.session, before)
        phones = await outbox.forget_phones(uow.session, before, uow.now)
    gone = len(lists) + phones
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
