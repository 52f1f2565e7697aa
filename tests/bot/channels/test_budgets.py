"""The rate budget in one process and over Redis: the provider never counts too many, and answers find room."""

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from bot.channels import rate_limit
from bot.channels.local_budget import LocalBudget
from bot.channels.rate_limit import (
    ANSWER,
    BROADCAST,
    NOTICE,
    URGENT,
    Grant,
    RateBudget,
    Window,
    prepaid,
    use_prepaid,
)
from bot.channels.redis_budget import RedisBudget
from tests.bot.channels.traffic import START, Hand, Traffic, most_in_a_window, windows

Processes = Callable[[Callable[[], float], int], list[RateBudget]]


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator["Redis"]:
    client: Redis = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture(params=["local", "redis"])
def processes(request: pytest.FixtureRequest) -> Processes:
    """Return a function that makes the budgets of n processes; the local kind has one process only."""
    if request.param == "local":
        return lambda clock, _: [LocalBudget(clock)]
    client: Redis = request.getfixturevalue("redis")
    return lambda clock, n: [RedisBudget(client, clock=clock, local=clock) for _ in range(n)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    limit=st.sampled_from([1, 2, 7, 30, 100]),
    seconds=st.sampled_from([1, 10, 60]),
    lanes=st.lists(st.sampled_from([ANSWER, NOTICE, BROADCAST, URGENT]), min_size=3, max_size=3),
    patient=st.booleans(),
    worst=st.booleans(),
    late=st.sampled_from([0.0, 0.2, 0.5, 1.0]),
)
async def test_the_provider_never_counts_too_many(
    processes: Processes,
    seed: int,
    limit: int,
    seconds: int,
    lanes: list[int],
    *,
    patient: bool,
    worst: bool,
    late: float,
) -> None:
    clock = Hand()
    traffic = Traffic(
        random.Random(seed), processes(clock, 2), windows(limit, limit * 2, seconds), lanes, patient, worst, late, clock
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rate_limit, "monotonic", clock)
        await traffic.run(seconds)
    assert most_in_a_window(traffic.arrivals, seconds) <= limit


