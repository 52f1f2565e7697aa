"""Count what became of an announcement's run from the rows of its recipients, which are the truth."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, case, exists, func, literal, not_, or_, select
from sqlalchemy.sql import ColumnElement
from sqlmodel import col
from sqlmodel import select as select_rows
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.domain.areas import village_column
from bot.store.accounts import AccountRow
from bot.store.announcements import AnnouncementRow, RunRow
from bot.store.broadcasts import BroadcastRow, DeliveryRow
from bot.store.marks import MarkRow
from bot.store.units import AreaRow, UnitRow

D = DeliveryRow.metadata.tables["deliveries"].c
MARKS = MarkRow.metadata.tables["contact_marks"]
_later = MARKS.alias("later")
_LONGEST_NUMBER = 18
LEFT = ("sent", "delivered", "seen")
"""States of what has left and arrived at the provider or further."""
MISSED = ("failed", "unknown")
DECIDED = ("opted_out", "erased")
"""Why a delivery was cancelled for whoever had said stop, or had asked to be forgotten, before it could leave."""


class Tally(NamedTuple):
    """How many recipients of a broadcast stand in a state for a reason; `lately` of them were sent since a moment."""

    broadcast_id: int
    state: str
    reason: str
    number: int
    lately: int


class VillageTally(NamedTuple):
    """How many recipients of a village stand in a state; `area_id` is "" for those of whom no village is known.

    `listed` is then what the list says that they came from, as it is written there; "" when it does not.
    """

    area_id: str
    state: str
    decided: bool
    number: int
    listed: str = ""


class Belonging(NamedTuple):
    """Of which announcement a run is, and when it was to begin."""

    announcement_id: str
    title: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """One run with what it belongs to, for whoever looks at it."""

    run: RunRow
    announcement: AnnouncementRow
    unit: UnitRow


async def seen(session: AsyncSession, announcement_id: str, run_id: str) -> Seen | None:
    """Return one run of an announcement as it stands, without keeping others from it."""
    query = (
        select_rows(RunRow, AnnouncementRow, UnitRow)
        .join(AnnouncementRow, col(AnnouncementRow.id) == col(RunRow.announcement_id))
        .join(UnitRow, col(UnitRow.id) == col(AnnouncementRow.unit_id))
        .where(RunRow.id == run_id, RunRow.announcement_id == announcement_id)
    )
    found = (await session.exec(query)).first()
    return Seen(*found) if found else None


async def broadcasts_of(session: AsyncSession, run_ids: Sequence[str]) -> list[tuple[BroadcastRow, AccountRow]]:
    """Return the broadcasts of runs with their accounts, as they stand."""
    query = (
        select_rows(BroadcastRow, AccountRow)
        .join(AccountRow, col(AccountRow.id) == col(BroadcastRow.account_id))
        .where(col(BroadcastRow.run_id).in_(run_ids))
        .order_by(col(BroadcastRow.id))
    )
    return [(broadcast, account) for broadcast, account in (await session.exec(query)).all()]


async def tallies(session: AsyncSession, broadcast_ids: Sequence[int], since: datetime) -> list[Tally]:
    """Count the recipients of broadcasts by state and reason; it reads every one of their rows.

    Counters beside the rows would have to be written with every window and every receipt, and could drift from the
    truth when a process dies; ranges that are done would be counted once, were it not for the receipts that change
    them afterwards. So the rows are counted when somebody looks: a second or less for a million.
    """
    lately = func.sum(case((D.sent_at > since, 1), else_=0))
    query = select(D.broadcast_id, D.state, D.reason, func.count(), lately).where(D.broadcast_id.in_(broadcast_ids))
    rows = await (await session.connection()).execute(query.group_by(D.broadcast_id, D.state, D.reason))
    return [Tally(b, state, reason, int(n), int(new)) for b, state, reason, n, new in rows.all()]


def village_of(who: ColumnElement[Any], value: str | None = None) -> tuple[ColumnElement[bool], ...]:
    """Say that a mark is the village of a contact: of several the one that was chosen last, so that sums are exact."""
    m, later = MARKS.c, _later.c
    newer = or_(later.at > m.at, and_(later.at == m.at, later.value > m.value))
    overtaken = exists(literal(1)).where(
        later.contact_id == m.contact_id, later.kind == "area", later.chosen.is_(True), newer
    )
    named = () if value is None else (m.value == value,)
    return (m.contact_id == who, m.kind == "area", m.chosen.is_(True), not_(overtaken), *named)


async def listed_column(session: AsyncSession, broadcast_ids: Sequence[int]) -> str:
    """Return which of the values that fill the messages of broadcasts is the village by its name; "" for none."""
    query = select(D.merged).where(D.broadcast_id.in_(broadcast_ids), D.merged.is_not(None)).limit(1)
    found = (await (await session.connection()).execute(query)).scalar_one_or_none()
    return village_column(list(found or {}))


def listed_village(column: str) -> ColumnElement[Any]:
    """Say what a recipient's values have in the column of villages; "" where they have nothing."""
    if not column:
        return literal("")
    # SQLite knows a field by how its name is written down, with letters or with their numbers.
    by_number = json.dumps(column)[1:-1]
    return func.trim(func.coalesce(D.merged[column].as_string(), D.merged[by_number].as_string(), ""))


