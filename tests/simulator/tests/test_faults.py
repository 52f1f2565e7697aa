"""Every fault there is does what it says; a fault without a check here fails the first test."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from tests.simulator.errors import VerbError
from tests.simulator.faults import KINDS
from tests.simulator.simulator import Phone
from tests.simulator.tests.conftest import BUSINESS, STATE, Town
from tests.simulator.webhooks import sign

Check = Callable[[Town, Phone], Awaitable[None]]
PHOTO = "/media/bai-rac.png"


async def slow(town: Town, phone: Phone) -> None:
    await town.simulator.fault("slow", ms=120)
    for work in (town.send(phone, "a"), town.refresh(STATE)):
        started = time.perf_counter()
        await work
        assert time.perf_counter() - started >= 0.12


async def down(town: Town, phone: Phone) -> None:
    await town.simulator.fault("down", count=1)
    with pytest.raises(aiohttp.ClientError):
        await town.send(phone, "a")
    await town.simulator.fault("down", mode="502", count=1)
    headers = {"access_token": town.token(STATE)}
    async with town.http.get(f"{town.simulator.url}/v2.0/oa/getoa", headers=headers) as answer:
        assert (answer.status, answer.content_type) == (502, "text/html")
    assert phone.inbox == []


async def rate_limited(town: Town, phone: Phone) -> None:
    await town.simulator.fault("rate_limited", count=2)
    assert [(await town.send(phone, "a"))["error"] for _ in range(3)] == [-32, -32, 0]


async def token_expired(town: Town, phone: Phone) -> None:
    await town.simulator.fault("token_expired")
    assert [(await town.send(phone, "a"))["error"] for _ in range(2)] == [-220, -220]
    await town.refresh(STATE)
    assert (await town.send(phone, "a"))["error"] == 0
    assert (await town.ask(BUSINESS, "/v2.0/oa/getoa"))["error"] == -220, "the other OA has not refreshed"


async def error(town: Town, phone: Phone) -> None:
    await town.simulator.fault("error", code=-227, count=1)
    assert (await town.ask(STATE, "/v2.0/oa/getoa"))["error"] == 0, "only sends are refused"
    assert (await town.send(phone, "a"))["error"] == -227
    assert phone.inbox == []


async def error_any(town: Town, phone: Phone) -> None:
    await town.simulator.fault("error_any", code=-204)
    assert (await town.ask(STATE, "/v2.0/oa/getoa"))["error"] == -204
    assert (await town.send(phone, "a"))["error"] == -204


async def drop_after_accept(town: Town, phone: Phone) -> None:
    await town.simulator.fault("drop_after_accept", count=1)
    with pytest.raises(aiohttp.ClientError):
        await town.send(phone, "đã đến")
    await phone.wait_for("đã đến")
    assert town.simulator.verbs.calls(last=1)[0]["status"] == 0


async def error_after_accept(town: Town, phone: Phone) -> None:
    await town.simulator.fault("error_after_accept", count=1)
    assert (await town.send(phone, "đã đến"))["error"] == -200
    await phone.wait_for("đã đến")


async def duplicate_webhooks(town: Town, phone: Phone) -> None:
    await town.simulator.fault("duplicate_webhooks", copies=3)
    await phone.sticker()
    assert len(town.receiver.named("user_send_sticker")) == 4


async def out_of_order_webhooks(town: Town, phone: Phone) -> None:
    await town.simulator.fault("out_of_order_webhooks", count=1)
    await phone.sticker()
    await phone.gif()
    await town.receiver.wait_for("user_send_sticker")
    assert [hook.name for hook in town.receiver.hooks[-2:]] == ["user_send_gif", "user_send_sticker"]


async def lost_webhooks(town: Town, phone: Phone) -> None:
    await town.simulator.fault("lost_webhooks", count=1)
    await phone.sticker()
    assert town.receiver.named("user_send_sticker") == []


async def wrong_signature(town: Town, phone: Phone) -> None:
    await town.simulator.fault("wrong_signature", count=1)
    await phone.sticker()
    [hook] = town.receiver.named("user_send_sticker")
    oa = town.simulator.provider.world.oas[STATE]
    right = sign(oa.app_id, hook.body, hook.event["timestamp"], oa.oa_secret_key)
    assert len(hook.headers["x-zevent-signature"]) == len(right)
    assert hook.headers["x-zevent-signature"] != right


async def oauth_error(town: Town, _phone: Phone) -> None:
    before = town.token(STATE)
    await town.simulator.fault("oauth_error", count=1)
    assert (await town.refresh(STATE))["error"] == -14014
    assert town.token(STATE) == before
    await town.simulator.fault("oauth_error", code=-14002, oa_id=STATE)
    assert (await town.refresh(STATE))["error"] == -14002
    assert "access_token" in await town.refresh(BUSINESS)


async def oauth_hang(town: Town, _phone: Phone) -> None:
    await town.simulator.fault("oauth_hang", seconds=0.15, count=1)
    started = time.perf_counter()
    assert "access_token" in await town.refresh(STATE)
    assert time.perf_counter() - started >= 0.15


async def oauth_slow_answer(town: Town, _phone: Phone) -> None:
    old = town.simulator.provider.world.oas[STATE].refresh_token
    await town.simulator.fault("oauth_slow_answer", ms=60_000, count=1)
    asking = asyncio.create_task(town.refresh(STATE))
    await town.simulator.wait(lambda: town.simulator.provider.world.oas[STATE].refresh_token != old, 10)
    assert not asking.done(), "rotated, and nobody has been told"
    asking.cancel()


async def oauth_lose_answer(town: Town, phone: Phone) -> None:
    old = town.simulator.provider.world.oas[STATE].refresh_token
    await town.simulator.fault("oauth_lose_answer", count=1)
    with pytest.raises(aiohttp.ClientError):
        await town.refresh(STATE)
    assert (await town.refresh(STATE, old))["error"] == -14014, "the pair was rotated all the same"
    assert (await town.send(phone, "a"))["error"] == 0, "with the token that nobody was told"


async def media_404(town: Town, _phone: Phone) -> None:
    await town.simulator.fault("media_404")
    async with town.http.get(town.simulator.url + PHOTO) as answer:
        assert answer.status == 404
    async with town.http.get(f"{town.simulator.url}{PHOTO}?view=1") as answer:
        assert answer.status == 200, "the page's own pictures are spared"


async def media_hang(town: Town, _phone: Phone) -> None:
    await town.simulator.fault("media_hang", seconds=0.15)
    started = time.perf_counter()
    async with town.http.get(town.simulator.url + PHOTO) as answer:
        assert answer.status == 200
    assert time.perf_counter() - started >= 0.15


async def media_huge(town: Town, _phone: Phone) -> None:
    await town.simulator.fault("media_huge")
    async with town.http.get(town.simulator.url + PHOTO) as answer:
        got = sum([len(block) async for block in answer.content.iter_chunked(1 << 20)])
    assert got == 50 * 1024 * 1024


async def media_not_image(town: Town, _phone: Phone) -> None:
    await town.simulator.fault("media_not_image")
    async with town.http.get(town.simulator.url + PHOTO) as answer:
        assert answer.content_type == "image/jpeg"
        assert (await answer.read()).startswith(b"<html>")


CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        slow, down, rate_limited, token_expired, error, error_any, drop_after_accept, error_after_accept,
        duplicate_webhooks, out_of_order_webhooks, lost_webhooks, wrong_signature, oauth_error, oauth_hang,
        oauth_slow_answer, oauth_lose_answer, media_404, media_hang, media_huge, media_not_image,
    )
}  # fmt: skip


def test_every_fault_has_a_check() -> None:
    assert set(CHECKS) == set(KINDS)


@pytest.mark.parametrize("kind", CHECKS)
async def test_fault(town: Town, kind: str) -> None:
    phone = await town.simulator.phone(STATE)
    await phone.say("xin chào")
    await CHECKS[kind](town, phone)
    await town.simulator.clear_faults()
    assert town.simulator.provider.faults.view() == []


async def test_a_fault_can_be_for_one_oa_and_be_switched_off_by_itself(town: Town) -> None:
    made = await town.simulator.fault("error_any", oa_id=STATE)
    await town.simulator.fault("slow", ms=1)
    assert (await town.ask(STATE, "/v2.0/oa/getoa"))["error"] == -200
    assert (await town.ask(BUSINESS, "/v2.0/oa/getoa"))["error"] == 0
    assert await town.simulator.verbs.clear_faults(fault_id=made["fault_id"]) == {"cleared": 1}
    assert (await town.ask(STATE, "/v2.0/oa/getoa"))["error"] == 0
    assert [fault["kind"] for fault in town.simulator.provider.faults.view()] == ["slow"]


async def test_a_fault_without_luck_never_strikes(town: Town) -> None:
    await town.simulator.fault("error_any", probability=0)
    assert (await town.ask(STATE, "/v2.0/oa/getoa"))["error"] == 0


async def test_unknown_kinds_and_settings_are_refused(town: Town) -> None:
    with pytest.raises(VerbError, match="unknown fault weather"):
        await town.simulator.fault("weather")
    with pytest.raises(VerbError, match="unknown fault setting loud"):
        await town.simulator.fault("slow", loud=True)
