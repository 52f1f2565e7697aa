"""Keep all processes together within what a provider allows: the same counting as in one process, done by Redis.

Redis' clock counts, so that the hosts' clocks do not matter. Decided on purpose for bad days, each time for too few
requests rather than too many:

* Redis has lost its memory (flushed, restarted): nothing is granted until nothing that was spent before can count any
  more. What providers asked to wait for is kept by each process and told anew.
* Redis does not answer: the same, and then each process has its own part of every limit, as long as it knows how many
  they are. It asks again, each second at most, and on the way back adds what it has spent meanwhile.
"""

import asyncio
import math
import secrets
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from bot.channels.local_budget import LocalBudget
from bot.channels.rate_limit import Grant, Window, keys_of, span, valid
from bot.channels.redis_script import SCRIPT
from bot.logs import logger
from bot.queue import QUEUE_ERRORS

_log = logger("rates")
_PREFIX = "loa:rate:"
_MOST_SAID = 200
_SHARED = ("loa:rates:mark", "loa:rates:lost", "loa:rates:turns")
_PATIENCE = 1.0
_PAUSE = 1.0
_SOON, _LATER = _PAUSE + _PATIENCE, 15.0
"""Seconds after which whoever wants more asks again: at first, as Redis is most often away for a moment only, and when
it has been away for long."""
_CAREFUL = 4
"""Alone no process takes more than this part of a limit, however few they are."""
_FORGIVE = 5.0
_SETTLED = 45.0
"""Seconds after which all processes know that Redis is away, or of another process: they look every twenty."""
_STALE = 40.0
"""Seconds for which it is believed how many processes there are; shorter than it takes to act on a change."""
_SOMEBODY_ELSE = "?"
_BEGINNING = 10.0
"""Seconds within which processes are held to have been started together: none has spent before the others."""
_MANY_BLOCKS = 1000


class RunsScripts(Protocol):
    """What is needed of a Redis client."""

    def register_script(self, script: str) -> Any:
        """Return a function of keys and arguments that runs a script, loading it again when Redis has forgotten it."""


