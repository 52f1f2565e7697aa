"""Keep units, their areas and categories, the rules that route between them, and their calendars."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint, or_
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession


class UnitRow(SQLModel, table=True):
    """One unit of the tree; `path` holds the ids from the root, such as /a/b/, and codes have validity dates.

    `settings` may hold: approval (bool), limits (working minutes by name), fallback (unit id), phone, address,
    hours, privacy_line. `kind` is a free word such as province, commune, division.
    """

    __tablename__ = "units"
    __table_args__ = (Index("ix_units_path", "path"), Index("ix_units_code", "code"))

    id: str = Field(primary_key=True)
    code: str
    name: str
    kind: str
    parent_id: str | None = Field(default=None, foreign_key="units.id")
    path: str
    valid_from: date
    valid_to: date | None = None
    aliases: list[str] = Field(default_factory=list, sa_type=JSON)
    successors: list[str] = Field(default_factory=list, sa_type=JSON)
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)

    def holds_on(self, day: date) -> bool:
        """Say whether the unit exists on a day, by the office's calendar."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class AreaRow(SQLModel, table=True):
    """A village or residential group (thôn, tổ dân phố) below a unit."""

    __tablename__ = "areas"

    id: str = Field(primary_key=True)
    unit_id: str = Field(foreign_key="units.id")
    name: str
    aliases: list[str] = Field(default_factory=list, sa_type=JSON)
    position: int = 0


class CategoryRow(SQLModel, table=True):
    """What a report is about; `field_work` wants a photo of the result, `restricted` hides the sender."""

    __tablename__ = "categories"
    __table_args__ = (UniqueConstraint("unit_id", "code"),)

    id: str = Field(primary_key=True)
    unit_id: str = Field(foreign_key="units.id")
    code: str
    name: str
    position: int = 0
    level: str = "normal"
    restricted: bool = False
    field_work: bool = False
    keywords: list[str] = Field(default_factory=list, sa_type=JSON)
    limits: dict[str, int] = Field(default_factory=dict, sa_type=JSON)


class RoutingRuleRow(SQLModel, table=True):
    """One rule: every condition given must hold; the first that matches by position decides."""

    __tablename__ = "routing_rules"

    id: str = Field(primary_key=True)
    unit_id: str = Field(foreign_key="units.id")
    position: int
    category_id: str | None = Field(default=None, foreign_key="categories.id")
    area_id: str | None = Field(default=None, foreign_key="areas.id")
    words: list[str] = Field(default_factory=list, sa_type=JSON)
    kind: str | None = None
    target_unit_id: str = Field(foreign_key="units.id")
    note: str = ""


class CalendarRow(SQLModel, table=True):
    """Working hours of a unit and what lies below it: intervals as [[weekdays], "HH:MM", "HH:MM"]."""

    __tablename__ = "calendars"

    unit_id: str = Field(primary_key=True, foreign_key="units.id")
    intervals: list[Any] = Field(default_factory=list, sa_type=JSON)
    confirmed_years: list[int] = Field(default_factory=list, sa_type=JSON)
    changed_at: datetime


class CalendarDayRow(SQLModel, table=True):
    """A day that differs from the week: `works` False is a day off, True a Saturday worked instead."""

    __tablename__ = "calendar_days"
    __table_args__ = (UniqueConstraint("unit_id", "day"),)

    id: str = Field(primary_key=True)
    unit_id: str = Field(foreign_key="units.id")
    day: date
    works: bool
    name: str


async def unit(session: AsyncSession, unit_id: str) -> UnitRow | None:
    """Return one unit by our id."""
    return await session.get(UnitRow, unit_id)


async def all_units(session: AsyncSession) -> list[UnitRow]:
    """Return every unit, parents before their children."""
    return list((await session.exec(select(UnitRow).order_by(col(UnitRow.path)))).all())


async def units_by_code(session: AsyncSession, code: str) -> list[UnitRow]:
    """Return the units that have or had this code: a code is not a key."""
    query = select(UnitRow).where(UnitRow.code == code).order_by(col(UnitRow.valid_from).desc())
    return list((await session.exec(query)).all())


async def units_by_codes(session: AsyncSession, codes: Collection[str]) -> list[UnitRow]:
    """Return the units that have or had one of these codes."""
    if not codes:
        return []
    query = select(UnitRow).where(col(UnitRow.code).in_(sorted(codes))).order_by(col(UnitRow.valid_from).desc())
    return list((await session.exec(query)).all())


async def below(session: AsyncSession, path: str) -> list[UnitRow]:
    """Return a unit and everything below it."""
    query = select(UnitRow).where(col(UnitRow.path).startswith(path, autoescape=True)).order_by(col(UnitRow.path))
    return list((await session.exec(query)).all())


