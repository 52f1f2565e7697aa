"""Keep who did what to which thing, and who looked at personal data; rows are only ever added."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, delete, exists, func, literal, or_, update
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.cases import CaseRow


class AuditRow(SQLModel, table=True):
    """One deed: `action` such as case.approve or contact.reveal_phone, `subject` such as case:<id>."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_at", "at"), Index("ix_audit_subject", "subject"))

    id: str = Field(primary_key=True)
    at: datetime
    actor_kind: str
    actor_id: str | None = None
    actor_name: str = ""
    action: str
    subject: str = ""
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


@dataclass(frozen=True, slots=True)
class CaseScope:
    """The cases that somebody may read about: below `paths`, those about conduct only below `restricted_paths`."""

    paths: tuple[str, ...]
    restricted_paths: tuple[str, ...]


async def latest(
    session: AsyncSession,
    limit: int = 100,
    action: str = "",
    subject: str = "",
    offset: int = 0,
    scope: CaseScope | None = None,
) -> list[AuditRow]:
    """Return deeds, newest first, of actions that begin so, of one subject and within a scope where given."""
    query = select(AuditRow)
    if scope is not None:
        query = query.where(*_within(scope))
    if action:
        query = query.where(col(AuditRow.action).startswith(action, autoescape=True))
    if subject:
        query = query.where(AuditRow.subject == subject)
    ordered = query.order_by(col(AuditRow.at).desc(), col(AuditRow.id).desc()).limit(limit).offset(offset)
    return list((await session.exec(ordered)).all())


def _within(scope: CaseScope) -> list[ColumnElement[bool]]:
    """Match deeds that are about no case, or about one of the scope: as their subject, or named by its code."""
    under = [col(CaseRow.path).startswith(path, autoescape=True) for path in scope.paths]
    hidden = [col(CaseRow.path).startswith(path, autoescape=True) for path in scope.restricted_paths]
    known = or_(False, *under) & (~col(CaseRow.restricted) | or_(False, *hidden))
    subject, code = col(AuditRow.subject), col(AuditRow.data)["case"].as_string()
    about = exists(literal(1)).where(col(CaseRow.id) == func.substr(subject, len("case:") + 1), known)
    named = exists(literal(1)).where(col(CaseRow.code) == code, known)
    return [~subject.startswith("case:") | about, code.is_(None) | named]


async def forget(session: AsyncSession, before: datetime) -> int:
    """Delete rows older than the retention allows; returns how many."""
    return int((await session.exec(delete(AuditRow).where(col(AuditRow.at) < before))).rowcount)


async def blank_actor(session: AsyncSession, actor_id: str) -> None:
    """Blank the name of somebody who withdrew; what was done stays."""
    await session.exec(update(AuditRow).where(col(AuditRow.actor_id) == actor_id).values(actor_name=""))
