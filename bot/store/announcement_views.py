"""Read what the pages of announcements show: which there are, how far their runs are, what people are known by."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, exists, func, literal, or_
from sqlalchemy import select as select_columns
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.announcements import AnnouncementRow, RunRow
from bot.store.broadcasts import BroadcastRow, ChunkRow, DeliveryRow
from bot.store.contacts import ContactRow
from bot.store.marks import MarkRow, TopicRow
from bot.store.units import AreaRow, UnitRow

_BEGINNING = 300
_MOST_SEARCHED = 20_000
_UNDER_WAY = ("queued", "sending", "unknown")
_MARKS = MarkRow.metadata.tables["contact_marks"]


async def headlines(session: AsyncSession, paths: Sequence[str], state: str = "") -> list[tuple[str, str]]:
    """Return ids and the words to search in of the announcements below these paths, the last changed first."""
    row = AnnouncementRow
    words = col(row.title) + literal(" ") + func.substr(col(row.text), 1, _BEGINNING)
    query = select(row.id, words).join(UnitRow, col(UnitRow.id) == col(row.unit_id)).where(*_within(paths, state))
    ordered = query.order_by(col(row.updated_at).desc(), col(row.id).desc()).limit(_MOST_SEARCHED)
    return [(found, text) for found, text in (await session.exec(ordered)).all()]


async def latest(
    session: AsyncSession, paths: Sequence[str], state: str = "", *, limit: int = 25, offset: int = 0
) -> list[AnnouncementRow]:
    """Return announcements below these paths, the last changed first."""
    row = AnnouncementRow
    query = select(row).join(UnitRow, col(UnitRow.id) == col(row.unit_id)).where(*_within(paths, state))
    ordered = query.order_by(col(row.updated_at).desc(), col(row.id).desc()).limit(limit).offset(offset)
    return list((await session.exec(ordered)).all())


async def by_ids(session: AsyncSession, ids: Sequence[str]) -> list[AnnouncementRow]:
    """Return announcements in the order of their ids given."""
    if not ids:
        return []
    found = (await session.exec(select(AnnouncementRow).where(col(AnnouncementRow.id).in_(ids)))).all()
    rows = {row.id: row for row in found}
    return [rows[each] for each in ids if each in rows]


async def counts(session: AsyncSession, paths: Sequence[str]) -> dict[str, int]:
    """Return how many announcements below these paths stand in each state."""
    row = AnnouncementRow
    query = select(row.state, func.count()).join(UnitRow, col(UnitRow.id) == col(row.unit_id))
    return {state: int(n) for state, n in (await session.exec(query.where(*_within(paths)).group_by(row.state))).all()}


def _within(paths: Sequence[str], state: str = "") -> list[Any]:
    under = or_(literal(1) == 0, *(col(UnitRow.path).startswith(path, autoescape=True) for path in paths))
    return [under, col(AnnouncementRow.state) == state] if state else [under]


async def last_runs(session: AsyncSession, announcement_ids: Sequence[str]) -> dict[str, RunRow]:
    """Return the last run of each of these announcements that has any."""
    if not announcement_ids:
        return {}
    last = (
        select(RunRow.announcement_id, func.max(RunRow.number).label("number"))
        .where(col(RunRow.announcement_id).in_(announcement_ids))
        .group_by(RunRow.announcement_id)
        .subquery()
    )
    here = and_(col(RunRow.announcement_id) == last.c.announcement_id, col(RunRow.number) == last.c.number)
    return {row.announcement_id: row for row in (await session.exec(select(RunRow).join(last, here))).all()}


async def progress(session: AsyncSession, run_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return of each run how many of its recipients have been seen to, and of how many; the unreached do not count.

    Ranges that are through count whole, so that only those in work are looked at row by row.
    """
    if not run_ids:
        return {}
    size = col(ChunkRow.last) - col(ChunkRow.first) + 1
    through = case((col(ChunkRow.state) == "done", size), else_=0)
    sent = and_(col(BroadcastRow.run_id).in_(run_ids), col(BroadcastRow.way) != "none")
    ranges = (
        select(BroadcastRow.run_id, func.sum(through), func.sum(size))
        .join(ChunkRow, col(ChunkRow.broadcast_id) == col(BroadcastRow.id))
        .where(sent)
        .group_by(BroadcastRow.run_id)
    )
    found = {run: (int(done), int(total)) for run, done, total in (await session.exec(ranges)).all()}
    within = and_(
        col(DeliveryRow.broadcast_id) == col(ChunkRow.broadcast_id),
        col(DeliveryRow.n).between(col(ChunkRow.first), col(ChunkRow.last)),
    )
    in_work = (
        select(BroadcastRow.run_id, func.count())
        .join(ChunkRow, col(ChunkRow.broadcast_id) == col(BroadcastRow.id))
        .join(DeliveryRow, within)
        .where(sent, ChunkRow.state == "running", col(DeliveryRow.state).not_in(_UNDER_WAY))
        .group_by(BroadcastRow.run_id)
    )
    for run, number in (await session.exec(in_work)).all():
        done, total = found[run]
        found[run] = (done + int(number), total)
    return found


