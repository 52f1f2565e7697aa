"""What is Telegram's own: groups, edits, taps, files by reference, webhooks that we set, updates that we fetch."""

import asyncio
import logging
import re
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.channels.channel import (
    AccountRef,
    AnswersTaps,
    ConnectsByToken,
    FetchesFiles,
    FileRefusedError,
    GivesUpdates,
    PollConflictError,
    Recipient,
    SetsWebhook,
)
from bot.channels.telegram.bots import TelegramBots
from bot.channels.telegram.errors import _GONE as GONE
from bot.channels.telegram.keyboards import inline_keyboard
from bot.channels.telegram.limits import utf16_length
from bot.domain.delivery import (
    AccountStoppedError,
    MessageInvalidError,
    RecipientGoneError,
    RecipientMovedError,
    SendError,
    TemporaryError,
    ThrottledError,
    UnknownOutcomeError,
)
from bot.domain.message import Button, Media, Message, fit
from bot.domain.update import AccountNews, ButtonPressed, MessageReceived
from tests.contracts.providers import BOT, TOKEN, World, world

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "bot" / "channels" / "telegram"
WORDS = tomllib.loads((ROOT / "templates/messages/vi/official/send_errors.toml").read_text("utf-8"))
HELLO = Message(text="Dạ chào")
CARD = Message(text="Đang chờ nhận", title="PA-ABCDE <b>", buttons=(Button("Nhận", "c:take:1"),))


@pytest.fixture
async def town() -> AsyncIterator[World]:
    async with world("telegram") as it:
        yield it


def channel_of(town: World) -> TelegramBots:
    assert isinstance(town.channel, TelegramBots)
    return town.channel


async def send(town: World, message: Message, to: Recipient | None = None) -> str:
    return (await town.channel.send(town.account, to or town.citizen, message)).message_id


async def refused(awaitable: Any) -> SendError:
    with pytest.raises(SendError) as caught:
        await awaitable
    return caught.value


async def test_a_card_is_changed_in_place(town: World) -> None:
    first = await send(town, CARD)
    changed = await send(town, replace(CARD, text="Đã nhận: Bà Lan", buttons=(), edits=first))
    assert changed == first
    (message,) = town.phone.inbox
    assert message.text == "PA-ABCDE <b>\n\nĐã nhận: Bà Lan"
    assert message.buttons == []
    assert [(e["type"], e["offset"], e["length"]) for e in message.entities] == [("bold", 0, 12)]


async def test_the_same_change_again_is_as_good_as_done(town: World) -> None:
    first = await send(town, CARD)
    assert await send(town, replace(CARD, edits=first)) == first
    assert len(town.phone.inbox) == 1


async def test_a_card_that_is_gone_or_of_another_chat_is_sent_anew(town: World) -> None:
    first = await send(town, CARD)
    _, _, number = first.rpartition(":")
    await town.phone.delete(message_id=int(number))
    assert await send(town, replace(CARD, edits=first)) != first
    assert await send(town, replace(CARD, edits="-1001:3")) != first
    assert len(town.phone.inbox) == 2


async def test_the_words_under_a_picture_are_changed_too(town: World) -> None:
    first = await send(town, Message(text="Trước", media=Media("photo", "image", "a.png")))
    assert await send(town, Message(text="Sau", edits=first)) == first
    assert [m.text for m in town.phone.inbox] == ["Sau"]


async def test_a_phone_is_asked_for_by_a_key_that_goes_away_again(town: World) -> None:
    await send(town, Message(text="Xin số điện thoại", title="Gửi số của tôi", asks_contact=True))
    assert town.phone.keyboard == ["Gửi số của tôi"]
    await send(town, HELLO)
    assert town.phone.keyboard == []


async def test_an_answer_quotes(town: World) -> None:
    said = await town.phone.say("hỏi")
    (update,) = [u for u in await town.heard(1) if isinstance(u, MessageReceived)]
    await send(town, replace(HELLO, replies_to=update.message_id))
    assert town.phone.inbox[-1].reply_to == said["message_id"]


