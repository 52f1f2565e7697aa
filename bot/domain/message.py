"""Describe what leaves, what an account can carry, and fit the one to the other."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from bot.domain.split import split_text

_BASIC_PLANE = "\uffff"
_PLAIN = (
    "text", "asks_contact", "title", "image_url", "template_id", "parameters", "replies_to", "edits", "development",
)  # fmt: skip


class Lane(StrEnum):
    """Which messages go first; the order of the members is the order of sending."""

    ANSWER = "answer"
    NOTICE = "notice"
    BROADCAST = "broadcast"


@dataclass(frozen=True, slots=True)
class Button:
    """One tap: `payload` comes back as if typed; with `url` the tap opens a page instead."""

    label: str
    payload: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or file to send: `file_id` is our row, `kind` image or file, `name` what the reader sees."""

    file_id: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person. `replies_to` is the provider's id of the message it answers.

    `edits` is the provider's id of an earlier message of ours in whose place this one is put; an account that cannot
    do that sends it as a new message. With `template_id` the provider's approved template is sent, filled with
    `parameters`, and no words of ours; with `development` only to the account's administrators, who try it out.
    """

    text: str = ""
    buttons: tuple[Button, ...] = ()
    media: Media | None = None
    asks_contact: bool = False
    title: str = ""
    image_url: str = ""
    template_id: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    replies_to: str | None = None
    edits: str | None = None
    development: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able dictionary, empty fields left out."""
        out: dict[str, Any] = {}
        if self.buttons:
            out["buttons"] = [
                {"label": b.label, "payload": b.payload, **({"url": b.url} if b.url else {})} for b in self.buttons
            ]
        if self.media:
            out["media"] = {"file_id": self.media.file_id, "kind": self.media.kind, "name": self.media.name}
        for name in _PLAIN:
            value = getattr(self, name)
            if value:
                out[name] = value
        return out

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Message":
        """Read what `to_json` wrote."""
        media = data.get("media")
        return cls(
            text=data.get("text", ""),
            buttons=tuple(Button(b["label"], b.get("payload", ""), b.get("url")) for b in data.get("buttons", ())),
            media=Media(media["file_id"], media["kind"], media["name"]) if media else None,
            asks_contact=bool(data.get("asks_contact", False)),
            title=data.get("title", ""),
            image_url=data.get("image_url", ""),
            template_id=data.get("template_id"),
            parameters=dict(data.get("parameters", {})),
            replies_to=data.get("replies_to"),
            edits=data.get("edits"),
            development=bool(data.get("development", False)),
        )


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one account can carry now; lengths in characters, window in hours (0: no window).

    With `utf16` characters outside the basic plane, such as emoji, count double. `max_caption` is how long the words
    beside a picture or file may be (0: as any text). Without `receipts` the provider never tells what became of a
    message: no echo, no delivery.
    """

    max_text: int
    max_caption: int = 0
    utf16: bool = False
    max_buttons: int = 0
    max_button_label: int = 100
    images: bool = True
    files: bool = True
    file_captions: bool = True
    asks_contact: bool = False
    quotes: bool = False
    edits: bool = False
    groups: bool = False
    receipts: bool = True
    window_hours: int = 0
    free_hours: int = 0
    addressed_by: str = "user_id"
    per_minute: int = 0


def fit(message: Message, capabilities: Capabilities, protected: tuple[str, ...] = ()) -> list[Message]:
    """Split and degrade `message` for an account, in sending order, once for all channels.

    Buttons that the account cannot show become numbered lines (a citizen may type the number or the words); a
    picture or file with a long text becomes several messages, as does any text beside a file where files cannot
    carry one. `protected` are pieces of text never to be cut.
    """
    if message.media and message.media.kind == "file" and not capabilities.file_captions:
        words = replace(message, media=None)
        rest = fit(words, capabilities, protected) if words.text or words.buttons else []
        return [Message(media=message.media), *rest]
    message = message if capabilities.edits else replace(message, edits=None)
    text, buttons = message.text, message.buttons
    if buttons and len(buttons) > capabilities.max_buttons:
        lines = [f"{number}. {b.label}" + (f": {b.url}" if b.url else "") for number, b in enumerate(buttons, 1)]
        text = "\n".join([text, *lines]) if text else "\n".join(lines)
        buttons = ()
    buttons = tuple(replace(b, label=b.label[: capabilities.max_button_label]) for b in buttons)
    quote = message.replies_to if capabilities.quotes else None
    if _fits(text, message, capabilities):
        return [replace(message, text=text, buttons=buttons, replies_to=quote)]
    parts = split_text(text, _room(text, message, capabilities), protected)
    if len(parts) < 2 and not message.media:  # noqa: PLR2004 - it was too long for its blanks or its title alone
        return [replace(message, text="".join(parts), buttons=buttons, replies_to=quote)]
    head = [Message(text=part) for part in parts[:-1]]
    last = replace(message, text=parts[-1] if parts else "", buttons=buttons, title="", replies_to=None, edits=None)
    if message.media:
        first = replace(message, text="", buttons=(), replies_to=quote)
        return [first, *head, replace(last, media=None)]
    head[0] = replace(head[0], title=message.title, replies_to=quote, edits=message.edits)
    return [*head, last]


def _fits(text: str, message: Message, capabilities: Capabilities) -> bool:
    most = capabilities.max_caption if message.media and capabilities.max_caption else capabilities.max_text
    return _length(text, capabilities) + _title_length(message, capabilities) <= most


def _room(text: str, message: Message, capabilities: Capabilities) -> int:
    """Return how many characters a part of the text may have, wherever those stand that count double."""
    most = max(capabilities.max_text - _title_length(message, capabilities), capabilities.max_text // 2)
    return max(most - (_length(text, capabilities) - len(text)), most // 2)


def _title_length(message: Message, capabilities: Capabilities) -> int:
    """Return what a title takes of the text's room: it stands above, with a blank line between."""
    if not message.title or message.asks_contact:
        return 0
    return _length(message.title, capabilities) + 2


def _length(text: str, capabilities: Capabilities) -> int:
    if not capabilities.utf16 or text.isascii():
        return len(text)
    return len(text) + sum(c > _BASIC_PLANE for c in text)
