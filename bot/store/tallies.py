"""Count by day what came in and what was let go, in the transaction that did it, so that the books can be checked."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import BigInteger, Integer, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import to_local


class TallyRow(SQLModel, table=True):
    """How many of one kind on one Vietnamese day; `source` is the process that counted.

    Each process has a row of its own, since one row for all would make them wait for each other's transactions.
    """

    __tablename__ = "tallies"

    day: date = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    number: int = Field(sa_type=BigInteger().with_variant(Integer, "sqlite"))


async def add(connection: AsyncConnection, kind: str, at: datetime, source: str, number: int) -> None:
    """Add `number` to a kind's count of the day of `at`; inside a session, give `await session.connection()`."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(TallyRow).values(day=to_local(at).date(), kind=kind, source=source, number=number)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["day", "kind", "source"], set_={"number": TallyRow.number + number}
        )
    )


async def add_each(connection: AsyncConnection, kind: str, moments: Iterable[datetime], source: str) -> None:
    """Count each moment on its day; in the order of the days, so that two who do so cannot wait for each other."""
    days: dict[date, list[datetime]] = {}
    for moment in moments:
        days.setdefault(to_local(moment).date(), []).append(moment)
    for day in sorted(days):
        await add(connection, kind, days[day][0], source, len(days[day]))


async def totals(session: AsyncSession, days: Sequence[date] | None = None) -> dict[tuple[date, str], int]:
    """Return the counts by day and kind, over all processes; of these days, or of all."""
    table = TallyRow.metadata.tables["tallies"].c
    query = select(table.day, table.kind, func.sum(table.number)).group_by(table.day, table.kind)
    if days is not None:
        query = query.where(table.day.in_(days))
    return {(day, kind): int(number) for day, kind, number in (await (await session.connection()).execute(query)).all()}
