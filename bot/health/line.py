"""What the health page is made of: one line for each thing watched, with a light, and all of them as one report."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

_INSIDE = frozenset({"error", "refresh_error", "announcement"})
"""Values that quote what went wrong inside, or what has not been sent yet: for those who signed in only."""


class Light(StrEnum):
    """How a thing stands: well, worth a look, or in need of a person."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing watched: `key` names the sentence that explains it, `subject` which of several it is about.

    `values` fill the sentence: times in UTC, ages in seconds, sizes in bytes.
    """

    key: str
    light: Light
    subject: str = ""
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def public_values(self) -> dict[str, Any]:
        """The values that anybody may read: ages, counts and names."""
        return {name: value for name, value in self.values.items() if name not in _INSIDE}


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Everything looked at, at one moment."""

    at: datetime
    lines: tuple[Line, ...]

    @property
    def light(self) -> Light:
        """The worst light of all lines."""
        lights = {line.light for line in self.lines}
        return next((light for light in (Light.BAD, Light.WARN) if light in lights), Light.OK)

    @property
    def able_to_serve(self) -> bool:
        """Say whether pages and webhooks can be answered: the database does, and the disk takes more."""
        return all(line.light is not Light.BAD for line in self.lines if line.key in {"database", "disk"})

    def of(self, *keys: str) -> list[Line]:
        """Return the lines of these kinds."""
        return [line for line in self.lines if line.key in keys]

    @property
    def stuck(self) -> list[Line]:
        """The lines that are not well, the worst first."""
        return sorted((line for line in self.lines if line.light is not Light.OK), key=lambda line: line.light.value)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able summary: the light, and each line that is not well."""
        stuck = [
            {"what": line.key, "which": line.subject, "light": line.light.value, **_plain(line.values)}
            for line in self.stuck
        ]
        return {"light": self.light.value, "at": self.at.isoformat(), "stuck": stuck}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in values.items()}


def light_of(age: timedelta, late: timedelta, stuck: timedelta, *, working: bool = False) -> Light:
    """Say how long waiting looks: a long queue that is being worked off is no dead worker (reliability R13)."""
    if age < late:
        return Light.OK
    return Light.WARN if age < stuck or working else Light.BAD
