"""Keep what the health page needs to name: refused webhooks and the last run of every periodic job."""

from datetime import datetime

from sqlalchemy import func
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


async def job_started(session: AsyncSession, name: str, at: datetime) -> None:
    """Note that a periodic job has begun."""
    row = await session.get(JobRunRow, name)
    if row is None:
        session.add(JobRunRow(name=name, started_at=at))
    else:
        row.started_at = at


async def job_ended(session: AsyncSession, name: str, at: datetime, error: str) -> None:
    """Note how a periodic job ended; "" is well."""
    row = await session.get(JobRunRow, name)
    if row is not None:
        row.error = error[:500]
        if error:
            row.failed_at = at
        else:
            row.finished_at = at


async def job_runs(session: AsyncSession) -> dict[str, JobRunRow]:
    """Return the last run of each periodic job."""
    return {row.name: row for row in (await session.exec(select(JobRunRow))).all()}
