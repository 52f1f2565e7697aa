"""Mark contacts: with the villages, topics and purposes that people choose, the tags and villages that staff set."""

from dataclasses import dataclass

from bot.actions.case_trail import audit
from bot.actions.contacts import consent
from bot.domain.text import clean
from bot.errors import InvalidInputError, NotFoundError
from bot.store import accounts, marks, units
from bot.store.contacts import ContactRow
from bot.store.database import Session
from bot.store.marks import ADVERT, AREA, PURPOSE, SELF, TAG, TOPIC, MarkRow, TopicRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import AreaRow, UnitRow

ADVERT_TEXT_VERSION = "2026-11"
"""Version of what is said before somebody agrees (templates announcements and adverts_ask); consent rows name it."""
MOST_TAGS = 20
MAX_TAG = 40


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen at a contact's account, and what holds for the contact.

    `followed` are ids of villages; with each topic stands whether its announcements reach the person; `by` says by id
    who has set a village or a tag.
    """

    villages: tuple[AreaRow, ...]
    followed: frozenset[str]
    topics: tuple[tuple[TopicRow, bool], ...]
    adverts: bool
    tags: tuple[str, ...]
    by: dict[str, str]

    @property
    def my_villages(self) -> tuple[AreaRow, ...]:
        """The villages that are followed, in their order."""
        return tuple(area for area in self.villages if area.id in self.followed)


async def choices_of(session: Session, contact: ContactRow) -> Choices:
    """Return what a contact can choose and has chosen."""
    home = await _home(session, contact)
    found = await marks.of_contact(session, contact.id)
    decided = {(row.kind, row.value): row.chosen for row in found}
    adverts = decided.get((PURPOSE, ADVERT), False)
    topics = []
    for topic in await marks.topics(session, home):
        wanted = decided.get((TOPIC, topic.id), topic.default_on)
        topics.append((topic, wanted and (adverts or not topic.advert)))
    return Choices(
        villages=tuple(await marks.villages(session, home)),
        followed=frozenset(row.value for row in found if row.kind == AREA and row.chosen),
        topics=tuple(topics),
        adverts=adverts,
        tags=tuple(row.value for row in found if row.kind == TAG and row.chosen),
        by={row.value: row.by for row in found if row.kind in {AREA, TAG} and row.chosen},
    )


async def _home(session: Session, contact: ContactRow) -> UnitRow:
    account = await accounts.account(session, contact.account_id)
    unit = await units.unit(session, account.unit_id) if account else None
    assert unit is not None
    return unit


async def choose_area(uow: UnitOfWork, contact: ContactRow, area_id: str) -> AreaRow:
    """Follow a village at the person's own wish; raises InvalidInputError unknown_area."""
    return await _decide_area(uow, contact, area_id, chosen=True)


async def leave_area(uow: UnitOfWork, contact: ContactRow, area_id: str) -> AreaRow:
    """Follow a village no more, whoever had set it; raises InvalidInputError unknown_area."""
    return await _decide_area(uow, contact, area_id, chosen=False)


async def _decide_area(uow: UnitOfWork, contact: ContactRow, area_id: str, *, chosen: bool) -> AreaRow:
    area = await _area(uow, contact, area_id)
    await _said(uow, contact, AREA, area.id, chosen=chosen)
    audit(uow, "contact.area", f"contact:{contact.id}", {"area": area.name, "chosen": chosen})
    return area


async def _area(uow: UnitOfWork, contact: ContactRow, area_id: str) -> AreaRow:
    known = await marks.villages(uow.session, await _home(uow.session, contact))
    area = next((row for row in known if row.id == area_id), None)
    if area is None:
        raise InvalidInputError("area_id", "unknown_area")
    return area


async def choose_topic(uow: UnitOfWork, contact: ContactRow, topic_id: str, *, on: bool) -> TopicRow:
    """Get a topic's announcements or not, at the person's own wish; raises NotFoundError when it is offered no more.

    What is like advertising comes only once the person has agreed to that, too.
    """
    offered = await marks.topics(uow.session, await _home(uow.session, contact))
    topic = next((row for row in offered if row.id == topic_id), None)
    if topic is None:
        raise NotFoundError(f"topic {topic_id}")
    await _said(uow, contact, TOPIC, topic.id, chosen=on)
    audit(uow, "contact.topic", f"contact:{contact.id}", {"topic": topic.name, "chosen": on})
    return topic


