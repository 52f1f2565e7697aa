"""Close answered cases that nobody has rated in time."""

from datetime import timedelta

from bot.actions.citizen_case import close_unrated
from bot.one_by_one import one_by_one
from bot.runtime import Runtime
from bot.store import cases


async def close_answered(runtime: Runtime) -> int:
    """Close every case that was answered long enough ago; returns how many."""
    before = runtime.now() - timedelta(days=runtime.settings.conversation.close_days)
    async with runtime.database.reading() as session:
        due = await cases.due_closing(session, before)

    async def close(case_id: str) -> int:
        async with runtime.units_of_work() as uow:
            return await close_unrated(uow, case_id)

    return await one_by_one(due, close)
