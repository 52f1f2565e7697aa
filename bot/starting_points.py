"""Offer starting points for everyday announcements: ready-made words, the columns of their list, and when to send."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bot.domain.broadcast import fields_of, personal
from bot.domain.message import Message
from bot.domain.schedule import Schedule

FOLDER = Path(__file__).resolve().parent.parent / "templates" / "messages" / "vi" / "starting_points"


@dataclass(frozen=True)
class StartingPoint:
    """One starting point; `kind` is notice | advert | emergency, `topic` the name that its topic might have.

    `columns` are those of a list of recipients, `shared` the merge fields that are the same for everybody and are
    filled in while composing; both hold an example of each value. Without columns it is for people chosen by rules.
    A schedule of the kind `once` has no moment yet.
    """

    key: str
    name: str
    kind: str
    topic: str
    title: str
    text: str
    columns: Mapping[str, str]
    shared: Mapping[str, str]
    schedule: Schedule

    @property
    def fields(self) -> set[str]:
        """The merge fields that its words name."""
        return fields_of(Message(text=self.text, title=self.title))

    @property
    def example(self) -> Message:
        """What one person would read, with the examples filled in."""
        return personal(Message(text=self.text, title=self.title), {**self.columns, **self.shared})

    def begun(self, values: Mapping[str, str]) -> tuple[str, str]:
        """Return title and text with the shared values that are known; the other fields stay as they are written."""
        known = {name: values[name] for name in self.shared if values.get(name)}
        others = {name: f"{{{{{name}}}}}" for name in self.fields - set(known)}
        message = personal(Message(text=self.text, title=self.title), {**others, **known})
        return message.title, message.text


@cache
def warning_words() -> dict[str, dict[str, Any]]:
    """Return what drafts of official warnings say around the words of these."""
    return tomllib.loads((FOLDER.parent / "warning.toml").read_text(encoding="utf-8"))


@cache
def starting_points() -> tuple[StartingPoint, ...]:
    """Return all starting points in the order in which they are offered."""
    tables = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.toml")}
    ordered = sorted(tables.items(), key=lambda one: int(one[1]["position"]))
    return tuple(_read(key, table) for key, table in ordered)


def starting_point(key: str) -> StartingPoint | None:
    """Return the starting point with a key; None when there is none."""
    return next((point for point in starting_points() if point.key == key), None)


def _read(key: str, table: dict[str, Any]) -> StartingPoint:
    return StartingPoint(
        key=key,
        name=table["name"],
        kind=table["kind"],
        topic=table["topic"],
        title=table["title"],
        text=table["text"].strip(),
        columns=table["columns"],
        shared=table["shared"],
        schedule=Schedule.from_json(table["schedule"]),
    )
