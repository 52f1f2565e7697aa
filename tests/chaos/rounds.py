"""Play rounds: people write, things break, everything comes to rest, the books are compared."""

import asyncio
import contextlib
import itertools
import random
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, update
from sqlmodel import col, select

from bot.clock import utc_now
from bot.store.accounts import AccountRow
from bot.store.announcements import AnnouncementRow, RunRow
from bot.store.broadcasts import BroadcastRow, ChunkRow, DeliveryRow
from bot.store.contacts import ConversationRow
from bot.store.database import Database
from bot.store.inbox import InboxRow
from bot.store.messages import AttachmentRow
from bot.store.outbox import OutboxRow
from tests.chaos import town
from tests.chaos.bent import REAL_LEASE
from tests.chaos.books import Books, own_reconciliation, read
from tests.chaos.cluster import READY_SECONDS, Cluster, cluster
from tests.chaos.outside import under_way
from tests.chaos.people import FAILURES, Crowd, Office
from tests.chaos.servers import OwnRedis
from tests.chaos.storm import Storm
from tests.simulator.simulator import Simulator

LEASE_SECONDS = 4.0
SWEEP_SECONDS = 2
BENDS = ("--lease", str(LEASE_SECONDS), "--sweep", str(SWEEP_SECONDS))
"""Leases and sweepers of a short run; what a minute would show in life is seen in seconds."""
_OPEN = ("planning", "waiting", "running", "paused")
TIME_SCALE = 100
"""Zalo repeats after 30 s, 5, 15, 30 and 60 min; here after 0.3, 3, 9, 18 and 36 s, longer than a start takes."""


class UnbalancedError(AssertionError):
    """The books of a round do not balance; the message says what is wrong, and by which seed it was played."""


@dataclass(slots=True)
class Played:
    """What one round was."""

    seed: int
    seconds: float
    settling: float
    happened: Counter[str]
    stored: int
    sent: int
    on_telegram: int
    repeated: int

    def __str__(self) -> str:
        storm = ", ".join(f"{name} {number}" for name, number in sorted(self.happened.items()))
        return (
            f"seed {self.seed}: {self.stored} webhooks, "
            f"{self.sent} messages ({self.on_telegram} on Telegram), {self.repeated} repeated, "
            f"{self.seconds:.0f} s and {self.settling:.0f} s to rest ({storm})"
        )


