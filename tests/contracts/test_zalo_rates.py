"""The budget against the simulator's own count a minute: two processes at full speed are never refused."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from redis.asyncio import Redis

from bot.channels.channel import AccountRef, FileContent, Recipient
from bot.channels.local_budget import LocalBudget
from bot.channels.rate_limit import RateBudget
from bot.channels.redis_budget import RedisBudget
from bot.channels.zalo.oa import ZaloOA
from bot.domain.delivery import Sent, ThrottledError
from bot.domain.message import Message
from bot.errors import NotFoundError
from tests.fakes.vault import MemoryVault
from tests.simulator.simulator import Simulator

STATE = "2222333344445555666"
LIMIT = 40


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as it:
        await it.add_oa(STATE, "UBND xã Bình Minh", "state")
        await it.verbs.set_oa(oa_id=STATE, rate_limit=LIMIT)
        yield it


def process(simulator: Simulator, session: aiohttp.ClientSession, vault: MemoryVault, budget: RateBudget) -> ZaloOA:
    async def learn(_account: str, _key: str, _value: str) -> None:
        pass

    async def load_file(file_id: str) -> FileContent:
        raise NotFoundError(file_id)

    return ZaloOA(
        session,
        app_id="1111222233334444555",
        app_secret="demo-app-secret",
        api_url=simulator.url,
        oauth_url=simulator.url,
        default_secret_key="",
        secret_keys=dict,
        vault=vault,
        load_file=load_file,
        learn=learn,
        now=lambda: datetime.now(UTC),
        budget=budget,
        oa_per_minute=LIMIT,
    )


@pytest.mark.parametrize("kind", ["local", "redis"])
async def test_two_processes_at_full_speed_are_never_refused(
    simulator: Simulator, kind: str, request: pytest.FixtureRequest
) -> None:
    account = AccountRef("state-row", STATE, "state")
    vault = MemoryVault(lambda: datetime.now(UTC))
    vault.put("state-row", f"access-{STATE}", f"refresh-{STATE}", datetime.now(UTC) + timedelta(hours=20))
    phone = await simulator.phone(STATE, "Nguyễn An")
    await phone.follow()
    await phone.say("chào")
    alone = LocalBudget()
    client: Redis | None = Redis.from_url(request.getfixturevalue("redis_url")) if kind == "redis" else None
    async with aiohttp.ClientSession() as session:
        channels = [
            process(simulator, session, vault, RedisBudget(client) if client is not None else alone) for _ in range(2)
        ]

        sends = (
            channels[n % 2].send(account, Recipient(phone.user_id), Message(text=f"Tin {n}")) for n in range(3 * LIMIT)
        )
        ends = await asyncio.gather(*sends, return_exceptions=True)
    if client is not None:
        await client.aclose()
    assert [type(end) for end in ends if not isinstance(end, ThrottledError)] == [Sent] * LIMIT
    assert "-32" not in simulator.verbs.counts()["by_error"]
    assert simulator.verbs.counts()["delivered"][STATE][phone.user_id] == LIMIT
