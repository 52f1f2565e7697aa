"""Make a case of what a citizen sent: once, with a code, a unit and a date."""

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.actions import case_clock
from bot.actions.case_trail import note
from bot.domain.case import SAME_REPORT_MINUTES, Level, new_code
from bot.domain.conversation import Draft
from bot.domain.routing import Report, Routed, Rule, route
from bot.domain.text import fold
from bot.store import cases, messages, units
from bot.store.accounts import AccountRow
from bot.store.cases import CaseRow
from bot.store.contacts import ContactRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import CategoryRow, UnitRow

_CODE_TRIES = 20


@dataclass(frozen=True, slots=True)
class Opened:
    """A case and whether it is new; False when the same report was there already."""

    case: CaseRow
    unit: UnitRow
    is_new: bool


async def open_case(uow: UnitOfWork, account: AccountRow, contact: ContactRow, draft: Draft) -> Opened:
    """Open a case from a finished draft, or return the one that the same words made within the hour."""
    text_hash = hashlib.sha256(fold(draft.text).encode()).hexdigest()
    since = uow.now - timedelta(minutes=SAME_REPORT_MINUTES)
    twin = await cases.same_report(uow.session, contact.id, text_hash, since)
    if twin is not None:
        await messages.put_into_case(uow.session, draft.message_ids, twin.id)
        note(uow, twin, "sent_again")
        unit = await units.unit(uow.session, twin.unit_id)
        assert unit is not None
        return Opened(twin, unit, is_new=False)
    category = await units.category(uow.session, draft.category_id)
    assert category is not None
    routed = await route_report(uow, account.unit_id, draft, category)
    unit = await units.unit(uow.session, routed.unit_id or account.unit_id)
    assert unit is not None
    case = await _new_case(uow, account, contact, draft, category, unit)
    case.text_hash, case.routing = text_hash, list(routed.reason)
    await case_clock.start(uow, case, unit, category)
    uow.session.add(case)
    await uow.session.flush()
    await messages.put_into_case(uow.session, draft.message_ids, case.id)
    note(uow, case, "created", data={"category": category.code, "attached": draft.attached})
    case.state = "assigned"
    note(uow, case, "routed", from_state="new", data={"unit": unit.name, "reason": list(routed.reason)})
    return Opened(case, unit, is_new=True)


async def route_report(uow: UnitOfWork, home_unit_id: str, draft: Draft, category: CategoryRow) -> Routed:
    """Decide which unit gets a report and why.

    A report about conduct stays with the unit that owns the account (its inspector sees it, nobody else), and is
    never given to the unit complained about.
    """
    home = await units.unit(uow.session, home_unit_id)
    assert home is not None
    fallback = str(home.settings.get("fallback") or home.id)
    if category.restricted:
        return Routed(unit_id=home.id, rule_id=None, reason=("restricted",))
    rules = [
        Rule(
            id=r.id,
            position=r.position,
            category_id=r.category_id,
            area_id=r.area_id,
            words=tuple(r.words),
            kind=r.kind,
            unit_id=r.target_unit_id,
            note=r.note,
        )
        for r in await units.routing_rules(uow.session, home.id)
    ]
    report = Report(category_id=category.id, area_id=draft.area_id or None, text=draft.text, kind=draft.kind)
    routed = route(report, rules, fallback)
    return routed if routed.unit_id else replace(routed, unit_id=home.id)


async def _new_case(
    uow: UnitOfWork, account: AccountRow, contact: ContactRow, draft: Draft, category: CategoryRow, unit: UnitRow
) -> CaseRow:
    area = await units.area(uow.session, draft.area_id) if draft.area_id else None
    place = ", ".join(part for part in (draft.place, area.name if area else "") if part)
    code = await _free_code(uow)
    level = Level(category.level).value
    return CaseRow(
        id=uow.new_id(),
        code=code,
        account_id=account.id,
        contact_id=contact.id,
        unit_id=unit.id,
        path=unit.path,
        category_id=category.id,
        area_id=draft.area_id or None,
        kind=draft.kind,
        level=level,
        restricted=category.restricted,
        text=draft.text,
        text_hash="",
        place=place,
        latitude=draft.latitude,
        longitude=draft.longitude,
        search=fold(f"{code} {draft.text} {place} {category.name}"),
        created_at=uow.now,
        opened_at=uow.now,
        clock_from=uow.now,
        budget=0,
        updated_at=uow.now,
    )


async def _free_code(uow: UnitOfWork) -> str:
    for _ in range(_CODE_TRIES):
        code = new_code()
        if not await cases.code_taken(uow.session, code):
            return code
    msg = "no free public code found"
    raise RuntimeError(msg)
