"""Find dossiers that are about to be late, and which of them the office has been warned of."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.domain.dossier import OPEN, PAUSING
from bot.store.dossiers import DossierNoteRow, DossierRow

NOTE = "warned"
"""The kind of the note that a warning leaves on a dossier; its `due_at` is the date that it was about."""
_STATES = sorted(int(status) for status in OPEN - PAUSING)


def _running(now: datetime, until: datetime) -> list[ColumnElement[bool]]:
    # The midnight after the date that counts, appointed or the law's: it stands in an index.
    late = col(DossierRow.late_at)
    return [col(DossierRow.finished_at).is_(None), late > now, late <= until, col(DossierRow.status).in_(_STATES)]


async def units(session: AsyncSession, now: datetime, until: datetime) -> list[str]:
    """Return the units that have a dossier that is not late yet, but will be by `until`."""
    query = select(DossierRow.unit_id).where(*_running(now, until)).distinct()
    return sorted((await session.exec(query)).all())


async def due(session: AsyncSession, unit_id: str, now: datetime, until: datetime) -> list[DossierRow]:
    """Return a unit's dossiers that are not late yet, but will be by `until`, the first due first."""
    query = select(DossierRow).where(DossierRow.unit_id == unit_id, *_running(now, until))
    return list((await session.exec(query.order_by(col(DossierRow.late_at), col(DossierRow.code)))).all())


async def warned(session: AsyncSession, dossier_ids: Collection[str]) -> dict[str, set[str]]:
    """Return of which dates of these dossiers the office has been warned, by dossier."""
    found: dict[str, set[str]] = {}
    ids = list(dossier_ids)
    for at in range(0, len(ids), _AT_ONCE):
        part: Sequence[str] = ids[at : at + _AT_ONCE]
        query = select(DossierNoteRow).where(col(DossierNoteRow.dossier_id).in_(part), DossierNoteRow.kind == NOTE)
        for note in (await session.exec(query)).all():
            found.setdefault(note.dossier_id, set()).add(str(note.data.get("due_at", "")))
    return found


async def warned_since(session: AsyncSession, unit_id: str, since: datetime) -> bool:
    """Say whether a unit has been warned of any dossier since then."""
    query = (
        select(DossierNoteRow.id)
        .join(DossierRow, col(DossierRow.id) == col(DossierNoteRow.dossier_id))
        .where(DossierRow.unit_id == unit_id, DossierNoteRow.kind == NOTE, col(DossierNoteRow.at) >= since)
    )
    return (await session.exec(query.limit(1))).first() is not None


_AT_ONCE = 500
