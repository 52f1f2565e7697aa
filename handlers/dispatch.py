"""Give each update to the handler that it is for: first match wins, the list is the table of contents."""

from collections.abc import Awaitable, Callable

from bot.actions import contacts, live, templates
from bot.actions.contacts import BLOCKED
from bot.actions.messages import edit, receive
from bot.domain import dossier_code
from bot.domain.conversation import Draft, Step
from bot.domain.courtesy import courtesy
from bot.domain.text import clean
from bot.domain.update import (
    AttachmentKind,
    ButtonPressed,
    Echo,
    Followed,
    MessageReceived,
    PhoneShared,
    Rated,
    Receipt,
    TemplateNews,
    Unfollowed,
    Update,
    Withdrawn,
)
from bot.domain.words import (
    MenuWord,
    is_command,
    is_conduct_report,
    is_denunciation,
    is_emergency,
    is_secret,
    looks_like_complaint,
    looks_like_question,
    number_choice,
)
from bot.store import contacts as rows
from bot.store.accounts import AccountRow
from bot.store.unit_of_work import Actor, UnitOfWork
from handlers import receipts
from handlers.citizen import (
    ask,
    consent,
    dossier_details,
    dossier_photo,
    dossiers,
    drafting,
    link,
    lookup,
    papers,
    propose,
    rate,
    rate_dossier,
    reply,
    report,
    subscribe,
    welcome,
)
from handlers.citizen.turn import Desk, Turn
from handlers.official import arrivals
from handlers.official.resuming import resume_draft

__all__ = ["Desk", "dispatch", "resume", "resume_draft"]

Handler = Callable[[Turn], Awaitable[None]]
Test = Callable[[Turn], bool]

_PROPOSING = frozenset({AttachmentKind.IMAGE, AttachmentKind.VIDEO, AttachmentKind.AUDIO, AttachmentKind.LOCATION})


def _says(*words: MenuWord) -> Test:
    return lambda turn: turn.word in words


def _at(*steps: Step) -> Test:
    return lambda turn: turn.step in steps


COMMANDS: tuple[tuple[Test, Handler], ...] = (
    (link.is_code, link.code),
    (link.answers, link.answer),
    (consent.chooses, consent.chosen),
    (subscribe.is_tap, subscribe.tapped),
    (subscribe.answers, subscribe.answer),
    (_says(MenuWord.LINK), link.begin),
    (_says(MenuWord.UNLINK), link.unlink),
    (_says(MenuWord.STOP), consent.stop),
    (_says(MenuWord.RESUME), consent.resume),
    (_says(MenuWord.AGREE_ADVERTS), subscribe.agree),
    (_says(MenuWord.REFUSE_ADVERTS), subscribe.withdraw),
    (_says(MenuWord.DELETE_DATA), consent.delete_data),
    (_says(MenuWord.CANCEL), report.cancel),
    (rate.is_rating, rate.rate),
    (rate_dossier.is_rating, rate_dossier.rate),
    (lookup.asks_status, lookup.status),
    (dossier_details.is_tap, dossier_details.tapped),
    (dossier_details.is_code, dossier_details.code),
    (dossiers.asks, dossiers.answer),
    (_says(MenuWord.EXPORT_DATA), consent.export_data),
    (_says(MenuWord.MY_CASES), lookup.mine),
    (_says(MenuWord.REPORT), report.begin),
    (dossier_photo.is_asked_with, dossier_photo.take),
    (_says(MenuWord.LOOKUP), dossiers.begin),
    (_says(MenuWord.MY_DOSSIERS), dossiers.mine),
    (_says(MenuWord.ASK), ask.begin),
    (_says(MenuWord.ANNOUNCEMENTS, MenuWord.MY_TOPICS), subscribe.overview),
    (_says(MenuWord.MY_AREAS), subscribe.ask_area),
    (_says(MenuWord.CONTACT, MenuWord.HUMAN), welcome.contact),
    (_says(MenuWord.MENU, MenuWord.HELP), welcome.start),
    (lambda turn: is_command(turn.text), welcome.start),
)
"""Words that work from any state, whatever the bot was waiting for."""

STEPS: tuple[tuple[Test, Handler], ...] = (
    (report.stale, report.offer),
    (_at(Step.PROPOSED), propose.proposed),
    (_at(Step.EDITING), report.editing),
    (_at(Step.QUESTION), ask.question),
    (_at(Step.REASON), rate.reason),
    (_at(Step.REMARK), rate.remark),
    (_at(Step.DOSSIER_REMARK), rate_dossier.remark),
    (dossier_photo.takes, dossier_photo.take),
    (dossiers.answers, dossiers.answer),
    *((_at(step), handler) for step, handler in report.STEPS.items()),
)
"""What the bot waits for."""

