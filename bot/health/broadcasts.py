"""Look at broadcasts: whether each makes progress, why it rests, what is held by nobody alive, and what is in doubt."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.health.line import Light, Line, light_of
from bot.store import accounts, results, waiting
from bot.store.broadcasts import BroadcastRow
from bot.store.database import Session
from bot.store.results import Belonging

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
    rows = await waiting.open_broadcasts(session)
    runs = await results.belongings(session, sorted({row.run_id for row in rows} - {""}))
    stopped = {a.id: a.stopped_reason for a in await accounts.all_accounts(session) if a.state != "active"}
    lines = [_line(_Open(row, left.get(row.id or 0, 0), runs.get(row.run_id), stopped), now) for row in rows]
    held = await waiting.ranges_held(session, now)
    if held.number:
        values = {"number": held.number, "age": int(held.age(now).total_seconds())}
        lines.append(Line("ranges", light_of(held.age(now), LATE_RANGE, STUCK_RANGE), values=values))
    doubt = await waiting.deliveries_in_doubt(session)
    if doubt.number:
        values = {"number": doubt.number, "age": int(doubt.age(now).total_seconds())}
        lines.append(Line("broadcast_doubt", light_of(doubt.age(now), LATE_DOUBT, STUCK_DOUBT), values=values))
    return lines


@dataclass(frozen=True, slots=True)
class _Open:
    """One broadcast that has not come to its end; `stopped` has why an account is stopped, for those that are."""

    row: BroadcastRow
    left: int
    of: Belonging | None
    stopped: dict[str, str]


def _light(it: _Open, age: timedelta, now: datetime) -> Light:
    row = it.row
    if row.state == "paused" and row.resume_at is not None:
        return light_of(now - row.resume_at, LATE_RESUME, STUCK_RESUME)
    if row.state == "waiting" and it.of is not None:
        return light_of(now - it.of.due_at, LATE_RESUME, STUCK_RESUME)
    if row.state == "paused" or (row.state == "running" and row.account_id in it.stopped):
        return Light.WARN  # a person is to act: the account has a line of its own
    return light_of(age, SLOW_BROADCAST, STUCK_BROADCAST)


def _line(it: _Open, now: datetime) -> Line:
    row = it.row
    age = max(now - last_progress(row), timedelta(0))
    values = {
        "state": row.state,
        "total": row.total,
        "left": it.left,
        "age": int(age.total_seconds()),
        "paused_reason": row.paused_reason,
        "resume_at": row.resume_at,
        "overdue": row.resume_at is not None and row.resume_at <= now,
        "account_stopped": it.stopped.get(row.account_id, "") if row.state != "stopped" else "",
        "announcement": it.of.title if it.of else "",
        "page": f"/announcements/{it.of.announcement_id}/runs/{row.run_id}" if it.of else "",
        "due_at": it.of.due_at if it.of else None,
    }
    return Line("broadcast", _light(it, age, now), str(row.id), values)
