"""Answer what is asked again and again from memory for a moment: one look at the database for all who watch."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

Answer = TypeVar("Answer")
_MOST = 200
_SHARE = 4
"""An answer is kept for at least so many times as long as it took: looking never costs more than a fifth of a core."""


@dataclass(slots=True)
class _Kept:
    answer: Any
    until: float


class Recent:
    """Keep answers for seconds, in this process only; nothing is asked while nobody looks.

    Whoever asks while the same question is being answered waits for that answer.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._asked: dict[str, asyncio.Task[Any]] = {}

    async def get(self, question: str, seconds: float, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return the answer to a question, at most `seconds` old, or older when it takes long to find."""
        kept = self._kept.get(question)
        if kept is not None and kept.until > self._clock():
            return kept.answer  # type: ignore[no-any-return] # the question says of which kind it is
        task = self._asked.get(question)
        if task is None:
            task = self._asked[question] = asyncio.create_task(self._ask(question, seconds, ask))
            task.add_done_callback(lambda _: self._asked.pop(question, None))
        # Whoever closes the page does not take the answer from the others.
        return await asyncio.shield(task)

    def forget(self) -> None:
        """Look anew at whatever is asked next."""
        self._kept.clear()

    async def _ask(self, question: str, seconds: float, ask: Callable[[], Awaitable[Any]]) -> Any:
        begun = self._clock()
        answer = await ask()
        ended = self._clock()
        self._kept = {key: one for key, one in list(self._kept.items())[-_MOST:] if one.until > ended}
        self._kept[question] = _Kept(answer, ended + max(seconds, (ended - begun) * _SHARE))
        return answer


RECENT = web.AppKey("recent", Recent)
