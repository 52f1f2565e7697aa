"""Try things again that got stuck, at a person's wish, and leave a trail of it."""

from datetime import datetime

from bot.actions.case_trail import audit
from bot.store import desk_messages, inbox, outbox
from bot.store.inbox import InboxRow
from bot.store.unit_of_work import UnitOfWork


async def retry_update(uow: UnitOfWork, row_id: int) -> bool:
    """Give a parked update another round of tries; False when it is parked no more."""
    if not await inbox.retry_parked(uow.session, row_id, uow.now):
        return False
    audit(uow, "update.retry", f"update:{row_id}")
    uow.after_commit("handle_updates")
    uow.announce("health")
    return True


async def retry_message(uow: UnitOfWork, row_id: str) -> bool:
    """Queue a failed message once more; False when it has not failed. A card is written anew, for who reads it now."""
    if await desk_messages.try_again(uow.session, outbox_id=row_id):
        uow.after_commit("refresh_cards")
    elif not await outbox.requeue(uow.session, row_id, uow.now):
        return False
    audit(uow, "message.retry", f"message:{row_id}")
    await desk_messages.cancel_unread(uow.session)
    uow.after_commit("deliver_messages")
    uow.announce("health")
    return True


async def retry_reason(uow: UnitOfWork, reason: str, since: datetime) -> int:
    """Queue all messages once more that failed for a reason since then; returns how many."""
    number = await desk_messages.try_again(uow.session, reason=reason, since=since)
    if number:
        uow.after_commit("refresh_cards")
    number += await outbox.requeue_reason(uow.session, reason, since, uow.now)
    await desk_messages.cancel_unread(uow.session)
    if number:
        audit(uow, "message.retry_reason", "", {"reason": reason, "number": number})
        uow.after_commit("deliver_messages")
        uow.announce("health")
    return number


def looked_at_update(uow: UnitOfWork, row: InboxRow) -> None:
    """Record that somebody read a raw update, which may hold a citizen's words."""
    audit(uow, "update.read", f"update:{row.id}", {"event": row.event})
