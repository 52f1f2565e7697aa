"""Keep administrative procedures: code, name, field, time limit, fee, and where each can be filed online."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import JSON, Index, case, func, or_
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.domain.text import fold
from bot.store.dossiers import DossierRow


class ProcedureRow(SQLModel, table=True):
    """One procedure; `code` is the short one (1.000253), `full_code` the one with the agency's suffix, "" if unknown.

    `days` is the time limit in working days, 0 for the same day, None where the source tells none that can be read;
    `limit_words` what it says. `fee` is in đồng, None where it depends, `fee_words` what is said of it.
    `online` is full | part | "".
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


class Limit(NamedTuple):
    """What a dossier takes over from its procedure; `days` as in ProcedureRow."""

    id: str
    name: str
    field: str
    days: int | None


async def limits(session: AsyncSession, codes: Collection[str]) -> dict[str, Limit]:
    """Return by short code what dossiers take over from procedures; codes that no procedure has are left out."""
    if not codes:
        return {}
    it = ProcedureRow
    query = select(it.code, it.id, it.name, it.field, it.days).where(col(it.code).in_(sorted(codes)))  # type: ignore[call-overload] # SQLModel knows up to four columns
    return {code: Limit(*rest) for code, *rest in (await session.exec(query)).all()}


async def by_codes(session: AsyncSession, codes: Collection[str]) -> dict[str, ProcedureRow]:
    """Return procedures by short code; codes that no procedure has are left out."""
    if not codes:
        return {}
    query = select(ProcedureRow).where(col(ProcedureRow.code).in_(set(codes)))
    return {row.code: row for row in (await session.exec(query)).all()}


async def search(
    session: AsyncSession, words: str = "", field: str = "", *, active: bool | None = None, limit: int, offset: int = 0
) -> list[ProcedureRow]:
    """Return procedures that have words beginning with all of these in code, name or field, accents or not.

    Those that are in use come first, of these those that have them side by side, then by field and name.
    """
    query = select(ProcedureRow)
    wanted, text = fold(words).split()[:20], col(ProcedureRow.search)
    for word in wanted:
        query = query.where(or_(text.startswith(word, autoescape=True), text.contains(f" {word}", autoescape=True)))
    if field:
        query = query.where(ProcedureRow.field == field)
    if active is not None:
        query = query.where(col(ProcedureRow.active).is_(active))
    query = query.order_by(col(ProcedureRow.active).desc())
    if len(wanted) > 1:
        query = query.order_by(case((text.contains(" ".join(wanted), autoescape=True), 0), else_=1))
    query = query.order_by(col(ProcedureRow.field), col(ProcedureRow.name), col(ProcedureRow.code))
    return list((await session.exec(query.limit(limit).offset(offset))).all())


async def fields(session: AsyncSession) -> dict[str, int]:
    """Return the fields of procedures and how many each has."""
    query = select(ProcedureRow.field, func.count()).group_by(ProcedureRow.field).order_by(ProcedureRow.field)
    return dict((await session.exec(query)).all())


async def unmatched(session: AsyncSession, limit: int) -> list[tuple[str, str, str, str]]:
    """Return dossiers that name a procedure which was not known when they came, and is now.

    Each as its id, the procedure's id, and the name and field that follow from both.
    """
    dossier, found = DossierRow, ProcedureRow
    name = func.coalesce(func.nullif(dossier.procedure_name, ""), found.name)
    field = func.coalesce(func.nullif(found.field, ""), dossier.field)
    query = select(dossier.id, found.id, name, field).join(found, col(found.code) == col(dossier.procedure_code))
    query = query.where(col(dossier.procedure_id).is_(None)).limit(limit)
    return [(row[0], row[1], row[2], row[3]) for row in (await session.exec(query)).all()]


async def moved(session: AsyncSession, ids: Collection[str]) -> list[tuple[str, str]]:
    """Return those of some dossiers whose procedure is of another field by now: id and the field."""
    if not ids:
        return []
    query = select(DossierRow.id, ProcedureRow.field).join(ProcedureRow, _OF).where(*_MOVED)
    return [(row[0], row[1]) for row in (await session.exec(query.where(col(DossierRow.id).in_(sorted(ids))))).all()]


async def moved_after(session: AsyncSession, after: str, looked_at: int) -> tuple[list[str], str | None]:
    """Look at some dossiers, by id and after that one: those that `moved` would return, and after which to go on.

    None when there are no more to look at.
    """
    row_id = col(DossierRow.id)
    ends = select(DossierRow.id).where(row_id > after).order_by(row_id).limit(1).offset(looked_at - 1)
    end = (await session.exec(ends)).first()
    query = select(DossierRow.id).join(ProcedureRow, _OF).where(*_MOVED, row_id > after)
    if end is not None:
        query = query.where(row_id <= end)
    return list((await session.exec(query)).all()), end


_OF = col(ProcedureRow.id) == col(DossierRow.procedure_id)
_MOVED = (col(ProcedureRow.field) != "", col(ProcedureRow.field) != col(DossierRow.field))