class RedisBudget:
    """Count for all processes that share one Redis; `clock` replaces Redis' own in tests."""

    def __init__(
        self,
        redis: RunsScripts,
        *,
        clock: Callable[[], float] | None = None,
        local: Callable[[], float] = time.monotonic,
    ) -> None:
        self._script = redis.register_script(SCRIPT)
        self._clock = clock
        self._local_clock = local
        self._id = secrets.token_hex(8)
        self._mark = ""
        self._turn = 0
        self._lost = ""
        self._alone: LocalBudget | None = None
        self._ask_again = 0.0
        self._switched = -math.inf
        self._spent_alone: dict[Window, int] = {}
        self._blocks: dict[str, float] = {}
        self._others = _Others()

    async def share_among(self, me: str, processes: Mapping[str, float]) -> None:
        """Know who counts beside this process, and notice in time when Redis is away."""
        self._others.told(me, processes, self._local_clock())
        await self._run("look", (), 0, 0)

    async def take(self, windows: Sequence[Window], lane: int, want: int) -> Grant:
        """Take up to `want` requests out of all windows at once; without windows there is no limit."""
        if not windows or want <= 0:
            return Grant(max(want, 0), 0.0)
        until = self._local_clock() + valid(windows)
        answer = await self._run("take", windows, lane, want)
        if answer is None:
            return await self._take_alone(windows, lane, want)
        number = int(answer[0])
        if not number:
            self._heed(windows, answer[5])
        return Grant(number, float(answer[1]), until)

    async def give_back(self, windows: Sequence[Window], number: int) -> None:
        """Return requests that were taken and not made; just after a change of counters they are let go."""
        if windows and number > 0 and self._local_clock() - self._switched >= _FORGIVE:
            await self._run("back", windows, 0, number)

    async def block(self, windows_or_key: Sequence[Window] | str, seconds: float) -> None:
        """Grant nothing for so long: the provider asks to wait."""
        windows = [Window(key, 0, 0) for key in keys_of(windows_or_key)]
        self._heed(windows, [seconds] * len(windows))
        if windows and await self._run("block", windows, 0, seconds) is None and self._alone is not None:
            await self._alone.block(windows_or_key, seconds)

    async def note_remaining(self, key: str, limit: int, remaining: int) -> None:
        """Believe the provider's own count where it is higher than ours: others may spend the same allowance."""
        told = await self._run("note", [Window(key, 0, 0)], 0, limit - remaining)
        if told is None and self._alone is not None:
            part = self._others.part(Window(key, limit, 0))
            await self._alone.note_remaining(key, part, min(part, remaining // self._others.number))

    async def _take_alone(self, windows: Sequence[Window], lane: int, want: int) -> Grant:
        """Take out of this process' parts, once nothing counts any more that was spent together."""
        assert self._alone is not None
        now = self._local_clock()
        parts = [Window(w.key, self._others.part(w), w.seconds) for w in windows]
        wait = max(self._switched, self._others.since) + _SETTLED + max(span(w.seconds) for w in windows) - now
        if wait > 0 or not all(part.limit for part in parts) or not self._others.known(now):
            return Grant(0, min(max(wait, _PAUSE), self._pause(now)))
        grant = await self._alone.take(parts, lane, want)
        if grant.number:
            for window in windows:
                self._spent_alone[window] = self._spent_alone.get(window, 0) + grant.number
        return Grant(grant.number, min(grant.wait, self._pause(now)), grant.until)

    def _pause(self, now: float) -> float:
        """Return after how many seconds it is worth while to see whether Redis is back: as many as it has been away."""
        return min(max(now - self._switched, _SOON), _LATER)

    def _heed(self, windows: Sequence[Window], seconds: Sequence[Any]) -> None:
        """Keep in mind until when a provider asked to wait: Redis may forget it."""
        now = self._local_clock()
        for window, left in zip(windows, seconds, strict=True):
            if float(left) > 0:
                self._blocks[window.key] = max(now + float(left), self._blocks.get(window.key, 0.0))
        if len(self._blocks) > _MANY_BLOCKS:
            self._blocks = {key: until for key, until in self._blocks.items() if until > now}

    async def _run(self, op: str, windows: Sequence[Window], lane: int, number: float) -> list[Any] | None:
        """Run one step of the script; None while Redis does not answer."""
        if self._alone is not None:
            now = self._local_clock()
            if now < self._ask_again:
                return None
            self._ask_again = now + _PAUSE + _PATIENCE  # one asks, the others go on meanwhile
        try:
            if self._alone is not None:
                await self._return()
            return await self._ask(op, windows, lane, number)
        except QUEUE_ERRORS as error:
            self._ask_again = self._local_clock() + _PAUSE
            if self._alone is None:
                await self._part(f"{type(error).__name__}: {str(error)[:_MOST_SAID]}")
            return None

    async def _part(self, error: str) -> None:
        now = self._local_clock()
        alone = LocalBudget(self._local_clock)
        for key, until in self._blocks.items():
            await alone.block(key, max(0.0, until - now))
        self._alone, self._switched = alone, now
        _log.warning("counting alone, after a pause, with a part of every limit", error=error)

    async def _return(self) -> None:
        # After so long others may have been alone too and have spent their parts, and not all have told yet.
        await self._ask("lose" if self._local_clock() - self._switched >= _SETTLED else "look", (), 0, 0)
        while self._spent_alone:
            window, number = self._spent_alone.popitem()
            try:
                await self._ask("add", [window], 0, number)
            except QUEUE_ERRORS:
                self._spent_alone[window] = self._spent_alone.get(window, 0) + number
                raise
        await self._tell_blocks()
        self._alone, self._switched = None, self._local_clock()
        _log.warning("counting together again")

    async def _tell_blocks(self) -> None:
        now = self._local_clock()
        for key, until in list(self._blocks.items()):
            if until > now:
                await self._ask("block", [Window(key, 0, 0)], 0, until - now)

    async def _ask(self, op: str, windows: Sequence[Window], lane: int, number: float) -> list[Any]:
        keys = [*_SHARED, *(_PREFIX + window.key for window in windows)]
        clock = "" if self._clock is None else f"{self._clock():.6f}"
        sizes = [part for w in windows for part in ((w.limit, w.seconds) if w.seconds else ("", ""))]
        known = self._mark or (_SOMEBODY_ELSE if self._others.some_before else "")
        async with asyncio.timeout(_PATIENCE):
            answer: list[Any] = await self._script(keys, [op, self._id, known, self._turn, clock, lane, number, *sizes])
        await self._notice(*(str(part, "ascii") if isinstance(part, bytes) else str(part) for part in answer[2:5]))
        return answer

    async def _notice(self, mark: str, turn: str, lost: str) -> None:
        """Notice that Redis has lost its memory, whoever has found that out."""
        news = bool(self._mark) and lost not in ("", self._lost)
        self._mark, self._lost = mark, lost
        self._turn = int(turn) if news else max(self._turn, int(turn))
        if news:
            self._switched = self._local_clock()
            _log.warning("what was spent is not known: nothing is granted until it no longer counts")
            await self._tell_blocks()


class _Others:
    """Who counts, and what part of a limit is this process' own when all count alone."""

    def __init__(self) -> None:
        self._me = ""
        self._ids: list[str] = []
        self._told_at = -math.inf
        self.some_before = False
        self.since = -math.inf

    @property
    def number(self) -> int:
        """Return how many processes there are, as far as is known."""
        return max(1, len(self._ids))

    def told(self, me: str, processes: Mapping[str, float], now: float) -> None:
        """Take note of all processes and for how long they are there; a change counts from `now`."""
        ids = sorted({*processes, me})
        self.some_before = any(age > _BEGINNING for each, age in processes.items() if each != me)
        if (me, ids) != (self._me, self._ids):
            self._me, self._ids, self.since = me, ids, now
        self._told_at = now

    def known(self, now: float) -> bool:
        """Say whether it is known well enough who there is."""
        return now - self._told_at <= _STALE

    def part(self, window: Window) -> int:
        """Return this process' part of a limit; what cannot be parted belongs to one of them."""
        part = window.limit // max(_CAREFUL, self.number)
        if part or not self._ids:
            return part
        owner = self._ids[zlib.crc32(window.key.encode()) % self.number]
        return max(1, window.limit // _CAREFUL) if owner == self._me else 0
