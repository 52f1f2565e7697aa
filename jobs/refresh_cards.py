"""Bring the cards in officials' chats up to date: new ones, and one edit for all that has changed meanwhile."""

from datetime import timedelta

from bot.actions import official_cards
from bot.domain.card import GATHER_SECONDS, NEWS_LIFE
from bot.one_by_one import one_by_one
from bot.runtime import Runtime
from bot.store import cards, links

_GATHER = timedelta(seconds=GATHER_SECONDS)
_BATCH = 100


async def refresh_cards(runtime: Runtime) -> int:
    """Tell the cards what happened to their cases, and edit those that are behind; returns how many it looked at."""
    async with runtime.database.reading() as session:
        wanted = await links.anybody(session)
        untold = await cards.untold_cases(session, runtime.now() - _GATHER, _BATCH)
    if untold and not wanted:
        async with runtime.units_of_work() as uow:
            return await cards.told_all(uow.session, uow.now)
    desk = official_cards.Office(runtime.settings.server.public_url, runtime.box)

    async def tell(case_id: str) -> int:
        async with runtime.units_of_work() as uow:
            return await official_cards.tell(uow, desk, case_id)

    async def refresh(card_id: str) -> int:
        async with runtime.units_of_work() as uow:
            return await official_cards.refresh(uow, desk, card_id)

    done = await one_by_one(untold, tell)
    await _try_rested(runtime)
    async with runtime.database.reading() as session:
        stale = await cards.stale(session)
    done += await one_by_one(stale, refresh)
    await _again(runtime, len(untold))
    return done


async def _try_rested(runtime: Runtime) -> None:
    """Try cards again that never arrived, once what kept them may be over; what is old news stays given up."""
    now = runtime.now()
    async with runtime.database.reading() as session:
        rested = await cards.rested(session, now - NEWS_LIFE, now - official_cards.REST, official_cards.MOST_FAILURES)
    if rested:
        async with runtime.units_of_work() as uow:
            await cards.wake(uow.session, rested)


async def _again(runtime: Runtime, number: int) -> None:
    """Look again at once when there was more than one batch, or when the next change has waited long enough."""
    if number == _BATCH:
        await runtime.queue.wake("refresh_cards")
        return
    async with runtime.database.reading() as session:
        at = await cards.next_untold(session, _GATHER)
    if at is not None:
        await runtime.queue.wake("refresh_cards", max(0.05, (at - runtime.now()).total_seconds()))
