"""Find dossiers for the console's lists: what is due first, and what stands behind a figure of a report."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal_column, or_
from sqlalchemy import select as columns
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.domain.dossier import PAUSING
from bot.store.contacts import ContactRow
from bot.store.dossier_figures import FIGURES, Period
from bot.store.dossiers import DossierNoteRow, DossierRow
from bot.store.outbox import OutboxRow

_ROW = DossierRow
LIGHTS = ("late", "soon", "calm", "paused")
_ASKED = col(_ROW.status) > literal_column("0")
"""By this SQLite knows that it may use the index by status (bot.store.dossiers.ASKED)."""
_PAUSING = sorted(int(status) for status in PAUSING)


@dataclass(frozen=True, slots=True)
class DossierFilter:
    """What a list shows; "", 0 and None choose nothing.

    `paths` are units' paths, None for all. Of `code`, `squeezed`, `tail` (with `dated`, the date part before it),
    `phone_hash` and `procedures` (short codes) one may be given. `no_field` chooses what has none. `figure` is one of
    FIGURES and speaks of `period`.
    """

    now: datetime
    paths: tuple[str, ...] | None = None
    code: str = ""
    squeezed: str = ""
    tail: str = ""
    dated: str = ""
    phone_hash: str = ""
    procedures: tuple[str, ...] | None = None
    field: str = ""
    no_field: bool = False
    status: int = 0
    light: str = ""
    figure: str = ""
    period: Period | None = None
    open_only: bool = False


async def search(session: AsyncSession, wanted: DossierFilter, limit: int, offset: int = 0) -> list[DossierRow]:
    """Return dossiers: those that are not finished by what is late first, those without a date after them.

    A list that holds finished ones too, of a figure, a status or a search, begins with the latest change.
    """
    conditions = _conditions(wanted)
    if not _running(wanted):
        if wanted.status and _only(wanted):
            conditions.append(_ASKED)
        return await _page(session, conditions, (col(_ROW.status_at).desc(), col(_ROW.id).desc()), limit, offset)
    running = [*conditions, col(_ROW.finished_at).is_(None)]
    dated, undated = [*running, col(_ROW.late_at).is_not(None)], [*running, col(_ROW.late_at).is_(None)]
    found = await _page(session, dated, (col(_ROW.late_at), col(_ROW.id)), limit, offset)
    if len(found) < limit:
        before = offset and await _number(session, dated)
        found += await _page(session, undated, (col(_ROW.id),), limit - len(found), max(0, offset - before))
    return found


async def light_counts(session: AsyncSession, wanted: DossierFilter) -> dict[str, int]:
    """Return how many dossiers that are not finished have each light, whatever light is chosen."""
    counts = [func.count().filter(_light(light, wanted.now)) for light in LIGHTS]
    query = columns(*counts).where(*_conditions(wanted, light=False), col(_ROW.finished_at).is_(None))
    numbers = (await (await session.connection()).execute(query)).one()
    return dict(zip(LIGHTS, numbers, strict=True))


async def overdue(session: AsyncSession, wanted: DossierFilter) -> list[tuple[str, str]]:
    """Return all that is late as ids with the paths of their units, by unit and then by what is late longest."""
    conditions = [*_conditions(wanted), col(_ROW.finished_at).is_(None), col(_ROW.late_at) <= wanted.now]
    conditions.append(col(_ROW.status).not_in(_PAUSING))
    query = select(_ROW.id, _ROW.path).where(*conditions)
    query = query.order_by(col(_ROW.path), col(_ROW.late_at), col(_ROW.id))
    return list((await session.exec(query)).all())


async def by_ids(session: AsyncSession, ids: Sequence[str]) -> list[DossierRow]:
    """Return dossiers in the order of their ids; at most some thousands of them."""
    rows = (await session.exec(select(_ROW).where(col(_ROW.id).in_(ids)))).all() if ids else []
    by_id = {row.id: row for row in rows}
    return [by_id[dossier_id] for dossier_id in ids if dossier_id in by_id]


async def fields(session: AsyncSession, paths: Collection[str] | None = None) -> list[str]:
    """Return the fields that dossiers have, by name; with units' paths only those that dossiers of them have."""
    # A look-up a field: reading every dossier for their few fields would take as long as a report.
    found: list[str] = []
    after: str | None = ""
    for _ in range(_MOST_FIELDS):
        after = (await session.exec(select(func.min(_ROW.field)).where(col(_ROW.field) > after))).one()
        if after is None:
            break
        here = select(_ROW.path).where(_ROW.field == after, col(_ROW.path).in_(paths or ())).limit(1)
        if paths is None or (await session.exec(here)).first() is not None:
            found.append(after)
    return found


