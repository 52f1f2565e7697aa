"""Describe everything that can arrive from a provider as one closed union of plain values."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class AttachmentKind(StrEnum):
    """What a citizen can attach; the closed list every channel maps to."""

    IMAGE = "image"
    GIF = "gif"
    VIDEO = "video"
    AUDIO = "audio"
    FILE = "file"
    STICKER = "sticker"
    LINK = "link"
    LOCATION = "location"
    CONTACT_CARD = "contact_card"
    TEMPLATE = "template"


@dataclass(frozen=True, slots=True)
class Attachment:
    """One thing attached to a message; `url` is the provider's address, `size` bytes, coordinates in degrees."""

    kind: AttachmentKind
    url: str | None = None
    name: str | None = None
    size: int | None = None
    description: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Envelope:
    """What every update carries.

    `account` is the provider's id of the OA or bot ("" when the event names none), `external_id` identifies the
    event for de-duplication within account and kind, `sender` is the citizen's id at that account ("" when the event
    concerns no person), `occurred_at` the provider's time in UTC, `chat` the id of the group in which it happened
    ("" between the account and one person).
    """

    account: str
    external_id: str
    sender: str
    occurred_at: datetime
    chat: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived(_Envelope):
    """A citizen wrote, sent media, a place or a card. A tap that the provider cannot tell from typing is one too.

    `edited`: what stands in an earlier message of the same id was changed. `album` is shared by the pictures that were
    sent together, each of which arrives as an update of its own.
    """

    message_id: str
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    quotes: str | None = None
    anonymous: bool = False
    conversation_id: str | None = None
    test: bool = False
    edited: bool = False
    album: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonPressed(_Envelope):
    """A citizen pressed a button of a message that we sent; `payload` is what we put into it.

    `tap_id` is what the provider wants to hear back, so that the button stops spinning ("" where it wants nothing).
    """

    message_id: str
    payload: str
    tracking_id: str | None = None
    tap_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed(_Envelope):
    """A citizen followed the account or opened the chat for the first time; `how` is the provider's word for it."""

    how: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfollowed(_Envelope):
    """A citizen stopped following. `blocked`: nothing gets through to them any more until they come back."""

    blocked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneShared(_Envelope):
    """A citizen handed over name, phone and address on request."""

    phone: str
    name: str = ""
    address: str = ""
    birth_date: str = ""
    gender: str = ""


class ReceiptKind(StrEnum):
    """How far a message of ours has come, by the provider's word."""

    DELIVERED = "delivered"
    SEEN = "seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(_Envelope):
    """Messages of ours were delivered or seen; `phone` is set for messages addressed by phone."""

    kind: ReceiptKind
    message_ids: tuple[str, ...]
    tracking_id: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo(_Envelope):
    """The account itself sent something: we by API, or a person in the provider's own tool (`staff_id` is set)."""

    message_id: str
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    staff_id: str | None = None
    anonymous: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(_Envelope):
    """A citizen withdrew from the provider's app: treat as a request to erase (law 91/2025/QH15)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated(_Envelope):
    """A citizen rated through a provider's rating template; `rate` from 1 (worst) to 5."""

    message_id: str
    rate: int
    note: str = ""
    remarks: tuple[str, ...] = ()
    tracking_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateNews(_Envelope):
    """The provider changed a template, its quality, or a quota; `subject` is the template id or ""."""

    what: str
    subject: str
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountNews(_Envelope):
    """Something happened that the service records but does not answer: tags, groups, calls, reactions, widgets."""

    what: str
    details: dict[str, str] = field(default_factory=dict)


UNKNOWN_EVENT = "unknown event"
"""Why an event is Unrecognised although nothing is wrong with it: nobody has taught us its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrecognised(_Envelope):
    """Nobody knows this event, or its shape; it is kept and counted, never an error. `why` says what was odd."""

    name: str
    why: str


Update = (
    MessageReceived
    | ButtonPressed
    | Followed
    | Unfollowed
    | PhoneShared
    | Receipt
    | Echo
    | Withdrawn
    | Rated
    | TemplateNews
    | AccountNews
    | Unrecognised
)
