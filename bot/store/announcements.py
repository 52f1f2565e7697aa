"""Keep announcements: what staff compose, choose, schedule and approve, and each run of one."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession


class AnnouncementRow(SQLModel, table=True):
    """One announcement; `state` is draft | submitted | approved | ended, `kind` notice | advert | emergency.

    `audience` and `schedule` hold what bot.domain.audience and bot.domain.schedule write; `templates` holds for an
    account's id the template that stands in where free text may not go: template_id, and parameters whose values may
    name merge fields. `next_run_at` is when the next run is due; `reason` why it was sent back or ended.
    `version` counts changes: who changes what has changed meanwhile is told. `writers` are the ids of all staff who
    have had a hand in it since it began, and may therefore not approve it. `warning` is what is kept of the official
    warning that it was made of (bot.domain.cap), {} for any other.
    """

    __tablename__ = "announcements"
    __table_args__ = (
        Index("ix_announcements_unit", "unit_id", "updated_at"),
        Index("ix_announcements_due", "state", "next_run_at"),
    )

    id: str = Field(primary_key=True)
    unit_id: str = Field(foreign_key="units.id")
    topic_id: str | None = Field(default=None, foreign_key="topics.id")
    kind: str = "notice"
    state: str = "draft"
    version: int = 1
    title: str = ""
    text: str = ""
    button_label: str = ""
    button_url: str = ""
    file_id: str | None = Field(default=None, foreign_key="files.id")
    templates: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    audience: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    schedule: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    reason: str = ""
    writers: list[str] = Field(default_factory=list, sa_type=JSON)
    warning: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    created_by: str = Field(foreign_key="staff.id")
    created_at: datetime
    updated_at: datetime
    submitted_by: str | None = Field(default=None, foreign_key="staff.id")
    submitted_at: datetime | None = None
    approved_by: str | None = Field(default=None, foreign_key="staff.id")
    approved_at: datetime | None = None
    next_run_at: datetime | None = None
    ended_at: datetime | None = None


class RunRow(SQLModel, table=True):
    """One run of an announcement; `state` is planning | waiting | running | ended | skipped.

    While it is planned, `planned_to` says how far: the way and the last contact that have their rows. It waits until
    `due_at`. `people` holds how many are reached by each way and how many are not, by reason, as it was frozen.
    """

    __tablename__ = "announcement_runs"
    __table_args__ = (
        Index("ux_announcement_runs", "announcement_id", "number", unique=True),
        Index("ix_announcement_runs_state", "state", "due_at"),
    )

    id: str = Field(primary_key=True)
    announcement_id: str = Field(foreign_key="announcements.id")
    number: int
    state: str = "planning"
    due_at: datetime
    planned_to: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    people: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    reason: str = ""
    created_at: datetime
    frozen_at: datetime | None = None
    progress_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None


class SavedTextRow(SQLModel, table=True):
    """One version of a text that is used again; the newest version of an id is the one in use."""

    __tablename__ = "saved_texts"
    __table_args__ = (Index("ix_saved_texts_unit", "unit_id"),)

    id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    unit_id: str = Field(foreign_key="units.id")
    name: str
    kind: str = "notice"
    title: str = ""
    text: str = ""
    button_label: str = ""
    button_url: str = ""
    ended: bool = False
    made_by: str = Field(foreign_key="staff.id")
    made_at: datetime


async def announcement(session: AsyncSession, announcement_id: str) -> AnnouncementRow | None:
    """Return one announcement, locked until this transaction ends."""
    query = select(AnnouncementRow).where(AnnouncementRow.id == announcement_id).with_for_update()
    return (await session.exec(query.execution_options(populate_existing=True))).first()


async def seen(session: AsyncSession, announcement_id: str) -> AnnouncementRow | None:
    """Return one announcement as it stands, without keeping others from it."""
    return await session.get(AnnouncementRow, announcement_id)


async def runs(session: AsyncSession, announcement_id: str, limit: int = 50) -> list[RunRow]:
    """Return the runs of an announcement, the last one first."""
    query = select(RunRow).where(RunRow.announcement_id == announcement_id)
    return list((await session.exec(query.order_by(col(RunRow.number).desc()).limit(limit))).all())