async def areas_of(session: AsyncSession, unit_ids: Collection[str]) -> list[AreaRow]:
    """Return the villages of these units, by unit and in their order."""
    query = select(AreaRow).where(col(AreaRow.unit_id).in_(unit_ids))
    return list((await session.exec(query.order_by(AreaRow.unit_id, col(AreaRow.position), col(AreaRow.name)))).all())


async def named_areas(session: AsyncSession, area_ids: Collection[str]) -> list[AreaRow]:
    """Return villages by id, in their order."""
    if not area_ids:
        return []
    query = select(AreaRow).where(col(AreaRow.id).in_(area_ids)).order_by(col(AreaRow.position), col(AreaRow.name))
    return list((await session.exec(query)).all())


async def named_topics(session: AsyncSession, topic_ids: Collection[str]) -> list[TopicRow]:
    """Return topics by id, ended ones too."""
    if not topic_ids:
        return []
    query = select(TopicRow).where(col(TopicRow.id).in_(topic_ids)).order_by(col(TopicRow.position), TopicRow.name)
    return list((await session.exec(query)).all())


async def tags(session: AsyncSession, account_ids: Collection[str], most: int = 300) -> list[str]:
    """Return the tags that contacts of these accounts have.

    Goes from one tag to the next, so that a tag on a million contacts costs one look.
    """
    if not account_ids:
        return []
    kind, value = _MARKS.c.kind == "tag", _MARKS.c.value
    every = select_columns(func.min(value).label("tag")).where(kind).cte("every", recursive=True)
    after = select_columns(func.min(value)).where(kind, value > every.c.tag).scalar_subquery()
    every = every.union_all(select_columns(after).where(every.c.tag.is_not(None)))
    person = ContactRow.metadata.tables["contacts"].c
    here = exists(literal(1)).where(
        kind, value == every.c.tag, person.id == _MARKS.c.contact_id, person.account_id.in_(account_ids)
    )
    query = select_columns(every.c.tag).where(every.c.tag.is_not(None), here).limit(most)
    return sorted(str(tag) for tag in (await (await session.connection()).execute(query)).scalars())


async def with_phone(
    session: AsyncSession, account_ids: Collection[str], fingerprint: str, tags: Collection[str]
) -> ContactRow | None:
    """Return the contact of these accounts with a phone and one of these tags, the last heard of; None without one."""
    tagged = select(MarkRow.contact_id).where(MarkRow.kind == "tag", col(MarkRow.value).in_(tags), col(MarkRow.chosen))
    query = select(ContactRow).where(
        ContactRow.phone_hash == fingerprint,
        col(ContactRow.account_id).in_(account_ids),
        col(ContactRow.id).in_(tagged),
        ContactRow.kind == "person",
        ~col(ContactRow.anonymous),
        col(ContactRow.erased_at).is_(None),
    )
    latest_first = func.coalesce(col(ContactRow.last_interaction_at), col(ContactRow.created_at)).desc()
    return (await session.exec(query.order_by(latest_first).limit(1))).first()


async def changed_since(session: AsyncSession, moment: datetime, announcement_id: str = "") -> bool:
    """Say whether an announcement, or any, has changed since a moment, or a run of it has."""
    row, run = select(AnnouncementRow.id).where(AnnouncementRow.updated_at >= moment), select(RunRow.id)
    run = run.where(RunRow.progress_at >= moment)
    if announcement_id:
        row, run = (
            row.where(AnnouncementRow.id == announcement_id),
            run.where(RunRow.announcement_id == announcement_id),
        )
    found = [(await session.exec(query.limit(1))).first() for query in (row, run)]
    return any(each is not None for each in found)
