"""Keep the topics of a unit's announcements: added, renamed, put in order, ended."""

from bot.actions.case_trail import audit
from bot.actions.units import unit_of, words_of
from bot.domain.text import fold
from bot.errors import InvalidInputError, NotFoundError
from bot.store import marks
from bot.store.marks import TopicRow
from bot.store.unit_of_work import UnitOfWork

MAX_NAME = 45
"""Characters: a button shows the name and whether it is on, and has room for 64."""


async def topic_of(uow: UnitOfWork, topic_id: str) -> TopicRow:
    """Return a topic in use; raises NotFoundError."""
    row = await marks.topic(uow.session, topic_id)
    if row is None or row.ended_at is not None:
        raise NotFoundError(f"topic {topic_id}")
    return row


async def save_topic(
    uow: UnitOfWork, unit_id: str, topic_id: str | None, name: str, *, default_on: bool, advert: bool
) -> TopicRow:
    """Add a topic at the end or change one; what is like advertising is never on by default.

    Raises InvalidInputError name_taken when whoever follows this unit has another topic of that name already.
    """
    unit = await unit_of(uow, unit_id)
    name = " ".join(words_of(name, "name", MAX_NAME).split())
    row = await topic_of(uow, topic_id) if topic_id else None
    if row is not None and row.unit_id != unit_id:
        raise NotFoundError(f"topic {topic_id}")
    if any(fold(one.name) == fold(name) and one.id != topic_id for one in await marks.topics(uow.session, unit)):
        raise InvalidInputError("name", "name_taken")
    if row is None:
        position = 1 + max((one.position for one in await marks.own_topics(uow.session, unit_id)), default=0)
        row = TopicRow(id=uow.new_id(), unit_id=unit_id, name=name, position=position)
        uow.session.add(row)
    row.name, row.advert, row.default_on = name, advert, default_on and not advert
    await uow.session.flush()
    data = {"name": name, "default_on": row.default_on, "advert": advert}
    audit(uow, "topic.save", f"unit:{unit_id}", data)
    return row


async def move_topic(uow: UnitOfWork, topic_id: str, *, up: bool) -> None:
    """Move a topic one place up or down in its unit's list."""
    row = await topic_of(uow, topic_id)
    ordered = await marks.own_topics(uow.session, row.unit_id)
    at = next(i for i, one in enumerate(ordered) if one.id == topic_id)
    other = at - 1 if up else at + 1
    if 0 <= other < len(ordered):
        ordered[at], ordered[other] = ordered[other], ordered[at]
        for position, one in enumerate(ordered, start=1):
            one.position = position
        audit(uow, "topic.move", f"unit:{row.unit_id}", {"name": row.name, "up": up})


async def end_topic(uow: UnitOfWork, topic_id: str) -> None:
    """Offer a topic no more; what was sent about it and what people chose stays on record."""
    row = await topic_of(uow, topic_id)
    row.ended_at = uow.now
    audit(uow, "topic.end", f"unit:{row.unit_id}", {"name": row.name})
