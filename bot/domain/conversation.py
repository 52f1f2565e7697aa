"""Where a conversation with a citizen can stand, and what a half-finished report holds."""

from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.domain.text import fold

MIN_CONTENT = 5
"""Characters below which a report says nothing."""
MAX_PHOTOS = 5
MAX_VIDEOS = 1
RESUME_AFTER = timedelta(minutes=30)
"""After so long a half-finished report is offered again instead of simply continued."""


class Step(StrEnum):
    """What the bot waits for."""

    IDLE = "idle"
    CATEGORY = "category"
    CONTENT = "content"
    PLACE = "place"
    PHOTOS = "photos"
    CONFIRM = "confirm"
    EDITING = "editing"
    PROPOSED = "proposed"
    OFFERED = "offered"
    QUESTION = "question"
    REASON = "reason"
    REMARK = "remark"
    DOSSIER_REMARK = "dossier_remark"
    DOSSIER = "dossier"


REPORT_STEPS = frozenset(
    {Step.CATEGORY, Step.CONTENT, Step.PLACE, Step.PHOTOS, Step.CONFIRM, Step.EDITING, Step.PROPOSED}
)
"""Steps in which a photo that arrives belongs to the report being written."""


@dataclass(slots=True)
class Draft:
    """A report being written; `message_ids` are the stored messages that will become part of the case."""

    started_at: str = ""
    kind: str = "report"
    category_id: str = ""
    text: str = ""
    place: str = ""
    area_id: str = ""
    latitude: float | None = None
    longitude: float | None = None
    photos: int = 0
    videos: int = 0
    voices: int = 0
    files: int = 0
    step: str = Step.IDLE.value
    message_ids: list[str] = field(default_factory=list)

    @property
    def has_content(self) -> bool:
        """Say whether the words are enough to send."""
        return len(self.text) >= MIN_CONTENT

    @property
    def has_place(self) -> bool:
        """Say whether anything tells where it is."""
        return bool(self.place or self.area_id or self.latitude is not None)

    @property
    def only_photos(self) -> bool:
        """Say whether nothing but photos came yet: they may be of something else than of what is to be reported."""
        return self.photos > 0 and self.attached == self.photos and not (self.text or self.has_place)

    @property
    def attached(self) -> int:
        """How many things are attached."""
        return self.photos + self.videos + self.voices + self.files

    def add_text(self, text: str) -> None:
        """Add words; several messages become one text."""
        self.text = f"{self.text}\n{text}".strip()

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able dictionary."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any] | None) -> "Draft | None":
        """Read what `to_json` wrote; unknown keys of other versions are ignored."""
        if not data:
            return None
        known = {f.name for f in fields(cls)}
        return cls(**{key: value for key, value in data.items() if key in known})

    def forgotten(self, now: datetime, hours: int) -> bool:
        """Say whether the draft is too old to be offered again."""
        return not self.started_at or datetime.fromisoformat(self.started_at) + timedelta(hours=hours) < now


_SHORT = 45
_CALLED = (
    "anh can cuoc",
    "anh cccd",
    "anh cmnd",
    "anh chung minh",
    "can cuoc cua toi",
    "cccd cua toi",
    "can cuoc toi",
    "mat truoc",
    "mat sau",
    "chup can cuoc",
    "gui can cuoc",
    "gui cccd",
)
_IDENTITY_PAPERS = ("can cuoc", "cccd", "cmnd", "chung minh nhan dan", "chung minh thu", "ho chieu")


def says_identity_paper(text: str) -> bool:
    """Say whether a citizen calls a photo an identity paper; a complaint that only mentions papers does not."""
    folded = f" {fold(text)} "
    if not any(f" {word} " in folded for word in _IDENTITY_PAPERS):
        return False
    return len(folded) <= _SHORT or any(f" {words} " in folded for words in _CALLED)