_GRAVE = (is_denunciation, is_secret, is_conduct_report)
"""What must be understood however it is written: it has a way of its own, or is kept apart."""

OUT_OF_THE_BLUE: tuple[tuple[Test, Handler], ...] = (
    (lambda turn: any(a.kind in _PROPOSING for a in turn.attachments), propose.from_attachment),
    (lambda turn: any(says(turn.text) for says in _GRAVE), propose.from_text),
    (lambda turn: is_emergency(turn.text), propose.from_emergency),
    (lambda turn: looks_like_complaint(turn.text), propose.from_text),
    (welcome.of_the_past, welcome.past),
    (lambda turn: courtesy(turn.text) is not None and not turn.attachments, welcome.in_passing),
    (subscribe.unclear, subscribe.ask_area_again),
    (lambda turn: looks_like_question(turn.text), propose.from_question),
    (lambda _: True, welcome.other),
)
"""What somebody simply sends."""


async def dispatch(desk: Desk, uow: UnitOfWork, account: AccountRow, update: Update, inbox_id: int) -> None:
    """Handle one update inside the given transaction: the desk of officials looks first where there is one."""
    if not await arrivals.handled(desk, uow, account, update):
        await _of_citizen(desk, uow, account, update, inbox_id)


async def _of_citizen(desk: Desk, uow: UnitOfWork, account: AccountRow, update: Update, inbox_id: int) -> None:
    match update:
        case Receipt():
            await receipts.receipt(uow, account, update, inbox_id)
        case Echo():
            await receipts.echo(uow, account, update, desk.settings.live_minutes)
        case MessageReceived() if update.edited and not update.test:
            await _edited(uow, account, update)
        case MessageReceived() if not update.test:
            await _message(desk, uow, account, update)
        case ButtonPressed() if update.sender:
            await _button(desk, uow, account, update)
        case Followed() | Unfollowed() | PhoneShared() | Withdrawn():
            await _about_person(desk, uow, account, update, inbox_id)
        case Rated():
            await receipts.template_rating(uow, account, update)
        case TemplateNews():
            await templates.news(uow, account, update)
        case _:
            return


async def _turn(desk: Desk, uow: UnitOfWork, account: AccountRow, update: Update, *, anonymous: bool = False) -> Turn:
    contact = await contacts.met(
        uow, account, update.sender, interacts=True, at=update.occurred_at, anonymous=anonymous
    )
    uow.actor = Actor("citizen", contact.id, contact.name)
    conversation = await contacts.conversation_of(uow, contact)
    turn = Turn(desk, uow, account, contact, conversation)
    turn.draft = Draft.from_json(conversation.data.get("draft"))
    _forget_old_draft(turn)
    return turn


def _forget_old_draft(turn: Turn) -> None:
    if turn.draft is not None and turn.draft.forgotten(turn.uow.now, turn.desk.settings.draft_hours):
        turn.draft = None
        turn.goto(Step.IDLE)
    if (turn.step in {Step.REASON, Step.REMARK, Step.DOSSIER_REMARK} and rate.late(turn)) or dossiers.late(turn):
        turn.goto(Step.IDLE)


async def _message(desk: Desk, uow: UnitOfWork, account: AccountRow, update: MessageReceived) -> None:
    turn = await _turn(desk, uow, account, update, anonymous=update.anonymous)
    turn.contact.conversation_id = update.conversation_id or turn.contact.conversation_id
    turn.message, _ = await receive(uow, account, turn.contact, update)
    turn.attachments, turn.album = update.attachments, update.album
    turn.text = _number_to_payload(turn, arrivals.citizens_text(clean(update.text)))
    turned_away = await papers.turn_away(turn)
    if update.anonymous:
        await welcome.anonymous(turn)
    elif not turned_away and not await reply.late_of_album(turn):
        await _answer(turn)
    turn.keep()


async def _edited(uow: UnitOfWork, account: AccountRow, update: MessageReceived) -> None:
    """Note that a message was changed; nothing is answered, and a report being written takes the new words."""
    contact = await contacts.met(uow, account, update.sender, interacts=True, at=update.occurred_at)
    uow.actor = Actor("citizen", contact.id, contact.name)
    message, before = await edit(uow, account, contact, update)
    drafting.reword(await contacts.conversation_of(uow, contact), message, before)


