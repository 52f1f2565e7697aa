"""Make a broadcast without an announcement around it, and steer it: for tests of what sends it."""

from sqlmodel import col, select

from bot.domain.message import Message
from bot.store import broadcasts
from bot.store.accounts import AccountRow
from bot.store.broadcasts import BroadcastRow, DeliveryRow
from bot.store.contacts import ADDRESSABLE, ContactRow
from bot.store.unit_of_work import UnitOfWork


async def begin(
    uow: UnitOfWork, account: AccountRow, unit_id: str, message: Message, *, urgent: bool = False
) -> BroadcastRow:
    """Begin a broadcast to every contact of an account who may be written to, in the order of their ids."""
    row = BroadcastRow(
        account_id=account.id,
        unit_id=unit_id,
        message=message.to_json(),
        urgent=urgent,
        state="running",
        created_at=uow.now,
        started_at=uow.now,
        progress_at=uow.now,
    )
    uow.session.add(row)
    await uow.session.flush()
    assert row.id is not None
    query = select(ContactRow).where(ContactRow.account_id == account.id, ADDRESSABLE).order_by(col(ContactRow.id))
    people = (await uow.session.exec(query)).all()
    uow.session.add_all(
        DeliveryRow(broadcast_id=row.id, n=n, recipient=person.id, address=person.external_id)
        for n, person in enumerate(people, 1)
    )
    row.total = len(people)
    await uow.session.flush()
    await broadcasts.cut(uow.session, row)
    await broadcasts.describe(uow.session)
    uow.after_commit("send_broadcasts")
    return row


async def pause(uow: UnitOfWork, number: int) -> None:
    """Let a broadcast rest."""
    row = await _load(uow, number)
    row.state, row.paused_reason = "paused", "by_hand"


async def resume(uow: UnitOfWork, number: int) -> None:
    """Let it go on."""
    row = await _load(uow, number)
    row.state, row.paused_reason, row.resume_at = "running", "", None
    await broadcasts.due_now(uow.session, number)


async def stop(uow: UnitOfWork, number: int) -> None:
    """End it."""
    (await _load(uow, number)).state = "stopped"


async def _load(uow: UnitOfWork, number: int) -> BroadcastRow:
    row = await broadcasts.broadcast(uow.session, number)
    assert row is not None
    return row
