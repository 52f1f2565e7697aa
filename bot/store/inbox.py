"""Keep every webhook as it came, hand each out once and in order per contact, and never lose one that fails."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, delete, exists, func, literal, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store import tallies


class InboxRow(SQLModel, table=True):
    """One stored webhook; `state` is new | handling | handled | parked | no_account."""

    __tablename__ = "inbox"
    __table_args__ = (
        Index("ux_inbox_key", "provider", "account", "key", unique=True),
        Index("ix_inbox_contact", "contact", "id"),
        Index("ix_inbox_state", "state", "next_attempt_at"),
        Index("ix_inbox_received", "received_at", postgresql_using="brin"),
    )

    id: int | None = Field(
        default=None,
        primary_key=True,
        sa_type=BigInteger().with_variant(Integer, "sqlite"),
    )
    provider: str
    account: str
    event: str
    key: str
    contact: str
    raw: bytes = Field(sa_type=LargeBinary)
    state: str = "new"
    attempts: int = 0
    next_attempt_at: datetime
    lease: str | None = None
    leased_until: datetime | None = None
    error: str = ""
    occurred_at: datetime
    received_at: datetime
    handled_at: datetime | None = None


MOST_STALLS = 8
"""An update in whose hands so many workers ended waits for a person."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One verified webhook on its way into the table; `known` is False when its account is not set up."""

    provider: str
    account: str
    event: str
    key: str
    contact: str
    raw: bytes
    occurred_at: datetime
    received_at: datetime
    known: bool


async def store_arrivals(connection: AsyncConnection, arrivals: Sequence[Arrival]) -> None:
    """Write all arrivals in one statement; those already stored are skipped (same provider, account and key)."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    rows = [
        {
            "provider": a.provider,
            "account": a.account,
            "event": a.event,
            "key": a.key,
            "contact": a.contact,
            "raw": a.raw,
            "state": "new" if a.known else "no_account",
            "attempts": 0,
            "error": "",
            "next_attempt_at": a.received_at,
            "occurred_at": a.occurred_at,
            "received_at": a.received_at,
        }
        for a in arrivals
    ]
    await connection.execute(insert(InboxRow).on_conflict_do_nothing(), rows)


async def claim(session: AsyncSession, lease: str, now: datetime, seconds: float, limit: int) -> list[InboxRow]:
    """Lease up to `limit` updates for `seconds`: the oldest open one of each contact, of as many contacts."""
    earlier = aliased(InboxRow)
    waits = exists(literal(1)).where(
        col(earlier.contact) == col(InboxRow.contact),
        col(earlier.id) < col(InboxRow.id),
        col(earlier.state).in_(("new", "handling")),
    )
    query = (
        select(InboxRow.id)
        .where(col(InboxRow.state) == "new", col(InboxRow.next_attempt_at) <= now, ~waits)
        .order_by(col(InboxRow.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list((await session.exec(query)).all())
    if not ids:
        return []
    await session.exec(
        update(InboxRow)
        .where(col(InboxRow.id).in_(ids))
        .values(
            state="handling",
            lease=lease,
            leased_until=now + timedelta(seconds=seconds),
            attempts=InboxRow.attempts + 1,
        )
        .execution_options(synchronize_session=False)
    )
    rows = await session.exec(select(InboxRow).where(col(InboxRow.id).in_(ids)).order_by(col(InboxRow.id)))
    return list(rows.all())


async def finish(session: AsyncSession, row_id: int, lease: str, now: datetime) -> bool:
    """Mark an update handled inside the transaction that handled it; False when the lease has been lost."""
    statement = (
        update(InboxRow)
        .where(col(InboxRow.id) == row_id, col(InboxRow.lease) == lease, col(InboxRow.state) == "handling")
        .values(state="handled", handled_at=now, lease=None, leased_until=None, error="")
    )
    return bool((await session.exec(statement)).rowcount)


async def fail(session: AsyncSession, row_id: int, lease: str, error: str, next_attempt_at: datetime | None) -> None:
    """Put a failed update back for later, or park it for a person when `next_attempt_at` is None."""
    values: dict[str, object] = {"lease": None, "leased_until": None, "error": error[:2000]}
    if next_attempt_at is None:
        values["state"] = "parked"
    else:
        values.update(state="new", next_attempt_at=next_attempt_at)
    await session.exec(
        update(InboxRow).where(col(InboxRow.id) == row_id, col(InboxRow.lease) == lease).values(**values)
    )


async def release_leases(session: AsyncSession, now: datetime | None) -> int:
    """Free updates whose lease ran out before `now`; None frees all (a lone process that has just started)."""
    statement = update(InboxRow).where(col(InboxRow.state) == "handling")
    if now is not None:
        statement = statement.where(col(InboxRow.leased_until) < now)
    poisonous = statement.where(col(InboxRow.attempts) >= MOST_STALLS)
    await session.exec(poisonous.values(state="parked", lease=None, leased_until=None, error="workers died of it"))
    result = await session.exec(statement.values(state="new", lease=None, leased_until=None))
    return int(result.rowcount)


async def retry_parked(session: AsyncSession, row_id: int, now: datetime) -> bool:
    """Give a parked update another round of tries."""
    statement = update(InboxRow).where(col(InboxRow.id) == row_id, col(InboxRow.state) == "parked")
    result = await session.exec(statement.values(state="new", attempts=0, next_attempt_at=now, error=""))
    return bool(result.rowcount)


async def update_row(session: AsyncSession, row_id: int) -> InboxRow | None:
    """Return one stored update."""
    return await session.get(InboxRow, row_id)


async def replay_account(session: AsyncSession, provider: str, account: str, now: datetime) -> int:
    """Let in what waited for an account that has now been added; returns how many."""
    statement = update(InboxRow).where(
        col(InboxRow.provider) == provider, col(InboxRow.account) == account, col(InboxRow.state) == "no_account"
    )
    result = await session.exec(statement.values(state="new", next_attempt_at=now))
    return int(result.rowcount)


async def counts(session: AsyncSession) -> dict[str, int]:
    """Return how many updates stand in each state."""
    rows = await session.exec(select(InboxRow.state, func.count()).group_by(InboxRow.state))
    return {state: int(n) for state, n in rows.all()}


async def open_counts(session: AsyncSession) -> dict[str, int]:
    """Return how many updates stand in each state but `handled`, which may be millions."""
    unhandled = col(InboxRow.state).in_(("new", "handling", "parked", "no_account"))
    rows = await session.exec(select(InboxRow.state, func.count()).where(unhandled).group_by(InboxRow.state))
    return {state: int(n) for state, n in rows.all()}


async def oldest_open(session: AsyncSession) -> datetime | None:
    """Return when the oldest update that is not handled yet was received."""
    query = select(func.min(InboxRow.received_at)).where(col(InboxRow.state).in_(("new", "handling")))
    return (await session.exec(query)).one()


async def parked(session: AsyncSession, limit: int = 50) -> list[InboxRow]:
    """Return dead letters, newest first."""
    query = select(InboxRow).where(col(InboxRow.state) == "parked").order_by(col(InboxRow.id).desc()).limit(limit)
    return list((await session.exec(query)).all())


async def unknown_accounts(session: AsyncSession) -> list[tuple[str, int, datetime]]:
    """Return accounts that write to us without being set up: provider's id, updates kept, last time."""
    query = (
        select(InboxRow.account, func.count(), func.max(InboxRow.received_at))
        .where(col(InboxRow.state) == "no_account")
        .group_by(InboxRow.account)
    )
    return [(account, int(n), at) for account, n, at in (await session.exec(query)).all()]


