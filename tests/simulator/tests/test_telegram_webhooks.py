"""Updates carried to a webhook: secret, order, repeats with growing pauses, faults, and a state that survives."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.simulator import Simulator
from tests.simulator.telegram.phone import TelegramPhone
from tests.simulator.tests.receiver import Hook, Receiver

BOT = 7000000001
TOKEN = f"{BOT}:demo-not-a-real-token"
SECRET = "x-telegram-bot-api-secret-token"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as it:
        yield it


@pytest.fixture
async def simulator(receiver: Receiver) -> AsyncIterator[Simulator]:
    async with Simulator(time_scale=1000) as it:
        await it.add_bot(TOKEN, webhook_url=receiver.url, secret_token="bí-mật".encode().hex())
        yield it


@pytest.fixture
async def phone(simulator: Simulator) -> TelegramPhone:
    return await simulator.telegram_phone(BOT)


def texts(receiver: Receiver) -> list[str]:
    return [hook.event["message"]["text"] for hook in receiver.hooks]


def failing(times: int) -> Any:
    left = [times]

    def answer(_hook: Hook) -> int:
        left[0] -= 1
        return 500 if left[0] >= 0 else 200

    return answer


def settled(simulator: Simulator) -> bool:
    return all(update.state == "delivered" for update in simulator.telegram.updates.log)


async def test_the_webhook_carries_the_secret_and_rising_numbers(receiver: Receiver, phone: TelegramPhone) -> None:
    await phone.say("một")
    await phone.say("hai")
    assert texts(receiver) == ["một", "hai"]
    assert {hook.headers[SECRET] for hook in receiver.hooks} == {"bí-mật".encode().hex()}
    first, second = (hook.event["update_id"] for hook in receiver.hooks)
    assert second == first + 1


async def test_what_fails_is_repeated_in_order(simulator: Simulator, receiver: Receiver, phone: TelegramPhone) -> None:
    receiver.answer = failing(3)
    sent = await phone.say("một")
    assert sent["updates"][0]["state"] == "waiting"
    await phone.say("hai")
    await simulator.wait(lambda: settled(simulator))
    assert texts(receiver) == ["một"] * 4 + ["hai"]
    attempts = simulator.telegram.updates.log[0].attempts
    assert [attempt["status"] for attempt in attempts] == [500, 500, 500, 200]
    bot = simulator.telegram.world.bot(BOT)
    assert bot.last_error == "Wrong response from the webhook: 500"


async def test_another_chat_does_not_wait_for_a_failing_one(
    simulator: Simulator, receiver: Receiver, phone: TelegramPhone
) -> None:
    simulator.telegram.updates.time_scale = 0.001
    receiver.answer = lambda hook: 500 if hook.event["message"]["text"] == "hỏng" else 200
    await phone.say("hỏng")
    other = await simulator.telegram_phone(BOT)
    await other.say("ổn")
    assert texts(receiver) == ["hỏng", "ổn"]
    receiver.answer = lambda _hook: 200
    await simulator.verbs.advance(seconds=1001)
    await simulator.wait(lambda: settled(simulator))


async def test_duplicates_disorder_and_a_wrong_secret(
    simulator: Simulator, receiver: Receiver, phone: TelegramPhone
) -> None:
    await simulator.telegram_verbs.fault(kind="duplicate_updates", copies=2, count=1)
    await phone.say("ba lần")
    assert texts(receiver) == ["ba lần"] * 3
    assert len({hook.body for hook in receiver.hooks}) == 1
    receiver.hooks.clear()
    await simulator.telegram_verbs.fault(kind="out_of_order_updates", count=1)
    await phone.say("trước")
    await phone.say("sau")
    await simulator.wait(lambda: settled(simulator))
    assert texts(receiver) == ["sau", "trước"]
    await simulator.telegram_verbs.fault(kind="wrong_secret", count=1)
    await phone.say("giả")
    assert receiver.hooks[-1].headers[SECRET].startswith("not-")


async def test_only_what_was_asked_for_comes(simulator: Simulator, receiver: Receiver, phone: TelegramPhone) -> None:
    await simulator.telegram_verbs.set_bot(bot_id=BOT, allowed_updates=["message"])
    said = await phone.say("một")
    await phone.edit(message_id=said["message_id"], text="hai")
    await phone.block()
    assert texts(receiver) == ["một"]


async def test_an_update_of_any_shape(simulator: Simulator, receiver: Receiver) -> None:
    await simulator.telegram_verbs.raw(bot_id=BOT, kind="purchased_moon", payload={"price": 1})
    assert receiver.hooks[0].event["purchased_moon"] == {"price": 1}


async def test_everything_survives_a_restart(receiver: Receiver, tmp_path: Path) -> None:
    file = tmp_path / "simulator.json"
    async with Simulator(state=file) as simulator:
        await simulator.add_bot(TOKEN, webhook_url="http://127.0.0.1:9/hook")
        phone = await simulator.telegram_phone(BOT)
        await phone.say("giữ giúp tôi")
        group = await simulator.telegram_group(BOT, phone)
        await group.phone(phone.user_id).photo(text="trong nhóm")
    async with Simulator(state=file) as simulator:
        world = simulator.telegram.world
        assert [message.text for message in world.thread(f"{BOT}:{phone.user_id}")] == ["giữ giúp tôi"]
        assert world.group(group.chat_id).members == {phone.user_id: "creator"}
        world.bot(BOT).webhook_url = receiver.url
        await simulator.verbs.advance(seconds=60)
        await simulator.wait(lambda: settled(simulator))
        assert texts(receiver) == ["giữ giúp tôi"]


async def test_the_control_api(simulator: Simulator, receiver: Receiver) -> None:
    http = simulator.telegram.http
    url = f"{simulator.url}/sim/telegram"
    async with http.post(f"{url}/do/person", json={"name": "Công dân Thử Nghiệm D"}) as answer:
        person = await answer.json()
    who = {"bot_id": str(BOT), "user_id": person["user_id"]}
    async with http.post(f"{url}/do/text", json=who | {"text": "alo"}) as answer:
        assert (await answer.json())["updates"][0]["state"] == "delivered"
    async with http.get(f"{url}/get/history", params={"chat": f"{BOT}:{person['user_id']}"}) as answer:
        assert [message["text"] for message in await answer.json()] == ["alo"]
    async with http.get(f"{url}/get/state") as answer:
        assert [bot["bot_id"] for bot in (await answer.json())["bots"]] == [str(BOT)]
    async with http.get(f"{url}/faults") as answer:
        assert "rate_limited" in await answer.json()
    async with http.post(f"{url}/do/dance", json={}) as answer:
        assert answer.status == 400
    async with http.post(f"{simulator.url}/sim/do/reset", json={}) as answer:
        assert answer.status == 200
    assert simulator.telegram_verbs.state()["bots"] == []
    assert texts(receiver) == ["alo"]
