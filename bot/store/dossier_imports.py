"""Keep imports of dossiers: what a file turned out to be, what it would change, and how far it has been applied."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, and_, or_, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

_OPEN = ("reading", "applying")
"""States in which a worker has something to do."""


class DossierImportRow(SQLModel, table=True):
    """One file; `state` is reading | ready | refused | applying | applied | cancelled.

    `source` is console | command | folder. `mapping` says which header means what, `columns` the headers of the file,
    `problems` what is wrong with the whole file, `warnings` what asks for confirmation (unknown units). `figures`
    counts rows: rows, new, changed, same, backwards, odd, foreign (of other units, left out), doubled, bad, told
    (notices that may follow); with `done_` in front what has been applied; `chunks` and `bad_chunks` how many pieces
    lie in bot.blobs. `position` is how many good rows have been applied; `digest` the file's SHA-256. Whoever works on
    it holds `lease`. `confirmed` is set by whoever wants it applied, before it is read by those who do not wait for
    the preview.
    """

    __tablename__ = "dossier_imports"
    __table_args__ = (
        Index("ix_dossier_imports_unit", "unit_id", "created_at"),
        Index("ix_dossier_imports_state", "state"),
    )

    id: str = Field(primary_key=True)
    unit_id: str = Field(foreign_key="units.id")
    file_name: str
    source: str = "console"
    state: str = "reading"
    confirmed: bool = False
    mapping: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    columns: list[str] = Field(default_factory=list, sa_type=JSON)
    problems: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    warnings: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    figures: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    sample: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    position: int = 0
    digest: str = ""
    made_by: str | None = Field(default=None, foreign_key="staff.id")
    created_at: datetime
    read_at: datetime | None = None
    applied_at: datetime | None = None
    lease: str | None = None
    leased_until: datetime | None = None
    tries: int = 0


class DossierColumnsRow(SQLModel, table=True):
    """How a unit's export is to be read: folded header → field, folded status words → status code, unit code → unit."""

    __tablename__ = "dossier_columns"

    unit_id: str = Field(primary_key=True, foreign_key="units.id")
    headers: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    statuses: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    units: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    changed_by: str | None = None
    changed_at: datetime


async def one(session: AsyncSession, import_id: str) -> DossierImportRow | None:
    """Return one import as it stands now."""
    return await session.get(DossierImportRow, import_id, populate_existing=True)


async def newest(session: AsyncSession, unit_ids: list[str], limit: int = 50) -> list[DossierImportRow]:
    """Return the imports of units, the newest first."""
    query = select(DossierImportRow).where(col(DossierImportRow.unit_id).in_(unit_ids))
    return list((await session.exec(query.order_by(col(DossierImportRow.created_at).desc()).limit(limit))).all())


async def lease(session: AsyncSession, token: str, now: datetime, until: datetime) -> DossierImportRow | None:
    """Lease the oldest import that is to be read or applied and that nobody has in hand; None when there is none."""
    row = DossierImportRow
    free = or_(col(row.lease).is_(None), col(row.leased_until) < now)
    query = select(row).where(col(row.state).in_(_OPEN), free).order_by(col(row.created_at)).limit(1)
    query = query.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    found = (await session.exec(query)).first()
    if found is not None:
        found.lease, found.leased_until, found.tries = token, until, found.tries + 1
    return found


async def locked(session: AsyncSession, import_id: str) -> DossierImportRow | None:
    """Return one import, locked until this transaction ends."""
    query = select(DossierImportRow).where(DossierImportRow.id == import_id).with_for_update()
    return (await session.exec(query.execution_options(populate_existing=True))).first()


async def held(session: AsyncSession, import_id: str, token: str, until: datetime) -> DossierImportRow | None:
    """Return an import, locked, its lease kept until then; None when another has it or there is nothing to do."""
    row = await locked(session, import_id)
    if row is None or row.lease != token or row.state not in _OPEN:
        return None
    row.leased_until = until
    return row


async def give_back(session: AsyncSession, import_id: str, token: str) -> None:
    """Let go of an import that was not brought to its end, so that another takes it at once; the try does not count."""
    row = DossierImportRow
    mine = and_(col(row.id) == import_id, col(row.lease) == token)
    await session.exec(update(row).where(mine).values(lease=None, leased_until=None, tries=row.tries - 1))


async def let_go(session: AsyncSession, import_id: str, token: str) -> None:
    """Let go of an import over which a process has died; the try counts."""
    row = DossierImportRow
    mine = and_(col(row.id) == import_id, col(row.lease) == token)
    await session.exec(update(row).where(mine).values(lease=None, leased_until=None))


async def same_before(session: AsyncSession, it: DossierImportRow) -> DossierImportRow | None:
    """Return the last import of the same unit's that applied the same bytes; None when there is none."""
    row = DossierImportRow
    same = (row.unit_id == it.unit_id, row.digest == it.digest, row.state == "applied", row.id != it.id)
    query = select(row).where(*same).order_by(col(row.applied_at).desc()).limit(1)
    return (await session.exec(query)).first()


async def columns(session: AsyncSession, unit_ids: Collection[str]) -> dict[str, DossierColumnsRow]:
    """Return how exports of these units are to be read, by unit; those that have said nothing are left out."""
    query = select(DossierColumnsRow).where(col(DossierColumnsRow.unit_id).in_(unit_ids))
    return {row.unit_id: row for row in (await session.exec(query)).all()}
