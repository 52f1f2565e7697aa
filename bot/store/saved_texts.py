"""Find saved texts: the newest version of each, and how one came to be."""

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.announcements import SavedTextRow


async def newest(session: AsyncSession, text_id: str) -> SavedTextRow | None:
    """Return the newest version of a text, also of one that is not in use any more."""
    query = select(SavedTextRow).where(SavedTextRow.id == text_id).order_by(col(SavedTextRow.version).desc())
    return (await session.exec(query.limit(1))).first()


async def locked(session: AsyncSession, text_id: str) -> SavedTextRow | None:
    """Return the newest version of a text; nobody else adds one until this transaction ends.

    Versions are only ever added, so what is locked is the first one, which every change comes by.
    """
    first = select(SavedTextRow.id).where(SavedTextRow.id == text_id, SavedTextRow.version == 1)
    if (await session.exec(first.with_for_update())).first() is None:
        return None
    return await newest(session, text_id)


async def versions(session: AsyncSession, text_id: str, limit: int = 100) -> list[SavedTextRow]:
    """Return the versions of a text, the newest first."""
    query = select(SavedTextRow).where(SavedTextRow.id == text_id).order_by(col(SavedTextRow.version).desc())
    return list((await session.exec(query.limit(limit))).all())


async def of_units(session: AsyncSession, unit_ids: list[str], *, ended: bool = False) -> list[SavedTextRow]:
    """Return the newest version of each text of these units that is in use, or of those that are not, by name."""
    last = (
        select(SavedTextRow.id, func.max(SavedTextRow.version).label("version"))
        .where(col(SavedTextRow.unit_id).in_(unit_ids))
        .group_by(col(SavedTextRow.id))
        .subquery()
    )
    query = (
        select(SavedTextRow)
        .join(last, (col(SavedTextRow.id) == last.c.id) & (col(SavedTextRow.version) == last.c.version))
        .where(col(SavedTextRow.ended).is_(ended))
        .order_by(col(SavedTextRow.name), col(SavedTextRow.id))
    )
    return list((await session.exec(query)).all())
