"""What the service asked of the fake platform: the last calls in full, and counts of all."""

import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field

from .model import Json


@dataclass(slots=True)
class Call:
    """One API call; `at_ms` simulated, `took_ms` real; `status` 0 = closed without an answer."""

    number: int
    at_ms: int
    method: str
    path: str
    oa_id: str = ""
    params: Json = field(default_factory=dict)
    status: int = 0
    error: int | None = None
    message: str = ""
    user_id: str = ""
    msg_id: str = ""
    delivered: bool = False
    faults: list[str] = field(default_factory=list)
    took_ms: float = 0.0
    started: float = field(default_factory=time.perf_counter)

    def view(self) -> Json:
        """Return the call as the control API shows it."""
        shown = asdict(self)
        del shown["started"]
        return shown


class Journal:
    """Calls and counts."""

    def __init__(self, keep: int | None = 5000) -> None:
        self._keep = keep
        self.clear()

    def clear(self) -> None:
        """Forget all calls."""
        self.calls: deque[Call] = deque(maxlen=self._keep)
        self.total = 0
        self.by_path: Counter[str] = Counter()
        self.by_error: Counter[str] = Counter()
        self.sends: Counter[tuple[str, str]] = Counter()
        self.delivered: Counter[tuple[str, str]] = Counter()

    def open(self, at_ms: int, method: str, path: str) -> Call:
        """Note that a call has come."""
        self.total += 1
        call = Call(self.total, at_ms, method, path)
        self.calls.append(call)
        self.by_path[path] += 1
        return call

    def close(self, call: Call) -> None:
        """Note how a call ended."""
        call.took_ms = round((time.perf_counter() - call.started) * 1000, 2)
        self.by_error[str(call.error)] += 1
        if call.user_id:
            self.sends[call.oa_id, call.user_id] += 1
            self.delivered[call.oa_id, call.user_id] += call.delivered

    def counts(self) -> Json:
        """Return counts by path, by error, and sends asked for and messages delivered per OA and person."""

        def nested(counter: Counter[tuple[str, str]]) -> Json:
            result: Json = {}
            for (oa_id, user_id), number in counter.items():
                result.setdefault(oa_id, {})[user_id] = number
            return result

        return {
            "calls": self.total,
            "by_path": dict(self.by_path),
            "by_error": dict(self.by_error),
            "sends": nested(self.sends),
            "delivered": nested(self.delivered),
        }
