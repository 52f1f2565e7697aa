"""One look for all who watch, and none while nobody does."""

import asyncio

import pytest

from handlers.recent import Recent


class Slow:
    """Answers with how often it was asked, once it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.may = asyncio.Event()

    async def __call__(self) -> int:
        self.asked += 1
        await self.may.wait()
        return self.asked


async def test_whoever_asks_meanwhile_or_soon_after_gets_the_same_answer() -> None:
    now = [100.0]
    recent, slow = Recent(lambda: now[0]), Slow()
    waiting = [asyncio.create_task(recent.get("a", 2, slow)) for _ in range(5)]
    await asyncio.sleep(0)
    slow.may.set()
    assert await asyncio.gather(*waiting) == [1] * 5
    now[0] += 1.9
    assert await recent.get("a", 2, slow) == 1
    assert await recent.get("b", 2, slow) == 2, "another question is asked by itself"
    now[0] += 0.2
    assert await recent.get("a", 2, slow) == 3


async def test_an_answer_that_takes_long_is_kept_longer() -> None:
    now = [0.0]
    recent = Recent(lambda: now[0])

    async def long() -> float:
        now[0] += 3
        return now[0]

    assert await recent.get("a", 2, long) == 3
    now[0] += 11.9
    assert await recent.get("a", 2, long) == 3
    now[0] += 0.2
    assert await recent.get("a", 2, long) > 3


async def test_who_goes_away_does_not_take_the_answer_from_the_others_and_a_failure_is_not_kept() -> None:
    recent, slow = Recent(), Slow()
    first = asyncio.create_task(recent.get("a", 2, slow))
    second = asyncio.create_task(recent.get("a", 2, slow))
    await asyncio.sleep(0)
    first.cancel()
    slow.may.set()
    assert await second == 1

    async def broken() -> int:
        raise LookupError

    with pytest.raises(LookupError):
        await recent.get("b", 2, broken)
    assert await recent.get("b", 2, slow) == 2
