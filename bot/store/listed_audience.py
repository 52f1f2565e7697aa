"""Count and freeze the people of an uploaded list: each line finds its contact, if there is one, and its way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    String,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.sql import ColumnElement
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.domain.audience import TEMPLATE_USER_WINDOW, Reach, Sender, Way
from bot.store.audience import Rules
from bot.store.broadcasts import BroadcastRow, DeliveryRow
from bot.store.contacts import ContactRow
from bot.store.dossiers import DossierPersonRow, DossierRow
from bot.store.marked import Marks
from bot.store.marks import ADVERT, PURPOSE, TOPIC
from bot.store.recipients import ListedRow
from bot.store.ways import heard, rank

_L = ListedRow.metadata.tables["listed"]
_D = DeliveryRow.metadata.tables["deliveries"].c
_person = ContactRow.metadata.tables["contacts"].alias("person")
_found = ContactRow.metadata.tables["contacts"].alias("found")
_P = _person.c
_filed = DossierRow.metadata.tables["dossiers"].alias("filed")
_bound_table = DossierPersonRow.metadata.tables["dossier_people"]
_bound = _bound_table.c
_COLUMNS = ["broadcast_id", "n", "recipient", "address", "merged", "state", "reason", "failed_at"]
LINES = 5_000
"""Lines in one transaction."""


def _lines(senders: Sequence[Sender], list_id: str, after: int, until: int | None, dialect: str) -> Any:
    """Choose good lines, each with the contact that it means, of several the one best reached, and with its phone.

    Where the line's dossier is bound to a contact, the phone is the dossier's: whoever has that may be meant, too.
    """
    ids = [sender.account_id for sender in senders]
    same = or_(
        and_(_L.c.recipient.like("phone:%"), _found.c.phone_hash == func.substr(_L.c.recipient, 7)),
        and_(
            _L.c.recipient.like("user:%"),
            _found.c.account_id.in_(ids),
            _found.c.external_id == func.substr(_L.c.recipient, 6),
        ),
        _found.c.id == _L.c.recipient,
        _found.c.phone_hash == _filed.c.phone_hash,
    )
    contact = (
        select(_found.c.id)
        .where(same, _sends(senders), _found.c.erased_at.is_(None))
        .order_by(rank(senders, _found.c).desc(), heard(_found.c).desc(), _found.c.id)
        .limit(1)
        .correlate(_L, _filed)
        .scalar_subquery()
    )
    here = [_L.c.list_id == list_id, _L.c.recipient != "", _L.c.n > after]
    if until is not None:
        here.append(_L.c.n <= until)
    of_contact = and_(_L.c.recipient.not_like("phone:%"), _L.c.recipient.not_like("user:%"))
    by_phone = _L.c.recipient.like("phone:%")
    sealed = func.encode(_filed.c.phone, "hex") if dialect == "postgresql" else func.lower(func.hex(_filed.c.phone))
    columns = (
        _L.c.n,
        _L.c.recipient,
        case((of_contact, ""), else_=_L.c.address).label("address"),
        _L.c.merged,
        contact.label("contact_id"),
        case((by_phone, _L.c.address), else_=sealed).label("phone"),
        case((by_phone, func.substr(_L.c.recipient, 7)), else_=_filed.c.phone_hash).label("phone_hash"),
    )
    table = _L.outerjoin(_filed, and_(of_contact, _filed.c.id == _L.c.address))
    return select(*columns).select_from(table).where(*here).subquery("lines")


def _sends(senders: Sequence[Sender]) -> ColumnElement[bool]:
    """Say that the contact found is a sending account's; asked last: not to be looked up by the account's index."""
    return _found.c.account_id.concat("").in_([sender.account_id for sender in senders])


def _first_phone(columns: Any) -> ColumnElement[Any]:
    """Return the fingerprint by which somebody without a phone is known: one that the dossiers name they are bound to.

    Of several always the same, so that a contact is one person on every line.
    """
    own = DossierRow.metadata.tables["dossiers"].alias("own").c
    query = select(func.min(own.phone_hash)).join_from(_bound_table, own.id.table, _bound.dossier_id == own.id)
    return query.where(_bound.contact_id == columns.id).correlate(columns.id.table).scalar_subquery()


def _left_out(rules: Rules, lines: Any, way: ColumnElement[str]) -> ColumnElement[str]:
    """Return why somebody who is listed has decided against it, "" for who has not.

    An office that lists people knows that it concerns them: a topic counts only where they have turned it off. What is
    like advertising goes to nobody who has not agreed to it, and of a phone alone nobody knows that.
    """
    known = _P.id.is_not(None)
    # Whoever has told one account to stop is not called up by phone through it in another's name.
    by_phone = exists(literal(1)).where(
        or_(_found.c.phone_hash == lines.c.phone_hash, _found.c.id == lines.c.recipient),
        _found.c.stopped_at.is_not(None),
    )
    to_phone = or_(lines.c.recipient.like("phone:%"), way == Way.TEMPLATE_PHONE.value)
    stopped = or_(and_(known, _P.stopped_at.is_not(None)), and_(to_phone, by_phone))
    whens: list[Any] = [(stopped, "stopped")]
    if rules.topic_id:
        whens.append((and_(known, Marks(TOPIC, (rules.topic_id,), chosen=False).on(_P)), "topic_off"))
    if rules.needs_consent:
        whens.append((or_(_P.id.is_(None), not_(Marks(PURPOSE, (ADVERT,)).on(_P))), "no_consent"))
    return case(*whens, else_="")


def _open() -> ColumnElement[bool]:
    """Say that a line has a contact that may be written to in its chat."""
    return and_(_P.id.is_not(None), _P.gone == "", not_(_P.anonymous), _P.stopped_at.is_(None), _P.kind == "person")


def _which(senders: Sequence[Sender], lines: Any) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return as expressions the account and the way of each line."""
    phone_by = next((s.account_id for s in senders if s.by_phone), None)
    accounts: list[Any] = []
    ways: list[Any] = []
    for s in senders:
        mine = and_(_open(), _P.account_id == s.account_id)
        chat = and_(mine, _P.last_interaction_at > s.since if s.windowed else true())
        accounts.append((chat, s.account_id))
        ways.append((chat, Way.CHAT.value))
        if s.by_user:
            year = and_(mine, heard(_P) > s.at - TEMPLATE_USER_WINDOW)
            accounts.append((year, s.account_id))
            ways.append((year, Way.TEMPLATE_USER.value))
    by_phone = and_(lines.c.phone_hash.is_not(None), true() if phone_by else false())
    accounts.append((by_phone, phone_by or ""))
    ways.append((by_phone, Way.TEMPLATE_PHONE.value))
    rest = func.coalesce(_P.account_id, senders[0].account_id)
    return case(*accounts, else_=rest), case(*ways, else_=Way.NONE.value)


