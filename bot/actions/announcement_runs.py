"""Carry an approved announcement out: runs begun when they are due, planned slice by slice, let go, paused, ended."""

from datetime import datetime, timedelta

from bot.actions.announcement_senders import accounts_of, message_for, rules_of, sender_of
from bot.actions.case_clock import calendar_of
from bot.actions.case_trail import audit
from bot.domain.announcement import NAME_FIELD, Kind
from bot.domain.audience import Reach, Sender, Way
from bot.domain.broadcast import fields_of
from bot.domain.message import Message
from bot.domain.quiet import opens_at
from bot.domain.schedule import Schedule, next_due
from bot.errors import ConflictError, NotFoundError
from bot.store import announcements, audience, broadcasts, listed_audience, plans, runs, units
from bot.store.announcements import AnnouncementRow, RunRow
from bot.store.broadcasts import BroadcastRow
from bot.store.plans import Plan
from bot.store.unit_of_work import UnitOfWork

PLAN = "plan_announcements"
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
    _announce(uow, run)
    return run


async def plan_slice(uow: UnitOfWork, run: RunRow) -> bool:
    """Make the deliveries of the next slice of a run; True once all are made and the run waits for its time."""
    row = await announcements.seen(uow.session, run.announcement_id)
    assert row is not None
    run.progress_at = uow.now
    found = await accounts_of(uow.session, row)
    senders = [await sender_of(uow.session, uow.capabilities, row, account, run.due_at) for account in found]
    rules = await rules_of(uow.session, row)
    rows = await _broadcasts(uow, run, row, senders)
    if not run.planned_to:
        doubles = not rules.audience.list_id and await audience.may_double(uow.session)
        run.planned_to = {"after": "", "line": 0, "doubles": doubles}
    named = any(NAME_FIELD in fields_of(Message.from_json(each.message)) for each in rows.values())
    plan = Plan(senders, rules, rows, NAME_FIELD if named else "", doubles=bool(run.planned_to["doubles"]))
    done = not senders or await (_lines if rules.audience.list_id else _contacts)(uow, run, plan)
    if done:
        await _close(uow, run, row, plan)
    return done


async def _broadcasts(
    uow: UnitOfWork, run: RunRow, row: AnnouncementRow, senders: list[Sender]
) -> dict[tuple[str, Way], BroadcastRow]:
    """Return the broadcasts of a run by account and way, made with its first slice."""
    known = {(b.account_id, Way(b.way)): b for b in await plans.broadcasts_of(uow.session, run.id)}
    for sender in senders:
        for way in sender.ways:
            if (sender.account_id, way) not in known and not run.planned_to:
                message = await message_for(uow.session, row, sender, way)
                made = BroadcastRow(
                    account_id=sender.account_id,
                    unit_id=row.unit_id,
                    run_id=run.id,
                    way=way.value,
                    urgent=row.kind == Kind.EMERGENCY,
                    message=message.to_json(),
                    created_at=uow.now,
                )
                uow.session.add(made)
                known[sender.account_id, way] = made
    await uow.session.flush()
    return known


async def _contacts(uow: UnitOfWork, run: RunRow, plan: Plan) -> bool:
    after = str(run.planned_to["after"])
    until = await plans.boundary(uow.session, after)
    await plans.freeze_slice(uow.session, plan, after, until, uow.now)
    run.planned_to = {**run.planned_to, "after": until or after}
    return until is None


async def _lines(uow: UnitOfWork, run: RunRow, plan: Plan) -> bool:
    list_id, after = plan.rules.audience.list_id, int(run.planned_to["line"])
    until = after + listed_audience.LINES
    await listed_audience.freeze_lines(uow.session, plan.senders, plan.rows, list_id, after, until, uow.now)
    run.planned_to = {**run.planned_to, "line": until}
    return until >= await listed_audience.last_line(uow.session, list_id)


async def _close(uow: UnitOfWork, run: RunRow, row: AnnouncementRow, plan: Plan) -> None:
    """Keep what was frozen as figures, and have the run wait for its time; one that reaches nobody is skipped."""
    figures = Reach(ways={key: each.total for key, each in plan.rows.items() if each.total})
    figures.unreached = await plans.reasons(uow.session, list(plan.rows.values()))
    await plans.close(uow.session, list(plan.rows.values()), uow.now)
    run.people, run.frozen_at = figures.to_json(), uow.now
    if figures.reached:
        run.state = "waiting"
    else:
        run.state, run.reason, run.ended_at, run.started_at = "ended", "nobody", uow.now, uow.now
    audit(uow, "announcement.freeze", f"announcement:{row.id}", {"number": run.number, "reached": figures.reached})
    uow.after_commit(PLAN)
    _announce(uow, run)


async def let_go(uow: UnitOfWork, run: RunRow, row: AnnouncementRow) -> bool:
    """Begin a run whose time has come; False when it is put off because of the hour."""
    opens = opens_at(row.kind, uow.now)
    if opens > uow.now:
        run.due_at = opens
        return False
    missed = uow.now - max(run.due_at, run.frozen_at or run.due_at) > LATE
    await plans.release(uow.session, run.id, uow.now, "missed" if missed else "")
    run.state, run.started_at, run.progress_at = "running", uow.now, uow.now
    audit(uow, "announcement.begin", f"announcement:{row.id}", {"number": run.number})
    uow.after_commit("send_broadcasts")
    _announce(uow, run)
    return True


async def close_run(uow: UnitOfWork, run: RunRow) -> bool:
    """End a run of which nothing is open any more; False when something is."""
    if any(b.finished_at is None for b in await plans.broadcasts_of(uow.session, run.id)):
        return False
    run.state, run.ended_at, run.progress_at = "ended", uow.now, uow.now
    _announce(uow, run)
    return True


async def hush(uow: UnitOfWork) -> int:
    """Pause what may not be sent at this hour until it may; returns how many broadcasts."""
    paused = 0
    for broadcast, kind in await runs.being_sent(uow.session):
        opens = opens_at(kind, uow.now)
        if opens > uow.now:
            broadcast.state, broadcast.paused_reason, broadcast.resume_at = "paused", "quiet_hours", opens
            paused += 1
            uow.announce(f"broadcast:{broadcast.id}")
    return paused


async def end(uow: UnitOfWork, row: AnnouncementRow) -> None:
    """Let no run of an announcement begin any more; what waits is stopped, what is being sent has its own verb.

    Raises ConflictError while a run is being planned, which takes seconds.
    """
    for run in await announcements.runs(uow.session, row.id):
        if run.state == "planning":
            raise ConflictError(f"run {run.id} is being planned")
        if run.state == "waiting":
            await stop(uow, run.id)
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
    for row in rows:
        row.state = "waiting" if run.state == "waiting" else "running"
        row.paused_reason, row.resume_at = "", None
        assert row.id is not None
        await broadcasts.due_now(uow.session, row.id)
    uow.after_commit("send_broadcasts")
    _tell(uow, run, "resume")


async def stop(uow: UnitOfWork, run_id: str) -> None:
    """End a run for good: whoever has not been written to will not be. Raises ConflictError."""
    run, rows = await _sent(uow, run_id, "running", "paused", "waiting")
    for row in rows:
        row.state = "stopped"
    uow.after_commit("send_broadcasts")
    _tell(uow, run, "stop")


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
    _announce(uow, run)


def _announce(uow: UnitOfWork, run: RunRow) -> None:
    uow.announce("announcements")
    uow.announce(f"announcement:{run.announcement_id}")
