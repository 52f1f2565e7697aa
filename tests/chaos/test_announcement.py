"""An announcement to 20 000 people while the processes that plan and send it are killed again and again."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlmodel import col, func, select

from bot.actions import announcements
from bot.domain.audience import Audience
from bot.domain.schedule import Schedule
from bot.runtime import Runtime, opened
from bot.store import accounts
from bot.store.accounts import AccountRow
from bot.store.announcements import RunRow
from bot.store.broadcasts import DeliveryRow
from bot.store.contacts import ContactRow
from bot.store.unit_of_work import Actor
from tests.chaos import town
from tests.chaos.rounds import Game, game
from tests.chaos.servers import OwnRedis
from tests.simulator.model import Person, Tie

PEOPLE = 20_000
KILLS = 6
LIMIT = 240.0
"""Seconds in which everything must have come to its end; twenty thousand take about half a minute undisturbed."""
TEXT = "Chiều mai cắt nước từ 14 giờ, mời bà con trữ nước."
OA = town.OAS[0].oa_id
_AT_ONCE = 2000


@pytest.fixture
async def played(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Game]:
    """Give a running service without limits of its own, so that it sends as fast as it can."""
    monkeypatch.setenv("LOA__ZALO__APP_PER_MINUTE", "0")
    monkeypatch.setattr(town, "PER_MINUTE", 10**6)
    redis = None
    if database_url.startswith("postgres"):
        redis = OwnRedis()
        redis.start()
    async with game(tmp_path / "service", database_url, redis, seed=1) as it:
        yield it
    if redis is not None:
        redis.stop()


async def people(played: Game, runtime: Runtime) -> None:
    """Let 20 000 people have written to an account a while ago: a line each here and at the provider."""
    world = played.simulator.provider.world
    now_ms = played.simulator.provider.clock.now_ms()
    await played.simulator.verbs.set_oa(oa_id=OA, echo=False, receipts=False)
    users = [f"77{n:017d}" for n in range(PEOPLE)]
    for n, user in enumerate(users):
        world.people[user] = Person(user, f"Công dân {n}", f"8490{n:07d}", f"app-{user}")
        world.ties[OA, user] = Tie(OA, user, last_interaction_ms=now_ms, last_message_ms=now_ms)
    async with runtime.units_of_work() as uow:
        account = await accounts.by_external_id(uow.session, "zalo", OA)
        assert account is not None
        rows = [
            {
                "id": f"chaos{n:021d}", "account_id": account.id, "external_id": user, "kind": "person",
                "name": "Công dân", "gone": "", "following": False, "anonymous": False, "created_at": uow.now,
                "profile_at": uow.now, "last_interaction_at": uow.now,
            }
            for n, user in enumerate(users)
        ]  # fmt: skip
        for first in range(0, PEOPLE, _AT_ONCE):
            await uow.session.exec(insert(ContactRow), params=rows[first : first + _AT_ONCE])


async def approved(runtime: Runtime) -> str:
    """Have one person write an emergency, which leaves at any hour, and another approve it; returns its id."""
    async with runtime.units_of_work(Actor("staff", "official", "Cán bộ")) as uow:
        row = await announcements.create(uow, "commune")
        words = {"title": "", "text": TEXT}
        row = await announcements.write(uow, row.id, row.version, kind="emergency", topic_id=None, words=words)
        row = await announcements.choose(uow, row.id, row.version, Audience())
        row = await announcements.set_schedule(uow, row.id, row.version, Schedule())
        row = await announcements.submit(uow, row.id, row.version)
    async with runtime.units_of_work(Actor("staff", "leader", "Chủ tịch")) as uow:
        await announcements.approve(uow, row.id, row.version, confirmed=True)
    return row.id


def taken(played: Game) -> Counter[str]:
    """Return how often each person has the announcement on the phone."""
    messages = played.simulator.provider.world.messages.values()
    return Counter(message.user_id for message in messages if message.from_oa and TEXT in message.text)


async def killed(played: Game, rng: random.Random, ends: float) -> list[int]:
    """Kill workers whenever so many more have it, one or all of them, and start them again; returns when that was."""
    at = []
    for number in range(KILLS):
        wanted = number * PEOPLE // (KILLS + 1)
        while len(played.simulator.provider.world.messages) < wanted:
            count = len(played.simulator.provider.world.messages)
            assert time.monotonic() < ends, f"only {count} have it\n{played.cluster.logs()}"
            for member in played.cluster.workers:  # as whatever watches over services does
                if not member.alive:
                    await member.start()
            await asyncio.sleep(0.02)
        await asyncio.sleep(rng.random() / 4)  # the moment within a window
        at.append(len(played.simulator.provider.world.messages))
        alive = [member for member in played.cluster.workers if member.alive]
        chosen = alive if number % 2 else rng.sample(alive, 1)
        await asyncio.gather(*(member.kill() for member in chosen))
        for member in chosen:
            await member.start()
    await played.cluster.heal()
    return at


async def ended(played: Game, ends: float) -> None:
    """Wait until the run has ended."""
    while True:
        async with played.database.reading() as session:
            run = (await session.exec(select(RunRow))).first()
            open_ = col(DeliveryRow.state).in_(("queued", "sending", "unknown"))
            left = (await session.exec(select(func.count()).select_from(DeliveryRow).where(open_))).one()
        if run is not None and run.state == "ended":
            return
        assert time.monotonic() < ends, f"run {run and run.state}, {left} left\n{played.cluster.logs()}"
        await asyncio.sleep(0.5)


@pytest.mark.processes
@pytest.mark.timeout(LIMIT + 120)
async def test_twenty_thousand_get_an_announcement_once_whoever_is_killed_meanwhile(
    played: Game, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(10**6))
    async with opened(played.cluster.settings) as runtime:
        await people(played, runtime)
        begun = time.monotonic()
        await approved(runtime)
    # Who is killed while renewing an account's tokens has lost them: the account stands still until it is granted anew.
    administering = asyncio.create_task(played.administer())
    try:
        at = await killed(played, random.Random(seed), begun + LIMIT)
        await ended(played, begun + LIMIT)
    finally:
        administering.cancel()
        await asyncio.gather(administering, return_exceptions=True)
    got = taken(played)
    async with played.database.reading() as session:
        rows = (await session.exec(select(DeliveryRow.address, DeliveryRow.state, DeliveryRow.reason))).all()
        active = (await session.exec(select(AccountRow.state).where(AccountRow.external_id == OA))).one()
    states = Counter((state, reason) for _, state, reason in rows)
    with capsys.disabled():
        took = time.monotonic() - begun
        print(f"\nseed {seed}: killed at {at}, through after {took:.0f} s, {dict(states)}", end="")  # noqa: T201 - the seed must be known
    assert len(rows) == len({address for address, _, _ in rows}) == PEOPLE, "everybody has one row"
    assert set(states) <= {("sent", ""), ("failed", "outcome_unknown")}, states
    assert max(got.values()) == 1, "somebody has it twice"
    sent = {address for address, state, _ in rows if state == "sent"}
    in_doubt = {address for address, state, _ in rows if state == "failed"}
    assert sent <= set(got), "called sent, and no phone has it"
    assert set(got) <= sent | in_doubt, "somebody has it of whom the rows say otherwise"
    assert active == "active"
