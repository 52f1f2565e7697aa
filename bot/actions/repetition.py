"""Stop the bot from saying the same to the same person without end, as when two robots answer each other."""

from datetime import timedelta

from bot.domain.message import Message
from bot.store import messages, outbox
from bot.store.accounts import AccountRow
from bot.store.audit import AuditRow
from bot.store.contacts import ContactRow
from bot.store.outbox import OutboxRow
from bot.store.unit_of_work import UnitOfWork

MOST = 20
WITHIN = timedelta(minutes=5)
REASON = "loop"


async def repeats(uow: UnitOfWork, contact: ContactRow, text: str) -> bool:
    """Say whether the bot has told this person the same so often lately that it must stop."""
    if not text:
        return False
    return await messages.repeated(uow.session, contact.id, text, uow.now - WITHIN, MOST) >= MOST


async def stop(
    uow: UnitOfWork, account: AccountRow, contact: ContactRow, message: Message, purpose: str, lane: int
) -> None:
    """Keep one message of a loop as failed, so that staff see it; the others of the same loop leave no trace."""
    if await outbox.failed_for(uow.session, contact.id, REASON, message.text, uow.now - WITHIN):
        return
    row_id = uow.new_id()
    uow.session.add(
        OutboxRow(
            id=row_id,
            account_id=account.id,
            contact_id=contact.id,
            purpose=purpose,
            lane=lane,
            body=message.to_json(),
            text=message.text,
            state="failed",
            reason=REASON,
            created_at=uow.now,
            failed_at=uow.now,
        )
    )
    deed = AuditRow(
        id=uow.new_id(),
        at=uow.now,
        actor_kind="system",
        action="message.loop",
        subject=f"contact:{contact.id}",
        data={"purpose": purpose, "outbox": row_id},
    )
    uow.session.add(deed)
    await uow.session.flush()
    uow.announce("health")