async def by_village(session: AsyncSession, broadcast_ids: Sequence[int], column: str = "") -> list[VillageTally]:
    """Count the recipients of broadcasts by village and state; some seconds for a million, for a page that waits.

    Whose village nobody has set counts for the one that the list has in `column`.
    """
    area = func.coalesce(MARKS.c.value, "")
    listed = case((MARKS.c.value.is_(None), listed_village(column)), else_="").label("listed")
    decided = case((and_(D.state == "cancelled", D.reason.in_(DECIDED)), 1), else_=0)
    table = DeliveryRow.metadata.tables["deliveries"].outerjoin(MARKS, and_(*village_of(D.recipient)))
    query = select(area, D.state, decided, listed, func.count()).select_from(table)
    grouped = query.where(D.broadcast_id.in_(broadcast_ids)).group_by(area, D.state, decided, "listed")
    rows = await (await session.connection()).execute(grouped)
    return [VillageTally(area_id, state, bool(out), int(n), text) for area_id, state, out, text, n in rows.all()]


async def areas(session: AsyncSession, area_ids: Sequence[str]) -> list[AreaRow]:
    """Return areas by their ids, in their order."""
    query = select_rows(AreaRow).where(col(AreaRow.id).in_(area_ids))
    return list((await session.exec(query.order_by(col(AreaRow.position), col(AreaRow.name)))).all())


async def areas_of(session: AsyncSession, path: str) -> list[AreaRow]:
    """Return the areas of a unit and of those below it, in their order."""
    query = select_rows(AreaRow).join(UnitRow, col(UnitRow.id) == col(AreaRow.unit_id))
    here = query.where(col(UnitRow.path).startswith(path, autoescape=True))
    return list((await session.exec(here.order_by(col(AreaRow.position), col(AreaRow.name)))).all())


async def path_of_broadcast(session: AsyncSession, number: str) -> str | None:
    """Return the path of the unit of the announcement that a broadcast, named by its number, belongs to."""
    if not (number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER):
        return None
    query = (
        select_rows(UnitRow.path)
        .join(AnnouncementRow, col(AnnouncementRow.unit_id) == col(UnitRow.id))
        .join(RunRow, col(RunRow.announcement_id) == col(AnnouncementRow.id))
        .join(BroadcastRow, col(BroadcastRow.run_id) == col(RunRow.id))
        .where(BroadcastRow.id == int(number))
    )
    return (await session.exec(query)).first()


async def belongings(session: AsyncSession, run_ids: Sequence[str]) -> dict[str, Belonging]:
    """Return by run what its broadcasts belong to."""
    query = (
        select_rows(RunRow.id, AnnouncementRow.id, AnnouncementRow.title, RunRow.due_at)
        .join(AnnouncementRow, col(AnnouncementRow.id) == col(RunRow.announcement_id))
        .where(col(RunRow.id).in_(run_ids))
    )
    return {
        run: Belonging(announcement, title, due) for run, announcement, title, due in (await session.exec(query)).all()
    }
