"""Keep requests within what a provider allows: windows, lanes, what was paid in advance, and who pays when."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from time import monotonic
from types import TracebackType
from typing import Protocol, Self

from bot.domain.delivery import ThrottledError

ANSWER, NOTICE, BROADCAST, URGENT = 0, 1, 2, 3
"""The lanes: what a person waits for, what they should know, what goes to many, and a warning of danger to many."""

SHARES = (100, 90, 80, 95)
"""How much of a window a lane may fill, in percent: what is left open is for the more urgent ones."""

PARTS = 60
_SLACK = 2.0
_SLACK_PART = 10
_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` requests in any `seconds`; `key` names what is limited, such as `zalo:oa:<id>`.

    Of several windows of one request the narrowest, which belongs to the account alone, comes first.
    """

    key: str
    limit: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Grant:
    """How many requests may be made now, and the seconds until asking for the rest is worth while (0.0: got all).

    They must leave before `until` (monotonic seconds): what leaves later would count in a window they are not paid in.
    """

    number: int
    wait: float
    until: float = field(default=math.inf, compare=False)


class RateBudget(Protocol):
    """Count requests against windows, for all who share them."""

    async def take(self, windows: Sequence[Window], lane: int, want: int) -> Grant:
        """Take up to `want` requests out of all windows at once; without windows there is no limit."""

    async def give_back(self, windows: Sequence[Window], number: int) -> None:
        """Return requests that were taken and not made."""

    async def block(self, windows_or_key: Sequence[Window] | str, seconds: float) -> None:
        """Grant nothing for so long: the provider asks to wait."""

    async def note_remaining(self, key: str, limit: int, remaining: int) -> None:
        """Believe the provider's own count where it is higher than ours: others may spend the same allowance."""

    async def share_among(self, me: str, processes: Mapping[str, float]) -> None:
        """Know which processes count, so that each has its part when they cannot count together.

        To be told at least every twenty seconds; with each process goes for how many seconds it is there.
        """


def cap(limit: int, lane: int) -> int:
    """Return up to how many requests a lane may fill a window of `limit`; never 0."""
    return max(1, limit * SHARES[lane] // 100)


def span(seconds: float) -> float:
    """Return for how long a request counts: the window, and the time it may have been on its way."""
    return seconds + min(_SLACK, seconds / _SLACK_PART)


def valid(windows: Sequence[Window]) -> float:
    """Return for how many seconds requests may leave after they were paid; half of the slack is for their way."""
    return min((span(window.seconds) - window.seconds for window in windows), default=math.inf) / 2


def keys_of(windows_or_key: Sequence[Window] | str) -> list[str]:
    """Return the keys that are meant."""
    return [windows_or_key] if isinstance(windows_or_key, str) else [w.key for w in windows_or_key]


class Prepaid:
    """Requests paid for in advance by whoever sends, and the lane in which any further ones are paid.

    `left` is what has not been used; give it back to the budget. Tasks started inside share it. After `until` nothing
    is left: it stays paid for where it was, and what leaves then is paid anew.
    """

    __slots__ = ("_token", "lane", "number", "until")

    def __init__(self, number: int, lane: int, until: float) -> None:
        self.number = number
        self.lane = lane
        self.until = until
        self._token: Token[Prepaid | None] | None = None

    @property
    def left(self) -> int:
        """Return how many can still be used or given back."""
        return 0 if monotonic() > self.until else self.number

    def __enter__(self) -> Self:
        """Let the requests made inside use what was paid."""
        self._token = _prepaid.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        if self._token is not None:
            _prepaid.reset(self._token)


_prepaid: ContextVar[Prepaid | None] = ContextVar("prepaid", default=None)


def prepaid(number: int, lane: int = ANSWER, until: float | None = None) -> Prepaid:
    """Open a context in which `number` requests are already paid for; any further one is paid in `lane`.

    `until` is the grant's own; without it they are taken for paid just now, in windows of a minute.
    """
    return Prepaid(number, lane, monotonic() + _SLACK / 2 if until is None else until)


def in_lane(lane: int) -> Prepaid:
    """Open a context whose requests are paid for in `lane`."""
    return Prepaid(0, lane, math.inf)


def use_prepaid() -> bool:
    """Use one request paid for in advance; False when there is none, or it was paid for too long ago."""
    paid = _prepaid.get()
    if paid is None or paid.number <= 0 or monotonic() > paid.until:
        return False
    paid.number -= 1
    return True


def lane_now() -> int:
    """Return the lane that requests made here belong to; an answer's where nobody says."""
    paid = _prepaid.get()
    return ANSWER if paid is None else paid.lane


class Meter:
    """Pay for single requests, waiting a little when the budget is spent."""

    def __init__(self, budget: RateBudget, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.budget = budget
        self._sleep = sleep

    async def pay(self, windows: Sequence[Window], lane: int | None = None) -> None:
        """Return once a request may be made; raises ThrottledError when that takes longer than a few seconds."""
        if windows and not use_prepaid():
            await self.pay_now(windows, lane)

    async def pay_now(self, windows: Sequence[Window], lane: int | None = None) -> None:
        """Pay for a request that leaves at once, whatever was paid in advance; raises as `pay` does."""
        chosen = lane_now() if lane is None else lane
        waited = 0.0
        while True:
            grant = await self.budget.take(windows, chosen, 1)
            if grant.number:
                return
            if waited + grant.wait > _PATIENCE:
                raise ThrottledError("rate_limited", "own budget", retry_after=grant.wait)
            await self._sleep(max(grant.wait, 0.01))
            waited += max(grant.wait, 0.01)
