"""Webhooks: repeats on the provider's schedule, the console's checks, duplicates, order."""

from collections.abc import Callable

import pytest

from tests.simulator.tests.conftest import STATE, Town
from tests.simulator.tests.receiver import Hook
from tests.simulator.webhooks import RETRY_AFTER_S, Delivery

ALWAYS = 10**6


def failing(times: int) -> Callable[[Hook], int]:
    """Make an answer that is 500 so many times, then 200."""
    left = [times]

    def answer(_hook: Hook) -> int:
        left[0] -= 1
        return 500 if left[0] >= 0 else 200

    return answer


async def attempted(town: Town, times: int) -> None:
    await town.simulator.wait(lambda: len(only(town).attempts) == times)


def only(town: Town) -> Delivery:
    [delivery] = town.simulator.provider.webhooks.deliveries
    return delivery


async def test_a_webhook_that_fails_is_repeated_and_then_the_webhook_is_switched_off(town: Town) -> None:
    town.simulator.provider.webhooks.time_scale = 20_000
    town.receiver.answer = failing(ALWAYS)
    phone = await town.simulator.phone(STATE)
    await phone.say("alo")
    await town.simulator.wait(lambda: only(town).state == "given_up")
    assert [hook.headers.get("num_retry") for hook in town.receiver.hooks] == [None, "1", "2", "3", "4", "5"]
    assert len({hook.body for hook in town.receiver.hooks}) == 1
    assert len({hook.headers["x-zevent-signature"] for hook in town.receiver.hooks}) == 1
    assert town.simulator.provider.world.oas[STATE].webhook_on is False
    await phone.say("còn đó không?")
    assert town.simulator.provider.webhooks.deliveries[-1].state == "dropped"
    assert len(town.receiver.hooks) == 6


async def test_repeats_come_after_30_s_5_15_30_and_60_minutes(town: Town) -> None:
    town.receiver.answer = failing(3)
    phone = await town.simulator.phone(STATE)
    await phone.say("alo")
    for number, wait in enumerate(RETRY_AFTER_S[:3], start=1):
        delivery = only(town)
        assert delivery.state == "waiting"
        assert delivery.next_ms - delivery.attempts[-1]["at_ms"] == pytest.approx(wait * 1000, abs=2000)
        await town.simulator.verbs.advance(seconds=wait - 5)
        await town.ask(STATE, "/v2.0/oa/getoa")  # time for a repeat that came too early
        assert len(town.receiver.hooks) == number
        await town.simulator.verbs.advance(seconds=6)
        await attempted(town, number + 1)
    assert RETRY_AFTER_S == (30, 300, 900, 1800, 3600)
    await town.simulator.wait(lambda: only(town).state == "delivered")
    assert town.simulator.provider.world.oas[STATE].webhook_on is True


async def test_a_receiver_that_is_down_counts_as_failed(town: Town) -> None:
    await town.simulator.verbs.set_oa(oa_id=STATE, webhook_url="http://127.0.0.1:9/webhooks/zalo")
    phone = await town.simulator.phone(STATE)
    await phone.say("alo")
    assert only(town).attempts[0]["error"] == "ClientConnectorError"
    assert only(town).state == "waiting"


async def test_the_probe_is_unsigned_and_decides_whether_the_webhook_is_on(town: Town) -> None:
    world = town.simulator.provider.world
    town.receiver.answer = failing(1)
    assert (await town.simulator.verbs.probe(oa_id=STATE))["status"] == 500
    assert world.oas[STATE].webhook_on is False
    assert (await town.simulator.verbs.probe(oa_id=STATE))["status"] == 200
    assert world.oas[STATE].webhook_on is True
    assert [hook.body for hook in town.receiver.hooks] == [b"{}", b"{}"]
    assert all("x-zevent-signature" not in hook.headers for hook in town.receiver.hooks)


async def test_the_test_button_sends_a_signed_text_between_placeholders(town: Town) -> None:
    await town.simulator.verbs.test_button(oa_id=STATE)
    [hook] = town.receiver.hooks
    assert hook.event["message"] == {"text": "This is testing message", "msg_id": "This is message id"}
    assert hook.headers["x-zevent-signature"].startswith("mac=")


async def test_an_event_that_is_switched_off_does_not_come(town: Town) -> None:
    await town.simulator.verbs.set_oa(oa_id=STATE, events_off=["user_send_sticker"])
    phone = await town.simulator.phone(STATE)
    await phone.sticker()
    await phone.say("alo")
    assert [hook.name for hook in town.receiver.hooks] == ["user_send_text"]


async def test_five_photos_come_at_the_same_time(town: Town) -> None:
    phone = await town.simulator.phone(STATE)
    sends = await phone.images(count=5, text="đường hỏng")
    assert len(sends) == len({send["msg_id"] for send in sends}) == 5
    events = [hook.event for hook in town.receiver.hooks]
    assert sum("text" in event["message"] for event in events) == 1
    assert all(len(event["message"]["attachments"]) == 1 for event in events)


async def test_duplicates_are_the_same_bytes_and_all_counted(town: Town) -> None:
    await town.simulator.fault("duplicate_webhooks", copies=2, count=1)
    phone = await town.simulator.phone(STATE)
    await phone.say("một lần")
    assert len(town.receiver.hooks) == 3
    assert len({hook.body for hook in town.receiver.hooks}) == 1
    await phone.say("lần nữa")
    assert len(town.receiver.hooks) == 4


async def test_out_of_order_swaps_neighbours_for_as_long_as_it_is_on(town: Town) -> None:
    await town.simulator.fault("out_of_order_webhooks")
    phone = await town.simulator.phone(STATE)
    for text in ("một", "hai", "ba", "bốn"):
        await phone.say(text)
        await town.simulator.wait(
            lambda: all(d.state in {"delivered", "held"} for d in town.simulator.provider.webhooks.deliveries)
        )
        if text in {"hai", "bốn"}:
            await town.receiver.wait_for("user_send_text", 2 if text == "hai" else 4)
    assert [hook.event["message"]["text"] for hook in town.receiver.hooks] == ["hai", "một", "bốn", "ba"]


async def test_what_is_held_back_comes_even_without_a_successor(town: Town) -> None:
    await town.simulator.fault("out_of_order_webhooks", count=1)
    phone = await town.simulator.phone(STATE)
    await phone.say("một mình")
    assert town.receiver.hooks == []
    await town.receiver.wait_for("user_send_text")
