"""How much a bot may send: so many a second in all, one a second in a chat after a burst, so many a minute in a group.

The figures are those of https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this; how large a
burst the real one bears is not documented.
"""

import math
from collections import deque

from tests.simulator.clock import Clock

from .errors import flood
from .model import Bot

MINUTE_S = 60.0


class Limits:
    """What each bot has sent lately."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self._all: dict[int, deque[float]] = {}
        self._groups: dict[tuple[int, int], deque[float]] = {}
        self._credit: dict[tuple[int, int], tuple[float, float]] = {}

    def spend(self, bot: Bot, chat_id: int) -> None:
        """Count one send; raises RefusalError 429 when it is one too many."""
        now = self._clock.now()
        self._window(self._all.setdefault(bot.bot_id, deque()), bot.per_second, 1.0, now)
        if chat_id < 0:
            self._window(self._groups.setdefault((bot.bot_id, chat_id), deque()), bot.group_per_minute, MINUTE_S, now)
        elif bot.chat_burst:
            credit, at = self._credit.get((bot.bot_id, chat_id), (float(bot.chat_burst), now))
            credit = min(float(bot.chat_burst), credit + now - at)
            if credit < 1:
                raise flood(math.ceil(1 - credit))
            self._credit[bot.bot_id, chat_id] = credit - 1, now

    def _window(self, sent: deque[float], most: int, seconds: float, now: float) -> None:
        if not most:
            return
        while sent and sent[0] <= now - seconds:
            sent.popleft()
        if len(sent) >= most:
            raise flood(max(1, math.ceil(sent[0] + seconds - now)))
        sent.append(now)
