"""Count whom an announcement reaches and by which way, without reading a row for each of a million."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from sqlalchemy import and_, exists, func, literal, literal_column, not_, or_, select, tuple_, union_all
from sqlalchemy.sql.selectable import CTE
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.domain.audience import UNFINISHED, Audience, Reach, Sender, Way
from bot.store.audience_counts import Chosen, counts, plan_freely
from bot.store.contacts import ADDRESSABLE, GONE, STOPPED
from bot.store.dossiers import DossierPersonRow, DossierRow
from bot.store.marked import Marks
from bot.store.marks import ADVERT, AREA, PURPOSE, TAG, TOPIC
from bot.store.ways import CONTACTS, C, Condition, by_way, heard, rank

_other = CONTACTS.alias("other")
_D = DossierRow.metadata.tables["dossiers"].c
_B = DossierPersonRow.metadata.tables["dossier_people"].c


@dataclass(frozen=True, slots=True)
class Rules:
    """What narrows an audience: its own rules, and what people have decided about the topic or about advertising.

    `path` is that of the announcement's unit: only dossiers of the unit and those below it count.
    """

    audience: Audience = field(default_factory=Audience)
    topic_id: str = ""
    topic_default_on: bool = True
    needs_consent: bool = False
    path: str = ""

    def wanted(self) -> list[Marks]:
        """Return the marks of each of which everybody bears one."""
        rules = self.audience
        kinds = ((AREA, rules.area_ids), (TOPIC, rules.topic_ids), (TAG, rules.tags))
        return [Marks(kind, values) for kind, values in kinds if values]

    def unwanted(self) -> list[Marks]:
        """Return the marks of which nobody bears one."""
        return [Marks(TAG, self.audience.without_tags)] if self.audience.without_tags else []

    def filed(self, columns: Any = C) -> list[Condition]:
        """Return what is asked of somebody's dossiers."""
        rules = self.audience
        unfinished = rules.dossier_state == UNFINISHED
        fields = rules.dossier_fields
        return [with_dossier(columns, fields, self.path, unfinished=unfinished)] if fields else []

    def decided(self) -> dict[str, Marks]:
        """Return by reason the marks that decide whether somebody gets it: not chosen ones keep it from them."""
        found: dict[str, Marks] = {}
        if self.topic_id:
            found["topic_off"] = Marks(TOPIC, (self.topic_id,), chosen=not self.topic_default_on)
        if self.needs_consent:
            found["no_consent"] = Marks(PURPOSE, (ADVERT,))
        return found

    def where(self, columns: Any = C) -> list[Condition]:
        """Return all conditions on a contact."""
        decided = self.decided().values()
        wanted = [*self.wanted(), *(marks for marks in decided if marks.chosen)]
        unwanted = [*self.unwanted(), *(marks for marks in decided if not marks.chosen)]
        kept = [marks.on(columns) for marks in wanted]
        return [*kept, *self.filed(columns), *(not_(marks.on(columns)) for marks in unwanted)]


def with_dossier(columns: Any, fields: Sequence[str], path: str, *, unfinished: bool) -> Condition:
    """Say that a contact is somebody's who has or had a dossier in one of these fields, with a unit below a path.

    Known by the phone that the dossier names, by having been bound to it, or as another contact of such a person.
    """
    known = _known(tuple(fields), path, unfinished).c
    sibling = CONTACTS.alias("sibling").c
    persons = select(known.person_id).where(known.person_id.is_not(None))
    return columns.id.in_(  # type: ignore[no-any-return] # a column's
        union_all(select(known.id), select(sibling.id).where(sibling.person_id.in_(persons)))
    )


@lru_cache(maxsize=64)
def _known(fields: tuple[str, ...], path: str, unfinished: bool) -> CTE:
    """Return the contacts that dossiers name themselves; the same object for the same question, as one name asks."""
    here = [_D.field.in_(fields), _D.path.startswith(path, autoescape=True)]
    if unfinished:
        here.append(_D.finished_at.is_(None))
    holder = CONTACTS.alias("holder").c
    phones = select(_D.phone_hash).where(*here, _D.phone_hash.is_not(None))
    bound = select(_B.contact_id).where(_B.dossier_id.in_(select(_D.id).where(*here)))
    of = select(holder.id, holder.person_id)
    return union_all(of.where(holder.phone_hash.in_(phones)), of.where(holder.id.in_(bound))).cte("named_by_dossiers")


