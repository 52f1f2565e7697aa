"""Keep every webhook as it came, hand each out once and in order per contact, and never lose one that fails."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, delete, func, text, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store import tallies
from bot.store.turns import LEASED, OPEN, TOO_EARLY, Turns, next_ids

ASIDE = "state IN ('parked', 'no_account')"
"""What the index of updates that wait for a person holds."""


class InboxRow(SQLModel, table=True):
    """One stored webhook; `state` is new | handling | handled | parked | no_account."""

    __tablename__ = "inbox"
    __table_args__ = (
        Index("ux_inbox_key", "provider", "account", "key", unique=True),
        Index("ix_inbox_contact", "contact", "id"),
        Index("ix_inbox_open", "account", "contact", "id", sqlite_where=text(OPEN), postgresql_where=text(OPEN)),
        Index("ix_inbox_leased", "account", "contact", sqlite_where=text(LEASED), postgresql_where=text(LEASED)),
        Index("ix_inbox_aside", "state", "account", sqlite_where=text(ASIDE), postgresql_where=text(ASIDE)),
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


_TRIES = 8
MOST_STALLS = 8
"""An update in whose hands so many workers ended waits for a person."""


async def claim(
    session: AsyncSession, lease: str, now: datetime, seconds: float, limit: int, turns: Turns | None = None
) -> list[InboxRow]:
    """Lease up to `limit` updates for `seconds`: the oldest open one of each contact, contacts by `turns`.

    Where other workers take the same ones at the same moment, the next ones are tried.
    """
    turns = turns or Turns()
    rows: list[InboxRow] = []
    for _ in range(_TRIES):
        ids = await next_ids(session, now, limit - len(rows), turns)
        if ids:
            rows += await _lease(session, ids, lease, now, seconds)
        if len(ids) < limit or 2 * len(rows) > limit:
            break
    return sorted(rows, key=lambda row: row.id or 0)


async def _lease(
    session: AsyncSession, ids: Sequence[int], lease: str, now: datetime, seconds: float
) -> Sequence[InboxRow]:
    free = select(InboxRow.id).where(col(InboxRow.id).in_(ids), col(InboxRow.state) == "new")
    statement = (
        update(InboxRow)
        .where(col(InboxRow.id).in_(free.with_for_update(skip_locked=True)))
        .values(
            state="handling",
            lease=lease,
            leased_until=now + timedelta(seconds=seconds),
            attempts=InboxRow.attempts + 1,
        )
        .returning(InboxRow)
        .execution_options(synchronize_session=False)
    )
    return (await session.exec(statement)).scalars().all()


async def extend(session: AsyncSession, ids: Sequence[int], lease: str, now: datetime, seconds: float) -> set[int]:
    """Keep updates that are still being handled for `seconds` more; returns those whose lease is still held."""
    statement = (
        update(InboxRow)
        .where(col(InboxRow.id).in_(ids), col(InboxRow.lease) == lease, col(InboxRow.state) == "handling")
        .values(leased_until=now + timedelta(seconds=seconds))
        .returning(col(InboxRow.id))
        .execution_options(synchronize_session=False)
    )
    return set((await session.exec(statement)).scalars().all())


async def give_back(session: AsyncSession, ids: Sequence[int], lease: str) -> int:
    """Let go of updates that were not handled after all, as if they had not been tried; returns how many."""
    statement = (
        update(InboxRow)
        .where(col(InboxRow.id).in_(ids), col(InboxRow.lease) == lease, col(InboxRow.state) == "handling")
        .values(state="new", lease=None, leased_until=None, attempts=InboxRow.attempts - 1)
        .execution_options(synchronize_session=False)
    )
    return int((await session.exec(statement)).rowcount)


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


async def look_again(session: AsyncSession, row_id: int, lease: str, next_attempt_at: datetime) -> None:
    """Put an update back that came too early, as if it had not been tried; later ones of its contact may pass it."""
    values = {"state": "new", "lease": None, "leased_until": None, "error": TOO_EARLY}
    await session.exec(
        update(InboxRow)
        .where(col(InboxRow.id) == row_id, col(InboxRow.lease) == lease)
        .values(**values, attempts=InboxRow.attempts - 1, next_attempt_at=next_attempt_at)
    )


async def release_leases(session: AsyncSession, now: datetime | None) -> int:
    """Free updates whose lease ran out before `now`; None frees all (a lone process that has just started)."""
    statement = update(InboxRow).where(text(LEASED), col(InboxRow.state) == "handling")
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


async def received_at(session: AsyncSession, row_id: int) -> datetime | None:
    """Return when an update came in; None when it is not there."""
    return (await session.exec(select(InboxRow.received_at).where(col(InboxRow.id) == row_id))).first()


async def replay_account(session: AsyncSession, provider: str, account: str, now: datetime) -> int:
    """Let in what waited for an account that has now been added; returns how many."""
    statement = update(InboxRow).where(
        text(ASIDE),
        col(InboxRow.state) == "no_account",
        col(InboxRow.account) == account,
        col(InboxRow.provider) == provider,
    )
    result = await session.exec(statement.values(state="new", next_attempt_at=now))
    return int(result.rowcount)


async def counts(session: AsyncSession) -> dict[str, int]:
    """Return how many updates stand in each state."""
    rows = await session.exec(select(InboxRow.state, func.count()).group_by(InboxRow.state))
    return {state: int(n) for state, n in rows.all()}


async def open_counts(session: AsyncSession) -> dict[str, int]:
    """Return how many updates stand in each state but `handled`, which may be millions."""
    found: dict[str, int] = {}
    for states in (OPEN, ASIDE):
        rows = await session.exec(select(InboxRow.state, func.count()).where(text(states)).group_by(InboxRow.state))
        found.update({state: int(n) for state, n in rows.all()})
    return found


async def oldest_open(session: AsyncSession) -> datetime | None:
    """Return when the oldest update that is not handled yet was received."""
    # "+ 0" keeps the database from looking for the first id in the table, through all that was handled before it.
    first = select(func.min(col(InboxRow.id) + 0)).where(text(OPEN)).scalar_subquery()
    return (await session.exec(select(InboxRow.received_at).where(col(InboxRow.id) == first))).first()


async def parked(session: AsyncSession, limit: int = 50) -> list[InboxRow]:
    """Return dead letters, newest first."""
    query = (
        select(InboxRow)
        .where(text(ASIDE), col(InboxRow.state) == "parked")
        .order_by(col(InboxRow.id).desc())
        .limit(limit)
    )
    return list((await session.exec(query)).all())


async def unknown_accounts(session: AsyncSession) -> list[tuple[str, int, datetime]]:
    """Return accounts that write to us without being set up: provider's id, updates kept, last time."""
    query = (
        select(InboxRow.account, func.count(), func.max(InboxRow.received_at))
        .where(text(ASIDE), col(InboxRow.state) == "no_account")
        .group_by(InboxRow.account)
    )
    return [(account, int(n), at) for account, n, at in (await session.exec(query)).all()]


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

    What was handled then was also received then: asking for that as well lets the index find the few among millions.
    """
    old = (
        select(InboxRow.id)
        .where(
            col(InboxRow.state) == "handled",
            col(InboxRow.received_at) < before,
            col(InboxRow.handled_at) < before,
        )
        .limit(limit)
    )
    statement = delete(InboxRow).where(col(InboxRow.id).in_(old)).returning(col(InboxRow.received_at))
    gone = (await session.exec(statement.execution_options(synchronize_session=False))).scalars().all()
    await tallies.add_each(await session.connection(), "forgotten", gone, "forget_handled")
    return len(gone)
