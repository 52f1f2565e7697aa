"""Faults of the fake Telegram that can be switched on and off while it runs."""

import random
from dataclasses import asdict, dataclass
from typing import Any

from tests.simulator.errors import VerbError

from .model import Json

KINDS: dict[str, str] = {
    "slow": "every answer comes `ms` later",
    "down": "the connection is closed without an answer (mode=close) or answered 502 (mode=502)",
    "rate_limited": "429 with `retry_after` seconds",
    "blocked": "sends are refused: 403, bot was blocked by the user",
    "revoked": "401, the token is no longer valid",
    "error": "sends are refused with `code` and `description`, nothing is delivered",
    "error_any": "every call is refused with `code` and `description`",
    "drop_after_accept": "the message is delivered, then the connection is closed without an answer",
    "duplicate_updates": "each update comes `copies` times more",
    "out_of_order_updates": "an update is held back until the next one of its bot has been delivered",
    "wrong_secret": "webhooks carry a wrong secret token",
    "files_404": "downloads answer 404",
    "files_hang": "downloads answer `seconds` later",
}


@dataclass(slots=True)
class Fault:
    """One fault: for one bot or all, for one chat or all, for so many times or always, with a probability."""

    fault_id: str
    kind: str
    bot_id: int = 0
    chat_id: int = 0
    count: int | None = None
    probability: float = 1.0
    ms: int = 3000
    seconds: float = 30.0
    retry_after: int = 3
    code: int = 400
    description: str = "Bad Request: the fault that was switched on"
    mode: str = "close"
    copies: int = 1
    used: int = 0


WHOLE = {"bot_id", "chat_id", "count", "ms", "retry_after", "code", "copies"}
SETTINGS = WHOLE | {"probability", "seconds", "description", "mode"}


class Faults:
    """The faults that are on."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._on: list[Fault] = []
        self._made = 0

    def set(self, kind: str, **settings: Any) -> Fault:
        """Switch a fault on (in the place of the same kind for the same bot and chat); raises VerbError."""
        if kind not in KINDS:
            raise VerbError(f"unknown fault {kind}; known: {', '.join(KINDS)}")
        if unknown := set(settings) - SETTINGS:
            raise VerbError(f"unknown fault setting {', '.join(sorted(unknown))}")
        given = {key: int(value) if key in WHOLE else value for key, value in settings.items() if value is not None}
        self._made += 1
        fault = Fault(f"t{self._made}", kind, **given)  # type: ignore[arg-type]  # JSON from the control API
        self._on = [old for old in self._on if _marks(old) != _marks(fault)]
        self._on.append(fault)
        return fault

    def clear(self, *, kind: str = "", fault_id: str = "") -> int:
        """Switch off what fits all given marks (everything without any); return how many."""
        before = len(self._on)
        self._on = [
            fault for fault in self._on if (kind and fault.kind != kind) or (fault_id and fault.fault_id != fault_id)
        ]
        return before - len(self._on)

    def take(self, kind: str, bot_id: int, chat_id: int = 0) -> Fault | None:
        """Return the fault of this kind that strikes now, and count it."""
        for fault in self._on:
            if fault.kind != kind or fault.bot_id not in {0, bot_id} or fault.chat_id not in {0, chat_id}:
                continue
            if fault.probability < 1 and self._rng.random() >= fault.probability:
                continue
            fault.used += 1
            if fault.count is not None and fault.used >= fault.count:
                self._on.remove(fault)
            return fault
        return None

    def view(self) -> list[Json]:
        """Return the faults that are on."""
        return [asdict(fault) for fault in self._on]


def _marks(fault: Fault) -> tuple[str, int, int]:
    return fault.kind, fault.bot_id, fault.chat_id
