"""Let some of the demo's people choose villages, topics and advertising, and staff tag a few of them."""

from bot.actions import contacts, marks
from bot.demo.data import ChoicesData
from bot.demo.stage import Stage
from bot.store.unit_of_work import Actor

_CLERK = "mot-cua"


async def choose(stage: Stage, choices: tuple[ChoicesData, ...]) -> None:
    """Mark each person as if chosen when they were last heard of."""
    for one in choices:
        contact = stage.contacts[one.sender]
        assert contact.last_interaction_at is not None
        uow = stage.at(contact.last_interaction_at, Actor("citizen", contact.id, contact.name))
        for name in one.areas:
            await marks.choose_area(uow, contact, stage.commune.areas[name].id)
        for name, on in (*((name, True) for name in one.on), *((name, False) for name in one.off)):
            await marks.choose_topic(uow, contact, stage.commune.topics[name].id, on=on)
        if one.adverts:
            await marks.agree(uow, contact)
        if one.stopped:
            await contacts.stop_announcements(uow, contact)
        by_staff = stage.at(contact.last_interaction_at, stage.staff(_CLERK))
        for name in one.noted_areas:
            await marks.set_area(by_staff, contact, stage.commune.areas[name].id)
        for word in one.tags:
            await marks.tag(by_staff, contact, word)
