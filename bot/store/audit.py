"""Keep who did what to which thing, and who looked at personal data; rows are only ever added."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, delete, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession


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


async def latest(
    session: AsyncSession, limit: int = 100, action: str = "", subject: str = "", offset: int = 0
) -> list[AuditRow]:
    """Return deeds, newest first, of actions that begin so and of one subject where given."""
    query = select(AuditRow)
    if action:
        query = query.where(col(AuditRow.action).startswith(action, autoescape=True))
    if subject:
        query = query.where(AuditRow.subject == subject)
    ordered = query.order_by(col(AuditRow.at).desc(), col(AuditRow.id).desc()).limit(limit).offset(offset)
    return list((await session.exec(ordered)).all())


async def forget(session: AsyncSession, before: datetime) -> int:
    """Delete rows older than the retention allows; returns how many."""
    return int((await session.exec(delete(AuditRow).where(col(AuditRow.at) < before))).rowcount)


async def blank_actor(session: AsyncSession, actor_id: str) -> None:
    """Blank the name of somebody who withdrew; what was done stays."""
    await session.exec(update(AuditRow).where(col(AuditRow.actor_id) == actor_id).values(actor_name=""))
