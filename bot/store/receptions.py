"""Keep how each account's updates come in: what its provider says of the webhook, or who polls and from where."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Integer, or_, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession


class ReceptionRow(SQLModel, table=True):
    """How updates of one account come in, for providers where we set that up.

    `next_number` is the first update not stored yet and `updated_at` when one came last, while they are polled by
    whoever holds `lease`. `waiting` is how many the provider holds for the webhook, `reported` its own words about the
    last failure there. `error` is our word for what is wrong now, "" when all is well.
    """

    __tablename__ = "receptions"

    account_id: str = Field(primary_key=True, foreign_key="accounts.id")
    next_number: int | None = Field(default=None, sa_type=BigInteger().with_variant(Integer, "sqlite"))
    updated_at: datetime | None = None
    lease: str | None = None
    leased_until: datetime | None = None
    waiting: int | None = None
    reported: str = ""
    reported_at: datetime | None = None
    error: str = ""
    detail: str = ""
    error_at: datetime | None = None
    checked_at: datetime | None = None


async def reception(session: AsyncSession, account_id: str) -> ReceptionRow | None:
    """Return how an account's updates come in."""
    return await session.get(ReceptionRow, account_id, populate_existing=True)


async def all_receptions(session: AsyncSession) -> dict[str, ReceptionRow]:
    """Return how the updates of every account come in, by account."""
    return {row.account_id: row for row in (await session.exec(select(ReceptionRow))).all()}


async def begin(session: AsyncSession, account_id: str) -> ReceptionRow:
    """Return an account's row, made when there is none."""
    row = await reception(session, account_id)
    if row is None:
        row = ReceptionRow(account_id=account_id)
        session.add(row)
        await session.flush()
    return row


async def take(session: AsyncSession, account_id: str, lease: str, now: datetime, seconds: float) -> bool:
    """Take the right to poll an account for `seconds`; False while somebody else has it."""
    statement = update(ReceptionRow).where(
        col(ReceptionRow.account_id) == account_id,
        or_(col(ReceptionRow.lease).is_(None), col(ReceptionRow.leased_until) < now),
    )
    values = {"lease": lease, "leased_until": now + timedelta(seconds=seconds)}
    return bool((await session.exec(statement.values(**values))).rowcount)


async def keep(
    session: AsyncSession, account_id: str, lease: str, now: datetime, seconds: float, **values: object
) -> bool:
    """Keep the right to poll and write what was found; False when it has been lost."""
    statement = update(ReceptionRow).where(col(ReceptionRow.account_id) == account_id, col(ReceptionRow.lease) == lease)
    until = now + timedelta(seconds=seconds)
    return bool((await session.exec(statement.values(leased_until=until, checked_at=now, **values))).rowcount)


async def give_back(session: AsyncSession, account_id: str, lease: str) -> None:
    """Let somebody else poll."""
    statement = update(ReceptionRow).where(col(ReceptionRow.account_id) == account_id, col(ReceptionRow.lease) == lease)
    await session.exec(statement.values(lease=None, leased_until=None))


async def release_all(session: AsyncSession) -> None:
    """Give every right to poll back: a lone process has just started, so whoever held one is dead."""
    held = update(ReceptionRow).where(col(ReceptionRow.lease).is_not(None))
    await session.exec(held.values(lease=None, leased_until=None))
