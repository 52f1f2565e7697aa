"""Check every day that the books add up and that receipts arrive, and keep the results for the health page."""

from datetime import timedelta

from bot.logs import logger
from bot.reconcile import reconcile as check
from bot.reconcile import usual_days
from bot.runtime import Runtime
from bot.store import books, waiting

_log = logger("reconcile")
_NO_RECEIPT = timedelta(hours=72)
_LOOKED_AT = timedelta(days=4)
"""Receipts are missed of messages that left longer ago than the first, and not longer than both together."""


async def reconcile(runtime: Runtime) -> int:
    """Check the books of the usual days; returns how many lines do not add up."""
    now = runtime.now()
    found = await check(runtime.database, usual_days(now, runtime.settings.privacy.inbox_days), now)
    until = now - _NO_RECEIPT
    async with runtime.database.reading() as session:
        receipts = await waiting.without_receipt(session, until - _LOOKED_AT, until)
    lacking = [{"account": account, "waiting": number, "arrived": known} for account, number, known in receipts]
    async with runtime.units_of_work() as uow:
        await books.keep_result(uow.session, "books", now, [one.to_json() for one in found.differences])
        await books.keep_result(uow.session, "receipts", now, lacking)
        uow.announce("health")
    for one in found.differences:
        _log.error(
            "the books do not add up", what=one.what, subject=one.subject, expected=one.expected, found=one.found
        )
    return len(found.differences)
