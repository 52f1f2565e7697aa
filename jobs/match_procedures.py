"""Give dossiers that came before their procedure was known its name and field, a thousand a transaction."""

from bot.actions.procedures import match_some
from bot.runtime import Runtime


async def match_procedures(runtime: Runtime) -> int:
    """Match until nothing is left; returns how many dossiers were changed."""
    done, after = 0, ""
    while not runtime.stopping.is_set():
        async with runtime.units_of_work() as uow:
            some, after = await match_some(uow, after)
        if not some:
            break
        done += some
    return done