def doubled(senders: Sequence[Sender], rules: Rules) -> Condition:
    """Say that another contact of the same person gets it: one that is better reached, or that was heard of later.

    Of those who cannot be reached any more, too, one stands for the person.
    """
    other = _other.c
    same = or_(
        and_(C.person_id.is_not(None), other.person_id == C.person_id),
        and_(C.phone_hash.is_not(None), other.phone_hash == C.phone_hash),
    )
    theirs, ours = [tuple_(rank(senders, each), heard(each), each.id) for each in (other, C)]
    accounts = [sender.account_id for sender in senders]
    better = exists(literal(1)).where(
        same,
        other.id != C.id,
        other.account_id.in_(accounts),
        or_(ADDRESSABLE, GONE),
        *rules.where(other),
        theirs > ours,
    )
    return and_(or_(C.person_id.is_not(None), C.phone_hash.is_not(None)), better)


async def reach(session: AsyncSession, senders: Sequence[Sender], rules: Rules) -> Reach:
    """Count an audience by account and way, and who is left out; a fraction of a second for a million contacts."""
    found = Reach()
    await plan_freely(session)
    for sender in senders:
        await _count_one(session, sender, rules, found)
    if senders:
        await _take_doubles(session, senders, rules, found)
    return found


async def _count_one(session: AsyncSession, sender: Sender, rules: Rules, found: Reach) -> None:
    """Add one account's figures."""
    chosen = Chosen(rules.wanted(), rules.unwanted(), rules.filed())
    off = None
    for reason, marks in rules.decided().items():
        if marks.chosen:
            without = await counts(session, sender, chosen)
            chosen = chosen.also(marks)
            _add(found.left_out, reason, without[1] - (await counts(session, sender, chosen))[1])
        else:
            off = marks
    turned_off, left, paid, *reached = await counts(session, sender, chosen._replace(off=off))
    _add(found.left_out, "topic_off", turned_off)
    for way, number in zip(sender.ways[:-1], reached, strict=True):
        found.ways[sender.account_id, way] = number
        left -= number
    found.paid += paid
    here, rest = C.account_id == sender.account_id, rules.where(await _asked_last(session))
    gone = await _number(session, here, GONE, *rest)
    found.ways[sender.account_id, Way.NONE] = left + gone
    _add(found.unreached, "window_closed", left)
    _add(found.unreached, "gone", gone)
    _add(found.left_out, "stopped", await _number(session, here, STOPPED, *rest))


async def _asked_last(session: AsyncSession) -> Any:
    """Return the columns by which few contacts are asked for their marks; SQLite is not to begin with the marks."""
    is_sqlite = (await session.connection()).dialect.name == "sqlite"
    return SimpleNamespace(id=literal_column("+contacts.id")) if is_sqlite else C


async def _take_doubles(session: AsyncSession, senders: Sequence[Sender], rules: Rules, found: Reach) -> None:
    """Take out of the figures contacts of people who are counted with another contact."""
    if not await may_double(session):
        return
    twice = (known_twice(), doubled(senders, rules))
    for sender in senders:
        here = (C.account_id == sender.account_id, *rules.where(), *twice)
        for way in sender.ways:
            number = await _number(session, *here, ADDRESSABLE, by_way(sender, way))
            gone = await _number(session, *here, GONE) if way is Way.NONE else 0
            found.ways[sender.account_id, way] -= number + gone
            found.doubled += number + gone
            if way is Way.NONE:
                _add(found.unreached, "window_closed", -number)
                _add(found.unreached, "gone", -gone)
            if way is Way.CHAT and sender.windowed:
                paid = C.last_interaction_at <= sender.free_since
                found.paid -= await _number(session, *here, ADDRESSABLE, by_way(sender, way), paid)


async def may_double(session: AsyncSession) -> bool:
    """Say whether any person is known by more than one contact."""
    connection = await session.connection()
    queries = [select(exists(_more_than_one(column))) for column in (C.phone_hash, C.person_id)]
    return any([(await connection.execute(query)).scalar_one() for query in queries])


def _more_than_one(column: Any) -> Any:
    return select(column).where(column.is_not(None)).group_by(column).having(func.count() > 1)


def known_twice() -> Condition:
    """Say cheaply that a contact may be a double: few are, and only these are compared with each other."""
    return or_(C.phone_hash.in_(_more_than_one(C.phone_hash)), C.person_id.in_(_more_than_one(C.person_id)))


async def _number(session: AsyncSession, *conditions: Any) -> int:
    connection = await session.connection()
    return int((await connection.execute(select(func.count()).select_from(CONTACTS).where(*conditions))).scalar_one())


def _add(figures: dict[str, int], reason: str, number: int) -> None:
    if number and (figures.get(reason, 0) + number):
        figures[reason] = figures.get(reason, 0) + number
    elif number:
        figures.pop(reason, None)
