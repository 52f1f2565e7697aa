"""Turn identity papers away: a chat is no place for them, and a photo that is called one is not kept."""

from datetime import timedelta

from bot.domain.conversation import Step, says_identity_paper
from bot.store import messages
from handlers.citizen.turn import Turn

_JUST_SENT = timedelta(minutes=3)
"""Words that call a photo an identity paper may follow it within this time."""


async def turn_away(turn: Turn) -> bool:
    """Discard photos that the citizen calls identity papers, in this message, its album or just before it, and say so.

    True when the turn is over: it was said, or this is another photo of an album that was called so.
    """
    together = await _album(turn)
    if not says_identity_paper(turn.text):
        if not turn.photos or not await messages.any_discarded(turn.uow.session, together):
            return False
        await _discard(turn, turn.message_ids)
        return True
    mine = list(dict.fromkeys([*turn.message_ids, *together])) if turn.photos else []
    if not mine:
        mine = await messages.with_photos(turn.uow.session, turn.contact.id, turn.uow.now - _JUST_SENT)
    if not mine:
        return False
    await _discard(turn, mine)
    await turn.say("identity_paper")
    return True


async def _album(turn: Turn) -> list[str]:
    """Return the other messages of the album that this one belongs to."""
    if not turn.album:
        return []
    since = turn.uow.now - _JUST_SENT
    found = await messages.of_album(turn.uow.session, turn.contact.id, turn.album, since)
    return [row.id for row in found if row.id not in turn.message_ids]


async def _discard(turn: Turn, message_ids: list[str]) -> None:
    """Keep none of the photos, neither here nor in the draft; a draft of nothing but them is dropped."""
    await messages.discard_attachments(turn.uow.session, message_ids)
    draft = turn.draft
    if draft is None:
        return
    drafted = [i for i in message_ids if i in draft.message_ids]
    draft.photos = max(0, draft.photos - len(drafted))
    if turn.step is Step.PROPOSED and not draft.attached and not draft.text and not draft.has_place:
        turn.draft = None
        turn.goto(Step.IDLE)
