"""Work out from counts how far an announcement's run has come: what has left, what is left, how fast, until when."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

RATE_OVER = timedelta(minutes=5)
"""Over how long the rate is taken: long enough for pauses between windows, short enough to show a change."""
_SHORTEST = timedelta(seconds=15)
_DECIDED = ("opted_out", "erased")


class Counted(Protocol):
    """What counts are read from: so many in a state for a reason, `lately` of them sent within the rate's time."""

    @property
    def state(self) -> str:
        """The state of a delivery."""

    @property
    def reason(self) -> str:
        """Why it is in that state; "" for no reason."""

    @property
    def number(self) -> int:
        """How many."""

    @property
    def lately(self) -> int:
        """How many of them left lately."""


@dataclass(slots=True)
class Progress:
    """How many recipients stand where; all of them together are `total`.

    `taken` arrived at the provider and nothing more is known of them; `leaving` are on their way just now, `doubt` are
    those of whom nobody knows yet whether it left. `decided` had said stop before it could leave, `cancelled` were
    stopped by the office. `unreachable` are those of the failed whom no way reached from the beginning.
    """

    waiting: int = 0
    leaving: int = 0
    doubt: int = 0
    taken: int = 0
    delivered: int = 0
    seen: int = 0
    failed: int = 0
    unreachable: int = 0
    cancelled: int = 0
    decided: int = 0
    lately: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """Everybody."""
        return self.left + self.sent + self.failed + self.cancelled + self.decided

    @property
    def left(self) -> int:
        """Who has no end yet."""
        return self.waiting + self.leaving + self.doubt

    @property
    def sent(self) -> int:
        """To whom it was sent, whatever is known of it since."""
        return self.taken + self.delivered + self.seen

    @property
    def arrived(self) -> int:
        """Who is known to have it."""
        return self.delivered + self.seen

    def bar(self, width: int = 1000) -> list[tuple[str, int, int]]:
        """Return the pieces of a bar of a width as (what, from, how wide); none is too thin to be seen."""
        parts = (
            ("seen", self.seen), ("delivered", self.delivered), ("sent", self.taken), ("failed", self.failed),
            ("cancelled", self.cancelled + self.decided), ("left", self.left),
        )  # fmt: skip
        pieces, done = [], 0
        for name, number in parts:
            begin, done = done, done + number
            start, end = (width * at // max(self.total, 1) for at in (begin, done))
            if number:
                pieces.append((name, start, max(end - start, 2)))
        return pieces


def progress(counts: Iterable[Counted], *, unreachable: bool = False) -> Progress:
    """Sum up counts; `unreachable` says that they are of a way that reaches nobody."""
    found = Progress()
    names = {
        "queued": "waiting", "sending": "leaving", "unknown": "doubt", "sent": "taken", "delivered": "delivered",
        "seen": "seen", "failed": "failed", "cancelled": "cancelled",
    }  # fmt: skip
    for each in counts:
        name = "decided" if each.state == "cancelled" and each.reason in _DECIDED else names[each.state]
        setattr(found, name, getattr(found, name) + each.number)
        found.lately += each.lately
        if name in {"failed", "cancelled", "decided"}:
            found.failures[each.reason] += each.number
    if unreachable:
        found.unreachable = found.failed
    return found


def together(parts: Iterable[Progress]) -> Progress:
    """Sum up several."""
    found = Progress()
    for part in parts:
        for name in Progress.__slots__:
            setattr(found, name, getattr(found, name) + getattr(part, name))
    return found


def rate(lately: int, begun: datetime | None, now: datetime) -> float:
    """Return how many leave in a minute, `lately` of them within the last minutes or since it was begun."""
    if begun is None or not lately:
        return 0.0
    took = min(max(now - begun, _SHORTEST), RATE_OVER)
    return lately / (took / timedelta(minutes=1))


def expected_end(left: int, per_minute: float, now: datetime) -> datetime | None:
    """Return when what is left will have been sent at a rate; None when nothing moves or nothing is left."""
    if not left or per_minute <= 0:
        return None
    return now + timedelta(minutes=left / per_minute)
