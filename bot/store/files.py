"""Keep what is known of stored files; the bytes lie outside the database (bot.blobs)."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import exists, literal, update
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.announcements import AnnouncementRow
from bot.store.broadcasts import BroadcastRow

ANNOUNCED = "announced/"
"""What the keys of pictures of announcements begin with, so that those which none has any more are found."""


class FileRow(SQLModel, table=True):
    """One stored file; `key` is its place in the blob store, `thumbnail_key` a small JPEG for pictures.

    `case_id` is set on what an official uploads; what citizens send belongs to a case through its attachment.
    """

    __tablename__ = "files"

    id: str = Field(primary_key=True)
    key: str
    thumbnail_key: str | None = None
    media_type: str
    name: str
    size: int
    sha256: str
    width: int | None = None
    height: int | None = None
    case_id: str | None = Field(default=None, foreign_key="cases.id")
    created_at: datetime
    deleted_at: datetime | None = None


async def file(session: AsyncSession, file_id: str) -> FileRow | None:
    """Return one file, unless it has been deleted."""
    row = await session.get(FileRow, file_id)
    return None if row is None or row.deleted_at is not None else row


async def files(session: AsyncSession, file_ids: list[str]) -> list[FileRow]:
    """Return files by id, in the order asked for."""
    if not file_ids:
        return []
    rows = {row.id: row for row in (await session.exec(select(FileRow).where(col(FileRow.id).in_(file_ids)))).all()}
    return [rows[i] for i in file_ids if i in rows and rows[i].deleted_at is None]


async def unannounced(session: AsyncSession, before: datetime, limit: int = 200) -> list[FileRow]:
    """Return pictures from before a moment that no announcement has, and that nothing is or was sent with."""
    sent = select(col(BroadcastRow.message)["media"]["file_id"].as_string())
    used = exists(literal(1)).where(col(AnnouncementRow.file_id) == col(FileRow.id))
    query = select(FileRow).where(
        col(FileRow.key).startswith(ANNOUNCED), col(FileRow.deleted_at).is_(None), FileRow.created_at < before, ~used
    )
    found = (await session.exec(query.order_by(col(FileRow.created_at)).limit(limit))).all()
    kept = set((await session.exec(sent)).all()) if found else set()
    return [row for row in found if row.id not in kept]


async def unknown_keys(session: AsyncSession, keys: Collection[str]) -> list[str]:
    """Return which keys of pictures, or of their thumbnails, stand in no row, so that nobody can ask for them."""
    known = select(FileRow.key).where(col(FileRow.key).in_({key.removesuffix(".thumb") for key in keys}))
    found = set((await session.exec(known)).all())
    return [key for key in keys if key.removesuffix(".thumb") not in found]


async def mark_deleted(session: AsyncSession, file_id: str, at: datetime) -> None:
    """Note that the bytes of a file are gone."""
    await session.exec(update(FileRow).where(col(FileRow.id) == file_id).values(deleted_at=at))