async def test_texts_and_captions_are_as_long_as_telegram_takes(town: World) -> None:
    full = "😀" * 2048
    assert utf16_length(full) == 4096
    await send(town, Message(text=full))
    error = await refused(send(town, Message(text=full + "x")))
    assert (type(error), error.reason) == (MessageInvalidError, "text_too_long")
    photo = Message(text="chữ " * 300, media=Media("photo", "image", "a.png"))
    for part in fit(photo, town.channel.capabilities(town.account)):
        await send(town, part)
    assert [bool(m.file) for m in town.phone.inbox] == [False, True, False]


async def test_a_payload_that_is_too_long_is_the_messages_fault(town: World) -> None:
    error = await refused(send(town, Message(text="x", buttons=(Button("y", "đ" * 33),))))
    assert (type(error), error.reason) == (MessageInvalidError, "button_invalid")


def test_short_labels_stand_two_in_a_row() -> None:
    labels = ("Nhận", "Trả lời", "Một nhãn dài hơn hẳn các nhãn kia", "Duyệt", "Trả lại")
    rows = inline_keyboard(tuple(Button(label, label[:8]) for label in labels)).inline_keyboard
    assert [len(row) for row in rows] == [2, 1, 2]


async def test_a_picture_that_telegram_does_not_show_goes_as_a_file(town: World) -> None:
    await town.fault("error", count=1, description="Bad Request: PHOTO_INVALID_DIMENSIONS")
    await send(town, Message(media=Media("photo", "image", "a.png")))
    assert [m.kind for m in town.phone.inbox] == ["document"]


async def test_an_upload_that_telegram_forgot_is_made_anew(town: World) -> None:
    message = Message(media=Media("photo", "image", "a.png"))
    await send(town, message)
    await town.fault("error", count=1, description="Bad Request: wrong file identifier/HTTP URL specified")
    await send(town, message)
    assert [m.kind for m in town.phone.inbox] == ["photo", "photo"]


async def test_a_picture_of_the_web_is_left_out_when_it_cannot_be_had(town: World) -> None:
    card = Message(text="Chi tiết", title="Thông báo", image_url=f"{town.simulator.url}/media/nhan-dan.png")
    await send(town, card)
    await send(town, replace(card, image_url=f"{town.simulator.url}/media/nowhere.png"))
    assert [(m.kind, m.text) for m in town.phone.inbox] == [
        ("photo", "Thông báo\n\nChi tiết"), ("text", "Thông báo\n\nChi tiết"),
    ]  # fmt: skip


async def test_taps_are_answered_with_words_over_the_chat(town: World) -> None:
    assert isinstance(town.channel, AnswersTaps)
    await send(town, CARD)
    await town.phone.tap(label="Nhận")
    (update,) = [u for u in await town.heard(1) if isinstance(u, ButtonPressed)]
    await town.channel.answer_tap(town.account, update.tap_id, "Đã nhận")
    assert town.phone.toasts == ["Đã nhận"]
    assert isinstance(await refused(town.channel.answer_tap(town.account, "stale")), MessageInvalidError)


async def test_a_group_that_moved_is_named_by_its_new_id(town: World) -> None:
    group = await town.simulator.telegram_group(BOT, town.phone)
    await group.add_bot()
    old = Recipient(group.chat_id)
    await send(town, CARD, old)
    moved = await group.migrate()
    error = await refused(send(town, CARD, old))
    assert isinstance(error, RecipientMovedError)
    assert error.moved_to == moved.chat_id
    await send(town, CARD, Recipient(error.moved_to))
    news = [u for u in await town.heard(4) if isinstance(u, AccountNews) and u.what == "group_migrated"]
    assert {(u.details["from"], u.details["to"]) for u in news} == {(group.chat_id, moved.chat_id)}
    await moved.remove_bot()
    assert isinstance(await refused(send(town, CARD, Recipient(moved.chat_id))), RecipientGoneError)


