"""Read the recipients of an announcement's run in pages: those it did not reach, and all of them."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import and_, exists, literal, not_, or_, select, tuple_
from sqlalchemy.sql import ColumnElement
from sqlmodel import col
from sqlmodel import select as select_rows
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.broadcasts import BroadcastRow, DeliveryRow
from bot.store.contacts import ContactRow
from bot.store.marks import MarkRow
from bot.store.results import DECIDED, MARKS, MISSED, D, listed_village, village_of

_DELIVERIES = DeliveryRow.metadata.tables["deliveries"]
_CONTACTS = ContactRow.metadata.tables["contacts"]
_BROADCASTS = BroadcastRow.metadata.tables["broadcasts"]
_P = _CONTACTS.c
PAGE = 1000
"""Rows that are read in one transaction: a few milliseconds of this process' time."""
BY_PHONE = "phone:"
"""What the recipient of a delivery begins with who is known by a phone only; the address is the phone then."""


class Which(StrEnum):
    """Which of those whom a run did not reach: not to be sent to, stopped before it left, or decided against it."""

    MISSED = "missed"
    CANCELLED = "cancelled"
    DECIDED = "decided"


class Told(NamedTuple):
    """One recipient with what is known of them; `phone` encrypted as the contact's, `address` as the delivery's."""

    broadcast_id: int
    n: int
    recipient: str
    address: str
    merged: dict[str, Any] | None
    state: str
    reason: str
    sending_at: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    seen_at: datetime | None
    failed_at: datetime | None
    way: str
    account_id: str
    name: str | None
    phone: bytes | None


_COLUMNS = (
    D.broadcast_id, D.n, D.recipient, D.address, D.merged, D.state, D.reason, D.sending_at, D.sent_at, D.delivered_at,
    D.seen_at, D.failed_at, _BROADCASTS.c.way, _BROADCASTS.c.account_id, _P.name, _P.phone,
)  # fmt: skip
_JOINED = _DELIVERIES.join(_BROADCASTS, _BROADCASTS.c.id == D.broadcast_id).outerjoin(
    _CONTACTS, and_(_P.id == D.recipient, _P.erased_at.is_(None))
)


_KNOWN = exists(literal(1)).where(MARKS.c.contact_id == D.recipient, MARKS.c.kind == "area", MARKS.c.chosen.is_(True))


def _chosen(which: Which) -> ColumnElement[bool]:
    if which is Which.MISSED:
        return D.state.in_(MISSED)
    decided = D.reason.in_(DECIDED)
    return and_(D.state == "cancelled", decided if which is Which.DECIDED else not_(decided))


async def unreached(
    session: AsyncSession,
    broadcast_ids: Sequence[int],
    which: Which,
    *,
    village: str | None = None,
    listed: tuple[str, Sequence[str]] = ("", ()),
    after: tuple[int, int] = (0, 0),
    limit: int = PAGE,
) -> list[Told]:
    """Return those whom broadcasts did not reach, in the order of their rows, from the one after `after` on.

    With `village` only those of one, with "" those of whom none is known. `listed` is the column of villages of the
    list that they came from, and how this village is written there: it counts for those whose village nobody has set.
    """
    here = [D.broadcast_id.in_(broadcast_ids), tuple_(D.broadcast_id, D.n) > after, _chosen(which)]
    table = _JOINED
    column, written = listed
    if village and not written:
        table = table.join(MARKS, and_(*village_of(D.recipient, village)))
    elif village is not None:
        text = listed_village(column)
        told = and_(not_(_KNOWN), text.in_(written) if written else text == "")
        marked = exists(literal(1)).where(*village_of(D.recipient, village))
        here.append(or_(marked, told) if village else told)
    query = select(*_COLUMNS).select_from(table).where(*here).order_by(D.broadcast_id, D.n).limit(limit)
    return [Told._make(row) for row in (await (await session.connection()).execute(query)).all()]


async def page(session: AsyncSession, broadcast_id: int, after: int, limit: int = PAGE) -> list[Told]:
    """Return recipients of one broadcast in their order, from the one after a number on."""
    query = select(*_COLUMNS).select_from(_JOINED).where(D.broadcast_id == broadcast_id, D.n > after)
    rows = await (await session.connection()).execute(query.order_by(D.n).limit(limit))
    return [Told._make(row) for row in rows.all()]


async def villages(session: AsyncSession, contact_ids: Sequence[str]) -> dict[str, str]:
    """Return the id of the village of each contact that has one: of several the one that was chosen last."""
    query = select_rows(MarkRow.contact_id, MarkRow.value).where(
        col(MarkRow.contact_id).in_(contact_ids), MarkRow.kind == "area", col(MarkRow.chosen)
    )
    ordered = query.order_by(col(MarkRow.at), col(MarkRow.value))
    return dict((await session.exec(ordered)).all())
