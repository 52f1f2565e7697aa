"""Give dossiers that are not finished their dates anew, slice by slice, when a limit or a calendar has changed."""

from bot.actions.dossier_dates import AT_ONCE, date_anew, lines
from bot.runtime import Runtime
from bot.store import dossier_dates

_GIVE_WAY_SECONDS = 1.0


async def date_dossiers(runtime: Runtime) -> int:
    """Work out the dates of all dossiers that are not finished; returns how many were not right.

    Nothing is noted of what has been done: a run that is cut short leaves what is wrong to the next.
    """
    async with runtime.database.reading() as session:
        known = await lines(session)
        ids = await dossier_dates.unfinished(session)
    changed = 0
    for place in range(0, len(ids), AT_ONCE):
        async with runtime.units_of_work() as uow:
            changed += await date_anew(uow, known, ids[place : place + AT_ONCE])
        await runtime.urgency.give_way(_GIVE_WAY_SECONDS)
    return changed
