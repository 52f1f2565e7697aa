"""Hand out a broadcast's deliveries range by range, mark each before it leaves, and write outcomes many at a time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    Integer,
    Text,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col
from sqlmodel import select as select_rows
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.accounts import AccountRow
from bot.store.broadcasts import BroadcastRow, ChunkRow, DeliveryRow
from bot.store.database import sqlite_time

_chunks = ChunkRow.metadata.tables["broadcast_chunks"]
_deliveries = DeliveryRow.metadata.tables["deliveries"]
_broadcasts = BroadcastRow.metadata.tables["broadcasts"]
_accounts = AccountRow.metadata.tables["accounts"]
DOUBT = ("sending", "unknown")
"""States in which nobody knows yet whether the message arrived."""
_D, _C = _deliveries.c, _chunks.c
# Every message passes through these: they are built once.
_WAITS = (
    _C.state == "waiting",
    or_(_C.next_attempt_at.is_(None), _C.next_attempt_at <= bindparam("now")),
)
_others, _theirs = _chunks.alias(), _broadcasts.alias()
_IN_WORK = (
    select(func.count())
    .select_from(_others.join(_theirs, _theirs.c.id == _others.c.broadcast_id))
    .where(_others.c.state == "running", _theirs.c.unit_id == _broadcasts.c.unit_id)
    .scalar_subquery()
)
_NEXT_BROADCAST = (
    select(
        _broadcasts.c.id, _broadcasts.c.account_id, _broadcasts.c.unit_id, _broadcasts.c.message, _broadcasts.c.way,
        _broadcasts.c.urgent, _broadcasts.c.per_minute, _broadcasts.c.topic_id, _broadcasts.c.needs_consent,
    )
    .join(_accounts, _accounts.c.id == _broadcasts.c.account_id)
    .where(
        _broadcasts.c.state == "running",
        or_(_broadcasts.c.rest_until.is_(None), _broadcasts.c.rest_until <= bindparam("now")),
        _accounts.c.state == "active",
        or_(
            and_(_broadcasts.c.urgent, _accounts.c.id.not_in(bindparam("avoid_urgent", expanding=True))),
            and_(~_broadcasts.c.urgent, _accounts.c.id.not_in(bindparam("avoid", expanding=True))),
        ),
        exists(literal(1)).where(_C.broadcast_id == _broadcasts.c.id, *_WAITS),
    )
    .order_by(
        _broadcasts.c.urgent.desc(), _IN_WORK, case((_broadcasts.c.served_at.is_(None), 0), else_=1),
        _broadcasts.c.served_at, _broadcasts.c.id,
    )
    .limit(1)
)  # fmt: skip
_NEXT_RANGE = (
    select(_C.first, _C.last)
    .where(_C.broadcast_id == bindparam("b"), *_WAITS)
    .order_by(_C.first)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_HERE = (_C.broadcast_id == bindparam("b"), _C.first == bindparam("f"))
_LEASE = update(_chunks).where(*_HERE).values(state="running", lease=bindparam("l"), leased_until=bindparam("until"))
_LOCK = select(_C.state).where(*_HERE).with_for_update()
_REOPEN = update(_chunks).where(*_HERE, _C.state == "done").values(state="waiting", next_attempt_at=None)
_DOUBTFUL = update(_chunks).where(*_HERE).values(doubtful=True)
_HELD = (
    update(_chunks)
    .where(
        _C.broadcast_id == bindparam("b"), _C.first == bindparam("f"),
        _C.lease == bindparam("l"), _C.state == "running",
        exists(literal(1)).where(_broadcasts.c.id == bindparam("b"), _broadcasts.c.state == "running"),
    )
    .values(leased_until=bindparam("until"))
)  # fmt: skip
_MARK = (
    update(_deliveries)
    .where(_D.broadcast_id == bindparam("b"), _D.n.between(bindparam("from"), bindparam("until")), _D.state == "queued")
    .values(state="sending", attempts=_D.attempts + 1, sending_at=bindparam("at"))
    .returning(_D.n, _D.recipient, _D.address, _D.merged, _D.attempts, _D.part)
)
_TOLD = (
    func.unnest(
        bindparam("ns", type_=ARRAY(Integer)),
        bindparam("ps", type_=ARRAY(Text)),
        bindparam("parts", type_=ARRAY(Integer)),
    )
    .table_valued("n", "provider_id", "part", name="told")
    .render_derived()
)
_SENT_POSTGRES = (
    update(_deliveries)
    .where(
        _D.broadcast_id == bindparam("b"), _D.n == _TOLD.c.n, _D.state.in_(DOUBT), _D.sending_at == bindparam("marked")
    )
    .values(
        state="sent", reason="", provider_id=_TOLD.c.provider_id, part=_TOLD.c.part, sent_at=bindparam("at")
    )
)  # fmt: skip
_SENT_SQLITE = (
    "UPDATE deliveries SET state = 'sent', reason = '', provider_id = ?, part = ?, sent_at = ? "
    "WHERE broadcast_id = ? AND n = ? AND state IN ('sending', 'unknown') AND sending_at = ?"
)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A leased range of one broadcast, with what is the same for all its recipients."""

    broadcast_id: int
    first: int
    last: int
    lease: str
    account_id: str
    unit_id: str
    message: dict[str, Any]
    way: str = "chat"
    urgent: bool = False
    per_minute: int = 0
    topic_id: str = ""
    needs_consent: bool = False


