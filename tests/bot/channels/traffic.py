"""Who asks a budget for requests and makes them, by a clock moved by hand, and how many a provider would count."""

import heapq
import itertools
import random
from dataclasses import dataclass, field

from bot.channels.rate_limit import Prepaid, RateBudget, Window, prepaid, span, use_prepaid

START = 1_790_000_000.0
_runs = itertools.count()


class Hand:
    """A clock moved by hand, in seconds."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


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
