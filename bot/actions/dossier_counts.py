"""Count what rows of an import would change, or have changed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from bot.actions import dossiers as core
from bot.actions.dossiers import News, Weighed

_SAMPLES = 5
KINDS = (core.NEW, core.CHANGED, core.SAME, "backwards", core.ODD, core.FOREIGN)
"""What rows are counted as; `backwards` are corrections into the past, `foreign` of other units and left out."""
IDLE = frozenset({core.SAME, core.FOREIGN})
"""What of these changes nothing."""
_KIND_OF = {core.OLDER: "backwards"}


def kind_of(word: str) -> str:
    """Return as what a report of this kind is counted."""
    return _KIND_OF.get(word, word)


@dataclass(slots=True)
class Counted:
    """What rows would change, or have changed: how many of each kind, some of each, and how many notices may follow."""

    kinds: Counter[str] = field(default_factory=Counter)
    told: int = 0
    placed: int = 0
    sample: list[dict[str, Any]] = field(default_factory=list)

    def add(self, rows: Sequence[tuple[int, News]], found: Weighed) -> None:
        """Count what was found of these rows, numbers beside them."""
        self.told += found.to_tell
        self.placed += found.placed
        for (number, news), word in zip(rows, found.kinds, strict=True):
            kind = kind_of(word)
            self.kinds[kind] += 1
            if kind != core.SAME and self.kinds[kind] <= _SAMPLES:
                self.sample.append({"kind": kind, "row": number, "code": news.code, "status": int(news.status)})

    def __iadd__(self, other: "Counted") -> Self:
        """Count what others have counted."""
        self.kinds += other.kinds
        self.told += other.told
        self.placed += other.placed
        self.sample += other.sample
        return self

    def to_json(self) -> dict[str, Any]:
        """Return all of it as another process is told it."""
        return {"kinds": dict(self.kinds), "told": self.told, "placed": self.placed, "sample": self.sample}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Return what `to_json` told."""
        return cls(Counter(told["kinds"]), told["told"], told["placed"], list(told["sample"]))

    def some(self) -> list[dict[str, Any]]:
        """Return the first of each kind."""
        seen: Counter[str] = Counter()
        found = []
        for each in self.sample:
            seen[each["kind"]] += 1
            if seen[each["kind"]] <= _SAMPLES:
                found.append(each)
        return found

    def figures(self, prefix: str = "") -> dict[str, int]:
        """Return the numbers by name."""
        return {f"{prefix}{kind}": self.kinds[kind] for kind in KINDS} | {f"{prefix}told": self.told}
