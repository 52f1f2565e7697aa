"""Show my work by what is due first, found with or without accents, and give several cases to somebody at once."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from aiohttp import web

from bot.actions import work_case
from bot.actions.case_clock import to_calendar
from bot.domain.access import Permission
from bot.domain.calendar import WorkingCalendar
from bot.domain.privacy import mask_identity
from bot.domain.remaining import Remaining, WorkingTime
from bot.domain.text import excerpt, fold
from bot.domain.words import case_code
from bot.errors import ConflictError, InvalidInputError, NotFoundError
from bot.store import accounts, cases, contacts, staff, units
from bot.store.accounts import AccountRow
from bot.store.cases import CaseFilter, CaseRow
from bot.store.database import Session
from bot.store.units import CategoryRow, UnitRow
from handlers.console.case_access import may_see
from handlers.console.page import Form, form_of, page_number, render, runtime_of, see_other, visit_of, writing
from handlers.keys import Visit

VIEWS = ("mine", "open", "approve", "waiting", "overdue", "done", "all")
PAGE = 50
_EXCERPT = 180
_MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list."""

    case: CaseRow
    text: str
    category: str
    unit: str
    owner: str
    contact: str
    remaining: Remaining


async def show(request: web.Request) -> web.Response:
    """Show one page of the list; everything chosen stands in the address."""
    visit, runtime = visit_of(request), runtime_of(request)
    if not visit.grants.anywhere(Permission.CASE_READ):
        if visit.grants.anywhere(Permission.ANNOUNCEMENT_READ):
            return see_other("/announcements")
        return see_other("/health" if visit.grants.anywhere(Permission.HEALTH_READ) else "/me")
    now = runtime.now()
    page = page_number(request)
    async with runtime.database.reading() as session:
        tree = await units.all_units(session)
        by_id = {unit.id: unit for unit in tree}
        wanted = _filter(request, visit, by_id)
        counts = await cases.open_counts(session, replace(wanted, owner_id=None), visit.person.id, now)
        found = await cases.search(session, wanted, PAGE + 1, (page - 1) * PAGE)
        categories = await units.categories_below(session, visit.grants.paths(Permission.CASE_READ))
        owners = await staff.people(session, list({c.owner_id for c in found if c.owner_id}))
        people = await contacts.contacts(session, list({c.contact_id for c in found}))
        colleagues = await staff.holders(session, list(by_id)) if visit.grants.anywhere(Permission.CASE_ASSIGN) else []
        stopped = _stopped(visit, await accounts.all_accounts(session), by_id)
        calendars = await _calendars(session, {c.unit_id for c in found}, by_id)
    names = {category.id: category.name for category in categories}
    entries = [
        Entry(
            case,
            excerpt(mask_identity(case.text), _EXCERPT),
            names.get(case.category_id, ""),
            by_id[case.unit_id].name,
            owners[case.owner_id].name if case.owner_id in owners else "",
            people[case.contact_id].name if case.contact_id in people else "",
            calendars[case.unit_id].remaining(case.due_at, case.budget, now, is_open=case.state in cases.OPEN),
        )
        for case in found[:PAGE]
    ]
    values = {
        "view": _view(request),
        "views": VIEWS,
        "counts": counts,
        "entries": entries,
        "page": page,
        "more": len(found) > PAGE,
        "categories": _distinct(categories),
        "unit_id": request.query.get("unit", ""),
        "category_id": wanted.category_id,
        "searched": request.query.get("q", "").strip(),
        "seen_units": _seen_units(visit, tree),
        "all_units": [unit for unit in tree if unit.valid_to is None],
        "people": _people(colleagues),
        "address": _address(request),
        "stopped": stopped,
        "failed": request.query.get("failed", ""),
    }
    return render(request, "inbox", values)


def _stopped(visit: Visit, rows: list[AccountRow], by_id: dict[str, UnitRow]) -> list[AccountRow]:
    """Return the accounts that send nothing now, where somebody's cases come from: their own or a unit above."""
    paths = visit.grants.paths(Permission.CASE_READ)
    homes = {row.id: by_id[row.unit_id].path for row in rows if row.state != "active"}
    return [
        row
        for row in rows
        if row.id in homes and any(p.startswith(homes[row.id]) or homes[row.id].startswith(p) for p in paths)
    ]


