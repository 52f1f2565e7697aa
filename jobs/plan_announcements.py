"""Carry approved announcements out: begin runs, freeze their audience slice by slice, let them go when it is time."""

from datetime import timedelta

from bot.actions import announcement_plans, announcement_runs
from bot.logs import logger
from bot.one_by_one import SomeFailedError
from bot.queue import PLAN_ANNOUNCEMENTS
from bot.runtime import Runtime
from bot.store import announcements, runs

_log = logger("announcements")
_MOST_SLICES = 2000


async def plan_announcements(runtime: Runtime) -> int:
    """Do what is due of every announcement; returns how many runs were let go. Each step is one transaction.

    One that breaks keeps no other from its turn; raises SomeFailedError at the end if one did.
    """
    broken: dict[str, Exception] = {}
    while await _begin_one(runtime, broken):
        pass
    begun = await _let_go(runtime)
    for _ in range(_MOST_SLICES):
        if runtime.stopping.is_set() or not await _plan_one(runtime, broken):
            break
        begun += await _let_go(runtime)
        await runtime.urgency.give_way(1.0)
    await _end_and_hush(runtime)
    async with runtime.units_of_work() as uow:
        at = await runs.next_at(uow.session, uow.now)
        if at is not None:
            uow.after_commit(PLAN_ANNOUNCEMENTS.name, max(0.0, (at - uow.now) / timedelta(seconds=1)))
    for error in broken.values():
        raise SomeFailedError(f"{len(broken)} broke, the first with {type(error).__name__}: {error}") from error
    return begun


async def _begin_one(runtime: Runtime, broken: dict[str, Exception]) -> bool:
    announcement_id = ""
    try:
        async with runtime.units_of_work() as uow:
            row = await runs.to_begin(uow.session, uow.now, set(broken))
            if row is None:
                return False
            announcement_id = row.id
            await announcement_runs.schedule_next(uow, row)
    except Exception as error:
        if not announcement_id:
            raise
        _log.exception("an announcement could not be begun", announcement=announcement_id)
        broken[announcement_id] = error
    return True


async def _plan_one(runtime: Runtime, broken: dict[str, Exception]) -> bool:
    run_id = ""
    try:
        async with runtime.units_of_work() as uow:
            run = await runs.to_plan(uow.session, set(broken))
            if run is None:
                return False
            run_id = run.id
            await announcement_plans.plan_slice(uow, run)
    except Exception as error:
        if not run_id:
            raise
        _log.exception("a run could not be planned", run=run_id)
        broken[run_id] = error
    return True


async def _let_go(runtime: Runtime) -> int:
    begun = 0
    async with runtime.units_of_work() as uow:
        for run in await runs.due(uow.session, uow.now):
            row = await announcements.seen(uow.session, run.announcement_id)
            assert row is not None
            begun += await announcement_runs.let_go(uow, run, row)
    return begun


async def _end_and_hush(runtime: Runtime) -> None:
    async with runtime.units_of_work() as uow:
        for run in await runs.through(uow.session):
            await announcement_runs.close_run(uow, run)
        await announcement_runs.hush(uow)
