"""Keep imports of dossiers: what a file turned out to be, what it would change, and how far it has been applied."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession


class DossierImportRow(SQLModel, table=True):
    """One file; `state` is reading | ready | refused | applying | applied | cancelled.

    `source` is console | command | folder. `mapping` says which header means what, `columns` the headers of the file,
    `problems` what is wrong with the whole file, `warnings` what asks for confirmation (unknown units). `figures`
    counts rows: rows, new, changed, same, backwards, odd, doubled, bad, told. `position` is how many rows have been
    applied; `digest` the file's SHA-256. The bytes lie in bot.blobs until it ends. Whoever works on it holds `lease`.
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