@pytest.mark.parametrize(
    ("code", "description", "kind", "reason"),
    [
        (400, "Bad Request: chat not found", RecipientGoneError, "chat_not_found"),
        (400, "Bad Request: not enough rights to send text messages", RecipientGoneError, "group_refuses"),
        (400, "Bad Request: something new", MessageInvalidError, "telegram_refused"),
        (403, "Forbidden: user is deactivated", RecipientGoneError, "user_deactivated"),
        (403, "Forbidden: bot was kicked from the group chat", RecipientGoneError, "bot_removed"),
        (403, "Forbidden: something new", RecipientGoneError, "bot_blocked"),
        (404, "Not Found", AccountStoppedError, "bot_token_refused"),
        (413, "Request Entity Too Large", MessageInvalidError, "telegram_file_too_large"),
        (429, "Too Many Requests", ThrottledError, "telegram_flood"),
        (500, "Internal Server Error", TemporaryError, "telegram_5xx"),
        (502, "Bad Gateway", TemporaryError, "telegram_5xx"),
        (504, "Gateway Timeout", UnknownOutcomeError, "telegram_gateway"),
    ],
)
async def test_refusals_have_their_class_and_reason(
    town: World, code: int, description: str, kind: type[SendError], reason: str
) -> None:
    await town.fault("error", code=code, description=description)
    error = await refused(send(town, HELLO))
    assert (type(error), error.reason) == (kind, reason)
    assert WORDS[reason]


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        ({"kind": "blocked"}, RecipientGoneError, "bot_blocked"),
        ({"kind": "revoked"}, AccountStoppedError, "bot_token_refused"),
        ({"kind": "down", "mode": "502"}, TemporaryError, "telegram_5xx"),
        ({"kind": "down", "mode": "close"}, UnknownOutcomeError, "telegram_disconnected"),
    ],
    ids=str,
)
async def test_faults_have_their_class_and_reason(
    town: World, fault: dict[str, Any], kind: type[SendError], reason: str
) -> None:
    await town.fault(**fault)
    error = await refused(send(town, HELLO))
    assert (type(error), error.reason) == (kind, reason)
    assert WORDS[reason]


def test_every_reason_of_the_channel_has_words_for_staff() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py"))
    reasons = set(re.findall(r'Error\w*,? ?\(?"([a-z0-9_]+)"', source)) | {word for _, word in GONE}
    assert {"bot_token_refused", "button_invalid", "bot_removed", "chat_moved"} <= reasons
    internal = {"foreign_host", "too_large", "gone", "no_key", "no_signature", "bad_signature"}
    assert {reason for reason in reasons - internal if reason not in WORDS} == set()


async def test_an_edit_that_got_no_answer_may_be_made_again(town: World) -> None:
    first = await send(town, CARD)
    await town.fault("drop_after_accept", count=1)
    error = await refused(send(town, replace(CARD, text="Đã nhận", edits=first)))
    assert type(error) is TemporaryError
    assert await send(town, replace(CARD, text="Đã nhận", edits=first)) == first


async def test_a_new_token_is_used_without_a_restart(town: World) -> None:
    await send(town, HELLO)
    other = f"{BOT}:another-not-a-real-token"
    await town.simulator.telegram_verbs.set_bot(bot_id=BOT, token=other)
    assert isinstance(await refused(send(town, HELLO)), AccountStoppedError)
    channel_of(town)._tokens.held["account-row"] = other  # type: ignore[attr-defined] # the test's own keeper of tokens
    await send(town, HELLO)


async def test_files_are_had_by_reference_and_only_so_large(town: World) -> None:
    assert isinstance(town.channel, FetchesFiles)
    await town.phone.photo()
    (update,) = [u for u in await town.heard(1) if isinstance(u, MessageReceived)]
    (attached,) = update.attachments
    assert attached.url is not None
    assert TOKEN not in attached.url
    async with town.session.get(await town.channel.file_address(town.account, attached.url)) as answer:
        assert answer.status == 200
        assert len(await answer.read()) == attached.size
    for description, reason, again in (
        ("Bad Request: file is too big", "too_large", False),
        ("Bad Request: wrong file_id or the file is temporarily unavailable", "gone", True),
        ("Bad Request: invalid file_id", "gone", False),
    ):
        await town.fault("error_any", count=1, code=400, description=description)
        with pytest.raises(FileRefusedError) as caught:
            await town.channel.file_address(town.account, attached.url)
        assert (caught.value.reason, caught.value.again) == (reason, again)
    with pytest.raises(FileRefusedError):
        await town.channel.file_address(town.account, "http://169.254.169.254/latest")


async def test_a_token_says_whose_it_is(town: World) -> None:
    assert isinstance(town.channel, ConnectsByToken)
    info = await town.channel.identify(TOKEN)
    assert (info.external_id, info.name) == (BOT, "UBND xã Bình Minh")
    assert info.details["username"]
    for wrong in (f"{BOT}:wrong", "no token", "", "1:2 3", ":", "x" * 9000):
        assert isinstance(await refused(town.channel.identify(wrong)), AccountStoppedError)


