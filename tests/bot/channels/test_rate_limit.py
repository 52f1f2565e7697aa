"""Who pays when: in advance, by the lane, waiting a little, and not for ever."""

import asyncio

import pytest

from bot.channels.local_budget import LocalBudget
from bot.channels.rate_limit import (
    ANSWER,
    BROADCAST,
    NOTICE,
    Meter,
    Window,
    in_lane,
    lane_now,
    prepaid,
    use_prepaid,
)
from bot.domain.delivery import ThrottledError

WINDOWS = (Window("a", 10, 1),)


class Scene:
    """A budget whose clock moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        self.budget = LocalBudget(lambda: self.now)
        self.meter = Meter(self.budget, self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


async def test_what_was_paid_in_advance_is_not_paid_twice() -> None:
    scene = Scene()
    with prepaid(2) as paid:
        for _ in range(3):
            await scene.meter.pay(WINDOWS)
    assert paid.left == 0
    assert (await scene.budget.take(WINDOWS, ANSWER, 10)).number == 9
    assert not use_prepaid()


async def test_what_is_left_is_told_and_contexts_nest() -> None:
    with prepaid(2, BROADCAST) as outer:
        assert use_prepaid()
        with in_lane(NOTICE):
            assert not use_prepaid()
            assert lane_now() == NOTICE
        assert lane_now() == BROADCAST
    assert outer.left == 1
    assert lane_now() == ANSWER


async def test_what_was_paid_for_too_long_ago_is_paid_anew_and_not_given_back() -> None:
    scene = Scene()
    grant = await scene.budget.take(WINDOWS, ANSWER, 3)
    assert grant.until == pytest.approx(scene.now + 0.05), "half of a second's slack"
    with prepaid(grant.number, ANSWER, grant.until - scene.now) as paid:  # long past by this machine's clock
        await scene.meter.pay(WINDOWS)
        assert not use_prepaid()
    assert paid.left == 0
    assert (await scene.budget.take(WINDOWS, ANSWER, 10)).number == 10 - 3 - 1


async def test_sends_side_by_side_use_only_their_own() -> None:
    async def one(number: int) -> int:
        with prepaid(number) as paid:
            await asyncio.sleep(0)
            use_prepaid()
            await asyncio.sleep(0)
        return paid.left

    assert list(await asyncio.gather(one(1), one(3), one(0))) == [0, 2, 0]


async def test_a_lane_pays_within_its_share() -> None:
    scene = Scene()
    with in_lane(NOTICE):
        for _ in range(9):
            await scene.meter.pay(WINDOWS)
        assert scene.slept == []
        await scene.meter.pay(WINDOWS)
    assert len(scene.slept) == 1
    await scene.meter.pay(WINDOWS, ANSWER)


async def test_a_short_wait_is_waited_and_a_long_one_told() -> None:
    scene = Scene()
    await scene.budget.block("a", 3.0)
    await scene.meter.pay(WINDOWS)
    assert sum(scene.slept) == pytest.approx(3.0)
    await scene.budget.block("a", 30.0)
    with pytest.raises(ThrottledError) as caught:
        await scene.meter.pay(WINDOWS)
    assert caught.value.retry_after == pytest.approx(30.0)
    assert sum(scene.slept) == pytest.approx(3.0)


async def test_without_windows_nothing_is_paid() -> None:
    with prepaid(1) as paid:
        await Scene().meter.pay(())
    assert paid.left == 1