@dataclass
class Game:
    """One service, one provider, rounds after each other; the tables and the provider's log grow over all of them."""

    cluster: Cluster
    simulator: Simulator
    database: Database
    crowd: Crowd
    redis: OwnRedis | None
    bent: bool
    throttles: bool = False
    reconnections: int = 0
    stored_before: int = 0
    sent_before: int = 0
    on_telegram_before: int = 0
    repeated_before: int = 0
    stopped: list[str] = field(default_factory=list)
    announcements: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def play(self, seed: int, *, number: int, seconds: float, people: int, limit: float) -> Played:
        """Play one round; raises UnbalancedError."""
        rng = random.Random(seed)
        begun = time.monotonic()
        lease = LEASE_SECONDS if self.bent else REAL_LEASE
        storm = Storm(
            self.cluster, self.simulator, random.Random(rng.random()), lease, self.redis, throttles=self.throttles
        )
        office = Office(self.cluster, self.database, random.Random(rng.random()))
        working = asyncio.gather(office.work(), self.administer(), self._announce(random.Random(rng.random())))
        try:
            await asyncio.gather(storm.rage(seconds, number), self.crowd.gather(random.Random(rng.random()), people))
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await office.close()
        calm = time.monotonic()
        await self.simulator.clear_faults()
        await self.simulator.telegram_verbs.clear_faults()
        await self.cluster.heal()
        await self.come_to_rest(limit, seed, storm.happened)
        books = await self.check(seed, storm.happened)
        return self._played(seed, calm - begun, time.monotonic() - calm, Counter(storm.happened), books)

    def _played(self, seed: int, seconds: float, settling: float, happened: Counter[str], books: Books) -> Played:
        stored = len(books.tables.inbox)
        left = [books.tables.accounts[row.account_id].provider for row in books.tables.outbox if row.provider_id]
        sent, on_telegram = len(left), left.count(town.BOT.provider)
        repeated = sum(row.repeated for row in books.tables.outbox)
        played = Played(
            seed, seconds, settling, happened,
            stored - self.stored_before, sent - self.sent_before, on_telegram - self.on_telegram_before,
            repeated - self.repeated_before,
        )  # fmt: skip
        self.stored_before, self.sent_before, self.repeated_before = stored, sent, repeated
        self.on_telegram_before = on_telegram
        return played

    async def come_to_rest(self, limit: float, seed: int = 0, happened: list[str] | None = None) -> None:
        """Wait until nothing is on its way any more; where waits are bent, what would be due later is due now."""
        deadline = time.monotonic() + limit
        quiet = 0
        while quiet < 2:
            left = await self.unfinished()
            quiet = 0 if left else quiet + 1
            if left and time.monotonic() > deadline:
                raise UnbalancedError(
                    f"seed {seed}, after {happened}: no rest after {limit} s: {left}\n{self.cluster.logs()}"
                )
            if left:
                await self._as_people_would()
            await asyncio.sleep(0.25)

    async def unfinished(self) -> dict[str, int]:
        """Return what is still on its way, by kind."""
        left: dict[str, int] = {}
        left |= {f"webhooks {state}": number for state, number in under_way(self.simulator).items()}
        queries = {
            "inbox": select(func.count()).where(col(InboxRow.state).in_(("new", "handling"))),
            "outbox": select(func.count()).where(col(OutboxRow.state).in_(("queued", "sending", "unknown"))),
            "attachments": select(func.count()).where(col(AttachmentRow.state) == "pending"),
            "conversations": select(func.count()).where(col(ConversationRow.resume_at).is_not(None)),
            "announcements": select(func.count()).where(col(AnnouncementRow.ended_at).is_(None)),
            "runs": select(func.count()).where(col(RunRow.state) != "ended"),
            "broadcasts": select(func.count()).where(col(BroadcastRow.state).in_(_OPEN)),
            "deliveries": select(func.count()).where(col(DeliveryRow.state).in_(("queued", "sending", "unknown"))),
        }
        async with self.database.reading() as session:
            for name, query in queries.items():
                if number := (await session.exec(query)).one():
                    left[name] = number
        spooled = len(self.cluster.spooled())
        return left | ({"spool": spooled} if spooled else {})

    async def administer(self) -> None:
        """Grant anew whatever has lost its tokens, until cancelled."""
        while True:
            await asyncio.sleep(0.5)
            with contextlib.suppress(*FAILURES):
                await self._reconnect()

    async def _announce(self, rng: random.Random) -> None:
        """Send one announcement to all who have written to any account so far."""
        await asyncio.sleep(rng.random())
        number = next(self.announcements)
        with contextlib.suppress(*FAILURES):
            await town.announce(self.cluster.settings, f"Thông báo số {number}: mai cắt nước, mời bà con lưu ý.")

    async def _reconnect(self) -> None:
        async with self.database.reading() as session:
            standing = select(AccountRow.external_id).where(col(AccountRow.state) != "active")
            stopped = (await session.exec(standing)).all()
        if stopped:
            self.reconnections += 1
            with contextlib.suppress(*FAILURES):  # Redis may be away just now; it is tried again
                self.stopped += await town.reconnect(self.cluster.settings, self.simulator, self.reconnections)

    async def _as_people_would(self) -> None:
        """Grant anew what lost its tokens; where waits are bent, let what waits for a later try be due."""
        await self._reconnect()
        if not self.bent:
            return
        now = utc_now()
        async with self.database.writing() as session:
            for table in (InboxRow, OutboxRow):
                later = col(table.next_attempt_at) > now
                waiting = col(table.state).in_(("new", "queued"))
                await session.exec(update(table).where(waiting, later).values(next_attempt_at=now))
            pending = col(AttachmentRow.state) == "pending"
            await session.exec(update(AttachmentRow).where(pending).values(next_attempt_at=now))
            ranges = col(ChunkRow.next_attempt_at) > now
            await session.exec(update(ChunkRow).where(ranges).values(next_attempt_at=now))
            await session.commit()

    async def check(self, seed: int, happened: list[str], outages: Sequence[tuple[int, int]] = ()) -> Books:
        """Compare both sides; raises UnbalancedError."""
        books = Books(self.simulator, await read(self.database), self.cluster.spooled(), outages)
        books.check()
        books.wrong += await own_reconciliation(self.database)
        if books.wrong:
            found = "\n".join(books.wrong[:30])
            raise UnbalancedError(f"seed {seed}, after {happened}: {len(books.wrong)} differences\n{found}")
        return books


@contextlib.asynccontextmanager
async def game(
    folder: Path,
    database_url: str,
    redis: OwnRedis | None,
    *,
    seed: int,
    bent: bool = True,
    extra: Mapping[int, tuple[str, ...]] | None = None,
    time_scale: float = TIME_SCALE,
) -> AsyncIterator[Game]:
    """Give a running service on a fresh, migrated database: one process without Redis, else two web and two workers.

    `extra` bends single processes further, by their number; `time_scale` divides the waits between Zalo's repeats.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    queue_url = redis.url if redis is not None else "embedded"
    async with contextlib.AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(Simulator(time_scale=time_scale, seed=seed, keep=None))
        members = await stack.enter_async_context(
            cluster(folder, database_url, queue_url, simulator.url, bends=BENDS if bent else ())
        )
        for number, bends in (extra or {}).items():
            members.members[number].bends += bends
        await town.found(members.settings, simulator)
        for oa in simulator.provider.world.oas.values():
            oa.webhook_url = members.webhook_url("zalo")
        await simulator.telegram_verbs.set_bot(
            bot_id=town.BOT.oa_id, behind=members.webhook_url(f"telegram/{town.BOT.oa_id}")
        )
        await members.heal()
        await simulator.wait(lambda: simulator.telegram.world.bot(town.BOT.oa_id).webhook_url, READY_SECONDS)
        database = Database(database_url, pool_size=6)
        stack.push_async_callback(database.close)
        yield Game(members, simulator, database, Crowd(simulator), redis, bent)
    shutil.rmtree(folder, ignore_errors=True)
