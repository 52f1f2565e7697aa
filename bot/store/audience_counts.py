"""Count one account's contacts who bear some marks and not others: all, those who cost something, and by way.

What the two databases do best differs. SQLite is driven by one stream of ids (marked.py) wherever there is one.
PostgreSQL counts everything in one pass. With several marks of a kind it goes through them and the index of contacts
side by side, all sorted by the contact's id: whether few or many bear them, there is nothing to look up or to hash.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Integer, Text, cast, exists, func, literal, literal_column, not_, select, true
from sqlalchemy.sql import ColumnElement
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.domain.audience import Sender
from bot.store.contacts import ADDRESSABLE
from bot.store.marked import MOST, Marks, merged, streamed
from bot.store.ways import CONTACTS, C, Condition, by_way

_FREE = {
    "enable_hashjoin": "on", "enable_hashagg": "on", "enable_nestloop": "on", "random_page_cost": "1.1",
    "work_mem": "32MB", "jit": "off", "plan_cache_mode": "force_custom_plan",
}  # fmt: skip
"""How PostgreSQL plans all else; indexes are taken to lie in memory or on a disk without a head."""
_MERGED = {
    "enable_hashjoin": "off", "enable_hashagg": "off", "enable_nestloop": "off", "random_page_cost": "0.5",
}  # fmt: skip
"""How it reads everything in the order of ids, and of the indexes of contacts the one that holds all it looks at."""
_HELPERS = "max_parallel_workers_per_gather"
_OWN = func.coalesce(func.nullif(func.current_setting("loa.helpers", true()), ""), func.current_setting(_HELPERS))
"""How many helpers whoever runs this PostgreSQL allows, remembered until this transaction ends."""
_SOUGHT = {"enable_hashjoin": "off"}
"""How it looks up the contacts that bear one mark, or goes along its index; to hash a million takes far longer."""


class Chosen(NamedTuple):
    """Whom a count is of: what they bear, what they do not bear, and other conditions.

    Who bears one of `off`, a choice against a topic, is counted apart.
    """

    wanted: list[Marks]
    unwanted: list[Marks]
    filed: list[Condition]
    off: Marks | None = None

    def also(self, *marks: Marks) -> "Chosen":
        """Return those of them who bear these marks, too."""
        return self._replace(wanted=[*self.wanted, *marks])

    @property
    def marked(self) -> bool:
        """Whether marks alone choose them, and few enough marks to merge."""
        return bool(self.wanted) and not self.filed and self.size <= MOST

    @property
    def size(self) -> int:
        """How many marks are looked at."""
        return sum(len(marks.values) for marks in (*self.wanted, *self.unwanted))


async def plan_freely(session: AsyncSession) -> None:
    """Let PostgreSQL plan what follows in this transaction as it thinks best."""
    await _plan(session, {**_FREE, _HELPERS: _OWN})


async def _plan_merged(session: AsyncSession) -> None:
    """Let at most one process help: each shares the contacts, but goes through all the marks again."""
    one = cast(func.least(cast(_OWN, Integer), 1), Text)
    await _plan(session, {"loa.helpers": _OWN})
    await _plan(session, {**_MERGED, _HELPERS: one})


async def _plan(session: AsyncSession, settings: Mapping[str, Any]) -> None:
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        await connection.execute(select(*(func.set_config(name, value, true()) for name, value in settings.items())))


async def counts(session: AsyncSession, sender: Sender, chosen: Chosen) -> tuple[int, ...]:
    """Return how many are off, and of the others: how many, how many of them cost something, how many by each way."""
    sqlite = (await session.connection()).dialect.name == "sqlite"
    merged_ = chosen.marked and not sqlite
    if chosen.off is not None and not merged_:
        # They are few: counted for themselves, they need not be looked for among all.
        every = chosen._replace(off=None)
        some = await counts(session, sender, every.also(chosen.off))
        return (some[1], *_less(await counts(session, sender, every), some)[1:])
    if chosen.unwanted and not merged_ and not (chosen.wanted and (sqlite or _many(chosen.wanted))):
        # Of all, or in PostgreSQL of few, so are those who are not wanted.
        every = chosen._replace(unwanted=[])
        some = await counts(session, sender, every.also(*chosen.unwanted))
        return _less(await counts(session, sender, every), some)
    if not _many(chosen.wanted):
        await _plan(session, _SOUGHT)
    elif merged_:
        await _plan_merged(session)
    query = _merging(sender, chosen) if merged_ else _seeking(sender, chosen, sqlite=sqlite)
    found = (await (await session.connection()).execute(query)).one()
    await plan_freely(session)
    off, all_, free, chat, *others = (int(number) for number in found)
    return off, all_, chat - free if sender.windowed else 0, chat, *others


def _many(wanted: Sequence[Marks]) -> bool:
    """Say whether so many are wanted that PostgreSQL does best to go through all contacts once."""
    return any(len(marks.values) > 1 for marks in wanted)


def _less(counts: Sequence[int], some: Sequence[int]) -> tuple[int, ...]:
    return tuple(all_ - part for all_, part in zip(counts, some, strict=True))


def _figures(sender: Sender, *kept: Condition) -> list[Any]:
    """Return what is counted of those who are kept: all, those by free text who cost nothing, and those by each way."""
    free = C.last_interaction_at > max(sender.since, sender.free_since) if sender.windowed else true()
    ways = [by_way(sender, way) for way in sender.ways[:-1]]
    return [func.count().filter(*kept), *(func.count().filter(*kept, each) for each in (free, *ways))]


def _merging(sender: Sender, chosen: Chosen) -> Any:
    """Count in one pass, for PostgreSQL: who is off is seen on the way."""
    here: list[Any] = [C.account_id == sender.account_id, ADDRESSABLE]
    here += [C.id.in_(merged(marks)) for marks in chosen.wanted]
    for marks in chosen.unwanted:
        borne = merged(marks).subquery().c.contact_id
        here.append(not_(exists(literal(1)).where(borne == C.id)))
    if chosen.off is None:
        return select(literal(0), *_figures(sender)).select_from(CONTACTS).where(*here)
    off = merged(chosen.off).subquery("off")
    bearer = off.c.contact_id
    table = CONTACTS.outerjoin(off, bearer == C.id)
    return select(func.count(bearer), *_figures(sender, bearer.is_(None))).select_from(table).where(*here)


def _seeking(sender: Sender, chosen: Chosen, *, sqlite: bool) -> Any:
    """Count by one stream of ids, or by asking each contact that comes into question."""
    stream = streamed(chosen.wanted, chosen.unwanted) if sqlite else None
    conditions: list[ColumnElement[bool]]
    if stream is not None:
        ids, left = stream
        table = ids.join(CONTACTS, C.id == ids.c.contact_id)
        conditions = [marks.on(C) for marks in left]
    else:
        table = CONTACTS
        conditions = [marks.on(C) for marks in chosen.wanted]
        conditions += [not_(marks.on(C)) for marks in chosen.unwanted]
    conditions += chosen.filed
    # Marks and dossiers choose a part of all: SQLite is not to go through all contacts of the account.
    driven = sqlite and (stream is not None or conditions)
    account: Any = literal_column("+account_id") if driven else C.account_id
    here = [account == sender.account_id, ADDRESSABLE, *conditions]
    query = select(literal(0), *_figures(sender)).select_from(table).where(*here)
    if stream is not None:
        # A cross join is done in the order in which it is written: the stream is not laid down before it is read.
        query = query.with_hint(stream[0], "CROSS", "sqlite")
    if driven:
        query = query.with_hint(CONTACTS, "INDEXED BY ix_contacts_addressable_id", "sqlite")
    return query