async def next_due(session: AsyncSession) -> datetime | None:
    """Return when the next update waiting for another try is due."""
    query = select(func.min(InboxRow.next_attempt_at)).where(col(InboxRow.state) == "new")
    return (await session.exec(query)).one()


async def erase_contact(session: AsyncSession, contact: str, keep_id: int) -> int:
    """Delete the raw updates of one contact, except the one being handled, and book them; returns how many."""
    statement = delete(InboxRow).where(
        col(InboxRow.contact) == contact, col(InboxRow.id) != keep_id, col(InboxRow.state) == "handled"
    )
    gone = (await session.exec(statement.returning(col(InboxRow.received_at)))).scalars().all()
    await tallies.add_each(await session.connection(), "erased", gone, "erase_contact")
    return len(gone)


async def forget_handled(session: AsyncSession, before: datetime, limit: int = 5000) -> int:
    """Delete up to `limit` raw updates that were handled before then, and book them; returns how many.

    What was handled then was also due then: asking for that as well lets the index find the few among millions.
    """
    old = (
        select(InboxRow.id)
        .where(
            col(InboxRow.state) == "handled",
            col(InboxRow.next_attempt_at) < before,
            col(InboxRow.handled_at) < before,
        )
        .limit(limit)
    )
    statement = delete(InboxRow).where(col(InboxRow.id).in_(old)).returning(col(InboxRow.received_at))
    gone = (await session.exec(statement.execution_options(synchronize_session=False))).scalars().all()
    await tallies.add_each(await session.connection(), "forgotten", gone, "forget_handled")
    return len(gone)