class Due(NamedTuple):
    """One delivery marked as leaving: `attempts` includes this one, `part` how many parts had left before."""

    n: int
    recipient: str
    address: str
    merged: dict[str, Any] | None
    attempts: int
    part: int


class Done(NamedTuple):
    """What became of one delivery. A throttled one is `queued` again and its try is not counted (`counted` False)."""

    n: int
    state: str
    provider_id: str | None = None
    reason: str = ""
    part: int = 0
    counted: bool = True


async def lease(
    connection: AsyncConnection,
    token: str,
    now: datetime,
    seconds: float,
    avoid: Collection[str] = (),
    avoid_urgent: Collection[str] = (),
) -> Chunk | None:
    """Lease the next range, or None: urgent broadcasts first, then units with the fewest ranges in work, then by turn.

    Accounts in `avoid` are passed over, for what is urgent those in `avoid_urgent`. `now` in UTC; the lease lasts for
    `seconds`.
    """
    chosen = (
        await connection.execute(
            _NEXT_BROADCAST, {"now": now, "avoid": list(avoid), "avoid_urgent": list(avoid_urgent)}
        )
    ).first()
    if chosen is None:
        return None
    found = (await connection.execute(_NEXT_RANGE, {"b": chosen.id, "now": now})).first()
    if found is None:
        return None  # other workers were quicker; whoever asks again is told of another broadcast
    until = now + timedelta(seconds=seconds)
    await connection.execute(_LEASE, {"b": chosen.id, "f": found.first, "l": token, "until": until})
    await connection.execute(
        update(_broadcasts).where(_broadcasts.c.id == chosen.id).values(served_at=now, progress_at=now)
    )
    return Chunk(
        chosen.id, found.first, found.last, token, chosen.account_id, chosen.unit_id, dict(chosen.message),
        chosen.way, chosen.urgent, chosen.per_minute, chosen.topic_id, chosen.needs_consent,
    )  # fmt: skip


async def held(connection: AsyncConnection, chunk: Chunk, now: datetime, seconds: float) -> bool:
    """Keep a lease for `seconds` more; False when another worker has the range or the broadcast is to rest."""
    values = {"b": chunk.broadcast_id, "f": chunk.first, "l": chunk.lease, "until": now + timedelta(seconds=seconds)}
    return bool((await connection.execute(_HELD, values)).rowcount)


async def mark(connection: AsyncConnection, chunk: Chunk, after: int, limit: int, now: datetime) -> list[Due]:
    """Mark the next `limit` deliveries after number `after` as leaving, and return them in order; [] at the end.

    Only whoever holds the range's lease may ask; what is marked is in doubt if this worker ends.
    """
    while after < chunk.last:
        until = min(after + limit, chunk.last)
        values = {"b": chunk.broadcast_id, "from": after + 1, "until": until, "at": now}
        rows = (await connection.execute(_MARK, values)).all()
        if rows:
            return sorted(Due._make(row) for row in rows)
        after = until  # nothing to send among these: an earlier holder of the range has done them
    return []


async def record(
    connection: AsyncConnection, chunk: Chunk, done: Sequence[Done], marked_at: datetime, now: datetime
) -> None:
    """Write outcomes of the tries of a range that were marked at `marked_at`; what is known already stays as it is.

    Whoever lost the lease may still write what it knows: nothing it had marked is sent again by anybody, save what it
    says was never tried. The range is opened again for that if the one who took it over has called it done.
    """
    here = {"b": chunk.broadcast_id, "f": chunk.first}
    sent = [d for d in done if d.state == "sent"]
    others = [d for d in done if d.state != "sent"]
    if others:
        # The range before its rows, as everybody does: who ends it now either sees them queued or is seen to have.
        await connection.execute(_LOCK, here)
    if sent:
        await _record_sent(connection, chunk.broadcast_id, sent, marked_at, now)
    for outcome in others:
        await connection.execute(_outcome(chunk.broadcast_id, outcome, now).where(_D.sending_at == marked_at))
    if any(d.state == "queued" for d in others):
        await connection.execute(_REOPEN, here)
    if any(d.state == "unknown" for d in others):
        await connection.execute(_DOUBTFUL, here)