def _reason() -> ColumnElement[str]:
    return case((_P.id.is_(None), "not_known"), (_P.gone != "", "gone"), else_="window_closed")


def _resolved(senders: Sequence[Sender], rules: Rules, after: int, until: int | None, dialect: str) -> Any:
    """Return each good line with who it is, by which account and way, whether left out, and its turn for its person."""
    lines = _lines(senders, rules.audience.list_id, after, until, dialect)
    account, way = _which(senders, lines)
    frees = [and_(_P.account_id == s.account_id, _P.last_interaction_at > s.free_since) for s in senders if s.windowed]
    windowed = or_(*(_P.account_id == s.account_id for s in senders if s.windowed), false())
    unknown, out = _P.id.is_(None), _left_out(rules, lines, way)
    # One person: who is linked, else who has the phone, else who it is. It follows from the recipient alone.
    phone_hash = func.coalesce(_P.phone_hash, _first_phone(_P), case((unknown, lines.c.phone_hash)))
    person = func.coalesce(_P.person_id, phone_hash, _P.id, lines.c.recipient)
    alone = and_(unknown, lines.c.phone_hash.is_not(None))
    columns = {
        "n": lines.c.n,
        "recipient": case(
            (alone, literal("phone:") + lines.c.phone_hash), else_=func.coalesce(_P.id, lines.c.recipient)
        ),
        "user": case((alone, lines.c.phone), else_=func.coalesce(_P.external_id, lines.c.address)),
        "phone": lines.c.phone,
        "phone_hash": case((_P.person_id.is_(None), phone_hash)),
        "merged": lines.c.merged,
        "account": account,
        "way": way,
        "out": out,
        "reason": _reason(),
        "paid": case((and_(way == Way.CHAT.value, windowed, not_(or_(*frees, false()))), 1), else_=0),
        "person_id": _P.person_id,
        "turn": func.row_number().over(partition_by=(person, out == ""), order_by=lines.c.n),
    }
    labelled = [column.label(name) for name, column in columns.items()]
    return select(*labelled).select_from(lines.outerjoin(_person, _P.id == lines.c.contact_id)).subquery("resolved")