async def above(session: AsyncSession, of: UnitRow) -> list[UnitRow]:
    """Return a unit and everything above it, nearest first."""
    ids = [part for part in of.path.split("/") if part]
    rows = (await session.exec(select(UnitRow).where(col(UnitRow.id).in_(ids)))).all()
    return sorted(rows, key=lambda row: -len(row.path))


async def areas(session: AsyncSession, unit_id: str) -> list[AreaRow]:
    """Return the areas of a unit, in their order."""
    query = select(AreaRow).where(AreaRow.unit_id == unit_id).order_by(col(AreaRow.position), col(AreaRow.name))
    return list((await session.exec(query)).all())


async def area(session: AsyncSession, area_id: str) -> AreaRow | None:
    """Return one area."""
    return await session.get(AreaRow, area_id)


async def categories(session: AsyncSession, unit_id: str) -> list[CategoryRow]:
    """Return the categories of a unit, in their order."""
    query = select(CategoryRow).where(CategoryRow.unit_id == unit_id).order_by(col(CategoryRow.position))
    return list((await session.exec(query)).all())


async def category(session: AsyncSession, category_id: str) -> CategoryRow | None:
    """Return one category."""
    return await session.get(CategoryRow, category_id)


async def routing_rules(session: AsyncSession, unit_id: str) -> list[RoutingRuleRow]:
    """Return the routing rules of a unit, in their order."""
    query = select(RoutingRuleRow).where(RoutingRuleRow.unit_id == unit_id).order_by(col(RoutingRuleRow.position))
    return list((await session.exec(query)).all())


async def calendar(session: AsyncSession, unit: UnitRow) -> tuple[CalendarRow, list[CalendarDayRow]] | None:
    """Return the calendar that holds for a unit: its own or the nearest above; None when nobody has set one."""
    for candidate in await above(session, unit):
        row = await session.get(CalendarRow, candidate.id)
        if row is not None:
            query = select(CalendarDayRow).where(CalendarDayRow.unit_id == candidate.id)
            return row, list((await session.exec(query.order_by(col(CalendarDayRow.day)))).all())
    return None


async def calendar_of(session: AsyncSession, unit_id: str) -> CalendarRow | None:
    """Return a unit's own calendar."""
    return await session.get(CalendarRow, unit_id)


async def calendar_days(session: AsyncSession, unit_id: str, first: date, last: date) -> list[CalendarDayRow]:
    """Return the days of a unit's own calendar that differ from the week, from `first` to `last`."""
    query = select(CalendarDayRow).where(
        CalendarDayRow.unit_id == unit_id, col(CalendarDayRow.day) >= first, col(CalendarDayRow.day) <= last
    )
    return list((await session.exec(query.order_by(col(CalendarDayRow.day)))).all())


async def calendar_day(session: AsyncSession, unit_id: str, day: date) -> CalendarDayRow | None:
    """Return one such day."""
    query = select(CalendarDayRow).where(CalendarDayRow.unit_id == unit_id, CalendarDayRow.day == day)
    return (await session.exec(query)).first()


async def calendars(session: AsyncSession) -> list[CalendarRow]:
    """Return every calendar."""
    return list((await session.exec(select(CalendarRow))).all())


async def categories_by_id(session: AsyncSession, category_ids: list[str]) -> dict[str, CategoryRow]:
    """Return categories by id."""
    if not category_ids:
        return {}
    found = (await session.exec(select(CategoryRow).where(col(CategoryRow.id).in_(category_ids)))).all()
    return {row.id: row for row in found}


async def categories_below(session: AsyncSession, paths: tuple[str, ...]) -> list[CategoryRow]:
    """Return the categories that reports in the units at `paths` may have: those of these units, above and below."""
    ids = {part for path in paths for part in path.split("/") if part}
    under = or_(False, *(col(UnitRow.path).startswith(path, autoescape=True) for path in paths))
    query = (
        select(CategoryRow)
        .join(UnitRow, col(UnitRow.id) == col(CategoryRow.unit_id))
        .where(or_(col(UnitRow.id).in_(ids), under))
        .order_by(col(CategoryRow.position), col(CategoryRow.name))
    )
    return list((await session.exec(query)).all())


async def routing_rule(session: AsyncSession, rule_id: str) -> RoutingRuleRow | None:
    """Return one routing rule."""
    return await session.get(RoutingRuleRow, rule_id)


async def category_used(session: AsyncSession, category_id: str) -> bool:
    """Say whether a routing rule names a category."""
    query = select(RoutingRuleRow.id).where(RoutingRuleRow.category_id == category_id)
    return (await session.exec(query)).first() is not None
