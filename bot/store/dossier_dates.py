"""Read what the dates of dossiers that are not finished are worked out from, in slices."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.dossiers import DossierRow
from bot.store.procedures import ProcedureRow


class Dated(NamedTuple):
    """One dossier with what its clock needs, and the dates that it has; `days` is its procedure's limit."""

    id: str
    path: str
    days: int | None
    received_at: datetime | None
    due_at: datetime | None
    pauses: list[list[str | None]]
    facts: dict[str, Any]
    law_due_at: datetime | None
    soon_at: datetime | None
    late_at: datetime | None


async def unfinished(session: AsyncSession) -> list[str]:
    """Return the ids of all dossiers that are not finished."""
    query = select(DossierRow.id).where(col(DossierRow.finished_at).is_(None))
    return list((await session.exec(query)).all())


async def dated(session: AsyncSession, ids: Collection[str]) -> list[Dated]:
    """Return some dossiers as their clocks need them."""
    row, procedure = DossierRow, ProcedureRow
    query = (
        select(
            row.id, row.path, procedure.days, row.received_at, row.due_at, row.pauses, row.facts,
            row.law_due_at, row.soon_at, row.late_at,
        )  # type: ignore[call-overload,misc]
        .join(procedure, col(procedure.code) == col(row.procedure_code), isouter=True)
        .where(col(row.id).in_(list(ids)))
    )  # fmt: skip
    return [Dated(*values) for values in (await session.exec(query)).all()]
