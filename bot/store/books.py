"""Count what the books hold, for reconciliation: in SQL, over indexed ranges, all in one snapshot."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, Select, and_, func, or_
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.broadcasts import BroadcastRow, ChunkRow, DeliveryRow
from bot.store.inbox import InboxRow
from bot.store.messages import MessageRow
from bot.store.outbox import OutboxRow

NAMED = 20
"""So many ids are named of what does not add up."""
_DONE = ("finished", "stopped")


class ReconciliationRow(SQLModel, table=True):
    """What a daily look found last.

    `name` is books, and `found` holds bot.reconcile's differences, none when all adds up; or it is receipts, and
    `found` holds by account how many messages have none and how many have one.
    """

    __tablename__ = "reconciliations"

    name: str = Field(primary_key=True)
    at: datetime
    found: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)


async def keep_result(session: AsyncSession, name: str, at: datetime, found: list[dict[str, Any]]) -> None:
    """Write down what was found, in place of what was found before."""
    row = await session.get(ReconciliationRow, name)
    if row is None:
        session.add(ReconciliationRow(name=name, at=at, found=found))
    else:
        row.at, row.found = at, found


async def last_result(session: AsyncSession, name: str) -> ReconciliationRow | None:
    """Return what was found last; None when nobody has looked yet."""
    return await session.get(ReconciliationRow, name)


async def hold_still(session: AsyncSession) -> None:
    """Make every query of this session see the same moment; call it before the first one.

    SQLite's read transaction does so by itself; PostgreSQL must be asked, and then also refuses writing.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True})


def _received(since: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(col(InboxRow.received_at) >= since, col(InboxRow.received_at) < until)


async def inbox_states(session: AsyncSession, since: datetime, until: datetime) -> dict[str, int]:
    """Return how many updates received in this time stand in each state."""
    query = select(InboxRow.state, func.count()).where(_received(since, until)).group_by(col(InboxRow.state))
    return {state: int(n) for state, n in (await session.exec(query)).all()}


async def inbox_strangers(
    session: AsyncSession, since: datetime, until: datetime, known: Sequence[str]
) -> list[int | None]:
    """Return updates received in this time whose state nobody knows."""
    query = select(InboxRow.id).where(_received(since, until), col(InboxRow.state).not_in(known))
    return list((await session.exec(query.order_by(col(InboxRow.id)).limit(NAMED))).all())


def _said(first: str, end: str) -> ColumnElement[bool]:
    """Say which messages are ours to send: written by the bot or staff, not seen in the provider's own tool."""
    ours = and_(col(MessageRow.direction) == "out", col(MessageRow.author) != "oa_tool")
    return and_(col(MessageRow.id) >= first, col(MessageRow.id) < end, ours)


def _made(first: str, end: str) -> ColumnElement[bool]:
    return and_(col(OutboxRow.id) >= first, col(OutboxRow.id) < end)


async def said(session: AsyncSession, first: str, end: str) -> int:
    """Return how many messages of ours the conversations hold with ids from `first` to before `end`."""
    return (await session.exec(select(func.count()).select_from(MessageRow).where(_said(first, end)))).one()


async def outbox_states(session: AsyncSession, first: str, end: str) -> dict[str, int]:
    """Return how many messages on their way out, with ids in this range, stand in each state."""
    query = select(OutboxRow.state, func.count()).where(_made(first, end)).group_by(col(OutboxRow.state))
    return {state: int(n) for state, n in (await session.exec(query)).all()}


def _without_row(first: str, end: str) -> Select[Any]:
    joined = select(MessageRow.id).outerjoin(OutboxRow, col(OutboxRow.id) == col(MessageRow.id))
    return joined.where(_said(first, end), col(OutboxRow.id).is_(None))


def _without_words(first: str, end: str) -> Select[Any]:
    joined = select(OutboxRow.id).outerjoin(MessageRow, col(MessageRow.id) == col(OutboxRow.id))
    foreign = or_(col(MessageRow.id).is_(None), col(MessageRow.direction) != "out", col(MessageRow.author) == "oa_tool")
    return joined.where(_made(first, end), foreign)


async def said_but_not_made(session: AsyncSession, first: str, end: str) -> tuple[int, list[str]]:
    """Return messages in conversations that have no row on its way out: how many, and some ids."""
    return await _counted(session, _without_row(first, end))


async def made_but_not_said(session: AsyncSession, first: str, end: str) -> tuple[int, list[str]]:
    """Return rows on their way out that stand in no conversation: how many, and some ids."""
    return await _counted(session, _without_words(first, end))


async def outbox_strangers(session: AsyncSession, first: str, end: str, known: Sequence[str]) -> tuple[int, list[str]]:
    """Return messages on their way out whose state nobody knows: how many, and some ids."""
    query = select(OutboxRow.id).where(_made(first, end), col(OutboxRow.state).not_in(known))
    return await _counted(session, query)


async def _counted(session: AsyncSession, query: Any) -> tuple[int, list[str]]:
    connection = await session.connection()
    number = (await connection.execute(select(func.count()).select_from(query.subquery()))).scalar_one()
    if not number:
        return 0, []
    ids = (await connection.execute(query.order_by(*query.selected_columns).limit(NAMED))).scalars().all()
    return number, list(ids)


async def broadcasts_since(session: AsyncSession, since: datetime) -> list[BroadcastRow]:
    """Return broadcasts whose recipients are all written down and that are open, or moved since then."""
    moved = or_(
        col(BroadcastRow.state).not_in(_DONE),
        col(BroadcastRow.created_at) >= since,
        col(BroadcastRow.progress_at) >= since,
        col(BroadcastRow.finished_at) >= since,
    )
    query = select(BroadcastRow).where(col(BroadcastRow.state) != "planning", moved)
    return list((await session.exec(query.order_by(col(BroadcastRow.id)))).all())


async def delivery_states(session: AsyncSession, broadcast_id: int) -> dict[str, int]:
    """Return how many recipients of a broadcast stand in each state."""
    query = select(DeliveryRow.state, func.count()).where(DeliveryRow.broadcast_id == broadcast_id)
    return {state: int(n) for state, n in (await session.exec(query.group_by(col(DeliveryRow.state)))).all()}


async def deliveries_in(session: AsyncSession, broadcast_id: int, states: Sequence[str]) -> list[int]:
    """Return some recipients' numbers of a broadcast that stand in one of these states."""
    query = select(DeliveryRow.n).where(DeliveryRow.broadcast_id == broadcast_id, col(DeliveryRow.state).in_(states))
    return list((await session.exec(query.order_by(col(DeliveryRow.n)).limit(NAMED))).all())


async def chunks(session: AsyncSession, broadcast_id: int) -> list[tuple[int, int]]:
    """Return a broadcast's ranges, first and last number of each, in order."""
    query = select(ChunkRow.first, ChunkRow.last).where(ChunkRow.broadcast_id == broadcast_id)
    return list((await session.exec(query.order_by(col(ChunkRow.first)))).all())
