"""Look at broadcasts: whether each makes progress, why it rests, what is held by nobody alive, and what is in doubt."""

from datetime import datetime, timedelta

from bot.health.line import Light, Line, light_of
from bot.store import waiting
from bot.store.broadcasts import BroadcastRow
from bot.store.database import Session

SLOW_BROADCAST = timedelta(minutes=10)
STUCK_BROADCAST = timedelta(minutes=30)
"""Without progress, not since the start: a broadcast to a million takes hours (reliability R12)."""
LATE_RESUME, STUCK_RESUME = timedelta(minutes=2), timedelta(minutes=30)
LATE_RANGE, STUCK_RANGE = timedelta(minutes=2), timedelta(minutes=15)
LATE_DOUBT, STUCK_DOUBT = timedelta(minutes=3), timedelta(minutes=30)


def last_progress(row: BroadcastRow) -> datetime:
    """Return when a broadcast moved last: something was sent, it was begun, or it was made."""
    return row.progress_at or row.started_at or row.created_at


async def broadcast_lines(session: Session, now: datetime) -> list[Line]:
    """Look at every broadcast that has not come to its end, at the ranges of them all, and at what is in doubt."""
    left = await waiting.left_over(session)
    lines = [_line(row, left.get(row.id or 0, 0), now) for row in await waiting.open_broadcasts(session)]
    held = await waiting.ranges_held(session, now)
    if held.number:
        values = {"number": held.number, "age": int(held.age(now).total_seconds())}
        lines.append(Line("ranges", light_of(held.age(now), LATE_RANGE, STUCK_RANGE), values=values))
    doubt = await waiting.deliveries_in_doubt(session)
    if doubt.number:
        values = {"number": doubt.number, "age": int(doubt.age(now).total_seconds())}
        lines.append(Line("broadcast_doubt", light_of(doubt.age(now), LATE_DOUBT, STUCK_DOUBT), values=values))
    return lines


def _line(row: BroadcastRow, left: int, now: datetime) -> Line:
    age = max(now - last_progress(row), timedelta(0))
    if row.state == "paused" and row.resume_at is not None:
        light = light_of(now - row.resume_at, LATE_RESUME, STUCK_RESUME)
    elif row.state == "paused":
        light = Light.WARN
    else:
        light = light_of(age, SLOW_BROADCAST, STUCK_BROADCAST)
    values = {
        "state": row.state,
        "total": row.total,
        "left": left,
        "age": int(age.total_seconds()),
        "paused_reason": row.paused_reason,
        "resume_at": row.resume_at,
        "overdue": row.resume_at is not None and row.resume_at <= now,
    }
    return Line("broadcast", light, str(row.id), values)
