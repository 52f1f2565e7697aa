"""Read what is attached to a message; files are references, since their addresses would hold the bot's token."""

from typing import Any

from aiogram import types
from aiogram.enums import ContentType

from bot.domain.text import clean
from bot.domain.update import Attachment, AttachmentKind

SCHEME = "telegram:"
"""Stands before a file's id where other providers give an address."""

_MAX_REFERENCE = 1000
_POLE = 90.0
_PEOPLE_SEND = frozenset(
    {
        "poll", "dice", "game", "story", "paid_media", "checklist", "invoice", "giveaway", "giveaway_winners",
        "live_photo", "unknown",
    }
)  # fmt: skip
"""What people send that is only described; all else without words is news about the chat, such as a new title."""


def attachments_of(message: types.Message) -> tuple[Attachment, ...]:
    """Return what a message holds besides words: one thing, since each picture of an album is a message of its own."""
    found = _file(message) or _place(message) or _card(message)
    if found is not None:
        return (found,)
    kind = content_of(message)
    if kind in _PEOPLE_SEND and (kind != "unknown" or message.chat.type == "private"):
        return (Attachment(AttachmentKind.TEMPLATE, description=kind),)
    return ()


def content_of(message: types.Message) -> str:
    """Return Telegram's word for what a message holds."""
    return ContentType(message.content_type).value


def _file(message: types.Message) -> Attachment | None:  # noqa: PLR0911 - one return a kind of file
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width * size.height)
        return _fetchable(AttachmentKind.IMAGE, largest)
    if message.animation:  # which also stands as a document, and is nearly always a silent video
        return _fetchable(AttachmentKind.GIF if message.animation.mime_type == "image/gif" else AttachmentKind.VIDEO,
                          message.animation)  # fmt: skip
    if message.video or message.video_note:
        return _fetchable(AttachmentKind.VIDEO, message.video or message.video_note)
    if message.voice or message.audio:
        return _fetchable(AttachmentKind.AUDIO, message.voice or message.audio)
    if message.document:
        picture = message.document.mime_type in {"image/jpeg", "image/png", "image/webp"}
        return _fetchable(AttachmentKind.IMAGE if picture else AttachmentKind.FILE, message.document)
    if message.sticker:
        return Attachment(AttachmentKind.STICKER, description=message.sticker.emoji)
    return None


def _fetchable(kind: AttachmentKind, file: Any) -> Attachment:
    name = clean(getattr(file, "file_name", None) or "")
    url = f"{SCHEME}{file.file_id}" if 0 < len(file.file_id) <= _MAX_REFERENCE else None
    return Attachment(kind, url=url, name=name or None, size=file.file_size)


def _place(message: types.Message) -> Attachment | None:
    where = message.location or (message.venue.location if message.venue else None)
    if where is None or abs(where.latitude) > _POLE or abs(where.longitude) > 2 * _POLE:
        return None
    named = clean(f"{message.venue.title}\n{message.venue.address}") if message.venue else None
    return Attachment(
        AttachmentKind.LOCATION, latitude=where.latitude, longitude=where.longitude, description=named or None
    )


def _card(message: types.Message) -> Attachment | None:
    card = message.contact
    if card is None:
        return None
    name = clean(f"{card.first_name} {card.last_name or ''}")
    return Attachment(AttachmentKind.CONTACT_CARD, name=name, description=clean(card.phone_number))
