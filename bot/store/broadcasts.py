"""Keep broadcasts as rows: one for each recipient, handed out in ranges, every outcome recorded."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, case, exists, func, insert, literal, null, or_, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

_NUMBER = BigInteger().with_variant(Integer, "sqlite")


class BroadcastRow(SQLModel, table=True):
    """What one account sends to many by one way; `state` is planning | waiting | running | paused | stopped | finished.

    `way` is chat (free text), template_user (an approved template by the provider's user id), template_phone (the same
    by phone, `address` is the phone encrypted) or none: those whom no way reaches, whose rows have failed from the
    beginning. `run_id` is the run of an announcement that it belongs to, "" for none. `per_minute` makes it slower than
    the account may be; 0 does not. `rest_until` is when its own pace lets it go on.
    `topic_id` and `needs_consent` are what people may have decided against until it leaves.

    `message` may name merge fields, which each recipient's `merged` values fill. `served_at` is when a range of it was
    handed out last: the one that waits longest is served next, so that one unit's broadcast cannot starve another's.
    """

    __tablename__ = "broadcasts"
    __table_args__ = (Index("ix_broadcasts_state", "state", "account_id"), Index("ix_broadcasts_run", "run_id"))

    id: int | None = Field(default=None, primary_key=True, sa_type=_NUMBER)
    account_id: str = Field(foreign_key="accounts.id")
    unit_id: str = Field(foreign_key="units.id")
    run_id: str = ""
    way: str = "chat"
    per_minute: int = 0
    rest_until: datetime | None = None
    topic_id: str = ""
    needs_consent: bool = False
    state: str = "planning"
    urgent: bool = False
    message: dict[str, Any] = Field(sa_type=JSON)
    total: int = 0
    paused_reason: str = ""
    resume_at: datetime | None = None
    served_at: datetime | None = None
    progress_at: datetime | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ChunkRow(SQLModel, table=True):
    """A range of a broadcast's deliveries that one worker sends at a time; `state` is waiting | running | done.

    `doubtful` says that some of the range's deliveries have an unknown outcome, which has to be settled.
    """

    __tablename__ = "broadcast_chunks"
    __table_args__ = (Index("ix_broadcast_chunks_state", "state", "broadcast_id", "first"),)

    broadcast_id: int = Field(primary_key=True, sa_type=_NUMBER)
    first: int = Field(primary_key=True)
    last: int
    state: str = "waiting"
    doubtful: bool = False
    next_attempt_at: datetime | None = None
    lease: str | None = None
    leased_until: datetime | None = None


class DeliveryRow(SQLModel, table=True):
    """One recipient of one broadcast, frozen when it was planned; `state` as in bot.domain.delivery.

    `recipient` is the contact's id, or `phone:` and the fingerprint of a phone for somebody who has never written;
    `address` is what the provider calls this person, or the phone encrypted; `merged` fills the message's fields;
    `part` counts the parts of a long message that have left. There are no foreign keys here: checking a million of them
    would cost more than writing the rows. The index begins with the recipient because receipts and echoes name one.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ux_deliveries_recipient", "recipient", "broadcast_id", unique=True),
        # Each row is rewritten twice, marked and then settled: with room on its page no index has to be written for it.
        {"postgresql_with": {"fillfactor": 40}},
    )

    broadcast_id: int = Field(primary_key=True, sa_type=_NUMBER)
    n: int = Field(primary_key=True)
    recipient: str
    address: str
    merged: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    state: str = "queued"
    attempts: int = 0
    part: int = 0
    reason: str = ""
    provider_id: str | None = None
    sending_at: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    seen_at: datetime | None = None
    failed_at: datetime | None = None


_LOOKED_AT = 64
_SHORTEST_SEALED = 100
"""Hexadecimal digits of an encrypted phone, at least; what a provider calls somebody is far shorter."""
CHUNK = 1024
"""Deliveries in one range: at 33 messages a second half a minute's work, so that ranges change hands often."""


_SEALED = func.length(DeliveryRow.address) >= _SHORTEST_SEALED
_HOLDS = or_(col(DeliveryRow.merged).is_not(None), _SEALED)


async def broadcast(session: AsyncSession, broadcast_id: int) -> BroadcastRow | None:
    """Return one broadcast, locked until this transaction ends."""
    query = select(BroadcastRow).where(BroadcastRow.id == broadcast_id).with_for_update()
    return (await session.exec(query.execution_options(populate_existing=True))).first()


async def describe(session: AsyncSession) -> None:
    """Tell PostgreSQL's planner what has come: until it looks by itself, each window would read the whole broadcast."""
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql("ANALYZE deliveries (broadcast_id, n, state, sending_at)")


async def cut(session: AsyncSession, row: BroadcastRow) -> None:
    """Divide a broadcast's deliveries, numbered from 1 to its total, into ranges."""
    ranges = [
        {"broadcast_id": row.id, "first": first, "last": min(first + CHUNK - 1, row.total), "state": "waiting"}
        for first in range(1, row.total + 1, CHUNK)
    ]
    if ranges:
        await session.exec(insert(ChunkRow).values(doubtful=False), params=ranges)