async def _calendars(session: Session, unit_ids: set[str], by_id: dict[str, UnitRow]) -> dict[str, WorkingTime]:
    """Return the working time of each unit, one per calendar however many units share it."""
    rows = {row.unit_id: row for row in await units.calendars(session)}
    built: dict[str, WorkingTime] = {}
    found: dict[str, WorkingTime] = {}
    for unit_id in unit_ids:
        holder = next((part for part in reversed(by_id[unit_id].path.split("/")) if part in rows), "")
        if holder not in built:
            calendar = await units.calendar(session, by_id[holder]) if holder else None
            built[holder] = WorkingTime(to_calendar(*calendar) if calendar else WorkingCalendar())
        found[unit_id] = built[holder]
    return found


def _filter(request: web.Request, visit: Visit, by_id: dict[str, UnitRow]) -> CaseFilter:
    query = request.query
    searched = query.get("q", "").strip()[:200]
    view = _view(request)
    unit = by_id.get(query.get("unit", ""))
    return CaseFilter(
        paths=visit.grants.paths(Permission.CASE_READ),
        restricted_paths=visit.grants.paths(Permission.CASE_RESTRICTED),
        view="open" if view == "mine" else view,
        query=fold(searched),
        code=case_code(searched) or "",
        owner_id=visit.person.id if view == "mine" else None,
        unit_path=unit.path if unit else "",
        category_id=query.get("category", ""),
        now=runtime_of(request).now(),
    )


def _view(request: web.Request) -> str:
    """Return the view chosen; without a choice a search looks everywhere, else open cases are shown."""
    chosen = request.query.get("view", "")
    return chosen if chosen in VIEWS else "all" if request.query.get("q", "").strip() else "open"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1  # noqa: PLR2004 - no list is longer


def _address(request: web.Request) -> object:
    """Return a function that makes the address of this list with some choices changed."""

    def address(**changes: object) -> str:
        kept = {k: v for k, v in request.query.items() if k in {"view", "q", "unit", "category"} and v}
        changed = {**kept, **{k: str(v) for k, v in changes.items()}}
        chosen = {k: v for k, v in changed.items() if v}
        return f"/?{urlencode(chosen)}" if chosen else "/"

    return address


def _distinct(categories: list[CategoryRow]) -> list[CategoryRow]:
    return list({category.id: category for category in categories}.values())


def _seen_units(visit: Visit, tree: list[UnitRow]) -> list[UnitRow]:
    return [unit for unit in tree if visit.grants.over(Permission.CASE_READ, unit.path)]


def _people(holders: list[tuple[staff.StaffRow, str, str]]) -> list[staff.StaffRow]:
    return sorted({person.id: person for person, _, _ in holders}.values(), key=lambda person: person.name)


async def assign(request: web.Request) -> web.StreamResponse:
    """Hand several cases over with one reason; those that changed meanwhile are left alone and counted."""
    form = await form_of(request)
    chosen = [value.partition(":") for value in form.texts("case")[:_MOST_AT_ONCE]]
    failed = 0
    for case_id, _, version in chosen:
        try:
            await _hand_over(request, case_id, _number(version), form)
        except (ConflictError, NotFoundError, InvalidInputError):
            failed += 1
    moved = {"done": "assigned"} if len(chosen) > failed else {}
    refused = {"failed": str(failed)} if failed else {}
    separator = "&" if "?" in _back(form) else "?"
    return see_other(f"{_back(form)}{separator}{urlencode({**moved, **refused})}")


async def _hand_over(request: web.Request, case_id: str, version: int, form: Form) -> None:
    visit = visit_of(request)
    async with writing(request) as uow:
        case = await cases.case(uow.session, case_id)
        if case is None or not may_see(visit, case) or not visit.grants.over(Permission.CASE_ASSIGN, case.path):
            raise NotFoundError(case_id)
        unit_id = form.text("unit_id") or case.unit_id
        await work_case.hand_over(uow, case_id, version, unit_id, form.text("owner_id") or None, form.text("reason"))


def _back(form: Form) -> str:
    back = form.text("back")
    return back if back.startswith(("/?", "/")) and not back.startswith("//") and "\\" not in back else "/"
