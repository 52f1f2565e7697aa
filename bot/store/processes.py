"""Know which processes of the service are alive: each says so now and then, and takes its leave when it ends."""

from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

KEPT = timedelta(hours=1)
"""A process that vanished without taking its leave is named for so long."""


class ProcessRow(SQLModel, table=True):
    """One process; `kind` is web | worker | serve (both in one)."""

    __tablename__ = "processes"

    id: str = Field(primary_key=True)
    kind: str
    host: str
    pid: int
    started_at: datetime
    seen_at: datetime


async def say_alive(session: AsyncSession, process: ProcessRow, now: datetime) -> None:
    """Note that a process lives, and forget those that vanished long ago."""
    mine = update(ProcessRow).where(col(ProcessRow.id) == process.id).values(seen_at=now)
    if not (await session.exec(mine)).rowcount:
        session.add(ProcessRow(**(process.model_dump() | {"seen_at": now})))
    await session.exec(delete(ProcessRow).where(col(ProcessRow.seen_at) < now - KEPT))


async def leave(session: AsyncSession, process_id: str) -> None:
    """Note that a process ends on purpose."""
    await session.exec(delete(ProcessRow).where(col(ProcessRow.id) == process_id))


async def processes(session: AsyncSession) -> list[ProcessRow]:
    """Return the processes that live or vanished lately, by host."""
    query = select(ProcessRow).order_by(col(ProcessRow.host), col(ProcessRow.started_at))
    return list((await session.exec(query)).all())
