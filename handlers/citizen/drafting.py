"""What the steps of a report share: what is refused, what is gathered, what is shown before sending."""

from typing import Any

from bot.domain.conversation import MAX_PHOTOS, MAX_VIDEOS, Draft, Step
from bot.domain.privacy import mask_identity
from bot.domain.text import excerpt
from bot.domain.update import AttachmentKind
from bot.domain.words import find_area, is_conduct_report, is_denunciation, is_secret
from bot.store import units
from bot.store.contacts import ConversationRow
from bot.store.messages import MessageRow
from handlers.citizen import welcome
from handlers.citizen.turn import Turn


async def acceptable(turn: Turn, text: str) -> bool:
    """Refuse what must not run through a chat: denunciations by law and secrets; the bot names the right way."""
    if is_secret(text):
        await turn.say("secret", **await welcome.office(turn))
    elif is_denunciation(text):
        await turn.say("denunciation", **await welcome.office(turn))
    else:
        return True
    turn.draft = None
    turn.goto(Step.IDLE)
    return False


async def keep_conduct_apart(turn: Turn) -> None:
    """Move a report about an official's conduct into the restricted category, whatever was chosen for it."""
    draft = turn.draft
    assert draft is not None
    choices = await units.categories(turn.uow.session, turn.account.unit_id)
    chosen = next((c for c in choices if c.id == draft.category_id), None)
    apart = next((c for c in choices if c.restricted), None)
    if apart is not None and chosen is not None and not chosen.restricted and is_conduct_report(draft.text):
        draft.category_id, draft.kind = apart.id, "report"


async def note_area(turn: Turn, text: str) -> None:
    """Remember the village that a text names, if it names exactly one."""
    assert turn.draft is not None
    areas = await units.areas(turn.uow.session, turn.account.unit_id)
    found = find_area(text, [(a.id, [a.name, *a.aliases]) for a in areas])
    if len(found) == 1:
        turn.draft.area_id = found[0]


async def gather(turn: Turn, *, announce: bool = True) -> None:
    """Add what is attached to the draft; what is too much is said, what is an identity paper is not kept."""
    draft = turn.draft
    assert draft is not None
    draft.message_ids += [i for i in turn.message_ids if i not in draft.message_ids]
    over = False
    for attachment in turn.attachments:
        match attachment.kind:
            case AttachmentKind.IMAGE:
                over = over or draft.photos >= MAX_PHOTOS
                draft.photos += 1
            case AttachmentKind.VIDEO:
                over = over or draft.videos >= MAX_VIDEOS
                draft.videos += 1
            case AttachmentKind.AUDIO:
                draft.voices += 1
            case AttachmentKind.FILE:
                draft.files += 1
            case AttachmentKind.LOCATION:
                draft.latitude, draft.longitude = attachment.latitude, attachment.longitude
            case _:
                pass
    if over:
        turn.remember(over=True)
    if announce and turn.attachments:
        turn.wait_for_quiet()


async def gather_with_words(turn: Turn) -> bool:
    """Add what is attached and the words under it to the draft; False when the words must not run through a chat."""
    if turn.text and not await acceptable(turn, turn.text):
        return False
    await gather(turn)
    if turn.text:
        assert turn.draft is not None
        turn.draft.add_text(turn.text)
    return True


def reword(conversation: ConversationRow, message: MessageRow, before: str) -> None:
    """Let a report being written say what its sender changed one of its messages to."""
    draft = Draft.from_json(conversation.data.get("draft"))
    if draft is None or not before or message.id not in draft.message_ids:
        return
    draft.text = draft.text.replace(before, message.text, 1).strip()
    draft.place = draft.place.replace(before, message.text, 1).strip()
    conversation.data = {**conversation.data, "draft": draft.to_json()}


async def summary(turn: Turn) -> dict[str, Any]:
    """Return what the citizen should see before sending."""
    draft = turn.draft
    assert draft is not None
    chosen = await units.category(turn.uow.session, draft.category_id)
    area = await units.area(turn.uow.session, draft.area_id) if draft.area_id else None
    return {
        "category": chosen.name if chosen else "",
        "text": excerpt(mask_identity(draft.text), 300),
        "place": draft.place or (area.name if area else ""),
        "located": draft.latitude is not None,
        "draft": draft,
        "over": bool(turn.recall("over")),
        "most": MAX_PHOTOS,
    }
