"""Freeze the audience of a run, slice by slice: each person gets one row, by the first way that is allowed."""

from dataclasses import replace

from bot.actions.announcement_senders import accounts_of, message_for, rules_of, sender_of
from bot.actions.case_trail import audit
from bot.domain.announcement import NAME_FIELD, Kind
from bot.domain.audience import Reach, Sender, Way
from bot.domain.broadcast import fields_of
from bot.domain.message import Message
from bot.store import accounts, announcements, audience, listed_audience, plans
from bot.store.announcements import AnnouncementRow, RunRow
from bot.store.audience import Rules
from bot.store.broadcasts import BroadcastRow
from bot.store.plans import Plan
from bot.store.unit_of_work import UnitOfWork

PLAN = "plan_announcements"


async def plan_slice(uow: UnitOfWork, run: RunRow) -> bool:
    """Make the deliveries of the next slice of a run; True once all are made and the run waits for its time."""
    row = await announcements.seen(uow.session, run.announcement_id)
    assert row is not None
    run.progress_at = uow.now
    rules = await rules_of(uow.session, row)
    if not run.planned_to:
        doubles = not rules.audience.list_id and await audience.may_double(uow.session)
        chosen = await _chosen(uow, run, row)
        ways = {s.account_id: [s.by_user, s.by_phone] for s in chosen}
        run.planned_to = {"after": "", "line": 0, "doubles": doubles, "ways": ways}
        await _make(uow, run, row, chosen, rules)
    senders = await _kept(uow, run, row)
    rows = {(b.account_id, Way(b.way)): b for b in await plans.broadcasts_of(uow.session, run.id)}
    named = any(NAME_FIELD in fields_of(Message.from_json(each.message)) for each in rows.values())
    plan = Plan(senders, rules, rows, NAME_FIELD if named else "", doubles=bool(run.planned_to["doubles"]))
    done = not senders or await (_lines if rules.audience.list_id else _contacts)(uow, run, plan)
    if done:
        await _close(uow, run, row, plan)
    return done


async def _chosen(uow: UnitOfWork, run: RunRow, row: AnnouncementRow) -> list[Sender]:
    found = await accounts_of(uow.session, row)
    return [await sender_of(uow.session, uow.capabilities, row, account, run.due_at) for account in found]


async def _kept(uow: UnitOfWork, run: RunRow, row: AnnouncementRow) -> list[Sender]:
    """Return the senders as the first slice had them, whatever was connected or approved by a provider since."""
    senders = []
    for account_id, (by_user, by_phone) in run.planned_to["ways"].items():
        account = await accounts.account(uow.session, account_id)
        assert account is not None
        now = await sender_of(uow.session, uow.capabilities, row, account, run.due_at)
        senders.append(replace(now, by_user=by_user, by_phone=by_phone))
    return senders


async def _make(uow: UnitOfWork, run: RunRow, row: AnnouncementRow, senders: list[Sender], rules: Rules) -> None:
    """Make the broadcasts of a run, one for each account and way."""
    for sender in senders:
        for way in sender.ways:
            message = await message_for(uow.session, row, sender, way)
            uow.session.add(
                BroadcastRow(
                    account_id=sender.account_id,
                    unit_id=row.unit_id,
                    run_id=run.id,
                    way=way.value,
                    urgent=row.kind == Kind.EMERGENCY,
                    topic_id=rules.topic_id,
                    needs_consent=rules.needs_consent,
                    message=message.to_json(),
                    created_at=uow.now,
                )
            )
    await uow.session.flush()


async def _contacts(uow: UnitOfWork, run: RunRow, plan: Plan) -> bool:
    if plan.doubles and not run.planned_to.get("doubles_frozen"):
        await plans.freeze_doubles(uow.session, plan, uow.now)
        run.planned_to = {**run.planned_to, "doubles_frozen": True}
        return False
    after = str(run.planned_to["after"])
    until = await plans.boundary(uow.session, after)
    await plans.freeze_slice(uow.session, plan, after, until, uow.now)
    run.planned_to = {**run.planned_to, "after": until or after}
    return until is None


async def _lines(uow: UnitOfWork, run: RunRow, plan: Plan) -> bool:
    after = int(run.planned_to["line"])
    until = after + listed_audience.LINES
    await listed_audience.freeze_lines(uow.session, plan.senders, plan.rows, plan.rules, after, until, uow.now)
    run.planned_to = {**run.planned_to, "line": until}
    return until >= await listed_audience.last_line(uow.session, plan.rules.audience.list_id)


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
    announce(uow, run)


def announce(uow: UnitOfWork, run: RunRow) -> None:
    """Tell open pages that a run has news."""
    uow.announce("announcements")
    uow.announce(f"announcement:{run.announcement_id}")
