"""Keep what people are to be told of their dossiers: one row a dossier and notice, whoever reports it how often."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import JSON, Index, UniqueConstraint, delete, func, or_, text, update
from sqlalchemy import select as sql_select
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import first_id
from bot.store.outbox import OPEN, OutboxRow

DUE = text("state IN ('due', 'leaving')")
"""What the index of notices that are not at their end holds."""


class DossierNoticeRow(SQLModel, table=True):
    """One notice; `kind` is a status's word (bot.domain.dossier_notice), or late | posted; `round` counts recurrences.

    `state` is due | leaving | told | unreached | silent; `reason` says why for the last two. `way` is the way by which
    it left or is leaving, `tried` those that were refused before, `others` by which other people whose dossier it is
    are told too, each with its message in the outbox (ways as bot.domain.dossier_notice.Candidate.key). `facts` are
    what it says, frozen; `outbox_id` the message that carries it. Whoever works on it holds `lease`.
    """

    __tablename__ = "dossier_notices"
    __table_args__ = (
        UniqueConstraint("dossier_id", "kind", "round"),
        Index("ix_dossier_notices_due", "state", "next_at", sqlite_where=DUE, postgresql_where=DUE),
        Index("ix_dossier_notices_outbox", "outbox_id"),
    )

    id: str = Field(primary_key=True)
    dossier_id: str = Field(foreign_key="dossiers.id")
    kind: str
    round: int = 1
    at: datetime
    state: str = "due"
    reason: str = ""
    way: str = ""
    tried: list[str] = Field(default_factory=list, sa_type=JSON)
    others: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    contact_id: str | None = None
    outbox_id: str | None = None
    next_at: datetime | None = None
    lease: str | None = None
    leased_until: datetime | None = None
    created_at: datetime
    told_at: datetime | None = None


async def of_dossier(session: AsyncSession, dossier_id: str) -> list[DossierNoticeRow]:
    """Return the notices of a dossier, oldest first."""
    query = select(DossierNoticeRow).where(DossierNoticeRow.dossier_id == dossier_id)
    return list((await session.exec(query.order_by(col(DossierNoticeRow.at), col(DossierNoticeRow.id)))).all())


class Noted(NamedTuple):
    """What has been noted to be told of a dossier; `waits` says that it has not left by any way yet."""

    id: str
    kind: str
    round: int
    at: datetime
    facts: dict[str, Any]
    created_at: datetime
    waits: bool = True


async def noted(session: AsyncSession, dossier_ids: Collection[str]) -> dict[str, list[Noted]]:
    """Return what has been noted to be told of dossiers, by dossier."""
    found: dict[str, list[Noted]] = {each: [] for each in dossier_ids}
    if found:
        row = DossierNoticeRow.metadata.tables["dossier_notices"].c
        waits = (row.state == "due") & row.outbox_id.is_(None)
        query = sql_select(row.dossier_id, row.id, row.kind, row.round, row.at, row.facts, row.created_at, waits)
        query = query.where(row.dossier_id.in_(sorted(found)))
        for dossier_id, *notice in (await (await session.connection()).execute(query)).all():
            found[dossier_id].append(Noted(*notice))
    return found


async def take_back(session: AsyncSession, notice_ids: Collection[str]) -> set[str]:
    """Forget notices that have not left, and return which those were: what is leaving meanwhile stays."""
    if not notice_ids:
        return set()
    row = DossierNoticeRow
    statement = delete(row).where(col(row.id).in_(sorted(notice_ids)), col(row.state) == "due")
    statement = statement.where(col(row.outbox_id).is_(None))
    return set((await session.exec(statement.returning(col(row.id)))).scalars().all())


async def claim(session: AsyncSession, lease: str, now: datetime, seconds: float, limit: int) -> list[str]:
    """Lease notices that are to be told now and return their ids, those that have waited longest first."""
    row = DossierNoticeRow
    free = or_(col(row.leased_until).is_(None), col(row.leased_until) <= now)
    query = select(row.id).where(col(row.state) == "due", col(row.next_at) <= now, free)
    query = query.order_by(col(row.next_at), col(row.id)).limit(limit).with_for_update(skip_locked=True)
    ids = list((await session.exec(query)).all())
    if ids:
        values = {"lease": lease, "leased_until": now + timedelta(seconds=seconds)}
        await session.exec(update(row).where(col(row.id).in_(ids)).values(**values))
    return ids


async def release_leases(session: AsyncSession) -> int:
    """Free every notice that somebody holds: a lone process has just started, so whoever it was is dead."""
    row = DossierNoticeRow
    statement = update(row).where(col(row.state) == "due", col(row.lease).is_not(None))
    return int((await session.exec(statement.values(lease=None, leased_until=None))).rowcount)


async def notice(session: AsyncSession, notice_id: str) -> DossierNoticeRow | None:
    """Return one notice as it stands now."""
    return await session.get(DossierNoticeRow, notice_id, populate_existing=True)


async def held(session: AsyncSession, notice_id: str, lease: str) -> DossierNoticeRow | None:
    """Return a notice that is to be told, locked until this transaction ends; None once the lease has been lost."""
    row = DossierNoticeRow
    query = select(row).where(row.id == notice_id, row.state == "due", row.lease == lease)
    return (await session.exec(query.with_for_update().execution_options(populate_existing=True))).first()


async def by_outbox(session: AsyncSession, outbox_id: str) -> DossierNoticeRow | None:
    """Return the notice that a message carries, locked until this transaction ends."""
    query = select(DossierNoticeRow).where(DossierNoticeRow.outbox_id == outbox_id)
    return (await session.exec(query.with_for_update().execution_options(populate_existing=True))).first()


async def ended(session: AsyncSession, limit: int = 200) -> list[str]:
    """Return messages that carry a notice and are at an end of which the notice has not been told."""
    row = DossierNoticeRow
    query = (
        select(OutboxRow.id)
        .join(row, col(row.outbox_id) == col(OutboxRow.id))
        .where(col(row.state) == "leaving", col(OutboxRow.state).not_in(OPEN))
        .order_by(col(OutboxRow.id))
        .limit(limit)
    )
    return list((await session.exec(query)).all())


async def next_due(session: AsyncSession, now: datetime) -> datetime | None:
    """Return when the next notice is to be told that waits for its time."""
    row = DossierNoticeRow
    query = select(func.min(row.next_at)).where(col(row.state) == "due", col(row.next_at) > now)
    return (await session.exec(query)).one()


async def overdue(session: AsyncSession, now: datetime) -> tuple[int, datetime | None]:
    """Return how many notices should have been told by now, and since when the first of them."""
    row = DossierNoticeRow
    query = select(func.count(), func.min(row.next_at)).where(col(row.state) == "due", col(row.next_at) <= now)
    number, since = (await session.exec(query)).one()
    return int(number), since


async def unreached(session: AsyncSession, since: datetime) -> list[tuple[str, int]]:
    """Return how many of the notices noted since then reached nobody, by reason, the most frequent first."""
    row = DossierNoticeRow
    query = select(row.reason, func.count()).where(col(row.id) >= first_id(since), row.state == "unreached")
    found = [(reason, int(n)) for reason, n in (await session.exec(query.group_by(col(row.reason)))).all()]
    return sorted(found, key=lambda one: (-one[1], one[0]))
