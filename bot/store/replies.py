"""Find what people wrote because of an announcement: what quotes it, and what they wrote first after they got it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import and_, case, exists, func, literal, not_, or_, select
from sqlalchemy.sql import ColumnElement
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.clock import first_id
from bot.store.broadcasts import DeliveryRow
from bot.store.contacts import ContactRow
from bot.store.messages import MessageRow
from bot.store.results import LEFT, D

HOURS = 72
"""How long the first words after an announcement count as an answer to it."""
_WITHIN = timedelta(hours=HOURS)
_MESSAGES = MessageRow.metadata.tables["messages"]
_M = _MESSAGES.c
_between = _MESSAGES.alias("between_them")
_other = DeliveryRow.metadata.tables["deliveries"].alias("other")
_P = ContactRow.metadata.tables["contacts"].c
_DAY = timedelta(days=1)


class Reply(NamedTuple):
    """One message that came because of an announcement; `quoted` says that it names it, else it was the first since."""

    message_id: str
    contact_id: str
    name: str
    at: datetime
    text: str
    case_id: str | None
    quoted: bool


async def replies(session: AsyncSession, broadcast_ids: Sequence[int], since: datetime) -> list[Reply]:
    """Return what came because of broadcasts that began at `since`, newest first.

    That is what quotes one of their messages, and the first words of a recipient within HOURS after getting it, when
    nothing else was sent to them in between. It reads what has come in since then, a second or so for a million.
    """
    assert broadcast_ids
    sqlite = (await session.connection()).dialect.name == "sqlite"
    got = func.coalesce(D.sending_at, D.sent_at)
    quoted = and_(_M.quotes.is_not(None), _M.quotes == D.provider_id)
    first = and_(_M.occurred_at >= got, _soon(got, sqlite=sqlite), not_(_written(got)), not_(_sent(got)))
    table = _MESSAGES.join(DeliveryRow.metadata.tables["deliveries"], D.recipient == _M.contact_id).join(
        ContactRow.metadata.tables["contacts"], _P.id == _M.contact_id
    )
    query = (
        select(_M.id, _M.contact_id, _P.name, _M.occurred_at, _M.text, _M.case_id, func.max(case((quoted, 1), else_=0)))
        .select_from(table)
        .where(
            # Ids are made in the order of time: what came before the run has a smaller one.
            _M.id >= first_id(since), _M.direction == "in", D.broadcast_id.in_(broadcast_ids), D.state.in_(LEFT),
            or_(quoted, first),
        )
        .group_by(_M.id, _M.contact_id, _P.name, _M.occurred_at, _M.text, _M.case_id)
        .order_by(_M.occurred_at.desc(), _M.id.desc())
    )  # fmt: skip
    rows = await (await session.connection()).execute(query)
    return [Reply(*row[:6], quoted=bool(row[6])) for row in rows.all()]


def _soon(got: ColumnElement[Any], *, sqlite: bool) -> ColumnElement[bool]:
    if sqlite:
        return func.julianday(_M.occurred_at) - func.julianday(got) <= _WITHIN / _DAY
    return _M.occurred_at - got <= _WITHIN


def _written(got: ColumnElement[Any]) -> ColumnElement[bool]:
    """Say that something was written in between, by the person or to them."""
    there = _between.c
    earlier = or_(there.occurred_at < _M.occurred_at, and_(there.occurred_at == _M.occurred_at, there.id < _M.id))
    return exists(literal(1)).where(there.contact_id == _M.contact_id, there.occurred_at >= got, earlier)


def _sent(got: ColumnElement[Any]) -> ColumnElement[bool]:
    """Say that another broadcast was sent to the person in between."""
    theirs = func.coalesce(_other.c.sending_at, _other.c.sent_at)
    return exists(literal(1)).where(
        _other.c.recipient == _M.contact_id,
        _other.c.broadcast_id != D.broadcast_id,
        _other.c.state.in_(LEFT),
        theirs > got,
        theirs <= _M.occurred_at,
    )
