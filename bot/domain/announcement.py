"""Know what an announcement may do next, and what is wrong with one before anybody approves it."""

from enum import StrEnum
from urllib.parse import urlsplit

from bot.domain.broadcast import fields_of
from bot.domain.message import Button, Media, Message
from bot.domain.quiet import labelled
from bot.errors import InvalidInputError

MAX_TITLE = 100
MAX_TEXT = 6000
MAX_LABEL = 35
MAX_URL = 500
NAME_FIELD = "Tên"
"""The merge field that every audience has: what the contact is called."""
SOMEBODY = "Ông/Bà"
"""What stands there for whoever has told no name, and where nobody is meant yet."""


class Kind(StrEnum):
    """How an announcement is treated: when it may leave, and whose agreement it needs."""

    NOTICE = "notice"
    ADVERT = "advert"
    EMERGENCY = "emergency"


class State(StrEnum):
    """Where an announcement stands between being written and having ended."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    ENDED = "ended"


MOVES: dict[str, tuple[frozenset[State], State]] = {
    "submit": (frozenset({State.DRAFT}), State.SUBMITTED),
    "withdraw": (frozenset({State.SUBMITTED}), State.DRAFT),
    "send_back": (frozenset({State.SUBMITTED}), State.DRAFT),
    "approve": (frozenset({State.SUBMITTED}), State.APPROVED),
    "end": (frozenset({State.APPROVED}), State.ENDED),
}
"""From which states each verb leads where."""


def message_of(title: str, text: str, label: str, url: str, media: Media | None, kind: str) -> Message:
    """Make the free text that people get; what is like advertising is labelled so (decree 91/2020/NĐ-CP, [QC])."""
    buttons = (Button(label, url=url),) if label and url else ()
    if title:
        return Message(text=text, title=labelled(kind, title), buttons=buttons, media=media)
    return Message(text=labelled(kind, text), buttons=buttons, media=media)


def words_wrong(title: str, text: str, label: str, url: str) -> list[InvalidInputError]:
    """Return what is wrong with the words, by field; [] when nothing is."""
    found = []
    if not text.strip():
        found.append(InvalidInputError("text", "required"))
    for field, value, most in (
        ("title", title, MAX_TITLE), ("text", text, MAX_TEXT), ("button_label", label, MAX_LABEL),
        ("button_url", url, MAX_URL),
    ):  # fmt: skip
        if len(value) > most:
            found.append(InvalidInputError(field, "too_long", most=most, length=len(value)))
    if bool(label) != bool(url):
        found.append(InvalidInputError("button_url" if label else "button_label", "button_half"))
    elif url and not _is_web(url):
        found.append(InvalidInputError("button_url", "not_a_link"))
    for field, value in (("title", title), ("text", text)):
        if value.count("{{") != value.count("}}"):
            found.append(InvalidInputError(field, "field_open"))
    return found


def fields_wrong(message: Message, known: set[str]) -> list[InvalidInputError]:
    """Return the merge fields that a message names and the audience does not have."""
    return [InvalidInputError("text", "unknown_field", name=name) for name in sorted(fields_of(message) - known)]


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and "." in parts.netloc and " " not in url
