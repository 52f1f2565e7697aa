"""Keep administrative procedures: code, name, field, time limit, fee, and where each can be filed online."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession


class ProcedureRow(SQLModel, table=True):
    """One procedure; `code` is the short one (1.000253), `full_code` the one with the agency's suffix, "" if unknown.

    `days` is the time limit in working days, None where the source tells none that can be read; `limit_words` what it
    says. `fee` is in đồng, None where it depends, `fee_words` what is said of it. `online` is full | part | "".
    `details` holds the longer texts by name: papers, steps, result, legal basis, conditions.
    """

    __tablename__ = "procedures"
    __table_args__ = (Index("ix_procedures_full_code", "full_code"), Index("ix_procedures_field", "field"))

    id: str = Field(primary_key=True)
    code: str = Field(unique=True)
    full_code: str = ""
    name: str
    search: str = ""
    field: str = ""
    agency: str = ""
    level: str = ""
    days: int | None = None
    limit_words: str = ""
    fee: int | None = None
    fee_words: str = ""
    online: str = ""
    online_url: str = ""
    details: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    digest: str = ""
    active: bool = True
    edited_by: str | None = None
    updated_at: datetime


async def procedure(session: AsyncSession, procedure_id: str) -> ProcedureRow | None:
    """Return one procedure by our id."""
    return await session.get(ProcedureRow, procedure_id)


async def by_codes(session: AsyncSession, codes: Collection[str]) -> dict[str, ProcedureRow]:
    """Return procedures by short code; codes that no procedure has are left out."""
    if not codes:
        return {}
    query = select(ProcedureRow).where(col(ProcedureRow.code).in_(set(codes)))
    return {row.code: row for row in (await session.exec(query)).all()}
