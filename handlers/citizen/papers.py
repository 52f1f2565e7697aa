"""Turn identity papers away: a chat is no place for them, and a photo that is called one is not kept."""

from datetime import timedelta

from bot.domain.conversation import says_identity_paper
from bot.store import messages
from handlers.citizen.turn import Turn

_JUST_SENT = timedelta(minutes=3)
"""Words that call a photo an identity paper may follow it within this time."""


async def turn_away(turn: Turn) -> None:
    """Discard photos that the citizen calls identity papers, in this message or just before it, and say so."""
    if not says_identity_paper(turn.text):
        return
    mine = list(turn.message_ids) if turn.photos else []
    if not mine:
        mine = await messages.with_photos(turn.uow.session, turn.contact.id, turn.uow.now - _JUST_SENT)
    if not mine:
        return
    await messages.discard_attachments(turn.uow.session, mine)
    if turn.draft is not None:
        turn.draft.photos = max(0, turn.draft.photos - (len(mine) if not turn.photos else 0))
    await turn.say("identity_paper")
