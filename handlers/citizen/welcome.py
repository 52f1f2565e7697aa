"""Greet, show the menu, and answer what has no place elsewhere."""

import re
from typing import Any

from bot.domain.conversation import Step
from bot.domain.courtesy import Courtesy, courtesy
from bot.domain.update import AttachmentKind
from bot.store import units
from handlers.citizen.turn import Turn


async def greet(turn: Turn) -> None:
    """Greet once with the account's name and the privacy line; afterwards only the menu."""
    if turn.contact.greeted_at is None:
        turn.contact.greeted_at = turn.uow.now
        await turn.say("welcome", name=turn.account.name)
    else:
        await menu(turn)


async def start(turn: Turn) -> None:
    """Answer whoever opens the chat or asks for the menu: the greeting comes first, once, with its privacy line."""
    if turn.step is not Step.IDLE:
        turn.goto(Step.IDLE)
    await greet(turn)


async def menu(turn: Turn) -> None:
    """Show the menu; a draft that was begun stays and can be taken up again."""
    if turn.step is not Step.IDLE:
        turn.goto(Step.IDLE)
    await turn.say("menu", draft=turn.draft is not None)


async def contact(turn: Turn) -> None:
    """Say where the office is, when it is open, and whom to call in an emergency."""
    await turn.say("contact", **await office(turn))


async def office(turn: Turn) -> dict[str, Any]:
    """Return how the office is reached: name, address, phone, hours; "" where nobody has entered it."""
    unit = await units.unit(turn.uow.session, turn.account.unit_id)
    assert unit is not None
    known = {key: str(unit.settings.get(key, "")) for key in ("address", "phone", "hours")}
    return {"unit": unit.name, **known}


_PAYLOAD = re.compile(r"#[a-z]+ [a-z-]+")
"""What a button of ours says where a tap arrives as typed."""
_KINDS = {
    AttachmentKind.STICKER: "got_sticker",
    AttachmentKind.GIF: "got_sticker",
    AttachmentKind.CONTACT_CARD: "got_card",
    AttachmentKind.LINK: "got_link",
    AttachmentKind.FILE: "got_file",
    AttachmentKind.AUDIO: "got_voice",
    AttachmentKind.VIDEO: "got_video",
    AttachmentKind.LOCATION: "got_place",
    AttachmentKind.TEMPLATE: "menu_hint",
}


async def other(turn: Turn) -> None:
    """Answer anything that fits nowhere else: sensibly, shortly, never with silence."""
    if turn.contact.greeted_at is None:
        await greet(turn)
    elif turn.attachments:
        await turn.say(_KINDS.get(turn.attachments[0].kind, "menu_hint"))
    else:
        await turn.say("menu_hint")


async def in_passing(turn: Turn) -> None:
    """Answer a greeting with the menu, thanks with thanks, and anger with an ear."""
    said = courtesy(turn.text)
    if turn.contact.greeted_at is None:
        await greet(turn)
    elif said is Courtesy.HELLO:
        await menu(turn)
    elif said is Courtesy.ANGER:
        await turn.say("hear_anger")
    else:
        await turn.say("thanks_back")


def of_the_past(turn: Turn) -> bool:
    """Say whether this is a button of a step that has passed: nothing waits for it any more."""
    return turn.pressed or _PAYLOAD.fullmatch(turn.text) is not None


async def past(turn: Turn) -> None:
    """Say that the button belongs to a step that is done or left, and what can be done instead."""
    await turn.say("old_button")


async def anonymous(turn: Turn) -> None:
    """Ask somebody who writes without following to follow, since an answer could not reach them later."""
    if turn.contact.greeted_at is None:
        turn.contact.greeted_at = turn.uow.now
        await turn.say("anonymous", name=turn.account.name)
