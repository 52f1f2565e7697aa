"""Show one dossier on one page: what was told of it, its clock, whose it is, what people heard, what can be done."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.actions import dossier_dates, dossier_work
from bot.actions.dossier_dates import pauses_of
from bot.domain.deadline import Pause
from bot.domain.dossier import Status
from bot.domain.dossier_clock import Dates, compared, explained, standing
from bot.domain.privacy import initials, mask_phone
from bot.domain.working_line import WorkingLine
from bot.runtime import Runtime
from bot.store import accounts, contacts, dossier_lists, dossier_lookup, dossier_notices, dossiers, procedures, units
from bot.store.accounts import AccountRow
from bot.store.contacts import ContactRow
from bot.store.database import Session
from bot.store.dossier_notices import DossierNoticeRow
from bot.store.dossiers import DossierEventRow, DossierRow
from bot.store.outbox import OutboxRow
from handlers.console.dossier_scope import REVEAL, WORK, visible_dossier
from handlers.console.page import Errors, render, runtime_of, visit_of
from handlers.keys import Visit

_SHOWN_FACTS = ("reason", "papers", "limit_at", "fee", "fee_note", "due_at", "finished_at", "post_code")
_TIMES = frozenset({"limit_at", "due_at", "finished_at"})


@dataclass(slots=True)
class Typed:
    """What was typed and could not be taken yet, and whether name and phone are shown in full."""

    form: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    errors: Errors = field(default_factory=dict)
    conflict: bool = False
    revealed: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One event: `odd` says that nothing should follow from what stood before as this does, `late` what came late."""

    event: DossierEventRow
    odd: bool
    late: bool
    facts: list[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Told:
    """One notice, with the message that carries it."""

    notice: DossierNoticeRow
    message: OutboxRow | None
    contact: ContactRow | None


@dataclass(frozen=True, slots=True)
class Bound:
    """A contact to whom the dossier is shown in full; `how` as in DossierPersonRow, its own phone before all."""

    how: str
    contact: ContactRow
    name: str
    account: AccountRow | None


async def show(request: web.Request) -> web.Response:
    """Show the page as it stands."""
    return await page(request, Typed())


async def page(request: web.Request, typed: Typed, status: int = 200) -> web.Response:
    """Answer with the page of a dossier, with what was typed in its forms."""
    runtime, visit = runtime_of(request), visit_of(request)
    async with runtime.database.reading() as session:
        row = await visible_dossier(request, session)
        values = await _read(session, runtime, row)
    values |= {"typed": typed, "errors": typed.errors, "can": _can(visit, row), **_person(runtime, row, typed)}
    return render(request, "dossiers/page", values, status)


async def _read(session: Session, runtime: Runtime, row: DossierRow) -> dict[str, Any]:
    unit = await units.unit(session, row.unit_id)
    notices = await dossier_notices.of_dossier(session, row.id)
    events = (await dossiers.events(session, [row.id]))[row.id]
    known = (await procedures.by_codes(session, [row.procedure_code])).get(row.procedure_code)
    line = (await dossier_dates.lines(session)).of(row.path)
    return {
        "row": row,
        "unit": unit,
        "procedure": known,
        "steps": _steps(row, events),
        "told": await _told(session, notices),
        "bound": await _bound(session, row),
        "notes": list(reversed(await dossiers.notes(session, row.id))),
        **_clock(row, line, known.days if known else None, runtime),
    }


def _clock(row: DossierRow, line: WorkingLine, days: int | None, runtime: Runtime) -> dict[str, Any]:
    pauses: list[Pause] = pauses_of(row.pauses)
    when = Dates(row.law_due_at, row.soon_at, row.late_at)
    return {
        "remaining": standing(line, Status(row.status), row.due_at, row.law_due_at, when, runtime.now()),
        "compared": compared(line, row.due_at, row.law_due_at),
        "explained": explained(line, row.received_at, days, pauses),
        "days": days,
        "pauses": pauses,
    }


def _steps(row: DossierRow, events: list[DossierEventRow]) -> list[Step]:
    """Return the events, the newest first; those whose move was unexpected as the row has noted them."""
    odd = set(row.odd)
    found: list[Step] = []
    before: DossierEventRow | None = None
    for event in events:
        strange = before is not None and f"{before.status}>{event.status}" in odd
        came_late = any(other.at > event.at and other.reported_at < event.reported_at for other in events)
        facts = [(name, event.facts[name]) for name in _SHOWN_FACTS if event.facts.get(name) not in (None, "")]
        found.append(Step(event, strange, came_late, facts))
        before = event
    return found[::-1]


async def _told(session: Session, notices: list[DossierNoticeRow]) -> list[Told]:
    messages = await dossier_lists.carriers(session, [one.outbox_id for one in notices if one.outbox_id])
    people = await contacts.contacts(session, [one.contact_id for one in notices if one.contact_id])
    return [Told(one, messages.get(one.outbox_id or ""), people.get(one.contact_id or "")) for one in reversed(notices)]


async def _bound(session: Session, row: DossierRow) -> list[Bound]:
    people = await dossier_lookup.contacts_of(session, row)
    ways = {person.contact_id: person.how for person in await dossiers.people(session, row.id)}
    at = {account.id: account for account in await accounts.all_accounts(session)} if people else {}
    return [
        Bound(ways.get(contact.id, "phone"), contact, initials(contact.name), at.get(contact.account_id))
        for contact in people
    ]


def _can(visit: Visit, row: DossierRow) -> dict[str, bool]:
    """Return what this person may do to this dossier as it stands."""
    works = visit.grants.over(WORK, row.path)
    return {
        "work": works,
        "put_off": works and dossier_work.may_be_put_off(row),
        "reveal": visit.grants.over(REVEAL, row.path),
    }


def _person(runtime: Runtime, row: DossierRow, typed: Typed) -> dict[str, str]:
    """Return name and phone as they may be shown: in part, until somebody asks for them and is noted."""
    name = runtime.box.open(row.applicant) if row.applicant else ""
    phone = runtime.box.open(row.phone) if row.phone else ""
    if typed.revealed:
        return {"applicant": name, "phone": f"0{phone[2:]}" if phone.startswith("84") else phone}
    return {"applicant": initials(name), "phone": mask_phone(phone) if phone else ""}
