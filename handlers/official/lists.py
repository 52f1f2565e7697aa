"""List an official's open work by what is due first, and find a case by its code or words."""

from typing import Any

from bot.actions import case_clock, official_cards
from bot.actions.official_audience import News
from bot.actions.official_card_text import Hiding
from bot.domain.access import Permission
from bot.domain.calendar import WorkingCalendar
from bot.domain.card import CASES_PER_PAGE, Kind, Press, payload
from bot.domain.remaining import WorkingTime
from bot.domain.text import fold
from bot.domain.words import case_code
from bot.store import cases, contacts, units
from bot.store.cases import CaseFilter, CaseRow
from handlers.official.duty import Duty

_PLACE = 40
_LONGEST_QUERY = 200


async def work(duty: Duty, _words: str) -> None:
    """List the first page of what is open for me: mine, what nobody has taken on, and what waits for my approval."""
    await work_page(duty, 0)


async def work_page(duty: Duty, page: int) -> None:
    """List a page; pressed on a page before, in its place. In a group only what its unit has, nothing about conduct."""
    wanted = await _mine(duty)
    number = await cases.count(duty.uow.session, wanted) if wanted.paths else 0
    last = max(0, (number - 1) // CASES_PER_PAGE)
    page = min(page, last)
    found = await cases.search(duty.uow.session, wanted, CASES_PER_PAGE, page * CASES_PER_PAGE) if number else []
    values: dict[str, Any] = {
        "entries": await _entries(duty, found),
        "number": number,
        "page": page + 1,
        "pages": last + 1,
        "before": payload(Press.WORK, "0", page - 1) if page else "",
        "after": payload(Press.WORK, "0", page + 1) if page < last else "",
    }
    await duty.say("work_list", edits=True, **values)


async def _mine(duty: Duty) -> CaseFilter:
    grants = duty.official.grants
    approved = grants.paths(Permission.CASE_APPROVE)
    worked = tuple(sorted({*grants.paths(Permission.CASE_WORK), *approved}))
    wanted = CaseFilter(
        paths=worked, restricted_paths=_restricted(duty), worked_by=duty.staff_id, approved_below=approved
    )
    return await _of_group(duty, wanted)


def _restricted(duty: Duty) -> tuple[str, ...]:
    return () if duty.group is not None else duty.official.grants.paths(Permission.CASE_RESTRICTED)


async def _of_group(duty: Duty, wanted: CaseFilter) -> CaseFilter:
    """Narrow a list to what may be shown in this chat."""
    if duty.group is None:
        return wanted
    unit = await units.unit(duty.uow.session, duty.group.unit_id)
    within = tuple(p for p in (unit.path,) if any(p.startswith(held) for held in wanted.paths)) if unit else ()
    return CaseFilter(
        paths=within,
        view=wanted.view,
        query=wanted.query,
        code=wanted.code,
        worked_by=wanted.worked_by,
        approved_below=wanted.approved_below,
        unit_id=duty.group.unit_id,
    )


async def find(duty: Duty, words: str) -> None:
    """Find cases that this official may see: one found is shown at once, of several the first page."""
    searched = words[:_LONGEST_QUERY]
    if not fold(searched):
        await duty.say("find_how")
        return
    wanted = CaseFilter(
        paths=duty.official.grants.paths(Permission.CASE_READ),
        restricted_paths=_restricted(duty),
        view="all",
        query=fold(searched),
        code=case_code(searched) or "",
    )
    wanted = await _of_group(duty, wanted)
    found = await cases.search(duty.uow.session, wanted, CASES_PER_PAGE + 1) if wanted.paths else []
    if len(found) == 1:
        await official_cards.show(duty.uow, duty.office, found[0], duty.as_chat, News(Kind.ASKED))
        return
    entries = await _entries(duty, found[:CASES_PER_PAGE])
    await duty.say("find_list", entries=entries, more=len(found) > CASES_PER_PAGE)


async def _entries(duty: Duty, found: list[CaseRow]) -> list[dict[str, Any]]:
    names = await units.categories_by_id(duty.uow.session, list({c.category_id for c in found}))
    senders = await contacts.contacts(duty.uow.session, list({c.contact_id for c in found}))
    times: dict[str, WorkingTime] = {}
    entries = []
    for case in found:
        if case.unit_id not in times:
            unit = await units.unit(duty.uow.session, case.unit_id)
            times[case.unit_id] = WorkingTime(
                await case_clock.calendar_of(duty.uow, unit) if unit else WorkingCalendar()
            )
        is_open = case.state in cases.OPEN
        light = times[case.unit_id].remaining(case.due_at, case.budget, duty.uow.now, is_open=is_open)
        hide = Hiding(senders[case.contact_id], in_group=duty.group is not None)
        entries.append(
            {
                "code": case.code,
                "light": light.signal.value,
                "state": case.state,
                "due_at": case.due_at,
                "category": names[case.category_id].name if case.category_id in names else "",
                "place": hide(case.place, _PLACE),
                "payload": payload(Press.SHOW, case.id),
            }
        )
    return entries
