"""Warn a unit's officials once a day of dossiers that are about to be late, each dossier once for each date."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from bot import render
from bot.actions.case_clock import calendar_of
from bot.actions.dossier_settings import HEADS, NOBODY, Choices, chain_of, choices_of
from bot.actions.messages import say
from bot.clock import LOCAL_ZONE, to_local
from bot.domain.access import GRANTS, Grants, Permission, Role
from bot.domain.calendar import WorkingCalendar
from bot.domain.card import DUE_PURPOSE
from bot.domain.deadline import elapsed
from bot.domain.dossier_clock import counting
from bot.domain.message import Lane, Message
from bot.store import accounts, contacts, dossier_warnings, links
from bot.store.dossiers import DossierNoteRow, DossierRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow

FARTHEST = timedelta(days=31)
"""No date is looked at that lies further ahead: ten working days with the longest holidays between them."""
_SHOWN = 12
_LIFE = timedelta(hours=12)


async def warn(uow: UnitOfWork, unit_id: str, address: str) -> int:
    """Tell a unit's chats of its dossiers that are due within its days; returns of how many. `address` is the console.

    Only in working hours, and once a day; what was told of before is not told of again unless its date has moved.
    """
    chain = await chain_of(uow.session, unit_id)
    choices = choices_of(chain)
    if not chain or choices.warns == NOBODY:
        return 0
    calendar = await calendar_of(uow, chain[0])
    if elapsed(uow.now, uow.now + timedelta(minutes=1), calendar, ()) == 0:
        return 0
    today = datetime.combine(to_local(uow.now).date(), time(0), LOCAL_ZONE)
    if await dossier_warnings.warned_since(uow.session, unit_id, today.astimezone(UTC)):
        return 0
    found = await _due(uow, unit_id, last_day(calendar, to_local(uow.now).date(), choices.days_before))
    chats = await _chats(uow, chain, choices) if found else []
    if not chats:
        return 0
    await _tell(uow, chats, _message(chain[0], found, address))
    for row in found:
        _note(uow, row)
    return len(found)


def last_day(calendar: WorkingCalendar, today: date, days: int) -> date:
    """Return the day so many working days after today."""
    day, left = today, days
    while left and day - today < FARTHEST:
        day += timedelta(days=1)
        left -= calendar.rest_reason(day) is None
    return day


async def _due(uow: UnitOfWork, unit_id: str, last: date) -> list[DossierRow]:
    until = datetime.combine(last + timedelta(days=1), time(0), LOCAL_ZONE).astimezone(UTC)
    rows = await dossier_warnings.due(uow.session, unit_id, uow.now, until)
    known = await dossier_warnings.warned(uow.session, [row.id for row in rows])
    return [row for row in rows if _date(row) not in known.get(row.id, set())]


def _date(row: DossierRow) -> str:
    due = _counts(row)
    return due.astimezone(UTC).isoformat() if due else ""


def _counts(row: DossierRow) -> datetime | None:
    return counting(row.due_at, row.law_due_at, row.late_at)


async def _chats(uow: UnitOfWork, chain: Sequence[UnitRow], choices: Choices) -> list[tuple[str, str]]:
    """Return account and contact of each chat that is told: whoever works on the unit's dossiers, and its group."""
    path = chain[0].path
    people = await links.holders(uow.session, [unit.id for unit in chain])
    heads = choices.warns == HEADS
    depths = {one.contact_id: _depth(path, one.grants, heads=heads) for one in people}
    deepest = max(depths.values(), default=0)
    found = [(one.account_id, one.contact_id) for one in people if deepest and depths[one.contact_id] == deepest]
    groups = [] if heads else await links.groups_of(uow.session, [chain[0].id])
    usable = [(account.id, contact.id) for _, account, contact in groups if account.state == "active"]
    return list(dict.fromkeys([*found, *usable]))


def _depth(path: str, grants: Grants, *, heads: bool) -> int:
    """Return how near to a unit somebody works on its dossiers: colleagues before the offices above."""
    held = [grant for grant in grants.held if path.startswith(grant.path)]
    wanted = [g for g in held if Permission.DOSSIER_WORK in GRANTS[g.role] and (not heads or g.role is Role.UNIT_HEAD)]
    return max((len(grant.path) for grant in wanted), default=0)


def _message(unit: UnitRow, found: Sequence[DossierRow], address: str) -> Message:
    values = {
        "unit": unit.name,
        "dossiers": [
            {"due_at": _counts(row), "code": row.code, "procedure_name": row.procedure_name} for row in found[:_SHOWN]
        ],
        "number": len(found),
        "more": max(0, len(found) - _SHOWN),
        "link": f"{address.rstrip('/')}/dossiers" if address else "",
    }
    return render.message("official/dossiers_due", values)


async def _tell(uow: UnitOfWork, chats: Sequence[tuple[str, str]], message: Message) -> None:
    for account_id, contact_id in chats:
        account = await accounts.account(uow.session, account_id)
        contact = await contacts.contact(uow.session, contact_id)
        if account is not None and contact is not None:
            await say(uow, account, contact, message, purpose=DUE_PURPOSE, lane=Lane.NOTICE, lifetime=_LIFE)


def _note(uow: UnitOfWork, row: DossierRow) -> None:
    uow.session.add(
        DossierNoteRow(
            id=uow.new_id(),
            dossier_id=row.id,
            kind=dossier_warnings.NOTE,
            at=uow.now,
            actor_kind=uow.actor.kind,
            data={"due_at": _date(row)},
        )
    )
