"""Begin, pause, resume and stop announcements to many."""

from datetime import datetime

from bot.actions.case_trail import audit
from bot.domain.message import Message
from bot.errors import ConflictError, InvalidInputError, NotFoundError
from bot.store import broadcasts
from bot.store.accounts import AccountRow
from bot.store.broadcasts import BroadcastRow
from bot.store.unit_of_work import UnitOfWork


async def begin(
    uow: UnitOfWork,
    account: AccountRow,
    unit_id: str,
    message: Message,
    *,
    urgent: bool = False,
    since: datetime | None = None,
) -> BroadcastRow:
    """Freeze the audience into one row a recipient and start to send.

    The audience is every contact of the account who can be written to; with `since` only those who wrote after it.
    Raises InvalidInputError for a message without words and for an audience of nobody.
    """
    if not message.text and not message.title and message.media is None:
        raise InvalidInputError("text", "required")
    row = BroadcastRow(
        account_id=account.id, unit_id=unit_id, message=message.to_json(), urgent=urgent, created_at=uow.now
    )
    uow.session.add(row)
    await uow.session.flush()
    if await broadcasts.freeze(uow.session, row, since) == 0:
        raise InvalidInputError("audience", "nobody")
    row.state, row.started_at, row.progress_at = "running", uow.now, uow.now
    audit(uow, "broadcast.begin", f"broadcast:{row.id}", {"total": row.total})
    uow.after_commit("send_broadcasts")
    return row


async def pause(uow: UnitOfWork, broadcast_id: int, reason: str) -> BroadcastRow:
    """Let a broadcast rest: what has been marked as leaving still leaves, nothing more. Raises ConflictError."""
    row = await _load(uow, broadcast_id, "running")
    row.state, row.paused_reason, row.resume_at = "paused", reason, None
    audit(uow, "broadcast.pause", f"broadcast:{row.id}", {"reason": reason})
    return row


async def resume(uow: UnitOfWork, broadcast_id: int) -> BroadcastRow:
    """Let a paused broadcast go on where it was. Raises ConflictError."""
    row = await _load(uow, broadcast_id, "paused")
    row.state, row.paused_reason, row.resume_at = "running", "", None
    await broadcasts.due_now(uow.session, broadcast_id)
    audit(uow, "broadcast.resume", f"broadcast:{row.id}")
    uow.after_commit("send_broadcasts")
    return row


async def stop(uow: UnitOfWork, broadcast_id: int) -> BroadcastRow:
    """End a broadcast for good: whoever has not been written to will not be. Raises ConflictError."""
    row = await _load(uow, broadcast_id, "running", "paused")
    row.state = "stopped"
    audit(uow, "broadcast.stop", f"broadcast:{row.id}")
    uow.after_commit("send_broadcasts")
    return row


async def _load(uow: UnitOfWork, broadcast_id: int, *states: str) -> BroadcastRow:
    row = await broadcasts.broadcast(uow.session, broadcast_id)
    if row is None:
        raise NotFoundError(f"broadcast {broadcast_id}")
    if row.state not in states:
        raise ConflictError(f"broadcast {broadcast_id} is {row.state}")
    return row
