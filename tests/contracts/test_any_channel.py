"""What every channel promises, tried on each provider's simulator without change."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.channels.channel import FindsSent, KnowsAccounts, KnowsProfiles, VerificationError
from bot.channels.registry import capabilities_of
from bot.domain.delivery import (
    AccountStoppedError,
    ConnectionFailedError,
    MessageInvalidError,
    Outcome,
    RecipientGoneError,
    SendError,
    ThrottledError,
    UnknownOutcomeError,
)
from bot.domain.message import Button, Media, Message, fit
from bot.domain.update import UNKNOWN_EVENT, ButtonPressed, MessageReceived, PhoneShared, Unrecognised
from tests.contracts.providers import World, world

HELLO = Message(text="Dạ chào ông/bà")
AS_TYPED = "Giá <b>5&10</b> *rẻ* _thật_ [x](http://a) `c` \\ 🌾🇻🇳 \u2019"


@pytest.fixture(params=["zalo", "telegram"])
async def town(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with world(request.param) as it:
        yield it


async def refused(town: World, message: Message = HELLO) -> SendError:
    with pytest.raises(SendError) as caught:
        await town.channel.send(town.account, town.citizen, message)
    return caught.value


async def test_words_arrive_as_they_were_written(town: World) -> None:
    sent = await town.channel.send(town.account, town.citizen, Message(text=AS_TYPED))
    assert sent.message_id
    assert [shown.text for shown in town.shown] == [AS_TYPED]


async def test_every_message_has_an_id_of_its_own(town: World) -> None:
    ids = [(await town.channel.send(town.account, town.citizen, Message(text=f"tin {n}"))).message_id for n in range(3)]
    assert len(set(ids)) == 3


async def test_a_long_text_comes_in_parts_with_every_word(town: World) -> None:
    text = " ".join(f"chữ{n}😀" for n in range(1200))
    parts = fit(Message(text=text), town.channel.capabilities(town.account))
    assert len(parts) > 1
    for part in parts:
        await town.channel.send(town.account, town.citizen, part)
    assert " ".join(" ".join(shown.text for shown in town.shown).split()) == text


async def test_buttons_bring_back_what_was_put_into_them(town: World) -> None:
    menu = Message(
        text="Mời chọn", buttons=(Button("Phản ánh", "#phananh"), Button("Cổng", url="https://dichvucong.gov.vn"))
    )
    (fitted,) = fit(menu, town.channel.capabilities(town.account))
    await town.channel.send(town.account, town.citizen, fitted)
    (shown,) = town.shown
    assert shown.buttons == (("Phản ánh", "#phananh"), ("Cổng", "https://dichvucong.gov.vn"))
    before = len(town.service.asked)
    await town.phone.tap(label="Phản ánh") if town.telegram else await town.phone.tap(payload="#phananh")
    (update,) = [u for u in await town.heard(before + 1) if isinstance(u, MessageReceived | ButtonPressed)]
    assert (update.payload if isinstance(update, ButtonPressed) else update.text) == "#phananh"
    assert update.sender == town.citizen.external_id


@pytest.mark.parametrize("media", [Media("photo", "image", "sơ đồ.png"), Media("paper", "file", "Biên bản.pdf")])
async def test_pictures_and_files_arrive(town: World, media: Media) -> None:
    for part in fit(Message(text="Kèm theo", media=media), town.channel.capabilities(town.account)):
        await town.channel.send(town.account, town.citizen, part)
    assert any(shown.kind not in {"text", ""} for shown in town.shown)
    assert "Kèm theo" in [shown.text for shown in town.shown]


async def test_the_same_picture_goes_to_many(town: World) -> None:
    message = Message(text="Sơ đồ", media=Media("photo", "image", "a.png"))
    for _ in range(2):
        await town.channel.send(town.account, town.citizen, message)
    assert [shown.kind for shown in town.shown] == [town.shown[0].kind] * 2


async def test_a_file_that_is_gone_is_the_messages_fault(town: World) -> None:
    error = await refused(town, Message(media=Media("nowhere", "file", "a.pdf")))
    assert (type(error), error.reason) == (MessageInvalidError, "file_missing")


async def test_an_answer_to_a_message_that_is_gone_still_arrives(town: World) -> None:
    known = f"{town.citizen.external_id}:424242" if town.telegram else "gone"
    await town.channel.send(town.account, town.citizen, replace(HELLO, replies_to=known))
    assert [shown.text for shown in town.shown] == [HELLO.text]


async def test_a_message_without_anything_is_refused_before_it_leaves(town: World) -> None:
    assert (await refused(town, Message())).outcome is Outcome.MESSAGE_INVALID


async def test_being_asked_to_slow_down_keeps_the_message(town: World) -> None:
    await town.fault("rate_limited", count=1)
    error = await refused(town)
    assert type(error) is ThrottledError
    assert error.retry_after
    assert town.shown == []


async def test_a_line_that_breaks_after_the_message_left_leaves_it_open(town: World) -> None:
    await town.fault("drop_after_accept", count=1)
    error = await refused(town)
    assert type(error) is UnknownOutcomeError
    assert [shown.text for shown in town.shown] == [HELLO.text]


async def test_a_closed_port_means_that_nothing_left(town: World) -> None:
    await town.simulator.__aexit__(None, None, None)
    if type(await refused(town)) is UnknownOutcomeError:  # a connection that was kept and had not been seen to break
        assert type(await refused(town)) is ConnectionFailedError


async def test_a_recipient_who_shut_the_door_is_gone_and_others_are_not(town: World) -> None:
    await town.block()
    assert isinstance(await refused(town), RecipientGoneError)


async def test_a_token_that_is_dead_stops_the_account(town: World) -> None:
    await town.revoke()
    error = await refused(town)
    assert type(error) is AccountStoppedError


async def test_what_cannot_be_found_again_is_never_called_sent(town: World) -> None:
    told = town.channel.capabilities(town.account).receipts
    assert isinstance(town.channel, FindsSent) or not told, "an echo, or a way to ask, or neither: then it says so"


async def test_people_and_accounts_can_be_asked_about(town: World) -> None:
    assert isinstance(town.channel, KnowsProfiles)
    assert isinstance(town.channel, KnowsAccounts)
    profile = await town.channel.profile(town.account, town.citizen.external_id)
    assert profile.name == "Nguyễn <b>An</b>"
    info = await town.channel.account_info(town.account)
    assert (info.external_id, info.name) == (town.account.external_id, "UBND xã Bình Minh")


async def test_what_a_citizen_sends_is_read(town: World) -> None:
    await town.phone.say(AS_TYPED)
    await town.phone.images(count=1)
    await town.phone.location(latitude=20.85, longitude=105.76)
    await town.phone.sticker()
    updates = [u for u in await town.heard(4) if isinstance(u, MessageReceived)]
    assert updates[0].text == AS_TYPED
    assert {u.sender for u in updates} == {town.citizen.external_id}
    assert len({u.message_id for u in updates}) == len({u.external_id for u in updates}) == 4
    kinds = [a.kind.value for u in updates for a in u.attachments]
    assert sorted(kinds) == ["image", "location", "sticker"]
    place = next(a for u in updates for a in u.attachments if a.kind == "location")
    assert (place.latitude, place.longitude) == (20.85, 105.76)


async def test_a_phone_that_is_handed_over_is_known_as_such(town: World) -> None:
    await (town.phone.share_contact() if town.telegram else town.phone.submit_info(legacy=True))
    (update,) = [u for u in await town.heard(1) if isinstance(u, PhoneShared)]
    assert update.phone
    assert update.sender == town.citizen.external_id


async def test_a_webhook_is_believed_only_as_it_was_signed(town: World) -> None:
    await town.phone.say("xin chào")
    await town.heard(1)
    asked = town.service.asked[0]
    event = town.channel.verify(asked.headers, asked.body, town.account.external_id)
    assert event is not None
    assert (event.account, event.contact) == (town.account.external_id, town.citizen.external_id)
    assert event.key
    for forged in ({}, {name: value + "0" for name, value in asked.headers.items()}):
        with pytest.raises(VerificationError):
            town.channel.verify(forged, asked.body, town.account.external_id)


async def test_the_same_webhook_twice_has_one_key(town: World) -> None:
    await town.phone.say("một")
    await town.phone.say("hai")
    await town.heard(2)
    keys = [town.channel.verify(a.headers, a.body, town.account.external_id) for a in town.service.asked * 2]
    assert len({event.key for event in keys if event is not None}) == 2


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"{}", b"\xff", b'{"event_name": "new", "update_id": 1, "new": {}}'])
async def test_whatever_was_stored_can_be_read(town: World, raw: bytes) -> None:
    for update in town.channel.parse(raw):
        assert isinstance(update, Unrecognised)
        assert update.why or update.why == UNKNOWN_EVENT


async def test_the_registry_says_the_same_as_the_channel(town: World) -> None:
    known = capabilities_of(town.channel.provider, town.account)
    assert replace(town.channel.capabilities(town.account), per_minute=0) == replace(known, per_minute=0)