def _outcome(broadcast_id: int, outcome: Done, now: datetime) -> Update:
    values: dict[str, Any] = {"state": outcome.state, "reason": outcome.reason, "part": outcome.part}
    if outcome.provider_id is not None:
        values["provider_id"] = outcome.provider_id
    if not outcome.counted:
        values["attempts"] = _D.attempts - 1
    if outcome.state == "failed":
        values["failed_at"] = now
    return (
        update(_deliveries)
        .where(_D.broadcast_id == broadcast_id, _D.n == outcome.n, _D.state.in_(DOUBT))
        .values(**values)
    )


async def _record_sent(
    connection: AsyncConnection, broadcast_id: int, sent: Sequence[Done], marked_at: datetime, now: datetime
) -> None:
    if connection.dialect.name == "sqlite":
        at, marked = sqlite_time(now), sqlite_time(marked_at)
        rows = [(d.provider_id, d.part, at, broadcast_id, d.n, marked) for d in sent]
        await connection.exec_driver_sql(_SENT_SQLITE, rows)
        return
    values = {"ns": [d.n for d in sent], "ps": [d.provider_id for d in sent], "parts": [d.part for d in sent]}
    await connection.execute(_SENT_POSTGRES, {**values, "b": broadcast_id, "at": now, "marked": marked_at})


async def give_back(
    connection: AsyncConnection, chunk: Chunk, now: datetime, wait: float | None, *, tried: int
) -> bool:
    """End a lease, all outcomes being written; what is left may be leased again in `wait` seconds (None: at once).

    `tried` is the last number of which the holder knows that it was marked. What is marked beyond it was so by a
    commit whose answer was lost: it has not left and waits again. What else is still marked is in doubt from now on;
    returns whether there is such. Does nothing for whoever has lost the lease.
    """
    mine = await connection.execute(update(_chunks).where(*_mine(chunk)).values(leased_until=now))
    if not mine.rowcount:
        return False
    here = (_D.broadcast_id == chunk.broadcast_id, _D.n.between(chunk.first, chunk.last))
    left = select(_D.state, func.max(_D.n)).where(*here, _D.state.in_(("queued", "sending"))).group_by(_D.state)
    last = {row[0]: row[1] for row in (await connection.execute(left)).all()}
    doubt = "sending" in last and await _unmark(connection, here, tried)
    more = "queued" in last or last.get("sending", 0) > tried
    at = now + timedelta(seconds=wait) if more and wait else None
    values = {"state": "waiting" if more else "done", "lease": None, "leased_until": None, "next_attempt_at": at}
    await connection.execute(update(_chunks).where(*_mine(chunk)).values(**values))
    if doubt:
        await connection.execute(_DOUBTFUL, {"b": chunk.broadcast_id, "f": chunk.first})
    return doubt


async def _unmark(connection: AsyncConnection, here: tuple[Any, ...], tried: int) -> bool:
    marked = update(_deliveries).where(*here, _D.state == "sending")
    await connection.execute(marked.where(_D.n > tried).values(state="queued", attempts=_D.attempts - 1))
    return bool((await connection.execute(marked.values(state="unknown", reason="interrupted"))).rowcount)


def _mine(chunk: Chunk) -> tuple[Any, ...]:
    here = (_chunks.c.broadcast_id == chunk.broadcast_id, _chunks.c.first == chunk.first)
    return (*here, _chunks.c.lease == chunk.lease, _chunks.c.state == "running")


async def free_expired(session: AsyncSession, now: datetime | None) -> int:
    """Take ranges back whose worker fell silent; what it had marked is in doubt. None frees all (a lone process)."""
    query = select_rows(ChunkRow).where(ChunkRow.state == "running")
    if now is not None:
        query = query.where(col(ChunkRow.leased_until) < now)
    ranges = list((await session.exec(query.with_for_update(skip_locked=True))).all())
    for chunk in ranges:
        in_range = update(DeliveryRow).where(
            col(DeliveryRow.broadcast_id) == chunk.broadcast_id, col(DeliveryRow.n).between(chunk.first, chunk.last)
        )
        marked = in_range.where(col(DeliveryRow.state) == "sending")
        result = await session.exec(marked.values(state="unknown", reason="interrupted"))
        chunk.doubtful = chunk.doubtful or bool(result.rowcount)
        chunk.state, chunk.lease, chunk.leased_until = "waiting", None, None
    return len(ranges)


async def next_due(session: AsyncSession, now: datetime) -> datetime | None:
    """Return when the next range that waits for another try is due."""
    query = (
        select_rows(func.min(ChunkRow.next_attempt_at))
        .join(BroadcastRow, col(BroadcastRow.id) == col(ChunkRow.broadcast_id))
        .where(ChunkRow.state == "waiting", BroadcastRow.state == "running", col(ChunkRow.next_attempt_at) > now)
    )
    return (await session.exec(query)).one()
