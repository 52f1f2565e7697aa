"""Keep what waits to leave for the desk from leaving when it must not, and write failed cards anew."""

from datetime import datetime

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.domain.card import ASKED_PURPOSES, CARD_PURPOSE, DESK_PURPOSES
from bot.store.cards import CardRow, doubt_chat
from bot.store.links import StaffLinkRow, UnitGroupRow
from bot.store.outbox import OutboxRow

WITHDRAWN = "withdrawn"
"""Why a message for the desk was cancelled: its chat may not be told of the case any more."""


async def try_again(
    session: AsyncSession, *, outbox_id: str = "", reason: str = "", since: datetime | None = None
) -> int:
    """Give up failed messages of cards for newer ones, which show what is true when they leave; returns how many."""
    statement = update(OutboxRow).where(col(OutboxRow.purpose) == CARD_PURPOSE, col(OutboxRow.state) == "failed")
    if outbox_id:
        statement = statement.where(col(OutboxRow.id) == outbox_id)
    if since is not None:
        statement = statement.where(col(OutboxRow.reason) == reason, col(OutboxRow.failed_at) >= since)
    statement = statement.values(state="cancelled", reason="tried_again").returning(col(OutboxRow.id))
    ids = list((await session.exec(statement.execution_options(synchronize_session=False))).scalars().all())
    behind = update(CardRow).where(col(CardRow.outbox_id).in_(ids)).values(live=True, stale=True, failures=0)
    await session.exec(behind.execution_options(synchronize_session=False))
    return len(ids)


async def cancel_waiting(session: AsyncSession, chat_id: str, purposes: frozenset[str]) -> list[str]:
    """Cancel what waits to leave for a chat, however often it has been tried; returns the messages."""
    statement = update(OutboxRow).where(
        col(OutboxRow.contact_id) == chat_id, col(OutboxRow.state) == "queued", col(OutboxRow.purpose).in_(purposes)
    )
    statement = statement.values(state="cancelled", reason=WITHDRAWN).returning(col(OutboxRow.id))
    return list((await session.exec(statement.execution_options(synchronize_session=False))).scalars().all())


async def end_chat(session: AsyncSession, chat_id: str) -> int:
    """Let nothing of the desk leave for a chat any more; what stands there is to be emptied, returns how much that is.

    A message on its way at this moment cannot be held: its card is looked at once the outcome is known.
    """
    cancelled = await cancel_waiting(session, chat_id, DESK_PURPOSES)
    mine = update(CardRow).where(col(CardRow.chat_id) == chat_id).execution_options(synchronize_session=False)
    ended = select(OutboxRow.id).where(
        OutboxRow.contact_id == chat_id, col(OutboxRow.state).not_in(("sending", "unknown"))
    )
    never = mine.where(col(CardRow.provider_id).is_(None), col(CardRow.outbox_id).in_(ended))
    await session.exec(never.values(live=False, stale=False, ending=WITHDRAWN))
    edited = mine.where(col(CardRow.provider_id).is_not(None), col(CardRow.outbox_id).in_(cancelled))
    await session.exec(edited.values(live=True, stale=True))
    return len(cancelled) + await doubt_chat(session, chat_id)


async def cancel_unread(session: AsyncSession) -> None:
    """Cancel what was asked for and waits to leave for chats that have nothing to do with the office any more."""
    chats = select(StaffLinkRow.contact_id).union_all(select(UnitGroupRow.contact_id))
    statement = update(OutboxRow).where(
        col(OutboxRow.state) == "queued",
        col(OutboxRow.purpose).in_(ASKED_PURPOSES),
        col(OutboxRow.contact_id).not_in(chats),
    )
    await session.exec(
        statement.values(state="cancelled", reason=WITHDRAWN).execution_options(synchronize_session=False)
    )
