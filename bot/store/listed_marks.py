"""Mark everybody on an uploaded list whom the accounts know, some lines at a time, in one statement each."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.contacts import ContactRow
from bot.store.marks import SELF, TAG, MarkRow
from bot.store.recipients import ListedRow

LINES = 5000
"""Lines whose people are marked in one transaction."""
_MARKS = MarkRow.metadata.tables["contact_marks"]
_LISTED = ListedRow.metadata.tables["listed"]
_CONTACTS = ContactRow.metadata.tables["contacts"]
_L, _C = _LISTED.c, _CONTACTS.c
_COLUMNS = ["kind", "value", "contact_id", "chosen", "by", "at"]
_PHONE, _USER, _CONTACT = "phone:", "user:", ""


async def put(
    session: AsyncSession,
    list_id: str,
    account_ids: Collection[str],
    mark: MarkRow,
    *,
    after: int,
    most_tags: int,
) -> tuple[int, int | None]:
    """Mark the contacts of some lines, from the one after a number on; returns how many, and the last line or None.

    What a person has said stays, and who has as many tags as there may be gets no other. `mark` says kind, value, by
    whom and when; its contact does not matter.
    """
    connection = await session.connection()
    lines = select(_L.n).where(_L.list_id == list_id, _L.recipient != "", _L.n > after).order_by(_L.n).limit(LINES)
    numbers = list((await connection.execute(lines)).scalars())
    if not numbers:
        return 0, None
    here = and_(_L.list_id == list_id, _L.n.between(numbers[0], numbers[-1]))
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    marked = 0
    for prefix, known in ((_PHONE, _C.phone_hash), (_USER, _C.external_id), (_CONTACT, _C.id)):
        found = and_(_L.recipient.startswith(prefix), known == func.substr(_L.recipient, len(prefix) + 1))
        whom = and_(here, found, _C.account_id.in_(account_ids), _C.erased_at.is_(None), _has_room(mark, most_tags))
        people = select(*_values(mark)).distinct().select_from(_LISTED.join(_CONTACTS, found)).where(whom)
        statement = insert(_MARKS).from_select(_COLUMNS, people)
        new = statement.excluded
        written = statement.on_conflict_do_update(
            index_elements=["kind", "value", "contact_id"],
            set_={"chosen": new.chosen, "by": new.by, "at": new.at},
            where=or_(_MARKS.c.by != SELF, new.by == SELF),
        )
        marked += (await connection.execute(written)).rowcount
    return marked, numbers[-1]


def _values(mark: MarkRow) -> list[ColumnElement[Any]]:
    at: datetime = mark.at
    return [
        literal(mark.kind).label("kind"),
        literal(mark.value).label("value"),
        _C.id,
        literal(value=True).label("chosen"),
        literal(mark.by).label("by"),
        literal(at, _MARKS.c.at.type).label("at"),
    ]


def _has_room(mark: MarkRow, most_tags: int) -> ColumnElement[bool]:
    others = _MARKS.alias("others")
    held = select(func.count()).where(
        others.c.contact_id == _C.id, others.c.kind == TAG, others.c.chosen.is_(True), others.c.value != mark.value
    )
    return held.scalar_subquery() < most_tags if mark.kind == TAG else literal(value=True) == literal(value=True)
