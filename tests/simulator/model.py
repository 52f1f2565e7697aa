"""What the fake platform remembers: accounts, people, their ties, messages, uploads."""

from dataclasses import asdict, dataclass, field
from typing import Any

Json = dict[str, Any]
BUSINESS, STATE = 2, 4
ACCESS_LIFE_MS = 90_000 * 1000
REFRESH_LIFE_MS = 90 * 86_400 * 1000


@dataclass(slots=True)
class Template:
    """An approved template: `text` holds <name> marks; prices are in đồng."""

    template_id: str
    name: str
    text: str
    params: dict[str, int] = field(default_factory=dict)  # name -> longest value in characters
    tag: str = "TRANSACTION"
    status: str = "ENABLE"
    quality: str = "HIGH"
    types: dict[str, str] = field(default_factory=dict)  # name -> kind, STRING where it says nothing
    optional: list[str] = field(default_factory=list)
    by_uid: bool = True
    price_uid: int = 100
    price_phone: int = 120


@dataclass(slots=True)
class OfficialAccount:
    """One OA with its app, keys, tokens, limits and switches."""

    oa_id: str
    name: str
    oa_type: int
    app_id: str
    app_secret: str
    oa_secret_key: str
    access_token: str
    refresh_token: str
    webhook_url: str = ""
    callback_url: str = ""
    access_expires_ms: int = 0
    refresh_expires_ms: int = 0
    rate_limit: int = 2000
    sub_quota_total: int = 500
    sub_quota_used: int = 0
    daily_template_quota: int = 5000
    templates_sent: int = 0
    template_refusal: int = 0  # the code with which everything about templates is refused, such as -136
    uploads_made: dict[str, int] = field(default_factory=dict)
    webhook_on: bool = True
    events_off: list[str] = field(default_factory=list)
    echo: bool = True
    receipts: bool = True
    admin_phones: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    templates: dict[str, Template] = field(default_factory=dict)

    @property
    def is_state(self) -> bool:
        """Whether this is a state-agency OA."""
        return self.oa_type == STATE


@dataclass(slots=True)
class Person:
    """A citizen with a phone that runs Zalo."""

    user_id: str
    name: str
    phone: str
    user_id_by_app: str
    online: bool = True


@dataclass(slots=True)
class Tie:
    """What one person and one OA are to each other; times in ms, 0 = never."""

    oa_id: str
    user_id: str
    following: bool = False
    blocked: bool = False
    left: bool = False  # unfollowed, and no sign of life since
    clicked_chat: bool = False
    last_interaction_ms: int = 0
    last_message_ms: int = 0
    welcome_used: int = 0
    bound_replies: dict[str, int] = field(default_factory=dict)
    shared_info: Json = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Message:
    """One message of a conversation, as both ends see it. `attachments` have the webhook's shape."""

    msg_id: str
    oa_id: str
    user_id: str
    from_oa: bool
    kind: str
    at_ms: int
    text: str = ""
    attachments: list[Json] = field(default_factory=list)
    buttons: list[Json] = field(default_factory=list)
    elements: list[Json] = field(default_factory=list)
    quote_msg_id: str = ""
    admin_id: str = ""
    via: str = "phone"
    hidden: bool = False
    tracking_id: str = ""
    hashed: bool = False
    template_id: str = ""
    quota_type: str = ""
    received_ms: int = 0
    seen_ms: int = 0
    reactions: list[str] = field(default_factory=list)

    @property
    def images(self) -> list[str]:
        """Addresses of the pictures in this message."""
        return [a["payload"]["url"] for a in self.attachments if a["type"] in {"image", "gif"}]

    def view(self) -> Json:
        """Return the message as the control API shows it."""
        return asdict(self) | {"images": self.images, "from": "oa" if self.from_oa else "user"}


@dataclass(slots=True)
class Upload:
    """A file that an OA uploaded: usable for 7 days."""

    upload_id: str
    oa_id: str
    kind: str  # image, gif, file
    media: str
    name: str
    size: int
    checksum: str
    at_ms: int


@dataclass(slots=True)
class AuthCode:
    """An authorization code: 10 minutes, one use."""

    code: str
    oa_id: str
    challenge: str
    expires_ms: int
