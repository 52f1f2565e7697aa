"""The budget against the simulator's own count: thirty a second, one a second in a chat, twenty a minute in a group."""

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from redis.asyncio import Redis

from bot.channels.channel import Recipient
from bot.channels.local_budget import LocalBudget
from bot.channels.rate_limit import BROADCAST, NOTICE, RateBudget, in_lane, prepaid, span
from bot.channels.redis_budget import RedisBudget
from bot.channels.telegram.limits import bot_windows, chat_windows
from bot.domain.delivery import Sent, ThrottledError
from bot.domain.message import Message
from tests.contracts.providers import BOT, World, world


@pytest.fixture(params=["local", "redis"])
async def budget(request: pytest.FixtureRequest) -> AsyncIterator[RateBudget]:
    if request.param == "local":
        yield LocalBudget()
        return
    client = Redis.from_url(request.getfixturevalue("redis_url"))
    yield RedisBudget(client)
    await client.aclose()


@pytest.fixture
async def town(budget: RateBudget) -> AsyncIterator[World]:
    async with world("telegram", budget=budget) as it:
        yield it


async def test_many_chats_at_full_speed_are_never_refused(town: World) -> None:
    """Unless the machine stands still for longer than the slack, so that what left in time comes late and bunched."""
    phones = [await town.simulator.telegram_phone(BOT, name=f"Dân {n}") for n in range(70)]
    for phone in phones:
        await phone.follow()
    for _ in range(4):
        sends = (town.channel.send(town.account, Recipient(str(p.user_id)), Message(text="Tin")) for p in phones)
        stalls: list[float] = []
        watching = asyncio.create_task(_watch(stalls))
        with in_lane(NOTICE):
            ends = await asyncio.gather(*sends, return_exceptions=True)
        watching.cancel()
        assert all(isinstance(end, Sent | ThrottledError) for end in ends)
        if max(stalls) < span(1.0) - 1.0:
            break
        await asyncio.sleep(5)  # what Telegram asked to wait for is over by then; the last try counts in any case
    refused = [end for end in ends if isinstance(end, ThrottledError)]
    assert all(error.reason == "rate_limited" for error in refused), "our own budget says no, never Telegram"
    assert len(ends) - len(refused) == 70, "two or three seconds are within everybody's patience"


async def _watch(stalls: list[float]) -> None:
    """Note by how much this process, in which both sides run, comes late to what it wants to do."""
    while True:
        begun = time.monotonic()
        await asyncio.sleep(0.01)
        stalls.append(time.monotonic() - begun - 0.01)


async def test_a_chat_gets_one_a_second_even_if_requests_were_paid_for_before(town: World) -> None:
    times = []
    with prepaid(10, BROADCAST):
        for n in range(3):
            await town.channel.send(town.account, town.citizen, Message(text=f"Tin {n}"))
            times.append(time.monotonic())
    assert all(later - earlier >= 1.0 for earlier, later in pairwise(times))


async def test_a_group_gets_twenty_a_minute_and_says_when_to_come_again(budget: RateBudget) -> None:
    group, *_ = windows = chat_windows("account-row", "-100")
    assert (group.limit, group.seconds) == (20, 60)
    assert [w.limit for w in windows] == [20, 1]
    granted = sum([(await budget.take((group,), 0, 1)).number for _ in range(25)])
    assert granted == 20
    assert (await budget.take((group,), 0, 1)).wait > 30


async def test_being_told_to_wait_stops_everybody_for_so_long(town: World) -> None:
    await town.fault("rate_limited", retry_after=7, count=1)
    with pytest.raises(ThrottledError):
        await town.channel.send(town.account, town.citizen, Message(text="Tin"))
    other = await town.simulator.telegram_phone(BOT)
    await other.follow()
    with pytest.raises(ThrottledError) as caught:
        await town.channel.send(town.account, Recipient(str(other.user_id)), Message(text="Tin"))
    assert caught.value.reason == "rate_limited"
    assert 5 < (caught.value.retry_after or 0) < 9
    assert town.simulator.telegram.faults.view() == [], "the fault met the one request that was made"


async def test_a_group_that_is_told_to_wait_holds_up_nobody_else(town: World) -> None:
    group = await town.simulator.telegram_group(BOT, town.phone)
    await group.add_bot()
    await town.fault("rate_limited", retry_after=30, count=1)
    with pytest.raises(ThrottledError):
        await town.channel.send(town.account, Recipient(group.chat_id), Message(text="Thẻ"))
    assert (await town.channel.send(town.account, town.citizen, Message(text="Tin"))).message_id
    with pytest.raises(ThrottledError):
        await town.channel.send(town.account, Recipient(group.chat_id), Message(text="Thẻ"))


def test_every_request_is_counted_as_it_leaves() -> None:
    (window,) = bot_windows("a")
    assert (window.limit, window.seconds) == (30, 1)
