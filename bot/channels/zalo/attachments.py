"""Read what is attached to a message in a webhook: pictures, files, places, cards."""

from typing import Any

from bot.channels.zalo.payload import (
    degrees_of,
    integer_of,
    list_of,
    object_of,
    phone_of,
    read_json,
    text_of,
    url_of,
)
from bot.domain.update import Attachment, AttachmentKind

MAX_ATTACHMENTS = 50

_MAX_BYTES = 2**63
_LATITUDE, _LONGITUDE = 90.0, 180.0
_MEDIA = frozenset(
    {AttachmentKind.IMAGE, AttachmentKind.GIF, AttachmentKind.VIDEO, AttachmentKind.AUDIO, AttachmentKind.STICKER}
)


def attachments_of(value: Any, *, card: bool = False) -> tuple[Attachment, ...]:
    """Return a message's attachments in order; `card` says that a link is a business card (by the event's name)."""
    found = (_attachment(object_of(item), card=card) for item in list_of(value)[:MAX_ATTACHMENTS])
    return tuple(attachment for attachment in found if attachment is not None)


def _attachment(item: dict[str, Any], *, card: bool) -> Attachment | None:
    payload = object_of(item.get("payload"))
    try:
        kind = AttachmentKind(text_of(item.get("type")))
    except ValueError:
        # A kind we have not met: a file if it can be fetched, nothing otherwise; the raw bytes stay in the inbox.
        return _file(payload) if url_of(payload.get("url")) else None
    if kind is AttachmentKind.LOCATION:
        return _location(payload)
    if kind is AttachmentKind.FILE:
        return _file(payload)
    if kind is AttachmentKind.TEMPLATE:
        return Attachment(kind, url_of(payload.get("link_url")), description=text_of(payload.get("text")) or None)
    if kind in _MEDIA:
        url = url_of(payload.get("url")) or url_of(payload.get("thumbnail"))
        return Attachment(kind, url, description=text_of(payload.get("description")) or None)
    return _link(payload, card=card)


def _file(payload: dict[str, Any]) -> Attachment:
    size = integer_of(payload.get("size"))
    return Attachment(
        AttachmentKind.FILE,
        url_of(payload.get("url")),
        name=text_of(payload.get("name")) or None,
        size=size if size is not None and 0 <= size < _MAX_BYTES else None,
        description=text_of(payload.get("description")) or None,
    )


def _location(payload: dict[str, Any]) -> Attachment | None:
    coordinates = object_of(payload.get("coordinates"))
    latitude = degrees_of(coordinates.get("latitude"), _LATITUDE)
    longitude = degrees_of(coordinates.get("longitude"), _LONGITUDE)
    if latitude is None or longitude is None:
        return None
    return Attachment(AttachmentKind.LOCATION, latitude=latitude, longitude=longitude)


def _link(payload: dict[str, Any], *, card: bool) -> Attachment:
    url, name = url_of(payload.get("url")), text_of(payload.get("title")) or None
    description = text_of(payload.get("description")) or None
    phone = _card_phone(description)
    if card or phone:
        return Attachment(AttachmentKind.CONTACT_CARD, url, name, description=phone or description)
    return Attachment(AttachmentKind.LINK, url, name, description=description)


def _card_phone(description: str | None) -> str:
    # A business card is a link whose description is JSON text with phone and qrCodeUrl (api.md 1.4).
    if description is None or not description.startswith("{"):
        return ""
    try:
        card = object_of(read_json(description.encode()))
    except ValueError:
        return ""
    return phone_of(card.get("phone")) if "qrCodeUrl" in card else ""
