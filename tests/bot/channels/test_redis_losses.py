"""The rate budget when Redis forgets or goes away: too few requests rather than too many, and none only for a while."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.channels.rate_limit import ANSWER, RateBudget, Window
from bot.channels.redis_budget import RedisBudget
from tests.bot.channels.traffic import START, Hand, most_in_a_window, windows
from tests.servers import redis_server


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator["Redis"]:
    client: Redis = Redis.from_url(redis_url)
    yield client
    await client.aclose()


class Switch:
    """A Redis client that can be switched off."""

    def __init__(self, client: "Redis") -> None:
        self.client = client
        self.off = False
        self.calls = 0

    def register_script(self, script: str) -> object:
        run = self.client.register_script(script)

        async def call(keys: list[str], arguments: list[str | int | float]) -> object:
            self.calls += 1
            if self.off:
                raise ConnectionRefusedError
            return await run(keys, arguments)

        return call


async def greedy(budgets: Sequence[RateBudget], share: Sequence[Window], clock: Hand, seconds: int) -> list[float]:
    """Let all take what they get, twice a second, and look after each other as processes do; returns when they did."""
    arrivals: list[float] = []
    begun = clock.now
    for step in range(2 * seconds):
        clock.now = begun + step / 2
        for n, budget in enumerate(budgets):
            if step % 40 == n % 40:
                await budget.share_among(f"p{n}", {f"p{n}": 5.0 for n in range(len(budgets))})
            arrivals += [clock.now] * (await budget.take(share, ANSWER, 7)).number
    return arrivals


async def test_a_redis_that_lost_its_memory_grants_nothing_until_that_no_longer_counts(redis: "Redis") -> None:
    clock = Hand()
    budgets = [RedisBudget(redis, clock=clock, local=clock) for _ in range(6)]
    share = windows(100)
    arrivals = [clock.now] * (await budgets[0].take(share, ANSWER, 100)).number
    assert len(arrivals) == 100
    await redis.flushdb()
    await redis.script_flush()
    refused = await budgets[0].take(share, ANSWER, 100)
    assert refused.number == 0
    assert 60 < refused.wait < 70
    arrivals += await greedy(budgets, share, clock, 200)
    assert most_in_a_window(arrivals, 60) <= 100
    assert len(arrivals) >= 300, "and then everything goes on as before"


async def test_whoever_comes_first_to_an_empty_redis_grants_nothing_where_others_may_have_spent(
    redis: "Redis",
) -> None:
    clock, share = Hand(), windows(100)
    old, new = RedisBudget(redis, clock=clock, local=clock), RedisBudget(redis, clock=clock, local=clock)
    assert (await old.take(share, ANSWER, 100)).number == 100
    await redis.flushdb()
    await new.share_among("new", {"old": 100.0, "new": 0.0})
    assert (await new.take(share, ANSWER, 100)).number == 0
    clock.now += 65
    assert (await new.take(share, ANSWER, 100)).number == 100


async def test_processes_that_start_together_on_an_empty_redis_begin_at_once(redis: "Redis") -> None:
    clock = Hand()
    for me in ("web", "worker"):
        budget = RedisBudget(redis, clock=clock, local=clock)
        await budget.share_among(me, {"web": 2.0, "worker": 1.0})
        assert (await budget.take(windows(100), ANSWER, 100)).number == 100


async def test_a_redis_that_came_back_with_an_old_copy_is_noticed(redis: "Redis") -> None:
    clock, share = Hand(), windows(100)
    one, two = RedisBudget(redis, clock=clock, local=clock), RedisBudget(redis, clock=clock, local=clock)
    await two.take(share, ANSWER, 1)
    old = {key: await redis.dump(key) for key in await redis.keys()}
    assert (await one.take(share, ANSWER, 99)).number == 99
    await redis.flushdb()
    for key, copy in old.items():
        await redis.restore(key, 0, copy)
    assert (await one.take(share, ANSWER, 99)).number == 0
    assert (await two.take(share, ANSWER, 99)).number == 0


@pytest.mark.parametrize("away", [False, True])
async def test_what_a_provider_asked_to_wait_for_outlives_redis(redis: "Redis", *, away: bool) -> None:
    clock, share, switch = Hand(), windows(100), Switch(redis)
    one, two = RedisBudget(switch, clock=clock, local=clock), RedisBudget(switch, clock=clock, local=clock)
    await one.block(share[:1], 500.0)
    assert (await two.take(share, ANSWER, 1)).number == 0
    switch.off = away
    await redis.flushdb()
    for step in range(1, 480, 10):
        clock.now = START + step
        await two.share_among("two", {"two": 5.0})
        assert (await two.take(share, ANSWER, 1)).number == 0
    switch.off = False
    clock.now = START + 485
    assert 10 < (await two.take(share, ANSWER, 1)).wait < 80
    clock.now = START + 600
    assert (await two.take(share, ANSWER, 1)).number == 1


async def test_without_redis_all_processes_together_stay_within_the_limit_and_answers_go_on(
    redis: "Redis", capsys: pytest.CaptureFixture[str]
) -> None:
    """Six is more than the four among whom a limit is parted at the least."""
    clock, share, switch = Hand(), windows(100), Switch(redis)
    budgets = [RedisBudget(switch, clock=clock, local=clock) for _ in range(6)]
    arrivals = await greedy(budgets, share, clock, 10)
    assert len(arrivals) == 100
    switch.off = True
    asked = switch.calls
    clock.now += 0.5
    alone = await greedy(budgets, share, clock, 300)
    assert switch.calls - asked < 6 * 310, "each asks once a second, not for every take"
    assert min(alone) - clock.now < -150
    assert len(alone) > 200
    switch.off = False
    clock.now += 0.5
    together = await greedy(budgets, share, clock, 200)
    assert most_in_a_window(arrivals + alone + together, 60) <= 100
    assert len(together) >= 200
    told = capsys.readouterr().out
    assert told.count("counting alone") == told.count("counting together again") == 6


async def test_after_a_moment_without_redis_nobody_waits_for_longer_than_a_moment(redis: "Redis") -> None:
    """One answer that comes too late is enough to count alone; whoever asked then asked again after two minutes."""
    clock, share, switch = Hand(), windows(100), Switch(redis)
    budget = RedisBudget(switch, clock=clock, local=clock)
    for _ in range(6):
        await budget.share_among("p0", {"p0": 5.0})
        clock.now += 20
    assert (await budget.take(share, ANSWER, 1)).number == 1
    switch.off = True
    refused = await budget.take(share, ANSWER, 1)
    assert refused.number == 0
    assert refused.wait <= 2
    switch.off = False
    clock.now += refused.wait
    assert (await budget.take(share, ANSWER, 1)).number == 1


async def test_without_redis_whoever_has_spent_its_part_hears_soon_that_redis_is_back(redis: "Redis") -> None:
    clock, share, switch = Hand(), windows(100), Switch(redis)
    switch.off = True
    budget = RedisBudget(switch, clock=clock, local=clock)
    for _ in range(10):
        await budget.share_among("p0", {"p0": 5.0})
        clock.now += 20
    await budget.share_among("p0", {"p0": 5.0})
    assert (await budget.take(share, ANSWER, 50)).number == 25
    refused = await budget.take(share, ANSWER, 50)
    assert (refused.number, 0 < refused.wait <= 15) == (0, True)


async def test_a_process_that_was_cut_off_alone_holds_up_nobody_when_it_returns(redis: "Redis") -> None:
    clock, switch = Hand(), Switch(redis)
    one, two = RedisBudget(switch, clock=clock, local=clock), RedisBudget(redis, clock=clock, local=clock)
    for step in range(6):
        switch.off = 0 < step < 5
        clock.now = START + 20 * step
        await two.share_among("two", {"one": 5.0, "two": 5.0})
        await one.share_among("one", {"one": 5.0, "two": 5.0})
    assert (await one.take(windows(100), ANSWER, 100)).number == 100
    assert (await two.take(windows(100), ANSWER, 100)).number == 100


async def test_without_redis_a_process_that_comes_changes_the_parts_of_all(redis: "Redis") -> None:
    clock, share, switch = Hand(), windows(100), Switch(redis)
    switch.off = True
    budgets = [RedisBudget(switch, clock=clock, local=clock) for _ in range(8)]
    arrivals = await greedy(budgets[:4], share, clock, 200)
    arrivals += await greedy(budgets, share, clock, 300)
    assert most_in_a_window(arrivals, 60) <= 100
    assert len(arrivals) > 300


async def test_without_redis_what_cannot_be_parted_belongs_to_one_process(redis: "Redis") -> None:
    clock, switch = Hand(), Switch(redis)
    switch.off = True
    budgets = [RedisBudget(switch, clock=clock, local=clock) for _ in range(3)]
    chats = [(Window(f"chat:{n}", 1, 1),) for n in range(12)]
    owners = set()
    for step in range(0, 140, 20):
        clock.now = START + step
        for n, budget in enumerate(budgets):
            await budget.share_among(f"p{n}", dict.fromkeys(("p0", "p1", "p2"), 5.0))
    for chat in chats:
        granted = [(await budget.take(chat, ANSWER, 5)).number for budget in budgets]
        assert sorted(granted) == [0, 0, 1]
        owners.add(granted.index(1))
    assert owners == {0, 1, 2}


async def test_without_redis_a_process_that_knows_of_no_others_grants_nothing(redis: "Redis") -> None:
    clock, switch = Hand(), Switch(redis)
    switch.off = True
    budget = RedisBudget(switch, clock=clock, local=clock)
    await budget.take(windows(), ANSWER, 1)
    clock.now += 500
    assert (await budget.take(windows(), ANSWER, 1)).number == 0
    await budget.share_among("me", {"me": 5.0})
    clock.now += 120
    assert (await budget.take(windows(), ANSWER, 1)).number == 0, "it has not heard of the others for long"
    await budget.share_among("me", {"me": 5.0})
    assert (await budget.take(windows(), ANSWER, 1)).number == 1


async def test_without_redis_the_providers_own_count_is_believed_too(redis: "Redis") -> None:
    clock, share, switch = Hand(), windows(100), Switch(redis)
    switch.off = True
    budget = RedisBudget(switch, clock=clock, local=clock)
    for _ in range(6):
        await budget.share_among("p0", {"p0": 5.0, "p1": 5.0})
        clock.now += 20
    await budget.share_among("p0", {"p0": 5.0, "p1": 5.0})
    assert (await budget.take(share, ANSWER, 5)).number == 5
    await budget.note_remaining(share[0].key, 100, 8)
    assert (await budget.take(share, ANSWER, 50)).number == 4


async def test_a_process_that_alone_loses_redis_for_a_moment_spends_nothing_meanwhile(redis: "Redis") -> None:
    clock, share = Hand(), windows(100)
    switch = Switch(redis)
    one, two = RedisBudget(switch, clock=clock, local=clock), RedisBudget(redis, clock=clock, local=clock)
    for me, budget in {"p0": one, "p1": two}.items():
        await budget.share_among(me, {"p0": 5.0, "p1": 5.0})
    assert (await one.take(share, ANSWER, 10)).number == 10
    switch.off = True
    assert [(await one.take(share, ANSWER, 20)).number for _ in range(5)] == [0] * 5
    assert switch.calls == 3
    clock.now += 1.5
    assert (await one.take(share, ANSWER, 1)).number == 0
    switch.off = False
    clock.now += 1.5
    assert (await one.take(share, ANSWER, 10)).number == 10
    assert (await two.take(share, ANSWER, 100)).number == 100 - 10 - 10


async def test_a_redis_that_stops_for_real_and_comes_back(tmp_path: Path) -> None:
    program = redis_server.program()
    assert program is not None
    socket = tmp_path / "redis.sock"
    command = [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(tmp_path)]
    client: Redis = Redis(unix_socket_path=str(socket))

    async def started() -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: ASYNC220 - started at once
        async with asyncio.timeout(10):
            while not socket.exists():  # noqa: ASYNC110 - polled with a limit
                await asyncio.sleep(0.02)
        return process

    clock, share = Hand(), windows(100)
    budget = RedisBudget(client, clock=clock, local=clock)
    process = await started()
    try:
        arrivals = [clock.now] * (await budget.take(share, ANSWER, 80)).number
        assert len(arrivals) == 80
        process.kill()
        process.wait()
        socket.unlink(missing_ok=True)
        arrivals += await greedy([budget], share, clock, 1)
        process = await started()
        clock.now += 5
        # It came back empty: nothing is granted until what was spent before is surely past.
        arrivals += await greedy([budget], share, clock, 150)
        assert most_in_a_window(arrivals, 60) <= 100
        assert len(arrivals) >= 180
    finally:
        process.kill()
        process.wait()
        await client.aclose()