async def test_what_left_too_late_was_not_paid_for_then(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred requests whose lease takes ten seconds, then a hundred prompt ones when the first are forgotten."""
    clock = Hand()
    monkeypatch.setattr(rate_limit, "monotonic", clock)
    budget, share = processes(clock, 1)[0], windows(100)
    arrivals: list[float] = []
    for delay in (10.0, 0.0):
        grant = await budget.take(share, ANSWER, 100)
        clock.now += delay
        with prepaid(grant.number, ANSWER, grant.until) as paid:
            paid_now = [use_prepaid() or (await budget.take(share, ANSWER, 1)).number for _ in range(grant.number)]
        arrivals += [clock.now] * sum(map(bool, paid_now))
        assert paid.left == 0, "what has expired is not given back"
        clock.now += 53.1
    assert most_in_a_window(arrivals, 60) <= 100
    assert len(arrivals) == 100


@pytest.mark.parametrize("limit", [100, 2000])
async def test_a_broadcast_uses_most_of_its_share_and_answers_always_find_room(
    processes: Processes, limit: int
) -> None:
    clock = Hand()
    budget = processes(clock, 1)[0]
    share, sent, answers, ask_at = windows(limit), 0, 0, START
    for step in range(5 * 60):
        clock.now = START + step
        if clock.now >= ask_at:
            grant = await budget.take(share, BROADCAST, 1000)
            sent += grant.number
            ask_at = clock.now + grant.wait
        if step % 10 == 5:
            assert await budget.take(share, ANSWER, 1) == Grant(1, 0.0)
            answers += 1
    assert answers == 30
    assert 5 * limit * 0.6 < sent <= 5 * limit * 0.82


async def test_the_lanes_leave_room_for_the_more_urgent(processes: Processes) -> None:
    clock = Hand()
    budget = processes(clock, 1)[0]
    share = windows(100)
    assert 0 < (await budget.take(share, BROADCAST, 100)).number < 10
    noticed = (await budget.take(share, NOTICE, 200)).number
    assert (await budget.take(share, BROADCAST, 1)).number == 0
    assert (await budget.take(share, NOTICE, 1)).number == 0
    answered = (await budget.take(share, ANSWER, 200)).number
    assert answered == 10
    assert noticed < 90
    refused = await budget.take(share, ANSWER, 1)
    assert refused.number == 0
    assert 60 < refused.wait < 65
    clock.now += refused.wait
    assert (await budget.take(share, ANSWER, 1)).number == 1


async def test_a_warning_to_many_goes_before_all_but_answers(processes: Processes) -> None:
    clock = Hand()
    budget = processes(clock, 1)[0]
    share = windows(100)
    assert (await budget.take(share, URGENT, 200)).number == 95
    for lane in (NOTICE, BROADCAST, URGENT):
        assert (await budget.take(share, lane, 1)).number == 0
    assert (await budget.take(share, ANSWER, 200)).number == 5


async def test_one_a_second_goes_on_in_every_lane(processes: Processes) -> None:
    for lane in (ANSWER, NOTICE, BROADCAST, URGENT):
        clock = Hand()
        budget = processes(clock, 1)[0]
        chat, sent = windows(1, 30, 1), 0
        while clock.now < START + 60:
            grant = await budget.take(chat, lane, 1)
            sent += grant.number
            clock.now += grant.wait or 0.01
        assert 45 < sent <= 60


async def test_one_account_in_bulk_leaves_half_of_the_app_to_the_others(processes: Processes) -> None:
    clock = Hand()
    budget = processes(clock, 1)[0]
    greedy, app = windows(1000, 1000)
    other = (Window(f"{greedy.key}:other", 1000, 60), app)
    taken: dict[str, int] = {"greedy": 0, "other": 0}
    for step in range(60):
        clock.now = START + step
        taken["greedy"] += (await budget.take((greedy, app), BROADCAST, 1000)).number
        taken["other"] += (await budget.take(other, BROADCAST, 1)).number
    assert taken["greedy"] <= 500
    assert taken["other"] > 25


async def test_what_is_given_back_can_be_taken_again(processes: Processes) -> None:
    budget = processes(Hand(), 1)[0]
    share = windows(100)
    assert (await budget.take(share, ANSWER, 150)).number == 100
    await budget.give_back(share, 30)
    assert (await budget.take(share, ANSWER, 150)).number == 30


async def test_what_goes_out_in_several_parts_gets_them_together_by_asking_again(processes: Processes) -> None:
    clock = Hand()
    budget = processes(clock, 1)[0]
    share, parts, sent = windows(100), 5, 0
    for _ in range(200):
        grant = await budget.take(share, BROADCAST, 50 * parts)
        sent += grant.number // parts
        await budget.give_back(share, grant.number % parts)
        clock.now += grant.wait
    assert sent * parts / (clock.now - START) > 0.6 * 80 / 63


async def test_a_block_holds_everybody_back_until_it_ends(processes: Processes) -> None:
    clock = Hand()
    budgets = processes(clock, 2)
    share = windows()
    await budgets[0].block(share[:1], 42.0)
    for lane in (ANSWER, BROADCAST):
        grant = await budgets[-1].take(share, lane, 5)
        assert grant.number == 0
        assert grant.wait == pytest.approx(42.0, abs=0.01)
    assert (await budgets[-1].take(windows(), ANSWER, 5)).number == 5
    clock.now += 42.001
    assert (await budgets[-1].take(share, ANSWER, 5)).number == 5
    await budgets[0].block(share[1].key, 5.0)
    assert (await budgets[-1].take(share, ANSWER, 5)).number == 0


async def test_the_providers_own_count_is_believed_where_it_is_higher(processes: Processes) -> None:
    budgets = processes(Hand(), 2)
    share = windows(100)
    await budgets[0].take(share, ANSWER, 10)
    await budgets[0].note_remaining(share[0].key, 100, 95)
    assert (await budgets[-1].take(share, ANSWER, 85)).number == 85
    await budgets[0].note_remaining(share[0].key, 100, 2)
    await budgets[0].note_remaining("never used", 100, 2)
    assert (await budgets[-1].take(share, ANSWER, 10)).number == 2


async def test_without_windows_there_is_no_limit(processes: Processes) -> None:
    budget = processes(Hand(), 1)[0]
    assert await budget.take((), BROADCAST, 100_000) == Grant(100_000, 0.0)
    await budget.give_back((), 3)
    await budget.block((), 3.0)


async def test_counters_of_quiet_keys_are_let_go(redis: "Redis") -> None:
    share = windows(30, 60, 1)
    await RedisBudget(redis).take(share, BROADCAST, 1)
    for window in share:
        assert 0 < await redis.pttl(f"loa:rate:{window.key}") < 5000


async def test_redis_counts_by_its_own_clock(redis: "Redis") -> None:
    share = windows(10)
    one, two = RedisBudget(redis), RedisBudget(redis)
    assert (await one.take(share, ANSWER, 6)).number == 6
    assert (await two.take(share, ANSWER, 6)).number == 4


_GREEDY = """
import asyncio, sys
from redis.asyncio import Redis
from bot.channels.rate_limit import Window
from bot.channels.redis_budget import RedisBudget
async def main():
    redis = Redis.from_url(sys.argv[1])
    budget, taken = RedisBudget(redis), 0
    for _ in range(60):
        taken += (await budget.take((Window(sys.argv[2], 100, 60),), 0, 3)).number
    print(taken)
    await redis.aclose()
asyncio.run(main())
"""


async def test_two_real_processes_share_one_window(redis_url: str) -> None:
    key = windows()[0].key
    running = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", _GREEDY, redis_url, key, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(2)
    ]
    taken = [int((await process.communicate())[0]) for process in running]
    assert sum(taken) == 100
