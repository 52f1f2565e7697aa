"""Stop the bot from saying the same to the same person without end, as when two robots answer each other."""

from datetime import timedelta

from bot.store import messages, outbox
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


async def stop(uow: UnitOfWork, row: OutboxRow) -> None:
    """Keep one message of a loop as failed, so that staff see it; the others of the same loop leave no trace."""
    if await outbox.failed_for(uow.session, row.contact_id, REASON, row.text, uow.now - WITHIN):
        return
    row.state, row.reason, row.failed_at, row.next_attempt_at = "failed", REASON, uow.now, None
    uow.session.add(row)
    deed = AuditRow(
        id=uow.new_id(),
        at=uow.now,
        actor_kind="system",
        action="message.loop",
        subject=f"contact:{row.contact_id}",
        data={"purpose": row.purpose, "outbox": row.id},
    )
    uow.session.add(deed)
    await uow.session.flush()
    uow.announce("health")
