"""Keep one process within what a provider allows.

How it is counted: a window is cut into sixty parts, and a part is forgotten only when its last instant lies further
back than the window and a slack for requests on their way. So no window of the provider, wherever it begins, holds
more than the limit, as long as what was granted arrives or is given back within the slack; a grant says until when
that holds.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from bot.channels.rate_limit import BROADCAST, PARTS, Grant, Window, cap, keys_of, span, valid

_MANY_KEYS = 20_000
RECENT = 15
"""What is given back was taken in the last so many parts, a quarter of the window."""

BURST = 4
"""So many more than a part's share may come at once in bulk: a text in several parts leaves together."""


class _Spent:
    """What was spent of one window, part by part."""

    __slots__ = ("blocked", "bulk", "paced", "parts", "seconds", "span", "total", "width")

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        self.width = seconds / PARTS
        self.span = span(seconds)
        self.parts: deque[list[int]] = deque()
        self.total = 0
        self.bulk = 0
        self.paced = 0.0
        self.blocked = 0.0

    def forget(self, now: float) -> None:
        oldest = now - self.span
        while self.parts and (self.parts[0][0] + 1) * self.width <= oldest:
            _, number, bulk = self.parts.popleft()
            self.total -= number
            self.bulk -= bulk

    def add(self, now: float, number: int, bulk: int) -> None:
        index = int(now / self.width)
        if not self.parts or self.parts[-1][0] < index:
            self.parts.append([index, 0, 0])
        self.parts[-1][1] += number
        self.parts[-1][2] += bulk
        self.total += number
        self.bulk += bulk

    def give_back(self, number: int, limit: int) -> None:
        if self.parts:
            bulk = min(number, self.parts[-1][2])
            self.parts[-1][2] -= bulk
            self.bulk -= bulk
            self.paced -= bulk * self.pace(limit)[0]
        # Oldest first among the parts they may have come from: what remains then never ends too early.
        recent = self.parts[-1][0] - RECENT if self.parts else 0
        for part in (*(p for p in self.parts if p[0] >= recent), *self.parts):
            back = min(part[1], number)
            part[1] -= back
            self.total -= back
            number -= back

    def freed(self, now: float, number: int, column: int) -> float:
        """Return the seconds until `number` of what a column counts is forgotten."""
        for part in self.parts:
            number -= part[column]
            if number <= 0:
                return max(0.0, (part[0] + 1) * self.width + self.span - now)
        return self.span

    def pace(self, limit: int) -> tuple[float, int]:
        """Return the seconds between two requests in bulk, and how many may come at once."""
        bulk = cap(limit, BROADCAST)
        return (self.span + self.width) / bulk, math.ceil(bulk / PARTS) + BURST

    def paced_room(self, limit: int, now: float) -> int:
        interval, burst = self.pace(limit)
        return math.floor(burst - max(0.0, self.paced - now) / interval + 1e-6)

    def idle(self, now: float) -> bool:
        self.forget(now)
        return not self.parts and self.blocked <= now


class LocalBudget:
    """Count for one process; `clock` in seconds, never going back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._spent: dict[str, _Spent] = {}

    async def take(self, windows: Sequence[Window], lane: int, want: int) -> Grant:
        """Take up to `want` requests out of all windows at once; without windows there is no limit."""
        if not windows or want <= 0:
            return Grant(max(want, 0), 0.0)
        now = self._clock()
        spent = [self._of(window, now) for window in windows]
        number = max(0, min(want, *(self._room(windows, spent, i, lane, now) for i in range(len(windows)))))
        if number:
            self._spend(windows, spent, lane, number, now)
        until = now + valid(windows)
        if number == want:
            return Grant(number, 0.0, until)
        wait = max(self._wait(windows, spent, i, lane, now, want - number) for i in range(len(windows)))
        return Grant(number, wait, until)

    async def give_back(self, windows: Sequence[Window], number: int) -> None:
        """Return requests that were taken and not made."""
        now = self._clock()
        for window in windows:
            self._of(window, now).give_back(number, window.limit)

    async def block(self, windows_or_key: Sequence[Window] | str, seconds: float) -> None:
        """Grant nothing for so long: the provider asks to wait."""
        now = self._clock()
        for key in keys_of(windows_or_key):
            spent = self._spent.setdefault(key, _Spent(PARTS))
            spent.blocked = max(spent.blocked, now + seconds)

    async def note_remaining(self, key: str, limit: int, remaining: int) -> None:
        """Believe the provider's own count where it is higher than ours: others may spend the same allowance."""
        now = self._clock()
        spent = self._spent.get(key)
        if spent is not None:
            spent.forget(now)
            unseen = limit - remaining - spent.total
            if unseen > 0:
                spent.add(now, unseen, 0)

    async def share_among(self, me: str, processes: Mapping[str, float]) -> None:
        """Do nothing: one process has everything."""

    def _of(self, window: Window, now: float) -> _Spent:
        spent = self._spent.get(window.key)
        if spent is None or spent.seconds != window.seconds:
            if len(self._spent) >= _MANY_KEYS:
                self._spent = {k: s for k, s in self._spent.items() if not s.idle(now)}
            blocked = 0.0 if spent is None else spent.blocked
            spent = self._spent[window.key] = _Spent(window.seconds)
            spent.blocked = blocked
        spent.forget(now)
        return spent

    @staticmethod
    def _room(windows: Sequence[Window], spent: Sequence[_Spent], i: int, lane: int, now: float) -> int:
        mine, limit = spent[i], windows[i].limit
        if mine.blocked > now:
            return 0
        room = cap(limit, lane) - mine.total
        if lane == BROADCAST:
            paced = mine.paced_room(limit, now)
            if i:
                # What one account (its own window comes first) sends to many fills half of a shared window at most,
                # and takes half of what is there at a time, so that others who ask find something.
                paced = min(math.ceil(paced / 2), max(1, limit // 2) - spent[0].bulk)
            room = min(room, paced)
        return room

    @staticmethod
    def _spend(windows: Sequence[Window], spent: Sequence[_Spent], lane: int, number: int, now: float) -> None:
        for window, mine in zip(windows, spent, strict=True):
            mine.add(now, number, number if lane == BROADCAST else 0)
            if lane == BROADCAST:
                mine.paced = max(mine.paced, now) + number * mine.pace(window.limit)[0]

    @staticmethod
    def _wait(windows: Sequence[Window], spent: Sequence[_Spent], i: int, lane: int, now: float, want: int) -> float:
        mine, limit = spent[i], windows[i].limit
        wait = max(0.001, mine.blocked - now)
        missing = mine.total + 1 - cap(limit, lane)
        if missing > 0:
            wait = max(wait, mine.freed(now, missing, 1))
        if lane == BROADCAST:
            interval, burst = mine.pace(limit)
            some = min(2 * want, burst) if i else min(want, max(1, burst // 2))
            ahead = mine.paced - now - (burst - some) * interval
            missing = spent[0].bulk + 1 - max(1, limit // 2) if i else 0
            wait = max(wait, ahead, spent[0].freed(now, missing, 2) if missing > 0 else 0.0)
        return wait
