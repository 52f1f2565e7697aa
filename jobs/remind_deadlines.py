"""Climb the escalation ladder (official at 80 % of the time, head at 100 %, leader at 150 %); warn of dossiers."""

from datetime import timedelta

from bot.actions import case_clock
from bot.actions.case_trail import note
from bot.actions.dossier_warnings import FARTHEST, warn
from bot.domain.calendar import WorkingCalendar
from bot.domain.deadline import elapsed
from bot.one_by_one import one_by_one
from bot.runtime import Runtime
from bot.store import cases, dossier_warnings, units
from bot.store.cases import CaseRow
from bot.store.unit_of_work import UnitOfWork

LADDER = ((150, "leader"), (100, "unit_head"), (80, "official"))
"""Percent of the working time used, and whom that concerns; the highest step reached counts."""


async def remind_deadlines(runtime: Runtime) -> int:
    """Record each step of the ladder once per case, in working hours only; returns how many steps were taken."""
    async with runtime.database.reading() as session:
        open_cases = await cases.running(session)

    async def climb(case_id: str) -> int:
        async with runtime.units_of_work() as uow:
            case = await cases.lock(uow.session, case_id)
            return await _climb(uow, case) if case is not None else 0

    return await one_by_one(open_cases, climb) + await _warn(runtime)


async def _warn(runtime: Runtime) -> int:
    """Warn officials of dossiers that are about to be late; returns of how many."""
    async with runtime.database.reading() as session:
        found = await dossier_warnings.units(session, runtime.now(), runtime.now() + FARTHEST)

    async def warn_one(unit_id: str) -> int:
        async with runtime.units_of_work() as uow:
            return await warn(uow, unit_id, runtime.settings.server.public_url)

    return await one_by_one(found, warn_one)


async def _climb(uow: UnitOfWork, case: CaseRow) -> int:
    unit = await units.unit(uow.session, case.unit_id)
    assert unit is not None
    calendar = await case_clock.calendar_of(uow, unit)
    if not _working_now(uow, calendar) or case.state not in cases.OPEN:
        return 0
    used = elapsed(case.clock_from, uow.now, calendar, case_clock.pauses_of(case))
    percent = used * 100 // case.budget if case.budget else 0
    step = next(((p, who) for p, who in LADDER if percent >= p), None)
    if step is None or step[0] <= case.escalated:
        return 0
    case.escalated = step[0]
    note(uow, case, "escalated", data={"percent": step[0], "to": step[1]}, from_state=case.state)
    return 1


def _working_now(uow: UnitOfWork, calendar: WorkingCalendar) -> bool:

    return elapsed(uow.now, uow.now + timedelta(minutes=1), calendar, ()) > 0
