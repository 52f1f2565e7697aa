"""Say of every state that is not final how many stand in it and since when, and whether anybody works on it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import first_id
from bot.store.broadcasts import BroadcastRow, ChunkRow, DeliveryRow
from bot.store.contacts import ConversationRow
from bot.store.inbox import InboxRow
from bot.store.messages import AttachmentRow
from bot.store.outbox import OutboxRow

_ARRIVED = ("delivered", "seen")


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait, and since when the first of them; `since` is None for none."""

    number: int = 0
    since: datetime | None = None

    def age(self, now: datetime) -> timedelta:
        """Return for how long the first has been waiting."""
        return max(now - self.since, timedelta(0)) if self.since else timedelta(0)


async def _one(session: AsyncSession, since: Any, *conditions: Any) -> Waiting:
    number, first = (await session.exec(select(func.count(), func.min(since)).where(*conditions))).one()
    return Waiting(int(number), first)


async def conversations_due(session: AsyncSession, now: datetime) -> Waiting:
    """Return the conversations in which the bot should have gone on."""
    return await _one(session, ConversationRow.resume_at, col(ConversationRow.resume_at) <= now)


async def attachments_due(session: AsyncSession, now: datetime) -> Waiting:
    """Return the attachments that should have been fetched."""
    due = col(AttachmentRow.next_attempt_at) <= now
    return await _one(session, AttachmentRow.next_attempt_at, col(AttachmentRow.state) == "pending", due)


async def in_doubt(session: AsyncSession, now: datetime) -> Waiting:
    """Return the messages of which nobody knows whether they left; what is being sent under a lease is not in doubt."""
    lost = and_(col(OutboxRow.state) == "sending", col(OutboxRow.leased_until) < now)
    return await _one(session, OutboxRow.sending_at, or_(col(OutboxRow.state) == "unknown", lost))


async def deliveries_in_doubt(session: AsyncSession) -> Waiting:
    """Return the recipients of broadcasts of whom nobody knows whether they got it, and since when."""
    here = and_(
        col(DeliveryRow.broadcast_id) == col(ChunkRow.broadcast_id),
        col(DeliveryRow.n).between(col(ChunkRow.first), col(ChunkRow.last)),
        col(DeliveryRow.state) == "unknown",
    )
    return await _one(session, DeliveryRow.sending_at, col(ChunkRow.doubtful), here)


async def handled_now(session: AsyncSession, now: datetime) -> int:
    """Return how many updates are being handled by somebody whose lease holds."""
    leased = and_(col(InboxRow.lease).is_not(None), col(InboxRow.leased_until) >= now)
    query = select(func.count()).where(col(InboxRow.state) == "handling", leased)
    return int((await session.exec(query)).one())


async def sent_now(session: AsyncSession, now: datetime) -> set[int]:
    """Return the lanes in which somebody whose lease holds is sending."""
    query = select(OutboxRow.lane).where(col(OutboxRow.state) == "sending", col(OutboxRow.leased_until) >= now)
    return set((await session.exec(query.distinct())).all())


async def open_broadcasts(session: AsyncSession) -> list[BroadcastRow]:
    """Return every broadcast that has not come to its end; a stopped one has when its last range is done."""
    ended = or_(col(BroadcastRow.state) == "finished", col(BroadcastRow.finished_at).is_not(None))
    return list((await session.exec(select(BroadcastRow).where(~ended).order_by(col(BroadcastRow.id)))).all())


async def left_over(session: AsyncSession) -> dict[int, int]:
    """Return for each broadcast how many recipients stand in ranges that are not done."""
    size = func.sum(col(ChunkRow.last) - col(ChunkRow.first) + 1)
    query = select(ChunkRow.broadcast_id, size).where(col(ChunkRow.state).in_(("waiting", "running")))
    return {key: int(n) for key, n in (await session.exec(query.group_by(col(ChunkRow.broadcast_id)))).all()}


async def ranges_held(session: AsyncSession, now: datetime) -> Waiting:
    """Return the ranges whose holder's lease has run out, and since when."""
    lost = and_(col(ChunkRow.state) == "running", col(ChunkRow.leased_until) < now)
    return await _one(session, ChunkRow.leased_until, lost)


async def without_receipt(session: AsyncSession, since: datetime, until: datetime) -> list[tuple[str, int, int]]:
    """Return by account how many messages that left in this time have no receipt, and how many have one.

    It reads every message of this time: for a daily look, not for a page.
    """
    arrived = func.sum(case((col(OutboxRow.state).in_(_ARRIVED), 1), else_=0))
    waiting = func.sum(case((col(OutboxRow.state) == "sent", 1), else_=0))
    made = and_(col(OutboxRow.id) >= first_id(since), col(OutboxRow.id) < first_id(until))
    query = select(OutboxRow.account_id, waiting, arrived).where(made).group_by(col(OutboxRow.account_id))
    return [(account, int(n), int(known)) for account, n, known in (await session.exec(query)).all()]
