"""The rate budget in one process and over Redis: the provider never counts too many, and answers find room."""

import asyncio
import heapq
import itertools
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

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
    Grant,
    Prepaid,
    RateBudget,
    Window,
    prepaid,
    span,
    use_prepaid,
)
from bot.channels.redis_budget import RedisBudget
from tests.servers import redis_server

START = 1_790_000_000.0
_runs = itertools.count()
Processes = Callable[[Callable[[], float], int], list[RateBudget]]


class Hand:
    """A clock moved by hand, in seconds."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


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


def windows(limit: int = 100, app: int = 4000, seconds: int = 60) -> tuple[Window, ...]:
    """Return the windows of an account and its app that no other test has used."""
    run = next(_runs)
    return (Window(f"oa:{run}", limit, seconds), Window(f"app:{run}", app, seconds))


def most_in_a_window(arrivals: list[float], seconds: float) -> int:
    """Return the largest number of arrivals that any window of so many seconds holds."""
    arrivals = sorted(arrivals)
    most = begin = 0
    for end, at in enumerate(arrivals):
        while at - arrivals[begin] >= seconds:
            begin += 1
        most = max(most, end - begin + 1)
    return most


@dataclass
class Traffic:
    """Some who ask for requests and make them, later than they were paid for by up to `late` windows."""

    chance: random.Random
    budgets: list[RateBudget]
    share: tuple[Window, ...]
    lanes: list[int]
    patient: bool
    worst: bool
    late: float
    clock: Hand = field(default_factory=Hand)
    arrivals: list[float] = field(default_factory=list)
    turns: list[tuple[float, int, int, Prepaid | None]] = field(default_factory=list)

    @property
    def way(self) -> float:
        """How long a request may be on its way, and as long it may take to leave."""
        return (span(self.share[0].seconds) - self.share[0].seconds) / 2

    def at(self, when: float, sender: int, paid: Prepaid | None = None) -> None:
        heapq.heappush(self.turns, (when, self.chance.getrandbits(60), sender, paid))

    async def run(self, seconds: int) -> None:
        for sender in range(len(self.lanes)):
            self.at(START + self.chance.random() * seconds, sender)
        for _ in range(1000):
            self.clock.now, _, sender, paid = heapq.heappop(self.turns)
            if self.clock.now > START + 5 * seconds:
                break
            await (self.ask(sender) if paid is None else self.leave(sender, paid))

    async def ask(self, sender: int) -> None:
        budget = self.budgets[sender % len(self.budgets)]
        limit, seconds = self.share[0].limit, self.share[0].seconds
        want = self.chance.randint(1, limit + 2)
        grant = await budget.take(self.share, self.lanes[sender], want)
        assert 0 <= grant.number <= want
        assert (grant.wait == 0.0) is (grant.number == want)
        unused = self.chance.randint(0, grant.number) if self.chance.random() < 0.2 else 0
        if unused:
            await budget.give_back(self.share, unused)
        delay = self.late * seconds * self.chance.random()
        for _ in range(grant.number - unused):
            leaves = delay or self.way * (1.0 if self.worst else self.chance.random())
            self.at(self.clock.now + leaves, sender, prepaid(1, self.lanes[sender], grant.until))
        pause = grant.wait if self.patient else self.chance.random() * seconds / 20
        self.at(self.clock.now + max(pause, seconds / 1000), sender)

    async def leave(self, sender: int, paid: Prepaid) -> None:
        budget = self.budgets[sender % len(self.budgets)]
        with paid:
            wait = 0.0 if use_prepaid() else (await budget.take(self.share, paid.lane, 1)).wait
        if wait:
            self.at(self.clock.now + wait, sender, paid)
            return
        # At its worst what was sent first is slow and what follows a window later is quick.
        slow = 1.0 if int(self.clock.now / self.share[0].seconds) % 2 else 0.0
        self.arrivals.append(self.clock.now + self.way * (slow if self.worst else self.chance.random()))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    limit=st.sampled_from([1, 2, 7, 30, 100]),
    seconds=st.sampled_from([1, 10, 60]),
    lanes=st.lists(st.sampled_from([ANSWER, NOTICE, BROADCAST]), min_size=3, max_size=3),
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


async def test_one_a_second_goes_on_in_every_lane(processes: Processes) -> None:
    for lane in (ANSWER, NOTICE, BROADCAST):
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
