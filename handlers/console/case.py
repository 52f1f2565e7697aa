"""Show one case on one page: the thread, the clock and how it was worked out, who wrote, and what can be done."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.actions import case_rights, marks
from bot.actions.answer_case import MAX_PROOFS
from bot.actions.case_clock import deadline_of, pauses_of, to_calendar
from bot.channels.registry import capabilities_of
from bot.clock import to_local
from bot.domain.access import Permission
from bot.domain.calendar import WorkingCalendar
from bot.domain.case import MIN_ANSWER_LENGTH, Level, Verb
from bot.domain.deadline import Budget, Clock, Deadline, read_clock
from bot.domain.privacy import initials, mask_identity, mask_phone
from bot.domain.reach import reach
from bot.domain.remaining import WorkingTime
from bot.domain.text import excerpt
from bot.runtime import Runtime, ref
from bot.store import accounts, cases, contacts, files, staff, units
from bot.store.accounts import AccountRow
from bot.store.cases import CaseRow
from bot.store.contacts import ContactRow
from bot.store.database import Session
from bot.store.files import FileRow
from bot.store.units import UnitRow
from handlers.console import thread
from handlers.console.case_access import may_see, visible_case
from handlers.console.page import Errors, render, runtime_of, visit_of
from handlers.keys import Visit

_OTHERS = 8
_MOST_FILES = 100
_NEEDS = {
    "answer": Verb.SUBMIT,
    "ask": Verb.ASK_BACK,
    "hand_over": Verb.ASSIGN,
    "note": "note",
    "level": "level",
    "merge": Verb.MERGE,
    "forward": Verb.FORWARD,
    "refuse": Verb.REFUSE,
    "send_back": Verb.APPROVE,
    "told": Verb.TOLD_OTHERWISE,
}
"""What has to be possible for the form of each tab to be shown."""
_CHOICES = frozenset({"unit_id", "owner_id", "level"})


@dataclass(slots=True)
class Typed:
    """What was typed and could not be taken yet: shown again, nothing lost."""

    tab: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    files: list[FileRow] = field(default_factory=list)
    errors: Errors = field(default_factory=dict)
    conflict: bool = False
    seen_events: int = 0
    phone: str = ""

    def stranded(self, can: dict[str, bool]) -> str:
        """Return the words whose form is no longer on the page after a conflict, so that they can be copied."""
        if not self.conflict or can.get(_NEEDS.get(self.tab, ""), False):
            return ""
        return "\n\n".join(words for name, words in self.fields.items() if words and name not in _CHOICES)


async def show(request: web.Request) -> web.Response:
    """Show the page as it stands."""
    return await page(request, Typed())


async def page(request: web.Request, typed: Typed, status: int = 200) -> web.Response:
    """Answer with the page of a case, with what was typed in its forms."""
    runtime, visit = runtime_of(request), visit_of(request)
    async with runtime.database.reading() as session:
        case = await visible_case(request, session, Permission.CASE_READ)
        values = await _read(session, runtime, visit, case, typed)
    values |= {"typed": typed, "errors": typed.errors}
    return render(request, "case/page", values, status)


async def _read(session: Session, runtime: Runtime, visit: Visit, case: CaseRow, typed: Typed) -> dict[str, Any]:
    now = runtime.now()
    account = await accounts.account(session, case.account_id)
    contact = await contacts.contact(session, case.contact_id)
    unit = await units.unit(session, case.unit_id)
    assert account is not None
    assert contact is not None
    assert unit is not None
    told = await thread.build(session, case)
    chain = await units.above(session, unit)
    home = await units.unit(session, account.unit_id)
    today = to_local(now).date()
    tree = [u for u in await units.below(session, home.path if home else unit.path) if u.holds_on(today)]
    found = await units.calendar(session, unit)
    calendar = to_calendar(*found) if found else WorkingCalendar()
    owner = await staff.person(session, case.owner_id) if case.owner_id else None
    category = await units.category(session, case.category_id)
    can = _can(visit, case)
    people = await contacts.same_person(session, contact)
    return {
        "case": case,
        "account": account,
        "linked": await _linked(session, people),
        "contact": contact,
        "marked": await marks.choices_of(session, contact),
        "phone": typed.phone or (mask_phone(runtime.box.open(contact.phone)) if contact.phone else ""),
        "unit": unit,
        "chain": [u for u in chain if u.id != unit.id],
        "owner": owner,
        "category": category,
        "complained": await units.unit(session, case.complained_unit_id) if case.complained_unit_id else None,
        "area": await units.area(session, case.area_id) if case.area_id else None,
        "text": mask_identity(case.text),
        "thread": told,
        "waiting_answer": told.waiting,
        "undoable": told.undoable(now),
        "news": told.events[typed.seen_events :] if typed.conflict else (),
        "can": can,
        "stranded": typed.stranded(can),
        "approval": next((bool(u.settings["approval"]) for u in chain if "approval" in u.settings), True),
        "reach": reach(
            contact.last_interaction_at, bool(contact.gone), capabilities_of(account.provider, ref(account)), now
        ),
        "others": await _others(session, visit, case, people),
        "joined": [c for c in await cases.merged_into(session, case.id) if may_see(visit, c)],
        "target": await _target(session, visit, case),
        "units": tree,
        "people": await _people(session, tree),
        "rule_units": {u.id: u.name for u in tree},
        "levels": [level.value for level in Level],
        "min_answer": MIN_ANSWER_LENGTH,
        "max_proofs": MAX_PROOFS,
        "undo_seconds": runtime.settings.conversation.undo_seconds,
        "typed_files": typed.files,
        **_clock(case, calendar, runtime),
    }


def _clock(case: CaseRow, calendar: WorkingCalendar, runtime: Runtime) -> dict[str, Any]:
    """Return the clock as read now, how its date came about, and what a list would show."""
    now = runtime.now()
    is_open = case.state in cases.OPEN
    remaining = WorkingTime(calendar).remaining(case.due_at, case.budget, now, is_open=is_open)
    deadline: Deadline | None = None
    clock: Clock | None = None
    if case.budget > 0:
        until = now if is_open else (case.answered_at or case.closed_at or case.updated_at)
        deadline = deadline_of(case, calendar)
        clock = read_clock(case.clock_from, until, Budget(case.budget), calendar, pauses_of(case))
    accept = WorkingTime(calendar).remaining(case.accept_due_at, case.budget, now, is_open=case.accepted_at is None)
    return {
        "remaining": remaining,
        "deadline": deadline,
        "clock": clock,
        "accept_remaining": accept if is_open and case.accept_due_at else None,
        "pauses": pauses_of(case),
    }


def _can(visit: Visit, case: CaseRow) -> dict[str, bool]:
    """Return what this person may do to this case in its state, by verb."""
    can = case_rights.possible(visit.grants, case)
    workable = case.state in cases.OPEN
    can["note"] = visit.grants.over(Permission.CASE_ASSIGN, case.path)
    can["level"] = workable and visit.grants.over(Permission.CASE_ASSIGN, case.path)
    can["reveal"] = visit.grants.over(Permission.CONTACT_REVEAL, case.path)
    can["name_complained_unit"] = case.restricted and visit.grants.over(Permission.CASE_RESTRICTED, case.path)
    can["approve_own"] = visit.grants.over(Permission.CASE_APPROVE, case.path)
    can["work"] = visit.grants.over(Permission.CASE_WORK, case.path)
    return can


@dataclass(frozen=True, slots=True)
class Other:
    """Another case of the same person."""

    case: CaseRow
    text: str


@dataclass(frozen=True, slots=True)
class Linked:
    """Another account by which the same person writes, and the initials of the name that they have there."""

    account: AccountRow
    name: str


async def _linked(session: Session, people: list[ContactRow]) -> list[Linked]:
    found = {row.id: row for row in await accounts.all_accounts(session)} if len(people) > 1 else {}
    return [Linked(found[row.account_id], initials(row.name)) for row in people[1:]]


async def _others(session: Session, visit: Visit, case: CaseRow, people: list[ContactRow]) -> list[Other]:
    found = await cases.of_contacts(session, [row.id for row in people], _OTHERS + 1)
    mine = [c for c in found if c.id != case.id and may_see(visit, c)]
    return [Other(c, excerpt(mask_identity(c.text), 80)) for c in mine[:_OTHERS]]


async def _target(session: Session, visit: Visit, case: CaseRow) -> CaseRow | None:
    """Return the case that this one was joined to, when it may be seen."""
    target = await cases.case(session, case.merged_into_id) if case.merged_into_id else None
    return target if target is not None and may_see(visit, target) else None


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody a case can be given to."""

    id: str
    name: str
    unit: str
    unit_id: str


async def _people(session: Session, tree: list[UnitRow]) -> list[Colleague]:
    names = {unit.id: unit.name for unit in tree}
    found = await staff.holders(session, list(names))
    seen = {
        (person.id, unit_id): Colleague(person.id, person.name, names[unit_id], unit_id) for person, _, unit_id in found
    }
    return sorted(seen.values(), key=lambda one: (one.unit, one.name))


async def files_of(session: Session, case: CaseRow, file_ids: list[str]) -> list[FileRow]:
    """Return the uploaded files that belong to this case, others left out; also more than one answer may have."""
    return [row for row in await files.files(session, file_ids[:_MOST_FILES]) if row.case_id == case.id]


def phone_of(runtime: Runtime, contact: ContactRow) -> str:
    """Return a citizen's phone as people dial it."""
    number = runtime.box.open(contact.phone) if contact.phone else ""
    return f"0{number[2:]}" if number.startswith("84") else number


__all__ = ["Typed", "Verb", "files_of", "page", "phone_of", "show"]