async def agree(uow: UnitOfWork, contact: ContactRow, purpose: str = ADVERT) -> None:
    """Keep that the person agrees to a purpose, with the version of the text that it was agreed to.

    Topics of that kind are switched on where the person has not decided about them.
    """
    await _purpose(uow, contact, purpose, given=True)
    if purpose == ADVERT:
        decided = {row.value for row in await marks.of_contact(uow.session, contact.id) if row.kind == TOPIC}
        for topic in await marks.topics(uow.session, await _home(uow.session, contact)):
            if topic.advert and topic.id not in decided:
                await _said(uow, contact, TOPIC, topic.id, chosen=True)


async def withdraw(uow: UnitOfWork, contact: ContactRow, purpose: str = ADVERT) -> None:
    """Keep that the person agrees to a purpose no more."""
    await _purpose(uow, contact, purpose, given=False)


async def _purpose(uow: UnitOfWork, contact: ContactRow, purpose: str, *, given: bool) -> None:
    await _said(uow, contact, PURPOSE, purpose, chosen=given)
    await consent(uow, contact, purpose, given, ADVERT_TEXT_VERSION)
    audit(uow, "contact.purpose", f"contact:{contact.id}", {"purpose": purpose, "given": given})


async def _said(uow: UnitOfWork, contact: ContactRow, kind: str, value: str, *, chosen: bool) -> None:
    row = MarkRow(kind=kind, value=value, contact_id=contact.id, chosen=chosen, by=SELF, at=uow.now)
    await marks.put(uow.session, [row])


def tag_word(text: str) -> str:
    """Return a tag as it is kept, in one spelling whatever its case; raises InvalidInputError when it is no tag."""
    word = " ".join(clean(text).lower().split())
    if not word:
        raise InvalidInputError("tags", "empty")
    if len(word) > MAX_TAG:
        raise InvalidInputError("tags", "too_long", most=MAX_TAG)
    return word


async def tag(uow: UnitOfWork, contact: ContactRow, text: str, by: str = "staff") -> None:
    """Put a tag on a contact; `by` is staff | import."""
    word = tag_word(text)
    held = {row.value for row in await marks.of_contact(uow.session, contact.id) if row.kind == TAG and row.chosen}
    if word in held:
        return
    if len(held) >= MOST_TAGS:
        raise InvalidInputError("tags", "too_many_tags", most=MOST_TAGS)
    await _set(uow, contact, TAG, word, by)
    audit(uow, "contact.tag", f"contact:{contact.id}", {"tag": word})


async def untag(uow: UnitOfWork, contact: ContactRow, text: str) -> None:
    """Take a tag off a contact."""
    word = tag_word(text)
    if await marks.remove(uow.session, TAG, word, contact.id):
        audit(uow, "contact.untag", f"contact:{contact.id}", {"tag": word})


async def set_area(uow: UnitOfWork, contact: ContactRow, area_id: str, by: str = "staff") -> None:
    """Note the village that a contact lives in; raises InvalidInputError left_by_person when they have left it."""
    area = await _area(uow, contact, area_id)
    known = {row.value: row for row in await marks.of_contact(uow.session, contact.id) if row.kind == AREA}
    if area.id in known and known[area.id].chosen:
        return
    if not await _set(uow, contact, AREA, area.id, by):
        raise InvalidInputError("area_id", "left_by_person")
    audit(uow, "contact.area_set", f"contact:{contact.id}", {"area": area.name})


async def unset_area(uow: UnitOfWork, contact: ContactRow, area_id: str) -> None:
    """Take back a village that staff or an import have noted; what the person has chosen stays."""
    area = await _area(uow, contact, area_id)
    if await marks.remove(uow.session, AREA, area.id, contact.id):
        audit(uow, "contact.area_unset", f"contact:{contact.id}", {"area": area.name})


async def _set(uow: UnitOfWork, contact: ContactRow, kind: str, value: str, by: str) -> bool:
    row = MarkRow(kind=kind, value=value, contact_id=contact.id, by=by, at=uow.now)
    return bool(await marks.put(uow.session, [row]))