async def resume_due(session: AsyncSession, now: datetime) -> int:
    """Let broadcasts go on that were paused until now by the end of an allowance or the night; returns how many."""
    statement = update(BroadcastRow).where(col(BroadcastRow.state) == "paused", col(BroadcastRow.resume_at) <= now)
    result = await session.exec(statement.values(state="running", paused_reason="", resume_at=None))
    return int(result.rowcount)


async def cancel_rest(session: AsyncSession, limit: int = 20) -> int:
    """Cancel what has not left of stopped broadcasts, a few ranges at a time; returns how many ranges."""
    query = (
        select(ChunkRow)
        .join(BroadcastRow, col(BroadcastRow.id) == col(ChunkRow.broadcast_id))
        .where(BroadcastRow.state == "stopped", ChunkRow.state == "waiting")
        .limit(limit)
        .with_for_update(skip_locked=True, of=ChunkRow)
    )
    ranges = list((await session.exec(query)).all())
    for chunk in ranges:
        await session.exec(
            update(DeliveryRow)
            .where(
                col(DeliveryRow.broadcast_id) == chunk.broadcast_id,
                col(DeliveryRow.n).between(chunk.first, chunk.last),
                col(DeliveryRow.state) == "queued",
            )
            .values(state="cancelled", reason="stopped")
        )
        chunk.state = "done"
    return len(ranges)


async def pause_account(session: AsyncSession, account_id: str, reason: str, resume_at: datetime | None) -> int:
    """Pause every running broadcast of an account, until `resume_at` or until a person acts; returns how many."""
    statement = update(BroadcastRow).where(
        col(BroadcastRow.account_id) == account_id, col(BroadcastRow.state) == "running"
    )
    return int(
        (await session.exec(statement.values(state="paused", paused_reason=reason, resume_at=resume_at))).rowcount
    )


async def pause_one(session: AsyncSession, broadcast_id: int, reason: str, resume_at: datetime | None) -> int:
    """Pause one broadcast that is running, until `resume_at` or until a person acts; returns whether it was."""
    statement = update(BroadcastRow).where(col(BroadcastRow.id) == broadcast_id, col(BroadcastRow.state) == "running")
    return int(
        (await session.exec(statement.values(state="paused", paused_reason=reason, resume_at=resume_at))).rowcount
    )


async def pause_template(session: AsyncSession, account_id: str, template_id: str, reason: str) -> list[int]:
    """Pause what an account sends, or is to send, by a template, until a person acts; returns which broadcasts."""
    statement = update(BroadcastRow).where(
        col(BroadcastRow.account_id) == account_id,
        col(BroadcastRow.state).in_(("running", "waiting")),
        col(BroadcastRow.way).in_(("template_user", "template_phone")),
        col(BroadcastRow.message)["template_id"].as_string() == template_id,
    )
    paused = statement.values(state="paused", paused_reason=reason, resume_at=None).returning(col(BroadcastRow.id))
    found = await session.exec(paused.execution_options(synchronize_session=False))
    return sorted(int(row[0]) for row in found.all())


async def rest(session: AsyncSession, broadcast_id: int, until: datetime) -> None:
    """Let a broadcast that keeps a pace of its own begin no range for a while."""
    await session.exec(update(BroadcastRow).where(col(BroadcastRow.id) == broadcast_id).values(rest_until=until))


async def due_now(session: AsyncSession, broadcast_id: int) -> None:
    """Let what a broadcast was to try again later be tried at once: whoever lets it go on has dealt with the cause."""
    waits = (col(ChunkRow.broadcast_id) == broadcast_id, col(ChunkRow.state) == "waiting")
    await session.exec(update(ChunkRow).where(*waits).values(next_attempt_at=None))


async def reopen(session: AsyncSession, broadcast_id: int, n: int) -> None:
    """Let the range around a delivery be sent from again."""
    statement = update(ChunkRow).where(
        col(ChunkRow.broadcast_id) == broadcast_id,
        col(ChunkRow.first) <= n,
        col(ChunkRow.last) >= n,
        col(ChunkRow.state) == "done",
    )
    await session.exec(statement.values(state="waiting", next_attempt_at=None))


async def with_old_values(session: AsyncSession, before: datetime) -> list[tuple[int, int]]:
    """Return the broadcasts that ended before a moment and still hold values or phones of people: id and total.

    Looked at are the first rows only, which are blanked last; nobody reads through millions of rows to find none.
    """
    row, first = BroadcastRow, col(DeliveryRow.n) <= _LOOKED_AT
    held = exists(literal(1)).where(col(DeliveryRow.broadcast_id) == col(row.id), first, _HOLDS)
    ended = (col(row.state).in_(("finished", "stopped")), func.coalesce(row.finished_at, row.created_at) < before)
    found = (await session.exec(select(row.id, row.total).where(*ended, held))).all()
    return [(number, total) for number, total in found if number is not None]


async def blank_values(session: AsyncSession, broadcast_id: int, first: int, last: int) -> int:
    """Blank the values and phones of some deliveries of a broadcast that has ended; returns of how many."""
    here = (col(DeliveryRow.broadcast_id) == broadcast_id, col(DeliveryRow.n).between(first, last))
    kept = case((_SEALED, ""), else_=col(DeliveryRow.address))
    statement = update(DeliveryRow).where(*here, _HOLDS).values(merged=null(), address=kept)
    return int((await session.exec(statement.execution_options(synchronize_session=False))).rowcount)
