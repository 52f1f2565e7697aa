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
from bot.store.audience import heard, reached_by_chat
from bot.store.broadcasts import BroadcastRow, DeliveryRow
from bot.store.contacts import ContactRow
from bot.store.recipients import ListedRow

_L = ListedRow.metadata.tables["listed"]
_earlier = _L.alias("earlier")
_person = ContactRow.metadata.tables["contacts"].alias("person")
_found = ContactRow.metadata.tables["contacts"].alias("found")
_P = _person.c
_COLUMNS = ["broadcast_id", "n", "recipient", "address", "merged", "state", "reason", "failed_at"]
LINES = 20_000
"""Lines in one transaction."""


def _lines(senders: Sequence[Sender], list_id: str, after: int, until: int | None) -> Any:
    """Choose the first line of each recipient, with the contact that it means: of several the one best reached."""
    same = or_(
        and_(_L.c.recipient.like("phone:%"), _found.c.phone_hash == func.substr(_L.c.recipient, 7)),
        and_(_L.c.recipient.like("user:%"), _found.c.external_id == func.substr(_L.c.recipient, 6)),
    )
    contact = (
        select(_found.c.id)
        .where(same, _found.c.account_id.in_([s.account_id for s in senders]), _found.c.erased_at.is_(None))
        .order_by(reached_by_chat(senders, _found.c).desc(), heard(_found.c).desc(), _found.c.id)
        .limit(1)
        .correlate(_L)
        .scalar_subquery()
    )
    doubled = exists(literal(1)).where(
        _earlier.c.list_id == _L.c.list_id, _earlier.c.recipient == _L.c.recipient, _earlier.c.n < _L.c.n
    )
    here = [_L.c.list_id == list_id, _L.c.recipient != "", _L.c.n > after, ~doubled]
    if until is not None:
        here.append(_L.c.n <= until)
    columns = (_L.c.n, _L.c.recipient, _L.c.address, _L.c.merged, contact.label("contact_id"))
    return select(*columns).where(*here).subquery("lines")


def _left_out() -> ColumnElement[bool]:
    return and_(_P.id.is_not(None), _P.stopped_at.is_not(None))


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
    by_phone = and_(lines.c.recipient.like("phone:%"), true() if phone_by else false())
    accounts.append((by_phone, phone_by or ""))
    ways.append((by_phone, Way.TEMPLATE_PHONE.value))
    rest = func.coalesce(_P.account_id, senders[0].account_id)
    return case(*accounts, else_=rest), case(*ways, else_=Way.NONE.value)


def _reason(lines: Any) -> ColumnElement[str]:
    del lines
    return case((_P.id.is_(None), "not_known"), (_P.gone != "", "gone"), else_="window_closed")


async def reach(session: AsyncSession, senders: Sequence[Sender], list_id: str) -> Reach:
    """Count the people of a list by account and way, and who not, by reason."""
    found = Reach()
    if not senders:
        return found
    lines = _lines(senders, list_id, 0, None)
    account, way = _which(senders, lines)
    frees = [and_(_P.account_id == s.account_id, _P.last_interaction_at > s.free_since) for s in senders if s.windowed]
    windowed = or_(*(_P.account_id == s.account_id for s in senders if s.windowed), false())
    paid = case((and_(way == Way.CHAT.value, windowed, not_(or_(*frees, false()))), 1), else_=0)
    chosen = select(
        account.label("account"), way.label("way"), _left_out().label("out"), _reason(lines).label("reason"),
        paid.label("paid"),
    ).select_from(lines.outerjoin(_person, _P.id == lines.c.contact_id)).subquery()  # fmt: skip
    columns = (chosen.c.account, chosen.c.way, chosen.c.out, chosen.c.reason)
    query = select(*columns, func.count(), func.sum(chosen.c.paid)).group_by(*columns)
    for account_id, name, out, reason, number, cost in (await (await session.connection()).execute(query)).all():
        if out:
            found.left_out["stopped"] = found.left_out.get("stopped", 0) + number
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


async def freeze_lines(
    session: AsyncSession,
    senders: Sequence[Sender],
    rows: dict[tuple[str, Way], BroadcastRow],
    list_id: str,
    after: int,
    until: int,
    now: datetime,
) -> int:
    """Make the deliveries of the lines after one up to another; returns how many."""
    made = 0
    for (account_id, way), row in rows.items():
        lines = _lines(senders, list_id, after, until)
        account, chosen = _which(senders, lines)
        nobody = way is Way.NONE
        by_phone = way is Way.TEMPLATE_PHONE
        statement = (
            select(
                literal(row.id),
                literal(row.total) + func.row_number().over(order_by=lines.c.n),
                func.coalesce(_P.id, lines.c.recipient),
                lines.c.address if by_phone else func.coalesce(_P.external_id, lines.c.address),
                lines.c.merged,
                literal("failed" if nobody else "queued"),
                _reason(lines) if nobody else cast(literal(""), String),
                literal(now if nobody else None, DeliveryRow.__table__.c.failed_at.type),  # type: ignore[attr-defined] # a table
            )
            .select_from(lines.outerjoin(_person, _P.id == lines.c.contact_id))
            .where(account == account_id, chosen == way.value, not_(_left_out()))
        )
        result = await session.exec(insert(DeliveryRow).from_select(_COLUMNS, statement, include_defaults=True))
        row.total += int(result.rowcount)
        made += int(result.rowcount)
    return made
