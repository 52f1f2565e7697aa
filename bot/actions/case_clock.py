"""Run a case's legal clock: which calendar and limits hold, pauses, and the date that follows from them."""

from datetime import date, datetime, time

from bot.actions.case_trail import note
from bot.domain.calendar import Hours, WorkingCalendar
from bot.domain.case import Level, TimeLimits
from bot.domain.deadline import Budget, Deadline, compute
from bot.store import cases, units
from bot.store.cases import CaseRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import CalendarDayRow, CalendarRow, CategoryRow, UnitRow


def to_calendar(row: CalendarRow, days: list[CalendarDayRow]) -> WorkingCalendar:
    """Build the calendar value from its rows."""
    intervals = tuple(
        Hours(frozenset(weekdays), ((time.fromisoformat(start), time.fromisoformat(end)),))
        for weekdays, start, end in row.intervals
    )
    off: dict[date, str] = {d.day: d.name for d in days if not d.works}
    worked: dict[date, str] = {d.day: d.name for d in days if d.works}
    return WorkingCalendar(
        intervals=intervals, days_off=off, days_worked=worked, confirmed_years=frozenset(row.confirmed_years)
    )


async def calendar_of(uow: UnitOfWork, unit: UnitRow) -> WorkingCalendar:
    """Return the calendar that holds for a unit; the product's default hours where none is set."""
    found = await units.calendar(uow.session, unit)
    return WorkingCalendar() if found is None else to_calendar(*found)


async def limits_of(uow: UnitOfWork, unit: UnitRow, category: CategoryRow) -> TimeLimits:
    """Return the time limits: the category's over the nearest unit's over the product's."""
    values: dict[str, int] = {}
    for above in reversed(await units.above(uow.session, unit)):
        values.update(above.settings.get("limits", {}))
    values.update(category.limits)
    known = {"accept", "urgent", "normal", "complex"}
    return TimeLimits(**{name: int(minutes) for name, minutes in values.items() if name in known})


def pauses_of(case: CaseRow) -> list[tuple[datetime, datetime | None]]:
    """Return the pauses of a case as moments; the last may be open."""
    return [
        (datetime.fromisoformat(str(start)), datetime.fromisoformat(end) if end else None) for start, end in case.pauses
    ]


def deadline_of(case: CaseRow, calendar: WorkingCalendar) -> Deadline:
    """Work out the date again with everything needed to show how it came about."""
    return compute(case.clock_from, Budget(case.budget), calendar, pauses_of(case))


async def start(uow: UnitOfWork, case: CaseRow, unit: UnitRow, category: CategoryRow) -> None:
    """Start both clocks of a case, when it is opened or opened again: accepting it, and doing it."""
    case.opened_at, case.pauses = uow.now, []
    await _plan_acceptance(uow, case, unit, category)
    await plan(uow, case, unit, category)


async def plan(uow: UnitOfWork, case: CaseRow, unit: UnitRow, category: CategoryRow) -> None:
    """Give a case the time of its level, counted from where that level begins."""
    case.budget = (await limits_of(uow, unit, category)).for_level(Level(case.level))
    case.clock_from = _begins(case)
    await recompute(uow, case, unit)


async def _plan_acceptance(uow: UnitOfWork, case: CaseRow, unit: UnitRow, category: CategoryRow) -> None:
    limits = await limits_of(uow, unit, category)
    case.accept_due_at = compute(case.opened_at, Budget(limits.accept), await calendar_of(uow, unit), ()).due_at


def _begins(case: CaseRow) -> datetime:
    """Return from when a case is counted: from its opening or its reopening.

    An urgent one is counted from acceptance (product rule); until then as if it were accepted at the last moment.
    """
    if Level(case.level) is not Level.URGENT:
        return case.opened_at
    return case.accepted_at or case.accept_due_at or case.opened_at


async def accepted(uow: UnitOfWork, case: CaseRow, unit: UnitRow) -> None:
    """Note the acceptance; the clock of an urgent case begins now."""
    case.accepted_at = uow.now
    case.clock_from = _begins(case)
    await recompute(uow, case, unit)


async def recompute(uow: UnitOfWork, case: CaseRow, unit: UnitRow) -> None:
    """Work out the date anew from start, budget, calendar and pauses."""
    case.due_at = deadline_of(case, await calendar_of(uow, unit)).due_at


async def pause(uow: UnitOfWork, case: CaseRow, unit: UnitRow) -> None:
    """Stop the clock while the citizen's word is awaited."""
    if not case.pauses or case.pauses[-1][1] is not None:
        case.pauses = [*case.pauses, [uow.now.isoformat(), None]]
        await recompute(uow, case, unit)


async def resume(uow: UnitOfWork, case: CaseRow, unit: UnitRow) -> None:
    """Let the clock run again."""
    if case.pauses and case.pauses[-1][1] is None:
        case.pauses = [*case.pauses[:-1], [case.pauses[-1][0], uow.now.isoformat()]]
        await recompute(uow, case, unit)


async def calendar_changed(uow: UnitOfWork, unit: UnitRow) -> int:
    """Recompute the open cases below a unit whose calendar has changed; each change is recorded, returns how many."""
    changed = 0
    wanted = await cases.open_of_units(uow.session, unit.path)
    for case in (await cases.lock_together(uow.session, wanted)).values():
        if case.state not in cases.OPEN:
            continue
        before = case.due_at
        await _by_new_calendar(uow, case)
        if case.due_at != before:
            changed += 1
            data = {"before": _iso(before), "after": _iso(case.due_at)}
            note(uow, case, "calendar_changed", data=data)
    return changed


async def _by_new_calendar(uow: UnitOfWork, case: CaseRow) -> None:
    unit = await units.unit(uow.session, case.unit_id)
    category = await units.category(uow.session, case.category_id)
    assert unit is not None
    assert category is not None
    if case.accepted_at is None:
        await _plan_acceptance(uow, case, unit, category)
        case.clock_from = _begins(case)
    await recompute(uow, case, unit)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
