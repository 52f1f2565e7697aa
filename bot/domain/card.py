"""Rules of the pocket desk: what a card's buttons say back, how link codes look, and when a card is wanted."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.domain.case import CODE_ALPHABET, Verb

GATHER_SECONDS = 1.0
"""Changes of a case within this time are shown by one edit of its cards."""
CARD_PURPOSE = "card"
"""The purpose of messages that are cards, in the outbox."""
ASKED_PURPOSES = frozenset({"case_photo", "work_list", "find_list", "hand_over_units"})
"""The purposes of what else shows cases to officials: sent because one of them asked."""
DUE_PURPOSE = "dossiers_due"
"""The purpose of warnings of dossiers that are about to be late."""
DESK_PURPOSES = ASKED_PURPOSES | {CARD_PURPOSE, DUE_PURPOSE}
"""What must not leave any more for a chat that has nothing to do with the office."""
GROUP_REFUSES = "group_refuses"
"""Why a group is gone that lets the bot read and not write: its administrators can change that without a word to us."""
UNITS_PER_PAGE = 8
CASES_PER_PAGE = 8
LINK_MINUTES = 10
DRAFT_LIFE = timedelta(minutes=30)
"""So long the next words in a private chat belong to what the bot asked for; a reply to its question always does."""
NEWS_LIFE = timedelta(days=1)
"""What happened longer ago is shown on the cards there are, and makes no new ones."""
UNLINK_WORDS = frozenset({"huy lien ket can bo", "ngung lien ket can bo", "bo lien ket can bo"})
"""By these words, folded, an official ends the link of the chat."""
_LINK_PREFIX = "LK-"
_LINK_LENGTH = 8
_LINK = re.compile(rf"(?:/start(?:@\w+)?\s+)?lk[-\s_]?([{CODE_ALPHABET}]{{{_LINK_LENGTH}}})", re.IGNORECASE)
_COMMAND = re.compile(r"/(?P<name>[a-z_]+)(?:@\w+)?(?:\s+(?P<rest>.*))?", re.IGNORECASE | re.DOTALL)
_PAYLOAD = "c"
_PARTS = 4
MAX_PAYLOAD = 64
"""Bytes that a provider carries with a button."""


class Kind(StrEnum):
    """What a card is sent for."""

    NEW = "new"
    REOPENED = "reopened"
    REMINDER = "reminder"
    REPLY = "reply"
    APPROVAL = "approval"
    ASKED = "asked"


class Press(StrEnum):
    """What a button of the desk stands for; short, since it travels in the button."""

    TAKE = "take"
    ANSWER = "ans"
    ASK = "ask"
    HAND_OVER = "over"
    APPROVE = "ok"
    SEND_BACK = "back"
    UNIT = "to"
    UNITS = "pg"
    CANCEL = "x"
    UNDO = "undo"
    SHOW = "show"
    PHOTOS = "img"
    WORK = "work"


VERBS: dict[Press, Verb] = {
    Press.TAKE: Verb.ACCEPT,
    Press.ANSWER: Verb.SUBMIT,
    Press.ASK: Verb.ASK_BACK,
    Press.HAND_OVER: Verb.ASSIGN,
    Press.UNITS: Verb.ASSIGN,
    Press.UNIT: Verb.ASSIGN,
    Press.APPROVE: Verb.APPROVE,
    Press.SEND_BACK: Verb.SEND_BACK,
}
"""The verb that each button of a card does or begins; its permission is that of the console's button."""


@dataclass(frozen=True, slots=True)
class Tap:
    """One pressed button: `ref` names the card, case, draft or event, `extra` a version, page or unit."""

    press: Press
    ref: str = ""
    extra: str = ""

    @property
    def number(self) -> int | None:
        """The extra as a whole number, or None."""
        return (
            int(self.extra)
            if self.extra.isascii() and self.extra.isdigit() and len(self.extra) < _LINK_LENGTH
            else None
        )


def payload(press: Press, ref: str = "", extra: str | int = "") -> str:
    """Return what a button carries, at most MAX_PAYLOAD bytes with ids as bot.clock makes them."""
    parts = [_PAYLOAD, press.value, ref, str(extra)]
    while not parts[-1]:
        parts.pop()
    return ":".join(parts)


def is_payload(text: str) -> bool:
    """Say whether a button's payload is one of the desk's, known or not."""
    return text.startswith(f"{_PAYLOAD}:")


def read_payload(text: str) -> Tap | None:
    """Read what `payload` wrote; None for anything else, such as a button of another version."""
    parts = text.split(":")
    if parts[0] != _PAYLOAD or not 1 < len(parts) <= _PARTS or parts[1] not in {press.value for press in Press}:
        return None
    return Tap(Press(parts[1]), *parts[2:])


def new_link_code(choice: Callable[[str], str] = secrets.choice) -> str:
    """Make a code that links a chat: 40 bits, good for LINK_MINUTES, letters that nobody mistakes."""
    return _LINK_PREFIX + "".join(choice(CODE_ALPHABET) for _ in range(_LINK_LENGTH))


def link_code(text: str) -> str | None:
    """Return the link code that the whole text is, typed or opened from a link (`/start LK-…`), or None."""
    found = _LINK.fullmatch(text.strip())
    return _LINK_PREFIX + found[1].upper() if found else None


def command(text: str) -> tuple[str, str]:
    """Return a command such as `/tim@bot đèn đường` as its lower-case name and the rest; ("", "") for other texts."""
    found = _COMMAND.fullmatch(text.strip())
    return (found["name"].lower(), (found["rest"] or "").strip()) if found else ("", "")


def kind_of(event: str) -> Kind | None:
    """Return for what an event of a case wants a card, or None when the cards there are need only be kept true."""
    return _KINDS.get(event)


_KINDS = {
    "routed": Kind.NEW,
    Verb.ASSIGN.value: Kind.NEW,
    Verb.REOPEN.value: Kind.REOPENED,
    "escalated": Kind.REMINDER,
    Verb.CITIZEN_REPLIED.value: Kind.REPLY,
    "citizen_wrote": Kind.REPLY,
    Verb.SUBMIT.value: Kind.APPROVAL,
}
