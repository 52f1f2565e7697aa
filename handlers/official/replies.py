"""Take what an official replies to a card or to what the bot asked: words and photos find what they belong to."""

from bot.actions import case_rights
from bot.actions.messages import receive
from bot.domain.case import CaseState, Verb, allowed
from bot.domain.update import AttachmentKind, MessageReceived
from bot.domain.words import MenuWord, menu_word
from bot.errors import ForbiddenError, NotFoundError
from bot.store import cards, desk_drafts, outbox
from bot.store.accounts import AccountRow
from bot.store.cards import CardRow
from bot.store.contacts import ContactRow
from bot.store.desk_drafts import DeskDraftRow
from bot.store.unit_of_work import UnitOfWork
from handlers.official import drafts
from handlers.official.duty import Duty

_PROOFS = frozenset({AttachmentKind.IMAGE, AttachmentKind.FILE})
"""What can leave with an answer: as in the console, pictures and documents."""


async def concerns_us(uow: UnitOfWork, account: AccountRow, chat: ContactRow, update: MessageReceived) -> bool:
    """Say whether a message replies to a card, or to something that the bot asked an official for."""
    if not update.quotes:
        return False
    if await cards.by_provider_id(uow.session, chat.id, update.quotes) is not None:
        return True
    if await desk_drafts.asked_by(uow.session, account.id, update.quotes) is not None:
        return True
    row = await outbox.by_provider_id(uow.session, account.id, update.quotes)
    return row is not None and row.contact_id == chat.id and row.purpose in drafts.PROMPTS


async def take(duty: Duty, update: MessageReceived, text: str) -> bool:
    """Handle words or photos that belong to something begun or to a card; False when they are for nobody here.

    A quote decides. In a private chat the words that follow a question of the bot belong to it too, for a while and
    unless they are a word of the menu.
    """
    begun = await desk_drafts.begun(duty.uow.session, duty.staff_id, duty.chat.id)
    if await concerns_us(duty.uow, duty.account, duty.chat, update):
        if begun is not None and menu_word(text) is MenuWord.CANCEL:
            await drafts.cancel(duty, begun.id)
            return True
        draft = await _quoted(duty, update, begun)
    elif begun is not None and _belongs(duty, begun, update, text):
        if menu_word(text) is MenuWord.CANCEL:
            await drafts.cancel(duty, begun.id)
            return True
        draft = begun
    else:
        return False
    if draft is not None:
        await _feed(duty, draft, update, text)
    return True


def _belongs(duty: Duty, begun: DeskDraftRow, update: MessageReceived, text: str) -> bool:
    """Say whether words without a quote belong to what was begun."""
    if update.album and update.album in begun.data.get("albums", []):
        return True
    if duty.group is not None or update.quotes or not drafts.is_fresh(duty, begun):
        return False
    return menu_word(text) in {None, MenuWord.CANCEL}


async def _quoted(duty: Duty, update: MessageReceived, begun: DeskDraftRow | None) -> DeskDraftRow | None:
    """Return what the quoted message asks for: a card for an answer, unless another button was pressed just now."""
    assert update.quotes is not None
    card = await cards.by_provider_id(duty.uow.session, duty.chat.id, update.quotes)
    if card is not None:
        goes_on = begun is not None and begun.case_id == card.case_id
        if begun is not None and goes_on and (begun.verb == "answer" or drafts.is_fresh(duty, begun)):
            return begun
        return await _answer_to(duty, card)
    asked = await desk_drafts.asked_by(duty.uow.session, duty.account.id, update.quotes)
    if asked is None:
        return await _asked_before(duty, update.quotes, begun)
    if asked.staff_id == duty.staff_id:
        return await desk_drafts.draft(duty.uow.session, asked.id)
    facts = {k: v for k, v in asked.data.items() if k in {"unit_id", "unit", "version"}}
    return await drafts.new(duty, asked.case_id, asked.verb, **facts)


async def _asked_before(duty: Duty, quotes: str, begun: DeskDraftRow | None) -> DeskDraftRow | None:
    """Return what was begun if an earlier question for it is quoted; one for anything else has nobody to take words."""
    row = await outbox.by_provider_id(duty.uow.session, duty.account.id, quotes)
    if begun is not None and row is not None and row.id in begun.data.get("prompts", []):
        return begun
    await duty.say("draft_gone")
    return None


async def _answer_to(duty: Duty, card: CardRow) -> DeskDraftRow | None:
    """Begin an answer to a card that was replied to, where that may be and is possible."""
    try:
        case = await duty.case_for(card.case_id, case_rights.permission_for(Verb.SUBMIT))
    except (NotFoundError, ForbiddenError):
        await duty.say("forbidden")
        return None
    if not allowed(Verb.SUBMIT, CaseState(case.state)):
        await duty.say("state_now", code=case.code, state=case.state)
        return None
    return await drafts.new(duty, case.id, "answer")


async def _feed(duty: Duty, draft: DeskDraftRow, update: MessageReceived, text: str) -> None:
    """Add words and photos to what was begun; done at once, or once photos have come to rest and were fetched."""
    data = dict(draft.data)
    files = draft.verb == "answer" and any(a.kind in _PROOFS for a in update.attachments)
    if not files and not text:
        drafts.asked(draft, await duty.say("words_only", answer=draft.verb == "answer"))
        return
    if text:
        data["text"] = f"{data.get('text', '')}\n{text}".strip()
    if files:
        row, _ = await receive(duty.uow, duty.account, duty.chat, update, author="staff", staff_id=duty.staff_id)
        data["message_ids"] = [*data.get("message_ids", []), row.id]
        if update.album:
            data["albums"] = sorted({*data.get("albums", []), update.album})
    draft.data, draft.updated_at = data, duty.uow.now
    if data.get("message_ids"):
        drafts.wait_for_quiet(duty, draft)
    else:
        await drafts.go_on(duty, draft)
