"""Keep what people are to be told of their dossiers: one row a dossier and notice, whoever reports it how often."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import JSON, Index, UniqueConstraint, text
from sqlalchemy import select as sql_select
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

DUE = text("state IN ('due', 'leaving')")
"""What the index of notices that are not at their end holds."""


class DossierNoticeRow(SQLModel, table=True):
    """One notice; `kind` is a status's word (bot.domain.dossier_notice), or late | posted; `round` counts recurrences.

    `state` is due | leaving | told | unreached | silent; `reason` says why for the last two. `way` is the way by which
    it left or is leaving, `tried` those that were refused before. `facts` are what it says, frozen; `outbox_id` the
    message that carries it. Whoever works on it holds `lease`.
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
    """What has been noted to be told of a dossier."""

    kind: str
    round: int
    at: datetime
    facts: dict[str, Any]


async def noted(session: AsyncSession, dossier_ids: Collection[str]) -> dict[str, list[Noted]]:
    """Return what has been noted to be told of dossiers, by dossier."""
    found: dict[str, list[Noted]] = {each: [] for each in dossier_ids}
    if found:
        row = DossierNoticeRow.metadata.tables["dossier_notices"].c
        query = sql_select(row.dossier_id, row.kind, row.round, row.at, row.facts)
        query = query.where(row.dossier_id.in_(sorted(found)))
        for dossier_id, *notice in (await (await session.connection()).execute(query)).all():
            found[dossier_id].append(Noted(*notice))
    return found


async def due(session: AsyncSession, now: datetime, limit: int = 200) -> list[str]:
    """Return notices that are to be told now, those that have waited longest first."""
    row = DossierNoticeRow
    query = select(row.id).where(col(row.state) == "due", col(row.next_at) <= now)
    return list((await session.exec(query.order_by(col(row.next_at), col(row.id)).limit(limit))).all())
