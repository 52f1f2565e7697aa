"""The simulator's clock: real time plus an offset that a test can move."""

import asyncio
import time


class Clock:
    """Tell the simulated time and wait on it; moving it forward wakes everybody who waits."""

    def __init__(self) -> None:
        self.offset_s = 0.0
        self._moved = asyncio.Event()

    def now(self) -> float:
        """Return the simulated Unix time in seconds."""
        return time.time() + self.offset_s

    def now_ms(self) -> int:
        """Return the simulated Unix time in milliseconds."""
        return int(self.now() * 1000)

    def advance(self, seconds: float) -> None:
        """Move the clock by so many seconds (negative goes back)."""
        self.offset_s += seconds
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def sleep_until(self, at: float) -> None:
        """Return once the simulated time (seconds) has reached `at`."""
        while (left := at - self.now()) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._moved.wait()
            except TimeoutError:
                continue
