"""Read the code of a dossier from a photo of its receipt, once the photo is there."""

from datetime import datetime, timedelta

from bot.actions import dossier_search
from bot.domain.conversation import Step
from bot.domain.dossier_code import squeezed
from bot.domain.words import MenuWord
from bot.store import messages
from handlers.citizen import dossiers
from handlers.citizen.turn import Turn

_WAIT = timedelta(minutes=1)
"""So long a photo is waited for: then its sender is asked to type the code."""


def takes(turn: Turn) -> bool:
    """Say whether a photo came that was waited for."""
    return turn.step is Step.DOSSIER and bool(turn.photos)


def is_asked_with(turn: Turn) -> bool:
    """Say whether a photo came under words that ask to look a dossier up."""
    return bool(turn.photos) and turn.word in {MenuWord.LOOKUP, MenuWord.MY_DOSSIERS}


async def take(turn: Turn) -> None:
    """Wait until the photos are there."""
    if turn.step is not Step.DOSSIER:
        turn.goto(Step.DOSSIER)
    kept = turn.recall("receipt") or {"until": (turn.uow.now + _WAIT).isoformat(), "messages": []}
    turn.remember(receipt={**kept, "messages": [*kept["messages"], *turn.message_ids]})
    turn.wait_for_quiet()


async def go_on(turn: Turn) -> None:
    """Tell of the dossier whose code the photos show; wait on for those that are not there yet, though not for ever."""
    kept = turn.recall("receipt")
    if kept is None:
        return
    attached = await messages.attachments_of(turn.uow.session, kept["messages"])
    photos = [one for several in attached.values() for one in several]
    codes = [code for one in photos for code in one.codes.split()]
    on_its_way = any(one.state == "pending" for one in photos)
    if not codes and on_its_way and datetime.fromisoformat(kept["until"]) > turn.uow.now:
        turn.wait_for_quiet()
        return
    turn.remember(receipt=None)
    await messages.discard_attachments(turn.uow.session, kept["messages"])
    if codes:
        await _look_up(turn, codes)
    else:
        await turn.say("dossier_no_qr", late=on_its_way)


async def _look_up(turn: Turn, codes: list[str]) -> None:
    known = [squeezed(code) for code in dict.fromkeys(codes)]
    looked = await dossier_search.look_up(turn.uow, turn.account, turn.contact, known, None)
    await dossiers.tell(turn, looked, codes[0])


async def instead(turn: Turn) -> bool:
    """Tell of a dossier instead of proposing a report, where photos out of the blue are of the receipt of one of ours.

    False when they are not. The photos are not kept: nothing was reported with them.
    """
    draft = turn.draft
    if draft is None or not draft.only_photos:
        return False
    attached = await messages.attachments_of(turn.uow.session, draft.message_ids)
    codes = [code for several in attached.values() for one in several for code in one.codes.split()]
    if not codes:
        return False
    known = [squeezed(code) for code in dict.fromkeys(codes)]
    looked = await dossier_search.look_up(turn.uow, turn.account, turn.contact, known, None)
    if not looked.rows:
        return False
    await messages.discard_attachments(turn.uow.session, draft.message_ids)
    turn.draft = None
    turn.goto(Step.IDLE)
    await dossiers.tell(turn, looked, codes[0])
    return True
