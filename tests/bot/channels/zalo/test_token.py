"""Tokens under every kind of trouble: parallel sends, several processes, refusals, silence, a database away (R4)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import pytest

from bot.channels.zalo.client import ZaloClient
from bot.channels.zalo.oauth import OAuth
from bot.channels.zalo.token import LEASE_SECONDS, Refresher, TokenPair
from bot.domain.delivery import AccountStoppedError, ConnectionFailedError, SendError, TemporaryError
from tests.fakes.scripted_server import Answer, Asked, ScriptedServer
from tests.fakes.vault import MemoryVault

START = datetime(2026, 11, 23, 8, tzinfo=UTC)


@dataclass
class Rotation:
    """Zalo's rule: each refresh token works once, and the old pair dies as the new one is made."""

    living: dict[str, str] = field(default_factory=lambda: {"r1": "1", "s1": "1"})
    answer: Callable[[dict[str, str]], Answer | None] = lambda _: None
    wait: asyncio.Event | None = None

    def __call__(self, asked: Asked) -> Answer:
        form = dict(parse_qsl(asked.body.decode()))
        special = self.answer(form)
        if special is not None and not special.hang_up:
            return special
        generation = self.living.pop(form["refresh_token"], None)
        if generation is None:
            return Answer({"error": -14014, "error_name": "Invalid refresh token"})
        name, number = form["refresh_token"][0], int(generation) + 1
        self.living[f"{name}{number}"] = str(number)
        pair = {"access_token": f"{name}-access{number}", "refresh_token": f"{name}{number}", "expires_in": "90000"}
        return special or Answer(pair, wait=self.wait)


