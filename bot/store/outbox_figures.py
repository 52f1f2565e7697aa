"""Count what is on its way and name what failed, for the health page and the metrics."""

from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.outbox import OPEN, OutboxRow


async def open_counts(session: AsyncSession) -> dict[tuple[int, str], int]:
    """Return how many messages on their way stand in each lane and state."""
    query = select(OutboxRow.lane, OutboxRow.state, func.count()).where(col(OutboxRow.state).in_(OPEN))
    grouped = query.group_by(col(OutboxRow.lane), col(OutboxRow.state))
    return {(lane, state): int(n) for lane, state, n in (await session.exec(grouped)).all()}


async def oldest_due(session: AsyncSession, now: datetime) -> dict[int, datetime]:
    """Return, by lane, since when the oldest message that should have left is due."""
    query = (
        select(OutboxRow.lane, func.min(OutboxRow.next_attempt_at))
        .where(col(OutboxRow.state).in_(OPEN), col(OutboxRow.next_attempt_at) <= now)
        .group_by(col(OutboxRow.lane))
    )
    return {lane: at for lane, at in (await session.exec(query)).all() if at is not None}


async def failures(session: AsyncSession, since: datetime) -> list[tuple[str, int, datetime]]:
    """Return failed messages grouped by reason since then: reason, how many, last time."""
    query = (
        select(OutboxRow.reason, func.count(), func.max(OutboxRow.failed_at))
        .where(col(OutboxRow.state) == "failed", col(OutboxRow.failed_at) >= since)
        .group_by(OutboxRow.reason)
    )
    return [(reason, int(n), at) for reason, n, at in (await session.exec(query)).all() if at is not None]


async def failed(session: AsyncSession, limit: int = 50, since: datetime | None = None) -> list[OutboxRow]:
    """Return failed messages, newest first, of all times or since then."""
    query = select(OutboxRow).where(OutboxRow.state == "failed")
    if since is not None:
        query = query.where(col(OutboxRow.failed_at) >= since)
    return list((await session.exec(query.order_by(col(OutboxRow.failed_at).desc()).limit(limit))).all())
