"""Write our messages as Telegram's methods: words exactly as they are, a title in bold by its place, not by marks."""

from dataclasses import dataclass
from typing import Any

from aiogram.methods import (
    EditMessageCaption,
    EditMessageText,
    SendAnimation,
    SendDocument,
    SendMessage,
    SendPhoto,
)
from aiogram.types import BufferedInputFile, InlineKeyboardMarkup, LinkPreviewOptions, MessageEntity, ReplyParameters
from aiogram.types import Message as SentMessage

from bot.channels.telegram.ids import is_group, number_in
from bot.channels.telegram.keyboards import keyboard_of
from bot.channels.telegram.limits import MAX_CAPTION, MAX_TEXT, utf16_length
from bot.domain.delivery import MessageInvalidError
from bot.domain.message import Message

Sending = SendMessage | SendPhoto | SendAnimation | SendDocument
_QUIET_LINKS = LinkPreviewOptions(is_disabled=True)


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture or file to send: the way it is shown, and its bytes or Telegram's own id of an earlier upload."""

    way: str
    content: str | BufferedInputFile


def words_of(message: Message) -> tuple[str, list[MessageEntity] | None]:
    """Return the words with the title above them, and where the title stands.

    No marks are interpreted: what looks like HTML or Markdown is shown as it was typed.
    """
    if not message.title or message.asks_contact:
        return message.text, None
    bold = MessageEntity(type="bold", offset=0, length=utf16_length(message.title))
    return f"{message.title}\n\n{message.text}".strip(), [bold]


def new_message(chat: str, message: Message) -> SendMessage:
    """Return the method that sends words; raises MessageInvalidError for none, or too many."""
    text, entities = words_of(message)
    if not text.strip():
        raise MessageInvalidError("message_empty")
    _require(text, MAX_TEXT)
    return SendMessage(
        chat_id=int(chat),
        text=text,
        entities=entities,
        link_preview_options=_QUIET_LINKS,
        reply_parameters=_answering(chat, message),
        reply_markup=keyboard_of(message, group=is_group(chat)),
    )


def new_media(chat: str, message: Message, upload: Upload) -> Sending:
    """Return the method that sends a picture or file with its words; raises MessageInvalidError for too many."""
    text, entities = words_of(message)
    _require(text, MAX_CAPTION)
    rest: dict[str, Any] = {
        "chat_id": int(chat),
        "caption": text or None,
        "caption_entities": entities if text else None,
        "reply_parameters": _answering(chat, message),
        "reply_markup": keyboard_of(message, group=is_group(chat)),
    }
    if upload.way == "photo":
        return SendPhoto(photo=upload.content, **rest)
    if upload.way == "animation":
        return SendAnimation(animation=upload.content, **rest)
    return SendDocument(document=upload.content, **rest)


def changed_text(chat: str, number: int, message: Message) -> EditMessageText:
    """Return the method that puts a message in the place of an earlier one; raises MessageInvalidError."""
    sent = new_message(chat, message)
    return EditMessageText(
        chat_id=sent.chat_id,
        message_id=number,
        text=sent.text,
        entities=sent.entities,
        link_preview_options=_QUIET_LINKS,
        reply_markup=_under(sent.reply_markup),
    )


def changed_caption(chat: str, number: int, message: Message) -> EditMessageCaption:
    """Return the method that changes the words under an earlier picture; raises MessageInvalidError."""
    text, entities = words_of(message)
    _require(text, MAX_CAPTION)
    return EditMessageCaption(
        chat_id=int(chat),
        message_id=number,
        caption=text,
        caption_entities=entities,
        reply_markup=_under(keyboard_of(message, group=is_group(chat))),
    )


def reference_of(sent: SentMessage) -> str | None:
    """Return Telegram's id of the file that a sent message holds."""
    if sent.photo:
        return max(sent.photo, key=lambda size: size.width * size.height).file_id
    held = sent.animation or sent.document
    return held.file_id if held else None


def _under(keyboard: Any) -> InlineKeyboardMarkup | None:
    """Return a keyboard if it stands under a message: only such a one can be changed."""
    return keyboard if isinstance(keyboard, InlineKeyboardMarkup) else None


def _answering(chat: str, message: Message) -> ReplyParameters | None:
    number = number_in(chat, message.replies_to)
    # The message answered may be gone; the answer itself must not be lost with it.
    return None if number is None else ReplyParameters(message_id=number, allow_sending_without_reply=True)


def _require(text: str, most: int) -> None:
    length = utf16_length(text)
    if length > most:
        raise MessageInvalidError("text_too_long", f"{length} of {most}")
