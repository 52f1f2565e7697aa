"""What the fake Telegram remembers: bots, people, chats, messages, files, taps."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

Json = dict[str, Any]
OUT = {"left", "kicked", ""}


@dataclass(slots=True)
class Bot:
    """One bot with its token, its webhook and its limits (0 = none)."""

    bot_id: int
    token: str
    name: str
    username: str
    privacy: bool = True  # in groups it sees only commands, replies to it and taps (BotFather's /setprivacy)
    webhook_url: str = ""
    behind: str = ""  # addresses of servers behind that name, parted by blanks: each attempt goes to one by chance
    secret_token: str = ""
    allowed_updates: list[str] = field(default_factory=list)  # empty: all that come unasked
    max_connections: int = 40
    last_error_s: int = 0
    last_error: str = ""
    next_update: int = 700_000_001
    commands: list[Json] = field(default_factory=list)
    per_second: int = 30
    chat_burst: int = 20  # so many at once in one chat, then one a second
    group_per_minute: int = 20


@dataclass(slots=True)
class Person:
    """Somebody with a phone that runs Telegram; `phone` without the plus."""

    user_id: int
    name: str
    phone: str
    username: str = ""
    deactivated: bool = False


@dataclass(slots=True)
class Chat:
    """A private chat of one person with one bot, or a group; `members` are person or bot ids with their status."""

    key: str
    chat_id: int
    type: str  # private, group, supergroup
    bot_id: int = 0  # private chats only
    title: str = ""
    members: dict[int, str] = field(default_factory=dict)
    started: bool = False  # private: the person wrote first
    blocked: bool = False  # private: the person blocked the bot
    migrated_to: int = 0
    last_message_id: int = 0


@dataclass(slots=True)
class Message:
    """One message; `text` is the caption when there is a file; `details` are further fields as the Bot API has them."""

    message_id: int
    chat: str
    sender: int
    from_bot: bool
    kind: str
    at_s: int
    text: str = ""
    entities: list[Json] = field(default_factory=list)
    file: str = ""
    details: Json = field(default_factory=dict)
    markup: Json = field(default_factory=dict)
    reply_to: int = 0
    album: str = ""
    edited_s: int = 0
    deleted: bool = False
    versions: list[str] = field(default_factory=list)  # what it said before each edit
    taken_by: list[int] = field(default_factory=list)  # bots that were told of it

    @property
    def buttons(self) -> list[Json]:
        """The buttons under the message, row by row."""
        return [button for row in self.markup.get("inline_keyboard", []) for button in row]

    @property
    def keyboard(self) -> list[Json]:
        """The buttons that stand in the place of the person's keyboard."""
        return [button for row in self.markup.get("keyboard", []) for button in row]

    def view(self) -> Json:
        """Return the message as the control API shows it."""
        return asdict(self) | {"from": "bot" if self.from_bot else "user"}


@dataclass(slots=True)
class StoredFile:
    """A file somebody sent; `media` is its name among the simulator's media."""

    key: str
    kind: str
    media: str
    name: str
    mime: str
    size: int
    width: int = 0
    height: int = 0
    duration: int = 0


@dataclass(slots=True)
class Tap:
    """One press of a button under a message; `answered` as the bot did it, with the words shown."""

    tap_id: str
    bot_id: int
    user_id: int
    chat: str
    message_id: int
    data: str
    at_s: int
    answered: bool = False
    text: str = ""
    alert: bool = False


@dataclass(slots=True)
class Update:
    """One update on its way to a bot. States: waiting, sending, held, delivered, dropped."""

    update_id: int
    bot_id: int
    kind: str
    payload: Json
    lane: str
    at_s: float
    state: str = "waiting"
    attempts: list[Json] = field(default_factory=list)

    def body(self) -> Json:
        """Return the Update object."""
        return {"update_id": self.update_id, self.kind: self.payload}

    def raw(self) -> bytes:
        """Return the bytes that a webhook gets."""
        return json.dumps(self.body(), ensure_ascii=False, separators=(",", ":")).encode()

    def view(self) -> Json:
        """Return the update as the control API shows it."""
        status = self.attempts[-1]["status"] if self.attempts else None
        return asdict(self) | {"status": status, "body": self.body()}
