"""Faults that can be switched on and off while the simulator runs."""

import random
from dataclasses import asdict, dataclass, field

from .errors import VerbError
from .model import Json

KINDS: dict[str, str] = {
    "slow": "every API and OAuth answer comes `ms` later",
    "down": "the connection is closed without an answer (mode=close) or answered 502 (mode=502)",
    "rate_limited": "-32",
    "token_expired": "-220 until the token is refreshed",
    "error": "the next sends are refused with `code`, nothing is delivered",
    "error_any": "every API call is refused with `code`",
    "drop_after_accept": "the message is delivered, then the connection is closed without an answer",
    "error_after_accept": "the message is delivered, then the answer says `code`",
    "duplicate_webhooks": "each webhook comes `copies` times more",
    "out_of_order_webhooks": "a webhook is held back until the next one of its OA has been delivered",
    "lost_webhooks": "a webhook is never sent",
    "wrong_signature": "webhooks are signed with a wrong key",
    "oauth_error": "the token endpoint answers HTTP 200 with error `code`",
    "oauth_hang": "the token endpoint answers `seconds` later, before it does anything",
    "oauth_slow_answer": "the tokens are rotated, then the answer comes `ms` later",
    "oauth_lose_answer": "the tokens are rotated, then the connection is closed without an answer",
    "media_404": "media answer 404",
    "media_hang": "media answer `seconds` later",
    "media_huge": "media are a 50 MB stream",
    "media_not_image": "media are served as promised by name, but the bytes are no image",
}


@dataclass(slots=True)
class Fault:
    """One fault: for one OA or all, for so many times or always, with a probability."""

    fault_id: str
    kind: str
    oa_id: str = ""
    count: int | None = None
    probability: float = 1.0
    ms: int = 3000
    seconds: float = 30.0
    code: int = -200
    mode: str = "close"
    copies: int = 1
    used: int = 0
    cured: list[str] = field(default_factory=list)  # OAs that have refreshed their token since


class Faults:
    """The faults that are on."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._on: list[Fault] = []
        self._made = 0

    def set(self, kind: str, **settings: str | float | None) -> Fault:
        """Switch a fault on (in the place of the same kind for the same OA); raises VerbError for an unknown kind."""
        if kind not in KINDS:
            raise VerbError(f"unknown fault {kind}; known: {', '.join(KINDS)}")
        unknown = set(settings) - {"oa_id", "count", "probability", "ms", "seconds", "code", "mode", "copies"}
        if unknown:
            raise VerbError(f"unknown fault setting {', '.join(sorted(unknown))}")
        if kind == "oauth_error" and "code" not in settings:
            settings["code"] = -14014
        given = {key: value for key, value in settings.items() if value is not None}
        self._made += 1
        fault = Fault(f"f{self._made}", kind, **given)  # type: ignore[arg-type]  # JSON from the control API
        self.clear(kind=kind, oa_id=fault.oa_id)
        self._on.append(fault)
        return fault

    def clear(self, *, kind: str = "", oa_id: str | None = None, fault_id: str = "") -> int:
        """Switch off what fits all given marks (everything without any); return how many."""
        before = len(self._on)
        self._on = [
            fault
            for fault in self._on
            if (kind and fault.kind != kind)
            or (oa_id is not None and fault.oa_id != oa_id)
            or (fault_id and fault.fault_id != fault_id)
        ]
        return before - len(self._on)

    def take(self, kind: str, oa_id: str) -> Fault | None:
        """Return the fault of this kind that strikes now, and count it."""
        for fault in self._on:
            if fault.kind != kind or (fault.oa_id and fault.oa_id != oa_id) or oa_id in fault.cured:
                continue
            if fault.probability < 1 and self._rng.random() >= fault.probability:
                continue
            return self._strike(fault)
        return None

    def _strike(self, fault: Fault) -> Fault:
        fault.used += 1
        if fault.count is not None and fault.used >= fault.count:
            self._on.remove(fault)
        return fault

    def cure_token(self, oa_id: str) -> None:
        """End `token_expired` for this OA: it has a fresh token."""
        self.clear(kind="token_expired", oa_id=oa_id)
        for fault in self._on:
            if fault.kind == "token_expired":
                fault.cured.append(oa_id)

    def view(self) -> list[Json]:
        """Return the faults that are on."""
        return [asdict(fault) for fault in self._on]
