"""Call broadcasts finished once nothing of them is open, and take up again what was called done too early."""

from datetime import datetime

from sqlalchemy import exists, literal, or_, select, update
from sqlmodel import col
from sqlmodel import select as select_rows
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.broadcasts import BroadcastRow, ChunkRow, DeliveryRow
from bot.store.outbox import OPEN


async def through(session: AsyncSession) -> list[int]:
    """Return broadcasts that are not finished though all their ranges are done and none is doubtful."""
    open_range = exists(literal(1)).where(
        col(ChunkRow.broadcast_id) == col(BroadcastRow.id),
        or_(col(ChunkRow.state) != "done", col(ChunkRow.doubtful)),
    )
    query = select_rows(BroadcastRow.id).where(
        col(BroadcastRow.state).in_(("running", "stopped")), col(BroadcastRow.finished_at).is_(None), ~open_range
    )
    return [number for number in (await session.exec(query)).all() if number is not None]


async def open_ranges(session: AsyncSession, broadcast_id: int) -> dict[int, set[str]]:
    """Return by its first number each range with a delivery that has no end yet, and in which states there are such.

    It reads all recipients of the broadcast: once, when its ranges are done. What has an end is never open again.
    """
    query = (
        select(col(ChunkRow.first), col(DeliveryRow.state))
        .join(
            ChunkRow,
            (col(ChunkRow.broadcast_id) == col(DeliveryRow.broadcast_id))
            & col(DeliveryRow.n).between(col(ChunkRow.first), col(ChunkRow.last)),
        )
        .where(col(DeliveryRow.broadcast_id) == broadcast_id, col(DeliveryRow.state).in_(OPEN))
        .distinct()
    )
    found: dict[int, set[str]] = {}
    for first, state in (await (await session.connection()).execute(query)).all():
        found.setdefault(first, set()).add(state)
    return found


async def take_up(session: AsyncSession, broadcast_id: int, first: int, states: set[str]) -> None:
    """Have a range that is called done sent or settled after all; what is marked in it may have left."""
    doubtful = bool(states & {"sending", "unknown"})
    here = (col(ChunkRow.broadcast_id) == broadcast_id, col(ChunkRow.first) == first)
    values = {"state": "waiting" if "queued" in states else "done", "next_attempt_at": None, "doubtful": doubtful}
    taken = update(ChunkRow).where(*here, col(ChunkRow.state) == "done", ~col(ChunkRow.doubtful))
    if not (await session.exec(taken.values(**values))).rowcount:
        return
    last = select_rows(ChunkRow.last).where(*here).scalar_subquery()
    marked = update(DeliveryRow).where(
        col(DeliveryRow.broadcast_id) == broadcast_id,
        col(DeliveryRow.n).between(first, last),
        col(DeliveryRow.state) == "sending",
    )
    await session.exec(marked.values(state="unknown", reason="interrupted"))


async def finish(session: AsyncSession, broadcast_id: int, now: datetime) -> bool:
    """Call a broadcast finished of which nothing is open; a stopped one stays stopped. False when somebody did."""
    query = select_rows(BroadcastRow).where(
        BroadcastRow.id == broadcast_id,
        col(BroadcastRow.state).in_(("running", "stopped")),
        col(BroadcastRow.finished_at).is_(None),
    )
    row = (await session.exec(query.with_for_update())).first()
    if row is None:
        return False
    row.finished_at = now
    if row.state == "running":
        row.state = "finished"
    return True