async def reach(session: AsyncSession, senders: Sequence[Sender], rules: Rules) -> Reach:
    """Count the people of a list by account and way, and who not, by reason; each person once."""
    found = Reach()
    if not senders:
        return found
    connection = await session.connection()
    chosen = _resolved(senders, rules, 0, None, connection.dialect.name).c
    columns = (chosen.account, chosen.way, chosen.out, chosen.reason, case((chosen.turn == 1, 1), else_=0))
    query = select(*columns, func.count(), func.sum(chosen.paid)).group_by(*columns)
    for account_id, name, out, reason, first, number, cost in (await connection.execute(query)).all():
        if not first:
            found.doubled += number
            continue
        if out:
            found.left_out[out] = found.left_out.get(out, 0) + number
            continue
        key = (account_id, Way(name))
        found.ways[key] = found.ways.get(key, 0) + number
        found.paid += int(cost or 0)
        if key[1] is Way.NONE:
            found.unreached[reason] = found.unreached.get(reason, 0) + number
    return found


async def good_lines(
    session: AsyncSession, list_id: str, after: int, limit: int = 1000
) -> list[tuple[int, dict[str, Any]]]:
    """Return the numbers and merge values of good lines in their order, from the one after a number on."""
    query = select(_L.c.n, _L.c.merged).where(_L.c.list_id == list_id, _L.c.recipient != "", _L.c.n > after)
    found = await (await session.connection()).execute(query.order_by(_L.c.n).limit(limit))
    return [(n, merged or {}) for n, merged in found.all()]


async def last_line(session: AsyncSession, list_id: str) -> int:
    """Return the number of the last line of a list; 0 for an empty one."""
    query = select(func.coalesce(func.max(_L.c.n), 0)).where(_L.c.list_id == list_id)
    return int((await (await session.connection()).execute(query)).scalar_one())


def _has_by_phone(chosen: Any, made_for: ColumnElement[bool], sends: ColumnElement[bool]) -> ColumnElement[bool]:
    """Say that whoever has a line's phone has a row: as a phone, as a contact, or by a dossier that names it."""
    other, dossier = _found.c, _filed.alias("named").c
    got = (sends, func.coalesce(other.person_id, "") == "", _D.recipient == other.id, made_for)
    named = (dossier.phone_hash == chosen.phone_hash, _bound.dossier_id == dossier.id, other.id == _bound.contact_id)
    return or_(
        exists(literal(1)).where(_D.recipient == literal("phone:") + chosen.phone_hash, made_for),
        exists(literal(1)).where(other.phone_hash == chosen.phone_hash, *got),
        exists(literal(1)).where(
            *named, func.coalesce(other.phone_hash, "") == "", _first_phone(other) == chosen.phone_hash, *got
        ),
    )


async def freeze_lines(
    session: AsyncSession,
    senders: Sequence[Sender],
    rows: dict[tuple[str, Way], BroadcastRow],
    rules: Rules,
    after: int,
    until: int,
    now: datetime,
) -> int:
    """Make the deliveries of the lines after one up to another; returns how many."""
    made = 0
    chosen = _resolved(senders, rules, after, until, (await session.connection()).dialect.name).c
    others = _found.c
    made_for = _D.broadcast_id.in_([r.id for r in rows.values()])
    sends = _sends(senders)
    # Of lines before these: several dossiers are one person's, by one phone, one contact or several.
    has_one = exists(literal(1)).where(others.person_id == chosen.person_id, sends, _D.recipient == others.id, made_for)
    itself = exists(literal(1)).where(_D.recipient == chosen.recipient, made_for)
    here = (
        chosen.turn == 1,
        chosen.out == "",
        not_(itself),
        or_(chosen.person_id.is_(None), not_(has_one)),
        or_(chosen.phone_hash.is_(None), not_(_has_by_phone(chosen, made_for, sends))),
    )
    for (account_id, way), row in rows.items():
        nobody = way is Way.NONE
        statement = select(
            literal(row.id),
            literal(row.total) + func.row_number().over(order_by=chosen.n),
            chosen.recipient,
            chosen.phone if way is Way.TEMPLATE_PHONE else chosen.user,
            chosen.merged,
            literal("failed" if nobody else "queued"),
            chosen.reason if nobody else cast(literal(""), String),
            literal(now if nobody else None, DeliveryRow.__table__.c.failed_at.type),  # type: ignore[attr-defined] # a table
        ).where(chosen.account == account_id, chosen.way == way.value, *here)
        result = await session.exec(insert(DeliveryRow).from_select(_COLUMNS, statement, include_defaults=True))
        row.total += int(result.rowcount)
        made += int(result.rowcount)
    return made
