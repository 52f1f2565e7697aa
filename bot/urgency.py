"""Let what a person waits for go first: bulk work in the same process pauses while answers are being made."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TypeVar

_AT_ONCE = 16
_Item = TypeVar("_Item")


async def in_turns(items: Iterable[_Item]) -> AsyncIterator[_Item]:
    """Give one item after another, and whatever else waits in this process its turn after every few of them."""
    for place, item in enumerate(items):
        if not place % _AT_ONCE:
            await asyncio.sleep(0)
        yield item


class Urgency:
    """Count the urgent work under way in this process, so that bulk work can wait until there is none.

    One event loop runs both: a broadcast that never paused would have every turn wait behind its batches.
    """

    def __init__(self) -> None:
        self._under_way = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    @property
    def under_way(self) -> int:
        """How many pieces of urgent work are under way."""
        return self._under_way

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Count as urgent whatever is done inside."""
        self._under_way += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._quiet.set()

    async def give_way(self, at_most: float) -> None:
        """Return once nothing urgent is under way, after `at_most` seconds at the latest; always lets others run once.

        The limit keeps bulk work from standing still for ever where urgent work never ends.
        """
        end = time.monotonic() + at_most
        await asyncio.sleep(0)
        while self._under_way and (left := end - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._quiet.wait(), left)
