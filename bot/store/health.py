"""Keep what the health page needs to name: refused webhooks and the last run of every periodic job."""

from datetime import datetime, timedelta

from sqlalchemy import Update, and_, func, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession


class RefusalRow(SQLModel, table=True):
    """How many requests of one kind were refused in one hour; nothing of the requests themselves is kept."""

    __tablename__ = "refusals"

    provider: str = Field(primary_key=True)
    reason: str = Field(primary_key=True)
    hour: datetime = Field(primary_key=True)
    count: int = 0
    last_at: datetime


class JobRunRow(SQLModel, table=True):
    """When a periodic job ran last and how that ended; the holder of `lease` runs it, in one process of all."""

    __tablename__ = "job_runs"

    name: str = Field(primary_key=True)
    started_at: datetime
    finished_at: datetime | None = None
    failed_at: datetime | None = None
    error: str = ""
    lease: str | None = None
    leased_until: datetime | None = None


async def add_refusals(session: AsyncSession, provider: str, reason: str, number: int, at: datetime) -> None:
    """Add to the count of the hour."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    hour = at.replace(minute=0, second=0, microsecond=0)
    statement = insert(RefusalRow).values(provider=provider, reason=reason, hour=hour, count=number, last_at=at)
    await session.exec(
        statement.on_conflict_do_update(
            index_elements=["provider", "reason", "hour"],
            set_={"count": RefusalRow.count + number, "last_at": at},
        )
    )


async def refusals(session: AsyncSession, since: datetime) -> list[tuple[str, str, int, datetime]]:
    """Return refusals since then: provider, reason, how many, last time."""
    query = (
        select(RefusalRow.provider, RefusalRow.reason, func.sum(RefusalRow.count), func.max(RefusalRow.last_at))
        .where(col(RefusalRow.hour) >= since)
        .group_by(RefusalRow.provider, RefusalRow.reason)
    )
    return [(provider, reason, int(n), at) for provider, reason, n, at in (await session.exec(query)).all()]


async def job_started(
    session: AsyncSession,
    name: str,
    at: datetime,
    lease: str = "",
    every: timedelta = timedelta(0),
    seconds: float = 0.0,
) -> bool:
    """Take a periodic job's lease for `seconds` and note that it has begun; False when it is not its turn.

    Its turn is `every` after its last start, and at once when whoever ran it died over it.
    """
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    values = {"started_at": at, "lease": lease, "leased_until": at + timedelta(seconds=seconds)}
    statement = insert(JobRunRow).values(name=name, error="", **values)
    free = and_(col(JobRunRow.lease).is_(None), col(JobRunRow.started_at) <= at - every)
    died = and_(col(JobRunRow.lease).is_not(None), col(JobRunRow.leased_until) < at)
    taken = statement.on_conflict_do_update(index_elements=["name"], set_=values, where=or_(free, died))
    return bool((await session.exec(taken)).rowcount)


async def job_due(session: AsyncSession, name: str, at: datetime, every: timedelta) -> datetime:
    """Return when it is worth asking for a job's lease again: it is due, or its holder has been silent for too long."""
    row = await session.get(JobRunRow, name, populate_existing=True)
    assert row is not None
    due = row.started_at + every
    return due if due > at or row.leased_until is None else row.leased_until


async def job_goes_on(session: AsyncSession, name: str, at: datetime, lease: str, seconds: float) -> bool:
    """Extend a job's lease; False when it has been lost."""
    statement = _holder(name, lease).values(leased_until=at + timedelta(seconds=seconds))
    return bool((await session.exec(statement)).rowcount)


async def job_ended(session: AsyncSession, name: str, at: datetime, error: str, lease: str = "") -> bool:
    """Note how a periodic job ended, "" is well, and let its lease go; False when the lease has been lost."""
    ended = {"failed_at": at} if error else {"finished_at": at}
    statement = _holder(name, lease).values(error=error[:500], lease=None, leased_until=None, **ended)
    return bool((await session.exec(statement)).rowcount)


async def job_given_back(session: AsyncSession, name: str, lease: str) -> bool:
    """Let go of a job that did not come to its end, so that another begins it at once."""
    statement = _holder(name, lease).values(leased_until=JobRunRow.started_at)
    return bool((await session.exec(statement)).rowcount)


async def release_jobs(session: AsyncSession) -> None:
    """Let go of every job: a lone process has just started, so whoever held them is dead."""
    held = update(JobRunRow).where(col(JobRunRow.lease).is_not(None))
    await session.exec(held.values(leased_until=JobRunRow.started_at))


def _holder(name: str, lease: str) -> Update:
    return update(JobRunRow).where(col(JobRunRow.name) == name, col(JobRunRow.lease) == lease)


async def job_runs(session: AsyncSession) -> dict[str, JobRunRow]:
    """Return the last run of each periodic job."""
    return {row.name: row for row in (await session.exec(select(JobRunRow))).all()}
