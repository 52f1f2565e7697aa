"""Keep what an official has begun in a chat and not finished: an answer, a question, a hand-over, a remark."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, Index, UniqueConstraint
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.outbox import OutboxRow


class DeskDraftRow(SQLModel, table=True):
    """One thing begun; `verb` is answer | ask | hand_over | send_back, `chat_id` the chat in which it was begun.

    `data` may hold: text, message_ids and albums (photos that came), unit_id, version, waiting_since, prompts (every
    message that asked for words, by its row in the outbox). `outbox_id` is the last of these; a reply belongs here.
    At `resume_at` it goes on by itself.
    """

    __tablename__ = "desk_drafts"
    __table_args__ = (
        UniqueConstraint("staff_id", "chat_id"),
        Index("ix_desk_drafts_outbox", "outbox_id"),
        Index("ix_desk_drafts_resume", "resume_at"),
    )

    id: str = Field(primary_key=True)
    staff_id: str = Field(foreign_key="staff.id")
    account_id: str = Field(foreign_key="accounts.id")
    chat_id: str = Field(foreign_key="contacts.id")
    case_id: str = Field(foreign_key="cases.id")
    verb: str
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    outbox_id: str | None = None
    resume_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


async def draft(session: AsyncSession, draft_id: str) -> DeskDraftRow | None:
    """Return one draft, locked until this transaction ends."""
    query = select(DeskDraftRow).where(DeskDraftRow.id == draft_id).with_for_update()
    return (await session.exec(query.execution_options(populate_existing=True))).first()


async def begun(session: AsyncSession, staff_id: str, chat_id: str) -> DeskDraftRow | None:
    """Return what a person has begun in a chat, locked until this transaction ends."""
    query = select(DeskDraftRow).where(DeskDraftRow.staff_id == staff_id, DeskDraftRow.chat_id == chat_id)
    query = query.with_for_update().execution_options(populate_existing=True)
    return (await session.exec(query)).first()


async def asked_by(session: AsyncSession, account_id: str, provider_id: str) -> DeskDraftRow | None:
    """Return the draft for which a message asked, by the provider's id of that."""
    query = (
        select(DeskDraftRow)
        .join(OutboxRow, col(OutboxRow.id) == col(DeskDraftRow.outbox_id))
        .where(OutboxRow.account_id == account_id, OutboxRow.provider_id == provider_id)
    )
    return (await session.exec(query)).first()


async def due(session: AsyncSession, now: datetime, limit: int = 100) -> list[str]:
    """Return drafts that are to go on by themselves."""
    query = (
        select(DeskDraftRow.id)
        .where(col(DeskDraftRow.resume_at).is_not(None), col(DeskDraftRow.resume_at) <= now)
        .order_by(col(DeskDraftRow.resume_at))
        .limit(limit)
    )
    return list((await session.exec(query)).all())


async def found(
    session: AsyncSession, *, staff_id: str = "", chat_id: str = "", before: datetime | None = None
) -> list[DeskDraftRow]:
    """Return what a person has begun, what was begun in a chat, or what was last touched before then, locked."""
    wanted: list[ColumnElement[bool]] = []
    if staff_id:
        wanted.append(col(DeskDraftRow.staff_id) == staff_id)
    if chat_id:
        wanted.append(col(DeskDraftRow.chat_id) == chat_id)
    if before is not None:
        wanted.append(col(DeskDraftRow.updated_at) < before)
    if not wanted:
        return []
    query = select(DeskDraftRow).where(*wanted)
    return list((await session.exec(query.order_by(col(DeskDraftRow.id)).with_for_update())).all())
