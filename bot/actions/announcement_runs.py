"""Carry an approved announcement out: runs begun when they are due, planned slice by slice, let go, paused, ended."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.actions.announcement_plans import PLAN, announce
from bot.actions.case_clock import calendar_of
from bot.actions.case_trail import audit
from bot.domain.announcement import Kind
from bot.domain.cap import expired
from bot.domain.quiet import opens_at
from bot.domain.schedule import Schedule, next_due
from bot.errors import ConflictError, NotFoundError
from bot.store import announcements, broadcasts, plans, runs, units
from bot.store.announcements import AnnouncementRow, RunRow
from bot.store.broadcasts import BroadcastRow
from bot.store.unit_of_work import UnitOfWork

LATE = timedelta(hours=6)
"""A run that could not begin for so long, since the service was down, does not begin by itself any more."""


async def schedule_next(uow: UnitOfWork, row: AnnouncementRow) -> None:
    """Note when an approved announcement leaves next, and begin that run when it is time to plan it.

    A single run is planned at once and waits until it is due; one of a series when it is due. The moment is worked out
    anew each time, since the office's calendar may have changed meanwhile.
    """
    schedule = Schedule.from_json(row.schedule)
    last = await runs.last(uow.session, row.id)
    number = last.number if last else 0
    row.next_run_at = await _next(uow, row, schedule, last.due_at if last else None)
    if row.next_run_at is not None and (not schedule.repeats or row.next_run_at <= uow.now):
        begun = await _begin(uow, row, number + 1, row.next_run_at)
        if schedule.repeats and uow.now - begun.due_at > LATE:
            begun.state, begun.reason, begun.ended_at = "ended", "missed", uow.now
        more = schedule.repeats and schedule.allows(number + 2)
        row.next_run_at = await _next(uow, row, schedule, begun.due_at) if more else None
    if row.next_run_at is None:
        row.ended_at = uow.now  # nothing is to come; what has begun goes on
    row.updated_at = uow.now


async def _next(uow: UnitOfWork, row: AnnouncementRow, schedule: Schedule, last: datetime | None) -> datetime | None:
    assert row.approved_at is not None
    if not schedule.repeats:
        return schedule.at or row.approved_at
    home = await units.unit(uow.session, row.unit_id)
    assert home is not None
    return next_due(schedule, last or row.approved_at, await calendar_of(uow, home), last=last)


async def _begin(uow: UnitOfWork, row: AnnouncementRow, number: int, due_at: datetime) -> RunRow:
    run = RunRow(
        id=uow.new_id(),
        announcement_id=row.id,
        number=number,
        due_at=opens_at(row.kind, due_at),
        created_at=uow.now,
        progress_at=uow.now,
    )
    uow.session.add(run)
    await uow.session.flush()
    audit(uow, "announcement.run", f"announcement:{row.id}", {"number": number})
    uow.after_commit(PLAN)
    announce(uow, run)
    return run


async def let_go(uow: UnitOfWork, run: RunRow, row: AnnouncementRow) -> bool:
    """Begin a run whose time has come; False when it is put off because of the hour."""
    if opens_at(row.kind, uow.now) > uow.now:
        return False  # it is asked again until the hour allows it; when it was meant stays as it was
    missed = uow.now - opens_at(row.kind, max(run.due_at, run.frozen_at or run.due_at)) > LATE
    await plans.release(uow.session, run.id, uow.now, _over(row.warning, uow.now) or ("missed" if missed else ""))
    run.state, run.started_at, run.progress_at = "running", uow.now, uow.now
    audit(uow, "announcement.begin", f"announcement:{row.id}", {"number": run.number})
    uow.after_commit("send_broadcasts")
    announce(uow, run)
    return True


async def close_run(uow: UnitOfWork, run: RunRow) -> bool:
    """End a run of which nothing is open any more; False when something is."""
    if any(b.finished_at is None for b in await plans.broadcasts_of(uow.session, run.id)):
        return False
    run.state, run.ended_at, run.progress_at = "ended", uow.now, uow.now
    announce(uow, run)
    return True


async def hush(uow: UnitOfWork) -> int:
    """Pause what may not be sent at this hour until it may, or not any more; returns how many broadcasts."""
    paused = 0
    for broadcast, kind, warning in await runs.being_sent(uow.session):
        if _rested(broadcast, kind, warning, uow.now):
            paused += 1
            uow.announce(f"broadcast:{broadcast.id}")
    return paused


def _rested(broadcast: BroadcastRow, kind: str, warning: Mapping[str, Any], now: datetime) -> bool:
    """Pause a broadcast where its warning has expired, or the hour does not allow it yet; returns whether."""
    over, opens = _over(warning, now), opens_at(kind, now)
    if not over and opens <= now:
        return False
    reason, until = (over, None) if over else ("quiet_hours", opens)
    broadcast.state, broadcast.paused_reason, broadcast.resume_at = "paused", reason, until
    return True


def _over(warning: Mapping[str, Any], now: datetime) -> str:
    """Return the reason why what an official warning was made of is not to be sent any more; "" when it may be."""
    return "warning_expired" if expired(warning, now) else ""


async def end(uow: UnitOfWork, row: AnnouncementRow) -> None:
    """Let no run of an announcement begin any more; what waits is stopped, what is being sent has its own verb."""
    for seen in await announcements.runs(uow.session, row.id):
        run = await runs.run(uow.session, seen.id)
        assert run is not None
        if run.state == "planning":
            await plans.close(uow.session, await plans.broadcasts_of(uow.session, run.id), uow.now)
            run.state, run.reason = "waiting", "ended"
        if run.state == "waiting":
            await _stop_all(uow, run.id)
    row.next_run_at, row.ended_at = None, row.ended_at or uow.now


async def pause(uow: UnitOfWork, run_id: str) -> None:
    """Let all that a run sends rest until somebody lets it go on. Raises ConflictError when nothing is being sent."""
    run, rows = await _sent(uow, run_id, "running", "paused")
    for row in rows:
        row.state, row.paused_reason, row.resume_at = "paused", "by_hand", None
    _tell(uow, run, "pause")


async def resume(uow: UnitOfWork, run_id: str) -> None:
    """Let all that rests go on where it was; what rests before its time has come waits for it. Raises ConflictError."""
    run, rows = await _sent(uow, run_id, "paused")
    of = await announcements.seen(uow.session, run.announcement_id)
    kind, warning = (of.kind, of.warning) if of else (Kind.NOTICE, {})
    for row in rows:
        row.state = "waiting" if run.state == "waiting" else "running"
        row.paused_reason, row.resume_at = "", None
        if row.state == "running":
            _rested(row, kind, warning, uow.now)
        assert row.id is not None
        await broadcasts.due_now(uow.session, row.id)
    uow.after_commit("send_broadcasts")
    _tell(uow, run, "resume")


async def stop(uow: UnitOfWork, run_id: str) -> None:
    """End a run for good: whoever has not been written to will not be. Raises ConflictError."""
    run, _ = await _sent(uow, run_id, "running", "paused", "waiting")
    await _stop_all(uow, run_id)
    _tell(uow, run, "stop")


async def _stop_all(uow: UnitOfWork, run_id: str) -> None:
    for seen in await plans.broadcasts_of(uow.session, run_id):
        assert seen.id is not None
        row = await broadcasts.broadcast(uow.session, seen.id)
        if row is not None and row.state in {"running", "paused", "waiting"}:
            row.state = "stopped"
    uow.after_commit("send_broadcasts")
    uow.after_commit(PLAN)


async def slow_down(uow: UnitOfWork, run_id: str, per_minute: int) -> None:
    """Send at most so many messages a minute for each account and way; 0 for as many as the account may."""
    run, rows = await _sent(uow, run_id, "running", "paused", "waiting")
    for row in rows:
        row.per_minute = max(0, min(per_minute, 100_000))
    _tell(uow, run, "slow_down", per_minute=per_minute)


async def _sent(uow: UnitOfWork, run_id: str, *states: str) -> tuple[RunRow, list[BroadcastRow]]:
    run = await runs.run(uow.session, run_id)
    if run is None:
        raise NotFoundError(f"run {run_id}")
    rows = [
        await broadcasts.broadcast(uow.session, b.id) for b in await plans.broadcasts_of(uow.session, run_id) if b.id
    ]
    found = [row for row in rows if row is not None and row.state in states]
    if not found:
        raise ConflictError(f"run {run_id} is {run.state}")
    return run, found


def _tell(uow: UnitOfWork, run: RunRow, verb: str, **data: object) -> None:
    run.progress_at = uow.now
    audit(uow, f"announcement.{verb}", f"announcement:{run.announcement_id}", {"number": run.number, **data})
    uow.after_commit(PLAN)
    announce(uow, run)
