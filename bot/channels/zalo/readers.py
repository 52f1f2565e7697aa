"""Read each kind of Zalo event into its update; an event whose shape is not the documented one raises OddEventError."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from bot.channels.zalo.attachments import attachments_of
from bot.channels.zalo.envelope import contact_of
from bot.channels.zalo.payload import (
    details_of,
    id_of,
    integer_of,
    list_of,
    object_of,
    phone_of,
    text_of,
)
from bot.domain.text import excerpt
from bot.domain.update import (
    AccountNews,
    ButtonPressed,
    Echo,
    Followed,
    MessageReceived,
    PhoneShared,
    Rated,
    Receipt,
    ReceiptKind,
    TemplateNews,
    Unfollowed,
    Update,
    Withdrawn,
)

TEST_MESSAGE_ID = "This is message id"
TEST_TEXT = "This is testing message"
"""What the console's test button sends (api.md 1.2)."""

_ENVELOPE = frozenset({"app_id", "oa_id", "oaId", "event_name", "timestamp", "user_id_by_app"})
_STARS = range(1, 6)
_MAX_NOTES = 20
_PHONE_LENGTHS = range(10, 14)
_HASH_LENGTH = 64


class OddEventError(Exception):
    """The event is known but its shape is not; the text says what is missing."""


