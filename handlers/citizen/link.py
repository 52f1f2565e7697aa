"""Let a person say that two chats are theirs, prove it in both, and take it back."""

from datetime import datetime

from bot.actions import linking
from bot.actions.linking import Redeemed
from bot.domain.conversation import Step
from bot.domain.linking import ANSWER_WITHIN, CODE_HOLDS, link_code
from bot.domain.words import MenuWord
from handlers.citizen import welcome
from handlers.citizen.turn import Turn

YES, NO = "#noi co", "#noi khong"
"""What the buttons of the question carry."""


async def begin(turn: Turn) -> None:
    """Link where another account knows the same phone, else say what is lacking and ask for it where possible."""
    if await offered(turn):
        return
    linked = await linking.others(turn.uow, turn.contact)
    if linked:
        await turn.say("linked_with", accounts=[account for _, account in linked])
    elif turn.contact.phone_hash is not None:
        await turn.say("link_nobody")
    elif turn.uow.capabilities(turn.account).asks_contact:
        await turn.say("share_phone", asks_contact=True)
    else:
        await turn.say("share_phone_elsewhere")


async def offered(turn: Turn) -> bool:
    """Ask whether the account that knows the same phone is this person's too; False when there is none."""
    account = await linking.offer(turn.uow, turn.contact)
    if account is None:
        return False
    await turn.say("link_offer", account=account, yes=YES, no=NO)
    turn.remember(joining=(turn.uow.now + ANSWER_WITHIN).isoformat())
    return True


def answers(turn: Turn) -> bool:
    """Say whether this answers the question: a tap, or a bare yes or no while nothing else is going on."""
    if turn.text in {YES, NO}:
        return True
    until = turn.recall("joining")
    waits = until is not None and datetime.fromisoformat(until) > turn.uow.now and turn.step is Step.IDLE
    return waits and turn.word in {MenuWord.YES, MenuWord.NO}


async def answer(turn: Turn) -> None:
    """Give the digits for the other chat on a yes; leave everything as it is on a no."""
    yes = turn.text == YES or (turn.text != NO and turn.word is MenuWord.YES)
    turn.remember(joining=None)
    if not yes:
        await (turn.say("link_refused") if await linking.refuse(turn.uow, turn.contact) else welcome.past(turn))
        return
    promise = await linking.promise(turn.uow, turn.contact, turn.desk.box)
    if promise is None:
        await welcome.past(turn)
        return
    minutes = int(CODE_HOLDS.total_seconds() // 60)
    await turn.say("link_code", account=promise.account, code=promise.code, minutes=minutes)


def is_code(turn: Turn) -> bool:
    """Say whether these are the digits from another chat."""
    return link_code(turn.text) is not None


async def code(turn: Turn) -> None:
    """Link with the chat that the digits came from."""
    match await linking.redeem(turn.uow, turn.contact, link_code(turn.text) or "", turn.desk.box):
        case Redeemed.LINKED:
            linked = await linking.others(turn.uow, turn.contact)
            await turn.say("linked_with", accounts=[account for _, account in linked])
        case Redeemed.WRONG:
            await turn.say("link_wrong_code")
        case Redeemed.NOTHING:
            await turn.say("link_no_code")


async def unlink(turn: Turn) -> None:
    """Part this chat from the others of the same person."""
    turn.remember(joining=None)
    await turn.say("unlinked" if await linking.undo(turn.uow, turn.contact) else "not_linked")
