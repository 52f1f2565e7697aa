"""Say what a letter of apology is made of, which merge fields it may name, and what fills them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Any

from bot.domain.broadcast import fields_of, fill
from bot.domain.message import Message
from bot.domain.text import clean
from bot.errors import InvalidInputError

FIELDS = (
    "tên người nộp", "mã hồ sơ", "thủ tục", "ngày tiếp nhận", "ngày hẹn cũ", "ngày hẹn mới", "lý do", "đơn vị",
    "ngày tháng",
)  # fmt: skip
"""The merge fields, by the names under which the office writes them."""
_MOST = {"subject": 300, "body": 6000, "recipients": 1000, "place": 100, "signer": 200}
_FEW = 10


@dataclass(frozen=True, slots=True)
class LetterText:
    """The words of a letter as the office edits them, with merge fields.

    `place` stands before the date, `signer` is who signs, with their office, above the room for the name.
    """

    subject: str
    body: str
    recipients: str
    place: str = ""
    signer: str = ""

    @classmethod
    def read(cls, text: str) -> "LetterText":
        """Read a text whose parts, subject, body and recipients, stand between lines of three dashes."""
        subject, body, recipients = (part.strip() for part in text.split("\n---\n"))
        return cls(subject, body, recipients)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "LetterText":
        """Return what a unit's settings keep."""
        return cls(**{one.name: str(kept.get(one.name, "")) for one in fields(cls)})

    def to_json(self) -> dict[str, str]:
        """Return what a unit's settings keep of it."""
        return asdict(self)

    def checked(self) -> "LetterText":
        """Return the text cleaned; raises InvalidInputError empty | too_long | unknown_letter_field by part."""
        made = replace(self, **{one.name: clean(getattr(self, one.name)) for one in fields(self)})
        for name, words in made.to_json().items():
            if not words and name in {"subject", "body"}:
                raise InvalidInputError(name, "empty")
            if len(words) > _MOST[name]:
                raise InvalidInputError(name, "too_long", most=_MOST[name])
            unknown = sorted(fields_of(Message(text=words)) - set(FIELDS))
            if unknown:
                raise InvalidInputError(name, "unknown_letter_field", fields=", ".join(unknown))
        return made

    def filled(self, values: Mapping[str, str]) -> "LetterText":
        """Return the text with its merge fields filled; one without a value becomes dots to write on."""
        known = {name: values.get(name) or "……" for name in FIELDS}
        return replace(self, **{one.name: fill(getattr(self, one.name), known) for one in fields(self)})


def in_words(day: date) -> str:
    """Write a date as decree 30/2020 has it: ngày 05 tháng 02 năm 2026."""
    month = f"{day.month:02d}" if day.month <= 2 else str(day.month)  # noqa: PLR2004 - January and February
    number = f"{day.day:02d}" if day.day < _FEW else str(day.day)
    return f"ngày {number} tháng {month} năm {day.year}"