class Facts(TypedDict):
    """What every update carries."""

    account: str
    external_id: str
    sender: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One webhook on its way to becoming an update."""

    name: str
    data: dict[str, Any]
    facts: Facts

    @property
    def message(self) -> dict[str, Any]:
        """Return the `message` object, empty when there is none."""
        return object_of(self.data.get("message"))

    def message_id(self) -> str:
        """Return the id of the message the event brings; raises OddEventError without one."""
        return required(id_of(self.message.get("msg_id")), "no msg_id")

    def of(self, sender: str) -> Facts:
        """Return the facts with another person as the one concerned."""
        return {**self.facts, "sender": sender}


def required(value: str, why: str) -> str:
    """Return a value that must not be empty; raises OddEventError."""
    if not value:
        raise OddEventError(why)
    return value


def received(event: Event) -> Update:
    """Read `user_send_*` and `anonymous_send_*`; taps on menus and query buttons come as text too."""
    required(event.facts["sender"], "no sender")
    message, message_id = event.message, event.message_id()
    text = text_of(message.get("text"))
    return MessageReceived(
        **event.facts,
        message_id=message_id,
        text=text,
        attachments=attachments_of(message.get("attachments"), card=event.name == "user_send_business_card"),
        quotes=id_of(message.get("quote_msg_id")) or None,
        anonymous=event.name.startswith("anonymous_"),
        conversation_id=id_of(message.get("conversation_id")) or None,
        test=message_id == TEST_MESSAGE_ID or (text == TEST_TEXT and not event.facts["account"].isdigit()),
    )


def echo(event: Event) -> Update:
    """Read `oa_send_*`: `admin_id` stands there only when a person typed in the OA tool (api.md 1.4)."""
    message = event.message
    return Echo(
        **event.of(required(contact_of(event.data), "no recipient")),
        message_id=event.message_id(),
        text=text_of(message.get("text")),
        attachments=attachments_of(message.get("attachments"), card=event.name == "oa_send_business_card"),
        staff_id=id_of(object_of(event.data.get("sender")).get("admin_id")) or None,
        anonymous=event.name.startswith("oa_send_anonymous_"),
    )


def followed(event: Event) -> Update:
    """Read `follow` and `user_click_chatnow`, the once-only opening of the chat."""
    required(event.facts["sender"], "no follower")
    return Followed(**event.facts, how=excerpt(text_of(event.data.get("source")), 64) or event.name)


def unfollowed(event: Event) -> Update:
    """Read `unfollow`."""
    required(event.facts["sender"], "no follower")
    return Unfollowed(**event.facts)


def withdrawn(event: Event) -> Update:
    """Read `user_withdraw`, a data-subject request."""
    required(event.facts["sender"], "no user")
    return Withdrawn(**event.facts)


def phone_shared(event: Event) -> Update:
    """Read `user_submit_info` in both shapes; the phone becomes `84…`."""
    required(event.facts["sender"], "no sender")
    info = object_of(event.data.get("info"))
    full = object_of(info.get("full_address"))
    # Since July 2025 an address has two levels (full_address); the older flat shape had a district as well.
    parts = (
        (full.get("user_address"), full.get("user_ward"), full.get("user_city"))
        if full
        else (info.get("address"), info.get("ward"), info.get("district"), info.get("city"))
    )
    return PhoneShared(
        **event.facts,
        phone=required(phone_of(info.get("phone")), "no phone"),
        name=text_of(info.get("name")),
        address=", ".join(filter(None, map(text_of, parts))),
        birth_date=text_of(info.get("user_dob")),
        gender=text_of(info.get("gender")),
    )


def receipt(event: Event) -> Update:
    """Read `user_received_message` and `user_seen_message`, of the chat and of the phone channel."""
    message, recipient = event.message, contact_of(event.data)
    ids = [id_of(value) for value in (*list_of(message.get("msg_ids")), message.get("msg_id"))]
    tracking = id_of(message.get("tracking_id")) or None
    by_phone = tracking is not None or "delivery_time" in message or _is_phone(recipient)
    kind = ReceiptKind.SEEN if event.name == "user_seen_message" else ReceiptKind.DELIVERED
    message_ids = tuple(dict.fromkeys(filter(None, ids)))
    if not message_ids and not tracking:
        raise OddEventError("no msg_id")
    return Receipt(
        **event.of("" if by_phone else recipient),
        kind=kind,
        message_ids=message_ids,
        tracking_id=tracking,
        phone=recipient or None if by_phone else None,
    )


def _is_phone(recipient: str) -> bool:
    # A user id has up to 20 digits, a Vietnamese phone 11; a message sent to a hashed phone names the SHA-256.
    return (recipient.startswith("84") and len(recipient) in _PHONE_LENGTHS) or len(recipient) == _HASH_LENGTH


def pressed(event: Event) -> Update:
    """Read `user_click_response_button`; the message id stands at the root."""
    message_id = id_of(event.data.get("msg_id")) or id_of(event.message.get("msg_id"))
    tracking = id_of(event.message.get("tracking_id")) or None
    if not message_id and not tracking:
        raise OddEventError("no msg_id")
    payload = text_of(event.message.get("data"))
    return ButtonPressed(**event.facts, message_id=message_id, payload=payload, tracking_id=tracking)


def rated(event: Event) -> Update:
    """Read `user_feedback`; it names no person, only the message."""
    message = event.message
    message_id, tracking = id_of(message.get("msg_id")), id_of(message.get("tracking_id")) or None
    if not message_id and not tracking:
        raise OddEventError("no msg_id")
    rate = integer_of(message.get("rate"))
    if rate is None or rate not in _STARS:
        raise OddEventError("rate is not 1 to 5")
    return Rated(
        **event.facts,
        message_id=message_id,
        rate=rate,
        note=text_of(message.get("note")),
        remarks=tuple(filter(None, map(text_of, list_of(message.get("feedbacks"))[:_MAX_NOTES]))),
        tracking_id=tracking,
    )


def template_news(event: Event) -> Update:
    """Read `change_*`: news about a template, its quality, a quota."""
    subject = id_of(event.data.get("template_id"))
    details = details_of(event.data, _ENVELOPE | {"template_id"})
    return TemplateNews(**event.of(""), what=event.name, subject=subject, details=details)


def account_news(event: Event) -> Update:
    """Read what is recorded and not answered: groups, tags, calls, widgets, reactions."""
    return AccountNews(**event.facts, what=event.name, details=details_of(event.data, _ENVELOPE))


def group_message(event: Event) -> Update:
    """Read what was said in a group of the OA: recorded, never answered."""
    kinds = dict.fromkeys(text_of(object_of(item).get("type")) for item in list_of(event.message.get("attachments")))
    details = {
        "group_id": contact_of(event.data),
        "message_id": id_of(event.message.get("msg_id")),
        "text": text_of(event.message.get("text")),
        "attachments": excerpt(", ".join(kinds), 200),
    }
    return AccountNews(**event.facts, what=event.name, details={key: value for key, value in details.items() if value})


def about_recipient(event: Event) -> Update:
    """Read what the OA itself did to a message of a person."""
    return AccountNews(**event.of(contact_of(event.data)), what=event.name, details=details_of(event.data, _ENVELOPE))
