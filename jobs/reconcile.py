"""Check every day that the books add up, and keep the result for the health page."""

from bot.logs import logger
from bot.reconcile import reconcile as check
from bot.reconcile import usual_days
from bot.runtime import Runtime
from bot.store import books

_log = logger("reconcile")


async def reconcile(runtime: Runtime) -> int:
    """Check the books of the usual days; returns how many lines do not add up."""
    now = runtime.now()
    found = await check(runtime.database, usual_days(now, runtime.settings.privacy.inbox_days), now)
    async with runtime.units_of_work() as uow:
        await books.keep_result(uow.session, now, [one.to_json() for one in found.differences])
        uow.announce("health")
    for one in found.differences:
        _log.error(
            "the books do not add up", what=one.what, subject=one.subject, expected=one.expected, found=one.found
        )
    return len(found.differences)
