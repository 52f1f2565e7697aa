"""Find the runs of announcements that are to be planned, let go or ended, one holder at a time."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import case, exists, func, literal, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.announcements import AnnouncementRow, RunRow
from bot.store.broadcasts import BroadcastRow


async def run(session: AsyncSession, run_id: str) -> RunRow | None:
    """Return one run, locked until this transaction ends."""
    query = select(RunRow).where(RunRow.id == run_id).with_for_update()
    return (await session.exec(query.execution_options(populate_existing=True))).first()


async def last(session: AsyncSession, announcement_id: str) -> RunRow | None:
    """Return the last run of an announcement; None when it has had none."""
    query = select(RunRow).where(RunRow.announcement_id == announcement_id).order_by(col(RunRow.number).desc())
    return (await session.exec(query.limit(1))).first()


async def to_begin(session: AsyncSession, now: datetime, avoid: Collection[str] = ()) -> AnnouncementRow | None:
    """Return an approved announcement whose next run is not known yet or is due, locked; None when there is none.

    Those in `avoid` are passed over.
    """
    query = (
        select(AnnouncementRow)
        .where(
            AnnouncementRow.state == "approved",
            col(AnnouncementRow.ended_at).is_(None),
            col(AnnouncementRow.id).not_in(avoid),
            or_(col(AnnouncementRow.next_run_at).is_(None), col(AnnouncementRow.next_run_at) <= now),
        )
        .order_by(col(AnnouncementRow.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (await session.exec(query.execution_options(populate_existing=True))).first()


async def to_plan(session: AsyncSession, avoid: Collection[str] = ()) -> RunRow | None:
    """Return a run that is being planned, locked, an emergency first; None when there is none, or others plan them all.

    Those in `avoid` are passed over.
    """
    query = (
        select(RunRow)
        .join(AnnouncementRow, col(AnnouncementRow.id) == col(RunRow.announcement_id))
        .where(RunRow.state == "planning", col(RunRow.id).not_in(avoid))
        .order_by(case((col(AnnouncementRow.kind) == "emergency", 0), else_=1), col(RunRow.due_at))
        .limit(1)
    )
    locked = query.with_for_update(skip_locked=True, of=RunRow)
    return (await session.exec(locked.execution_options(populate_existing=True))).first()


async def due(session: AsyncSession, now: datetime) -> list[RunRow]:
    """Return runs that wait and whose time has come, locked."""
    query = select(RunRow).where(RunRow.state == "waiting", RunRow.due_at <= now).order_by(col(RunRow.due_at)).limit(50)
    return list((await session.exec(query.with_for_update(skip_locked=True))).all())


async def through(session: AsyncSession) -> list[RunRow]:
    """Return runs that have begun and of which no broadcast is open any more, locked."""
    open_ = exists(literal(1)).where(
        col(BroadcastRow.run_id) == col(RunRow.id), col(BroadcastRow.finished_at).is_(None)
    )
    query = select(RunRow).where(col(RunRow.state).in_(("running", "waiting")), ~open_).limit(50)
    return list((await session.exec(query.with_for_update(skip_locked=True))).all())


async def next_at(session: AsyncSession, now: datetime) -> datetime | None:
    """Return when the next run is due, or the next one of a series is to be planned; None when none is."""
    runs = select(func.min(RunRow.due_at)).where(RunRow.state == "waiting", RunRow.due_at > now)
    series = select(func.min(AnnouncementRow.next_run_at)).where(
        AnnouncementRow.state == "approved",
        col(AnnouncementRow.ended_at).is_(None),
        col(AnnouncementRow.next_run_at) > now,
    )
    found = [(await session.exec(query)).one() for query in (runs, series)]
    return min((moment for moment in found if moment is not None), default=None)


async def being_sent(session: AsyncSession) -> list[tuple[BroadcastRow, str, dict[str, Any]]]:
    """Return broadcasts of runs that are being sent, locked, each with its announcement's kind and warning."""
    query = (
        select(BroadcastRow, AnnouncementRow.kind, AnnouncementRow.warning)
        .join(RunRow, col(RunRow.id) == col(BroadcastRow.run_id))
        .join(AnnouncementRow, col(AnnouncementRow.id) == col(RunRow.announcement_id))
        .where(BroadcastRow.state == "running", col(BroadcastRow.run_id) != "")
        .with_for_update(skip_locked=True, of=BroadcastRow)
    )
    return [(row, kind, dict(warning)) for row, kind, warning in (await session.exec(query)).all()]