@dataclass
class Scene:
    """A fake token endpoint, a vault, a clock that stands until it is moved."""

    server: ScriptedServer
    rotation: Rotation
    session: aiohttp.ClientSession
    now: datetime = START
    vault: MemoryVault = field(init=False)
    naps: list[float] = field(default_factory=list)
    on_nap: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.vault = MemoryVault(self.clock)
        self.old = self.vault.put("a", "access1", "r1", START + timedelta(hours=1))

    def clock(self) -> datetime:
        return self.now

    async def nap(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.on_nap()
        await asyncio.sleep(0.001)

    def process(self, holder: str, *, timeout: float = 2.0, url: str = "") -> Refresher:
        client = ZaloClient(self.session, self.clock, timeout)
        oauth = OAuth(client, "1111", "secret", url or self.server.url, self.clock)
        return Refresher(oauth, self.vault, holder, self.clock, self.nap)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    rotation = Rotation()
    async with ScriptedServer(rotation).running() as server, aiohttp.ClientSession() as session:
        yield Scene(server, rotation, session)


async def refused(awaitable: Any) -> SendError:
    with pytest.raises(SendError) as caught:
        await awaitable
    return caught.value


async def test_a_pair_is_renewed_at_half_of_its_life_and_not_before(scene: Scene) -> None:
    scene.old = scene.vault.put("a", "access1", "r1", START + timedelta(hours=12, minutes=31))
    process = scene.process("p1")
    assert await process.refresh_due("a") is False
    assert scene.server.asked == []
    scene.now += timedelta(minutes=2)
    assert await process.refresh_due("a") is True
    assert await process.refresh_due("a") is False
    assert len(scene.server.asked) == 1


async def test_the_new_pair_is_stored_before_it_is_used_and_the_old_one_kept_until_it_worked(scene: Scene) -> None:
    process = scene.process("p1")
    pair = await process.renew("a", scene.old)
    held = scene.vault.accounts["a"]
    assert (held.pair, held.previous, held.holder) == (pair, scene.old, None)
    await process.worked("a", scene.old)
    assert held.previous == scene.old
    await process.worked("a", pair)
    assert held.previous is None


async def test_a_pair_that_is_over_is_renewed_before_a_send_is_wasted(scene: Scene) -> None:
    process = scene.process("p1")
    assert await process.pair("a") == scene.old
    scene.now += timedelta(hours=2)
    assert (await process.pair("a")).access_token == "r-access2"


async def test_many_sends_of_one_process_share_one_renewal(scene: Scene) -> None:
    process = scene.process("p1")
    pairs = await asyncio.gather(*(process.renew("a", scene.old) for _ in range(10)))
    assert {pair.access_token for pair in pairs} == {"r-access2"}
    assert len(scene.server.asked) == 1
    assert await process.renew("a", scene.old) == pairs[0]
    assert len(scene.server.asked) == 1


async def test_two_processes_at_once_renew_once(scene: Scene) -> None:
    scene.rotation.wait = asyncio.Event()
    scene.on_nap = scene.rotation.wait.set
    one, two = scene.process("p1"), scene.process("p2")
    pairs = await asyncio.gather(one.renew("a", scene.old), two.renew("a", scene.old))
    assert [pair.access_token for pair in pairs] == ["r-access2", "r-access2"]
    assert len(scene.server.asked) == 1
    assert scene.naps


async def test_a_pair_renewed_elsewhere_is_just_taken(scene: Scene) -> None:
    process = scene.process("p1")
    await process.pair("a")
    await scene.process("p2").renew("a", scene.old)
    assert (await process.renew("a", scene.old)).access_token == "r-access2"
    assert len(scene.server.asked) == 1
    assert await process.refresh_due("a") is False


async def test_a_pair_renewed_elsewhere_is_reported_as_new_to_the_job(scene: Scene) -> None:
    process = scene.process("p1")
    await process.pair("a")
    await scene.process("p2").renew("a", scene.old)
    assert await process.refresh_due("a") is True


async def test_waiting_for_another_holder_has_an_end(scene: Scene) -> None:
    assert await scene.vault.acquire("a", "a process that stands still", LEASE_SECONDS)
    error = await refused(scene.process("p1").renew("a", scene.old))
    assert (type(error), error.reason) == (TemporaryError, "refresh_in_progress")
    assert 10 < sum(scene.naps) < 20
    assert scene.server.asked == []


async def test_the_lease_of_a_dead_process_runs_out(scene: Scene) -> None:
    assert await scene.vault.acquire("a", "a process that died", LEASE_SECONDS)
    scene.now += timedelta(seconds=LEASE_SECONDS + 1)
    assert (await scene.process("p1").renew("a", scene.old)).access_token == "r-access2"


async def test_a_refusal_with_http_200_is_a_failure_that_is_tried_again_later(scene: Scene) -> None:
    scene.rotation.answer = lambda _: Answer({"error_name": "Busy", "error_description": "try later"})
    process = scene.process("p1")
    assert (await refused(process.renew("a", scene.old))).reason == "refresh_failed"
    held = scene.vault.accounts["a"]
    assert (held.pair, held.holder, held.stopped) == (scene.old, None, None)
    assert held.error is not None
    assert "Busy" in held.error
    waiting = await refused(process.renew("a", scene.old))
    assert waiting.retry_after == 5.0
    assert len(scene.server.asked) == 1
    scene.rotation.answer = lambda _: None
    scene.now += timedelta(seconds=6)
    assert (await process.renew("a", scene.old)).access_token == "r-access2"


async def test_pauses_between_failures_grow_to_ten_minutes(scene: Scene) -> None:
    scene.rotation.answer = lambda _: Answer(b"<html>", 503)
    process = scene.process("p1")
    pauses = []
    for _ in range(9):
        await refused(process.renew("a", scene.old))
        pauses.append((await refused(process.renew("a", scene.old))).retry_after)
        scene.now += timedelta(minutes=11)
    assert pauses[:4] == [5.0, 10.0, 20.0, 40.0]
    assert pauses[-1] == 600.0
    assert scene.vault.accounts["a"].stopped is None


@pytest.mark.parametrize("status", [403, 404, 502])
async def test_a_page_in_place_of_an_answer_stops_nobody(scene: Scene, status: int) -> None:
    scene.rotation.answer = lambda _: Answer(b"<html>", status)
    assert type(await refused(scene.process("p1").renew("a", scene.old))) is TemporaryError
    assert scene.vault.accounts["a"].stopped is None


async def test_a_dead_refresh_token_stops_the_account(scene: Scene) -> None:
    scene.rotation.living.clear()
    error = await refused(scene.process("p1").renew("a", scene.old))
    assert (type(error), error.reason) == (AccountStoppedError, "refresh_token_dead")
    assert scene.vault.accounts["a"].stopped == ("refresh_token_dead", "Invalid refresh token")
    assert scene.vault.accounts["a"].holder is None


async def test_a_lost_answer_is_found_out_at_the_next_try_and_said(scene: Scene) -> None:
    process = scene.process("p1")
    scene.rotation.answer = lambda _: Answer(hang_up=True)
    first = await refused(process.renew("a", scene.old))
    assert type(first) is TemporaryError
    assert scene.vault.accounts["a"].stopped is None
    scene.rotation.answer = lambda _: None
    scene.now += timedelta(seconds=10)
    assert (await refused(process.renew("a", scene.old))).reason == "refresh_token_dead"
    stopped = scene.vault.accounts["a"].stopped
    assert stopped is not None
    assert "lost" in stopped[1]


async def test_silence_ends_long_before_the_lease(scene: Scene) -> None:
    never = asyncio.Event()
    scene.rotation.answer = lambda _: Answer({}, wait=never)
    assert type(await refused(scene.process("p1", timeout=0.2).renew("a", scene.old))) is TemporaryError
    never.set()
    scene.rotation.answer = lambda _: None
    assert (await scene.process("p2").renew("a", scene.old)).access_token == "r-access2"


async def test_nobody_there_is_a_connection_error_and_keeps_the_pair(scene: Scene) -> None:
    error = await refused(scene.process("p1", url="http://127.0.0.1:9").renew("a", scene.old))
    assert type(error) is ConnectionFailedError
    assert scene.vault.accounts["a"].pair == scene.old


async def test_a_pair_that_could_not_be_stored_is_stored_before_another_is_asked_for(scene: Scene) -> None:
    scene.vault.refuse_store = 1
    process = scene.process("p1")
    with pytest.raises(ConnectionError):
        await process.renew("a", scene.old)
    assert scene.vault.accounts["a"].pair == scene.old
    assert (await process.renew("a", scene.old)).access_token == "r-access2"
    assert len(scene.server.asked) == 1
    assert scene.vault.accounts["a"].pair.refresh_token == "r2"


async def test_a_process_that_stood_still_past_its_lease_still_saves_the_living_pair(scene: Scene) -> None:
    scene.rotation.wait = asyncio.Event()
    renewal = asyncio.create_task(scene.process("p1").renew("a", scene.old))
    while not scene.server.asked:  # noqa: ASYNC110 -- the server is in this loop; pytest-timeout is the limit
        await asyncio.sleep(0)
    scene.now += timedelta(seconds=LEASE_SECONDS + 1)
    assert await scene.vault.acquire("a", "p2", LEASE_SECONDS)
    scene.rotation.wait.set()
    scene.on_nap = lambda: setattr(scene, "now", scene.now + timedelta(seconds=LEASE_SECONDS))
    assert (await renewal).access_token == "r-access2"
    assert scene.vault.accounts["a"].pair.refresh_token == "r2"


async def test_a_caller_that_gives_up_does_not_lose_the_new_pair(scene: Scene) -> None:
    scene.rotation.wait = asyncio.Event()
    process = scene.process("p1")
    caller = asyncio.create_task(process.renew("a", scene.old))
    while not scene.server.asked:  # noqa: ASYNC110 -- the server is in this loop; pytest-timeout is the limit
        await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    scene.rotation.wait.set()
    assert (await process.renew("a", scene.old)).access_token == "r-access2"
    assert len(scene.server.asked) == 1


async def test_an_account_in_trouble_does_not_hold_up_another(scene: Scene) -> None:
    other = scene.vault.put("b", "access1", "s1", START + timedelta(hours=1))
    never = asyncio.Event()
    scene.rotation.answer = lambda form: Answer({}, wait=never) if form["refresh_token"] == "r1" else None
    process = scene.process("p1")
    stuck = asyncio.create_task(process.renew("a", scene.old))
    assert (await process.renew("b", other)).access_token == "s-access2"
    assert not stuck.done()
    never.set()
    assert (await refused(stuck)).reason == "refresh_failed"


async def test_no_credentials_and_no_refresh_token_are_for_a_person(scene: Scene) -> None:
    process = scene.process("p1")
    assert (await refused(process.pair("unknown"))).reason == "no_credentials"
    bare = scene.vault.put("c", "access1", "", START - timedelta(hours=1))
    assert (await refused(process.renew("c", bare))).reason == "refresh_token_dead"
    assert scene.server.asked == []


def test_tokens_do_not_show() -> None:
    shown = repr(TokenPair("access-secret", "refresh-secret", START))
    assert "secret" not in shown
