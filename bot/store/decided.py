"""Find those of many recipients who have decided against getting something since their rows were made."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, Text, and_, bindparam, exists, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.audience import Way
from bot.store.contacts import ContactRow
from bot.store.deliveries import Chunk, Due
from bot.store.marks import ADVERT, PURPOSE, TOPIC, MarkRow

_PHONE = "phone:"
_PEOPLE = ContactRow.metadata.tables["contacts"].c
_M = MarkRow.metadata.tables["contact_marks"].c


def _among(column: Any, dialect: str) -> Any:
    if dialect == "sqlite":
        return column.in_(select(func.json_each(bindparam("who", type_=Text)).table_valued("value").c.value))
    return column == func.any(bindparam("who", type_=ARRAY(Text)))


def _questions(column: Any, chosen: Any) -> dict[str, Any]:
    return {dialect: select(column).where(chosen, _among(column, dialect)) for dialect in ("sqlite", "postgresql")}


# Every window of a broadcast passes through these: they are built once.
_OVER = or_(_PEOPLE.stopped_at.is_not(None), _PEOPLE.erased_at.is_not(None))
_BY_ID, _BY_PHONE = _questions(_PEOPLE.id, _OVER), _questions(_PEOPLE.phone_hash, _OVER)
_other = ContactRow.metadata.tables["contacts"].alias("other")
# What goes to a phone reaches whoever has told any account to stop under that phone.
_BY_OTHERS = _questions(
    _PEOPLE.id,
    exists(literal(1)).where(_other.c.phone_hash == _PEOPLE.phone_hash, _other.c.stopped_at.is_not(None)),
)
_UNCHOSEN = _questions(
    _M.contact_id,
    and_(
        ~_M.chosen,
        or_(
            and_(_M.kind == TOPIC, _M.value == bindparam("topic")),
            and_(_M.kind == PURPOSE, _M.value == bindparam("purpose")),
        ),
    ),
)


async def against(connection: AsyncConnection, chunk: Chunk, due: Sequence[Due]) -> set[str]:
    """Return who of those marked has said stop, was erased, or has decided against the topic or the purpose."""
    people = [row.recipient for row in due if not row.recipient.startswith(_PHONE)]
    phones = [row.recipient.removeprefix(_PHONE) for row in due if row.recipient.startswith(_PHONE)]
    found = await _asked(connection, _BY_ID, people)
    found |= {f"{_PHONE}{phone}" for phone in await _asked(connection, _BY_PHONE, phones)}
    if chunk.way == Way.TEMPLATE_PHONE:
        found |= await _asked(connection, _BY_OTHERS, people)
    if chunk.topic_id or chunk.needs_consent:
        purpose = ADVERT if chunk.needs_consent else ""
        found |= await _asked(connection, _UNCHOSEN, people, topic=chunk.topic_id, purpose=purpose)
    return found


async def _asked(connection: AsyncConnection, questions: dict[str, Any], who: list[str], **values: str) -> set[str]:
    if not who:
        return set()
    dialect = connection.dialect.name
    given = json.dumps(who) if dialect == "sqlite" else who
    rows = await connection.execute(questions[dialect], {"who": given, **values})
    return {str(row[0]) for row in rows.all()}