async def test_a_webhook_is_kept_and_its_failures_told(town: World) -> None:
    assert isinstance(town.channel, SetsWebhook)
    url = f"{town.service.url}/webhooks/telegram/{BOT}"
    assert (await town.channel.keep_webhook(town.account, url)).error == ""
    bot = town.simulator.telegram.world.bot(int(BOT))
    assert sorted(bot.allowed_updates or []) == ["callback_query", "edited_message", "message", "my_chat_member"]
    bot.webhook_url = "http://127.0.0.1:1/other"
    await town.channel.keep_webhook(town.account, url)
    assert bot.webhook_url == url
    error = await refused(town.channel.keep_webhook(town.account, "http://xa.example/webhooks"))
    assert error.reason == "webhook_refused"
    assert "HTTPS" in error.detail


async def test_updates_are_fetched_until_they_are_confirmed(town: World) -> None:
    assert isinstance(town.channel, GivesUpdates)
    with pytest.raises(PollConflictError) as caught:
        await town.channel.updates(town.account, None, 0)
    assert caught.value.reason == "webhook_elsewhere"
    await town.channel.begin_polling(town.account)
    await town.phone.say("một")
    await town.phone.say("hai")
    first = await town.channel.updates(town.account, None, 5)
    assert [each.number for each in await town.channel.updates(town.account, None, 0)] == [e.number for e in first]
    texts = [u.text for each in first for u in town.channel.parse(each.raw) if isinstance(u, MessageReceived)]
    assert texts == ["một", "hai"]
    assert {(e.event.account, e.event.contact, e.event.key) for e in first} == {
        (BOT, town.citizen.external_id, str(e.number)) for e in first
    }
    assert await town.channel.updates(town.account, first[-1].number + 1, 0) == []


async def test_two_who_poll_are_told(town: World) -> None:
    assert isinstance(town.channel, GivesUpdates)
    await town.channel.begin_polling(town.account)
    waiting = asyncio.create_task(town.channel.updates(town.account, None, 10))
    world_of = town.simulator.telegram
    await town.simulator.wait(lambda: world_of.updates.polled(int(BOT)))
    with pytest.raises(PollConflictError) as caught:
        await asyncio.gather(town.channel.updates(town.account, None, 1), waiting)
    assert caught.value.reason == "polled_elsewhere"


async def test_the_token_is_in_no_log_and_no_error(town: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = []
    for fault in ({"kind": "down", "mode": "close"}, {"kind": "down", "mode": "502"}, {"kind": "revoked"}):
        await town.fault(**fault)
        told.append(await refused(send(town, HELLO)))
        told.append(await refused(channel_of(town).account_info(town.account)))
        await town.clear_faults()
    await town.simulator.__aexit__(None, None, None)
    told.append(await refused(send(town, HELLO)))
    assert TOKEN not in caplog.text
    assert all(TOKEN not in f"{error!r} {error.detail} {error.__cause__!r}" for error in told)


async def test_an_account_without_a_token_is_for_a_person(town: World) -> None:
    other = AccountRef("other-row", "42", "")
    error = await refused(town.channel.send(other, town.citizen, HELLO))
    assert (type(error), error.reason) == (AccountStoppedError, "bot_token_missing")
    assert (await refused(channel_of(town).keep_webhook(other, "https://x"))).reason == "bot_token_missing"


def test_aiogram_comes_only_with_a_bot() -> None:
    """Opening every module of the service, and the channel itself, leaves aiogram alone."""
    code = (
        "import sys, bot.cli.serve, bot.cli.account, handlers.routes, handlers.app, jobs.worker\n"
        "assert 'bot.channels.telegram.bots' in sys.modules\n"
        "sys.exit('aiogram' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_serving_zalo_alone_leaves_aiogram_alone(tmp_path: Path, sqlite_template: Callable[[Path], str]) -> None:
    sqlite_template(tmp_path / "loa.db")
    command = [sys.executable, "-m", "tests.contracts.zalo_alone", str(tmp_path)]
    assert subprocess.run(command, cwd=ROOT, check=False, timeout=120).returncode == 0