_MOST_FIELDS = 300


async def people_with_phone(session: AsyncSession, fingerprint: str, accounts: Collection[str]) -> list[ContactRow]:
    """Return the contacts of some accounts who have shared a phone, the last heard of first."""
    query = select(ContactRow).where(
        ContactRow.phone_hash == fingerprint, col(ContactRow.account_id).in_(sorted(accounts))
    )
    return list((await session.exec(query.order_by(col(ContactRow.last_interaction_at).desc()).limit(20))).all())


async def carriers(session: AsyncSession, outbox_ids: Sequence[str]) -> dict[str, OutboxRow]:
    """Return the messages that carry notices, by id."""
    if not outbox_ids:
        return {}
    return {
        row.id: row for row in (await session.exec(select(OutboxRow).where(col(OutboxRow.id).in_(outbox_ids)))).all()
    }


async def latest_notes(session: AsyncSession, dossier_ids: Sequence[str], kind: str) -> dict[str, DossierNoteRow]:
    """Return the latest note of a kind of each of these dossiers, by dossier."""
    if not dossier_ids:
        return {}
    query = select(DossierNoteRow).where(col(DossierNoteRow.dossier_id).in_(dossier_ids), DossierNoteRow.kind == kind)
    rows = (await session.exec(query.order_by(col(DossierNoteRow.at), col(DossierNoteRow.id)))).all()
    return {row.dossier_id: row for row in rows}


async def _page(
    session: AsyncSession, conditions: Sequence[ColumnElement[bool]], order: Sequence[Any], limit: int, offset: int
) -> list[DossierRow]:
    """Return a page of rows; which ones is asked of the indexes, and only then are whole rows read."""
    ids = (await session.exec(select(_ROW.id).where(*conditions).order_by(*order).limit(limit).offset(offset))).all()
    return await by_ids(session, ids)


async def _number(session: AsyncSession, conditions: Sequence[ColumnElement[bool]]) -> int:
    return (await session.exec(select(func.count()).select_from(_ROW).where(*conditions))).one()


def _running(wanted: DossierFilter) -> bool:
    searched = wanted.code or wanted.squeezed or wanted.tail or wanted.phone_hash
    return wanted.open_only or bool(wanted.light) or not (searched or wanted.figure or wanted.status)


def _only(wanted: DossierFilter) -> bool:
    """Say whether nothing is chosen but a status, of all units."""
    return wanted == DossierFilter(wanted.now, status=wanted.status)


def _conditions(wanted: DossierFilter, *, light: bool = True) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.paths is not None:
        # What is not finished stands in an index by its date: one by units must not look better to the database.
        path = col(_ROW.path) + "" if _running(wanted) else col(_ROW.path)
        found.append(path.in_(wanted.paths))
    for column, value in (
        (_ROW.code, wanted.code),
        (_ROW.squeezed, wanted.squeezed),
        (_ROW.tail, wanted.tail),
        (_ROW.phone_hash, wanted.phone_hash),
        (_ROW.field, wanted.field),
        (_ROW.status, wanted.status),
    ):
        if value:
            found.append(col(column) == value)
    if wanted.no_field:
        found.append(col(_ROW.field) == "")
    if wanted.dated:
        found.append(col(_ROW.code).contains(f"-{wanted.dated}-", autoescape=True))
    if wanted.procedures is not None:
        found.append(col(_ROW.procedure_code).in_(wanted.procedures))
    if wanted.figure and wanted.period is not None:
        found.append(FIGURES[wanted.figure](wanted.period))
    if light and wanted.light:
        found += [_light(wanted.light, wanted.now), col(_ROW.finished_at).is_(None)]
    return found


def _light(light: str, now: datetime) -> ColumnElement[bool]:
    """Return what has a light now; as bot.domain.dossier_clock.standing says it of one dossier."""
    running = and_(col(_ROW.late_at).is_not(None), col(_ROW.status).not_in(_PAUSING))
    if light == "paused":
        return or_(col(_ROW.late_at).is_(None), col(_ROW.status).in_(_PAUSING))
    if light == "late":
        return and_(running, col(_ROW.late_at) <= now)
    if light == "soon":
        return and_(running, col(_ROW.late_at) > now, col(_ROW.soon_at) <= now)
    return and_(running, col(_ROW.soon_at) > now)