async def _button(desk: Desk, uow: UnitOfWork, account: AccountRow, update: ButtonPressed) -> None:
    turn = await _turn(desk, uow, account, update)
    turn.text, turn.pressed = arrivals.citizens_text(clean(update.payload)), True
    await _answer(turn)
    turn.keep()


def _number_to_payload(turn: Turn, text: str) -> str:
    """Take a number for the button of that number in the last message, where buttons could not be shown.

    The end of a dossier's code, with its zeros, is no such number.
    """
    if dossier_code.tail(text):
        return text
    payloads = turn.recall("buttons") or []
    choice = number_choice(text, len(payloads)) if payloads else None
    return text if choice is None else str(payloads[choice - 1])


async def _answer(turn: Turn) -> None:
    turn.numbers = turn.step is Step.IDLE and turn.recall("buttons") is None
    handler = _first(COMMANDS, turn)
    if handler is dossiers.answer and await reply.is_awaited(turn):
        handler = None  # an official has asked, perhaps for just this code
    case = None if handler is not None else await reply.target(turn)
    if handler is not None:
        await handler(turn)
    elif case is not None:
        await reply.into(turn, case)
    elif await subscribe.named(turn):
        return
    elif turn.step is Step.IDLE and live.is_live(turn.uow, turn.contact):
        await reply.silent(turn)
    else:
        chosen = _first(STEPS, turn) or _first(OUT_OF_THE_BLUE, turn)
        assert chosen is not None
        await chosen(turn)


def _first(table: tuple[tuple[Test, Handler], ...], turn: Turn) -> Handler | None:
    return next((handler for test, handler in table if test(turn)), None)


async def _about_person(
    desk: Desk,
    uow: UnitOfWork,
    account: AccountRow,
    update: Followed | Unfollowed | PhoneShared | Withdrawn,
    inbox_id: int,
) -> None:
    if not update.sender:
        return
    match update:
        case Followed():
            turn = await _turn(desk, uow, account, update)
            turn.contact.following = turn.contact.following or update.how != "chat"
            if turn.contact.greeted_at is None:
                await welcome.greet(turn)
            turn.keep()
        case Unfollowed():
            contact = await contacts.met(uow, account, update.sender, interacts=False)
            contact.following = False
            contact.gone = contact.gone or (BLOCKED if update.blocked else "")
        case PhoneShared():
            turn = await _turn(desk, uow, account, update)
            await consent.phone(turn, update)
            turn.keep()
        case Withdrawn():
            contact = await contacts.met(uow, account, update.sender, interacts=False)
            conversation = await contacts.conversation_of(uow, contact)
            conversation.data, conversation.state, conversation.resume_at = {}, Step.IDLE.value, None
            await contacts.erase(uow, contact, inbox_id)


async def resume(desk: Desk, uow: UnitOfWork, account: AccountRow, contact_id: str) -> bool:
    """Go on by itself with a conversation in which there has been quiet; False when that is not wanted any more."""
    await rows.lock(uow.session, contact_id)  # the person before the conversation, as everybody does
    contact = await rows.contact(uow.session, contact_id)
    conversation = await rows.conversation(uow.session, contact_id)
    if contact is None or conversation is None or conversation.resume_at is None or conversation.resume_at > uow.now:
        return False
    turn = Turn(desk, uow, account, contact, conversation)
    turn.draft = Draft.from_json(conversation.data.get("draft"))
    conversation.resume_at = None
    if turn.step is Step.DOSSIER:
        await dossier_photo.go_on(turn)
    elif turn.draft is not None:
        await _after_quiet(turn)
    turn.keep()
    return True


async def _after_quiet(turn: Turn) -> None:
    draft = turn.draft
    assert draft is not None
    match turn.step:
        case Step.PROPOSED if not await dossier_photo.instead(turn):
            await propose.ask(turn)
        case Step.PLACE if draft.has_place:
            await report.ask_confirm(turn)
        case Step.CATEGORY:
            await report.ask_category(turn)
        case Step.CONTENT if draft.has_content:
            await report.after_content(turn)
        case Step.CONTENT:
            await turn.say("report_photos_first", draft=draft)
        case Step.PLACE:
            await report.ask_place(turn)
        case Step.PHOTOS | Step.CONFIRM | Step.EDITING:
            await report.ask_confirm(turn)
        case _:
            return
