"""What citizens can do on a phone, and the events that come of it."""

import hashlib
import json

import pytest

from tests.simulator.errors import VerbError
from tests.simulator.simulator import Phone
from tests.simulator.tests.conftest import STATE, Town


@pytest.fixture
async def citizen(town: Town) -> Phone:
    return await town.simulator.phone(STATE)


async def attachment(town: Town, name: str) -> dict[str, object]:
    [hook] = await town.receiver.wait_for(name)
    [found] = hook.event["message"]["attachments"]
    return dict(found)


async def test_every_kind_of_message_has_its_event(town: Town, citizen: Phone) -> None:
    for verb in ("images", "gif", "file", "audio", "video", "sticker", "location", "business_card", "link"):
        await getattr(citizen, verb)()
    assert [hook.name.removeprefix("user_send_") for hook in town.receiver.hooks] == [
        "image", "gif", "file", "audio", "video", "sticker", "location", "business_card", "link",
    ]  # fmt: skip
    place = await attachment(town, "user_send_location")
    assert place["payload"] == {"coordinates": {"latitude": "20.8532", "longitude": "105.7689"}}
    card = await attachment(town, "user_send_business_card")
    assert isinstance(card["payload"], dict)
    assert json.loads(card["payload"]["description"])["phone"].startswith("84")


async def test_a_files_size_and_checksum_are_those_of_its_bytes(town: Town, citizen: Phone) -> None:
    await citizen.file()
    payload = (await attachment(town, "user_send_file"))["payload"]
    assert isinstance(payload, dict)
    async with town.http.get(payload["url"]) as answer:
        data = await answer.read()
    assert payload["size"] == str(len(data))
    assert payload["checksum"] == hashlib.md5(data).hexdigest()
    assert (payload["type"], data[:5]) == ("pdf", b"%PDF-")


async def test_ids_of_twenty_digits_stay_strings(town: Town) -> None:
    digits = "98765432109876543210"
    await town.simulator.add_oa(digits, "OA", "state", webhook_url=town.receiver.url)
    phone = await town.simulator.phone(digits, user_id="12345678901234567890")
    await phone.say("alo")
    await town.receiver.wait_for("user_send_text")
    assert b'"id":"12345678901234567890"' in town.receiver.hooks[0].body
    assert f'"id":"{digits}"'.encode() in town.receiver.hooks[0].body
    _, history = await town.control(f"get/history?oa_id={digits}&user_id=12345678901234567890")
    assert history[0]["user_id"] == "12345678901234567890"
    answer = await town.call(
        digits, "/v2.0/oa/message", {"recipient": {"user_id": phone.user_id}, "message": {"text": "a"}}
    )
    assert answer["data"]["user_id"] == "12345678901234567890"


async def test_follow_chat_button_and_withdrawal(town: Town, citizen: Phone) -> None:
    await citizen.follow(source="message_invite")
    await citizen.unfollow()
    for _ in range(2):
        await citizen.chat_now()
    await citizen.withdraw()
    await town.receiver.wait_for("user_withdraw")
    assert [hook.name for hook in town.receiver.hooks] == ["follow", "unfollow", "user_click_chatnow", "user_withdraw"]
    follow = town.receiver.hooks[0].event
    assert (follow["oa_id"], follow["follower"], follow["source"]) == (STATE, {"id": citizen.user_id}, "message_invite")
    assert "sender" not in follow


async def test_a_tap_is_ordinary_text_and_a_hidden_one_shows_no_bubble(town: Town, citizen: Phone) -> None:
    await citizen.tap(payload="#menu")
    await citizen.tap(payload="#an", hidden=True)
    assert [hook.event["message"]["text"] for hook in town.receiver.hooks] == ["#menu", "#an"]
    assert [message["text"] for message in citizen.history()] == ["#menu"]


@pytest.mark.parametrize("legacy", [False, True])
async def test_contact_data_in_both_shapes(town: Town, citizen: Phone, legacy: bool) -> None:
    await citizen.submit_info(legacy=legacy)
    [hook] = await town.receiver.wait_for("user_submit_info")
    info = hook.event["info"]
    assert isinstance(info["phone"], int if legacy else str)
    assert ("full_address" in info) is not legacy


async def test_seen_is_told_once_and_not_for_what_staff_typed(town: Town, citizen: Phone) -> None:
    await citizen.say("alo")
    sent = (await town.send(citizen, "Đã nhận"))["data"]["message_id"]
    await citizen.staff_reply(text="Tôi gọi lại nhé")
    await town.receiver.wait_for("user_received_message", 2)
    await citizen.seen()
    await citizen.seen()
    [hook] = await town.receiver.wait_for("user_seen_message")
    assert hook.event["message"] == {"msg_ids": [sent]}
    assert all(message.seen_ms for message in citizen.inbox)
    echoes = town.receiver.named("oa_send_text")
    assert ["admin_id" in echo.event["sender"] for echo in echoes] == [False, True]


async def test_a_phone_that_is_off_receives_when_it_is_on_again(town: Town, citizen: Phone) -> None:
    await citizen.say("alo")
    await citizen.online(on=False)
    await town.send(citizen, "chờ máy")
    await town.receiver.wait_for("oa_send_text")
    assert town.receiver.named("user_received_message") == []
    await citizen.online()
    await town.receiver.wait_for("user_received_message")


async def test_who_blocked_the_oa_cannot_write_to_it(town: Town, citizen: Phone) -> None:
    await citizen.block()
    for action in (citizen.say("a"), citizen.follow(), citizen.images(count=2), citizen.submit_info()):
        with pytest.raises(VerbError, match="blocked"):
            await action
    assert town.receiver.hooks == []
    await citizen.block(blocked=False)
    await citizen.say("a")


async def test_what_a_phone_cannot_do(citizen: Phone) -> None:
    with pytest.raises(VerbError, match="text is empty"):
        await citizen.say("")
    with pytest.raises(VerbError, match="no message"):
        await citizen.say("a", quote="nowhere")
    with pytest.raises(VerbError, match="no message"):
        await citizen.react(msg_id="nowhere")


async def test_a_heart_stays_on_the_message(town: Town, citizen: Phone) -> None:
    await citizen.say("alo")
    sent = (await town.send(citizen, "Đã nhận"))["data"]["message_id"]
    await citizen.react(msg_id=sent)
    assert citizen.inbox[0].reactions == ["/-heart"]
    [hook] = await town.receiver.wait_for("user_reacted_message")
    assert hook.event["message"]["msg_id"] == sent
