"""Keep what contacts have chosen or are known by: villages, topics, tags, purposes they agreed to."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Index, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store import units
from bot.store.units import AreaRow, UnitRow

SELF = "self"
"""Who has said what nobody else may overwrite: the person."""
_AT_ONCE = 500

AREA, TOPIC, TAG, PURPOSE = "area", "topic", "tag", "purpose"
"""The kinds of marks."""
ADVERT = "advert"
"""The purpose of what is like advertising."""


class MarkRow(SQLModel, table=True):
    """One mark on a contact; `kind` is area | topic | tag | purpose, `value` the area's or topic's id or a plain word.

    `chosen` False is a choice against, which outlasts the topic's default. `by` is self | staff | import: what the
    person has said is never overwritten by the others.
    """

    __tablename__ = "contact_marks"
    __table_args__ = (
        Index("ix_contact_marks_contact", "contact_id", "kind"),
        Index("ix_contact_marks_chosen", "kind", "value", "chosen", "contact_id"),
    )

    kind: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    contact_id: str = Field(primary_key=True)
    chosen: bool = True
    by: str = "self"
    at: datetime


class TopicRow(SQLModel, table=True):
    """What announcements of a unit may be about; with `default_on` whoever has not chosen gets them.

    `advert` marks what is like advertising: it goes only to whoever has agreed, and is never on by default.
    """

    __tablename__ = "topics"

    id: str = Field(primary_key=True)
    unit_id: str = Field(foreign_key="units.id")
    name: str
    position: int = 0
    default_on: bool = True
    advert: bool = False
    ended_at: datetime | None = None


_MARKS = MarkRow.metadata.tables["contact_marks"]


async def of_contact(session: AsyncSession, contact_id: str) -> list[MarkRow]:
    """Return the marks of a contact as they stand now, by kind and value."""
    query = select(MarkRow).where(MarkRow.contact_id == contact_id).order_by(col(MarkRow.kind), col(MarkRow.value))
    return list((await session.exec(query.execution_options(populate_existing=True))).all())


async def put(session: AsyncSession, rows: Sequence[MarkRow]) -> int:
    """Write marks over what stood there; returns how many were written, without those that the person has said.

    No two rows may be of the same contact, kind and value.
    """
    connection = await session.connection()
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    written = 0
    for start in range(0, len(rows), _AT_ONCE):
        statement = insert(_MARKS).values([row.model_dump() for row in rows[start : start + _AT_ONCE]])
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=["kind", "value", "contact_id"],
            set_={"chosen": new.chosen, "by": new.by, "at": new.at},
            where=or_(_MARKS.c.by != SELF, new.by == SELF),
        )
        written += (await connection.execute(statement)).rowcount
    return written


async def remove(session: AsyncSession, kind: str, value: str, contact_id: str) -> bool:
    """Remove a mark that others than the person have set; False when there is none."""
    statement = delete(MarkRow).where(
        col(MarkRow.kind) == kind,
        col(MarkRow.value) == value,
        col(MarkRow.contact_id) == contact_id,
        col(MarkRow.by) != SELF,
    )
    return bool((await session.exec(statement)).rowcount)


async def forget(session: AsyncSession, contact_id: str) -> None:
    """Remove everything that a contact has chosen or is known by."""
    await session.exec(delete(MarkRow).where(col(MarkRow.contact_id) == contact_id))


async def topics(session: AsyncSession, of: UnitRow) -> list[TopicRow]:
    """Return the topics that hold for a unit: its own first, then those of the units above it; ended ones left out."""
    ids = [part for part in of.path.split("/") if part]
    query = (
        select(TopicRow)
        .where(col(TopicRow.unit_id).in_(ids), col(TopicRow.ended_at).is_(None))
        .order_by(col(TopicRow.position), col(TopicRow.name))
    )
    found = (await session.exec(query)).all()
    return sorted(found, key=lambda row: -ids.index(row.unit_id))


async def own_topics(session: AsyncSession, unit_id: str) -> list[TopicRow]:
    """Return a unit's own topics in their order; ended ones left out."""
    query = select(TopicRow).where(TopicRow.unit_id == unit_id, col(TopicRow.ended_at).is_(None))
    return list((await session.exec(query.order_by(col(TopicRow.position), col(TopicRow.name)))).all())


async def topic(session: AsyncSession, topic_id: str) -> TopicRow | None:
    """Return one topic, ended or not."""
    return await session.get(TopicRow, topic_id)


async def villages(session: AsyncSession, of: UnitRow) -> list[AreaRow]:
    """Return the villages of a unit, or of the nearest unit above it that has any."""
    for unit in await units.above(session, of):
        found = await units.areas(session, unit.id)
        if found:
            return found
    return []
