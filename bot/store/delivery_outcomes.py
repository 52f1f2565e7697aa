"""Say what became of a broadcast's deliveries: told by receipts and echoes, or settled when in doubt."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, literal, null, or_, update
from sqlmodel import col
from sqlmodel import select as select_rows
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.broadcasts import BroadcastRow, ChunkRow, DeliveryRow
from bot.store.deliveries import DOUBT


async def doubtful(session: AsyncSession, limit: int = 20) -> list[tuple[ChunkRow, BroadcastRow]]:
    """Return ranges in which an outcome is unknown, with their broadcasts; others may be on their way in them just now.

    Each account has as many as the others. Which of its ranges they are is left to chance, so that none that stays in
    doubt keeps another from its turn for ever.
    """
    turn = func.row_number().over(partition_by=col(BroadcastRow.account_id), order_by=func.random())
    query = (
        select_rows(ChunkRow, BroadcastRow)
        .join(BroadcastRow, col(BroadcastRow.id) == col(ChunkRow.broadcast_id))
        .where(col(ChunkRow.doubtful))
        .order_by(turn, func.random())
        .limit(limit)
    )
    return list((await session.exec(query)).all())


async def unknown(session: AsyncSession, broadcast_id: int, first: int, last: int) -> list[DeliveryRow]:
    """Return the deliveries of a range whose outcome is unknown."""
    query = select_rows(DeliveryRow).where(
        DeliveryRow.broadcast_id == broadcast_id,
        col(DeliveryRow.n).between(first, last),
        DeliveryRow.state == "unknown",
    )
    return list((await session.exec(query.order_by(col(DeliveryRow.n)))).all())


async def settle_unknown(session: AsyncSession, row: DeliveryRow, **values: object) -> bool:
    """Write what was found out of the try that `row` tells of; False when it is settled, or another try was begun."""
    statement = update(DeliveryRow).where(
        col(DeliveryRow.broadcast_id) == row.broadcast_id,
        col(DeliveryRow.n) == row.n,
        col(DeliveryRow.state) == "unknown",
        col(DeliveryRow.part) == row.part,
        col(DeliveryRow.sending_at) == row.sending_at,
    )
    return bool((await session.exec(statement.values(**values))).rowcount)


async def settle(session: AsyncSession, broadcast_id: int, n: int, **values: object) -> bool:
    """Write what the provider told of a delivery: it is leaving, in doubt, or given up as unknown; False when settled.

    What is true of any try: a delivery that has arrived has arrived, whoever is sending it just now.
    """
    statement = update(DeliveryRow).where(
        col(DeliveryRow.broadcast_id) == broadcast_id,
        col(DeliveryRow.n) == n,
        or_(col(DeliveryRow.state).in_(DOUBT), _given_up()),
    )
    return bool((await session.exec(statement.values(**values))).rowcount)


def _given_up() -> ColumnElement[bool]:
    return and_(col(DeliveryRow.state) == "failed", col(DeliveryRow.reason) == "outcome_unknown")


async def clear_doubt(session: AsyncSession, broadcast_id: int, first: int) -> None:
    """Note that nothing in a range is in doubt any more; kept when something is."""
    here = (col(ChunkRow.broadcast_id) == broadcast_id, col(ChunkRow.first) == first)
    # Locked before it is looked into: what is called unknown meanwhile is either seen here or notes its doubt after.
    await session.exec(select_rows(ChunkRow.first).where(*here).with_for_update())
    inside = exists(literal(1)).where(
        col(DeliveryRow.broadcast_id) == col(ChunkRow.broadcast_id),
        col(DeliveryRow.n).between(col(ChunkRow.first), col(ChunkRow.last)),
        col(DeliveryRow.state) == "unknown",
    )
    await session.exec(update(ChunkRow).where(*here, ~inside).values(doubtful=False))


async def in_doubt_for(
    session: AsyncSession, recipient: str, since: datetime
) -> list[tuple[DeliveryRow, BroadcastRow]]:
    """Return what is leaving, in doubt or given up as unknown for a recipient, tried since then, with its broadcast."""
    query = (
        select_rows(DeliveryRow, BroadcastRow)
        .join(BroadcastRow, col(BroadcastRow.id) == col(DeliveryRow.broadcast_id))
        .where(
            DeliveryRow.recipient == recipient,
            or_(col(DeliveryRow.state).in_(DOUBT), _given_up()),
            col(DeliveryRow.sending_at) >= since,
        )
        .order_by(col(DeliveryRow.broadcast_id))
    )
    return list((await session.exec(query)).all())


async def by_tracking(session: AsyncSession, broadcast_id: int, n: int) -> tuple[DeliveryRow, BroadcastRow] | None:
    """Return a delivery by its number, with its broadcast."""
    query = (
        select_rows(DeliveryRow, BroadcastRow)
        .join(BroadcastRow, col(BroadcastRow.id) == col(DeliveryRow.broadcast_id))
        .where(DeliveryRow.broadcast_id == broadcast_id, DeliveryRow.n == n)
    )
    return (await session.exec(query)).first()


async def arrived(
    session: AsyncSession, row: DeliveryRow, provider_id: str, state: str, times: dict[str, datetime]
) -> bool:
    """Write that a delivery has arrived (`state` delivered or seen), in doubt or waiting though it was; never back.

    One that waits to be tried again had arrived at a try before: it must not be sent once more.
    """
    before = ("queued", *DOUBT, "sent") if state == "delivered" else ("queued", *DOUBT, "sent", "delivered")
    known = {
        "provider_id": func.coalesce(col(DeliveryRow.provider_id), provider_id or None),
        "sent_at": func.coalesce(col(DeliveryRow.sent_at), times["delivered_at"]),
        "delivered_at": func.coalesce(col(DeliveryRow.delivered_at), times["delivered_at"]),
    }
    statement = update(DeliveryRow).where(
        col(DeliveryRow.broadcast_id) == row.broadcast_id,
        col(DeliveryRow.n) == row.n,
        or_(col(DeliveryRow.state).in_(before), _given_up()),
    )
    values = {**times, **known, "state": state, "reason": "", "failed_at": None}
    done = await session.exec(statement.values(**values).execution_options(synchronize_session=False))
    return bool(done.rowcount)


async def by_provider_id(session: AsyncSession, recipient: str, provider_id: str) -> DeliveryRow | None:
    """Return a recipient's delivery by the provider's id of the message."""
    query = select_rows(DeliveryRow).where(DeliveryRow.recipient == recipient, DeliveryRow.provider_id == provider_id)
    return (await session.exec(query)).first()


async def provider_ids(session: AsyncSession, recipient: str) -> set[str]:
    """Return the provider's ids of all deliveries to a recipient."""
    query = select_rows(DeliveryRow.provider_id).where(
        DeliveryRow.recipient == recipient, col(DeliveryRow.provider_id).is_not(None)
    )
    return {found for found in (await session.exec(query)).all() if found is not None}


async def cancel_queued(session: AsyncSession, recipient: str, reason: str) -> int:
    """Cancel what has not left for a recipient, whatever broadcast it belongs to; returns how many that were."""
    statement = update(DeliveryRow).where(col(DeliveryRow.recipient) == recipient, col(DeliveryRow.state) == "queued")
    statement = statement.values(state="cancelled", reason=reason).execution_options(synchronize_session=False)
    return (await session.exec(statement)).rowcount


async def erase(session: AsyncSession, recipients: Sequence[str]) -> None:
    """Cancel what has not left for one person, known by these names, and blank what all deliveries say of them."""
    mine = update(DeliveryRow).where(col(DeliveryRow.recipient).in_(recipients))
    mine = mine.execution_options(synchronize_session=False)
    await session.exec(mine.where(col(DeliveryRow.state) == "queued").values(state="cancelled", reason="erased"))
    await session.exec(mine.values(address="", merged=null()))
