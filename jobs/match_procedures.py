"""Give dossiers that came before their procedure was known its name and field, a thousand a transaction."""

from bot.actions.procedures import MATCHED_AT_ONCE, match_some, move
from bot.runtime import Runtime
from bot.store import procedures

_GIVE_WAY_SECONDS = 1.0


async def match_procedures(runtime: Runtime) -> int:
    """Match until nothing is left, then move what is of another field by now; returns how many were changed."""
    done = 0
    while not runtime.stopping.is_set():
        async with runtime.units_of_work() as uow:
            some = await match_some(uow)
        if not some:
            break
        done += some
        await runtime.urgency.give_way(_GIVE_WAY_SECONDS)
    return done + await _move(runtime)


async def _move(runtime: Runtime) -> int:
    """Look through all dossiers once; nobody is kept from writing but while there is something to write."""
    done = 0
    after: str | None = ""
    while after is not None and not runtime.stopping.is_set():
        async with runtime.database.reading() as session:
            ids, after = await procedures.moved_after(session, after, MATCHED_AT_ONCE)
        if ids:
            async with runtime.units_of_work() as uow:
                done += await move(uow, ids)
        await runtime.urgency.give_way(_GIVE_WAY_SECONDS)
    return done
