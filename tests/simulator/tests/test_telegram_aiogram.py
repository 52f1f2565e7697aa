"""Real aiogram, as a client only, talks to the fake Bot API: sends, edits, polls, downloads, and is refused."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
)

from tests.simulator.pictures import scene
from tests.simulator.simulator import Simulator
from tests.simulator.telegram.phone import TelegramPhone

BOT = 7000000001
TOKEN = f"{BOT}:demo-not-a-real-token"


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as it:
        await it.add_bot(TOKEN, "Trợ lý xã Thanh Oai")
        yield it


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[Bot]:
    bot = Bot(TOKEN, AiohttpSession(api=TelegramAPIServer.from_base(simulator.url)))
    yield bot
    await bot.session.close()


@pytest.fixture
async def phone(simulator: Simulator) -> TelegramPhone:
    phone = await simulator.telegram_phone(BOT, name="Công dân Thử Nghiệm A")
    await phone.start()
    return phone


def buttons(*data: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text=it, callback_data=it)] for it in data])


async def take(client: Bot) -> list[Any]:
    """Poll once and confirm what came."""
    updates = await client.get_updates(timeout=5)
    if updates:
        await client.get_updates(offset=updates[-1].update_id + 1, timeout=0)
    return updates


async def test_who_the_bot_is(client: Bot) -> None:
    me = await client.get_me()
    assert (me.id, me.is_bot, me.first_name) == (BOT, True, "Trợ lý xã Thanh Oai")
    assert await client.set_my_commands([BotCommand(command="start", description="Bắt đầu")])
    assert [command.command for command in await client.get_my_commands()] == ["start"]
    with pytest.raises(TelegramBadRequest, match="BOT_COMMAND_INVALID"):
        await client.set_my_commands([BotCommand(command="Bắt đầu", description="x")])


async def test_text_buttons_and_edits_reach_the_phone(client: Bot, phone: TelegramPhone) -> None:
    sent = await client.send_message(
        phone.user_id, "<b>Đã nhận</b> &lt;PA-1&gt;", parse_mode=ParseMode.HTML, reply_markup=buttons("nhan", "hoi")
    )
    assert sent.text == "Đã nhận <PA-1>"
    assert [(it.type, it.offset, it.length) for it in sent.entities or []] == [("bold", 0, 7)]
    shown = phone.inbox[0]
    assert [button["callback_data"] for button in shown.buttons] == ["nhan", "hoi"]
    await client.edit_message_text("Đang xử lý", chat_id=phone.user_id, message_id=sent.message_id)
    assert (shown.text, shown.buttons, shown.versions) == ("Đang xử lý", [], ["Đã nhận <PA-1>"])
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await client.edit_message_text("Đang xử lý", chat_id=phone.user_id, message_id=sent.message_id)
    await client.edit_message_reply_markup(chat_id=phone.user_id, message_id=sent.message_id, reply_markup=buttons("a"))
    assert len(shown.buttons) == 1
    with pytest.raises(TelegramBadRequest, match="message to edit not found"):
        await client.edit_message_text("x", chat_id=phone.user_id, message_id=999)
    with pytest.raises(TelegramBadRequest, match="can't be edited"):
        await client.edit_message_text("x", chat_id=phone.user_id, message_id=1)
    await client.delete_message(phone.user_id, sent.message_id)
    assert phone.inbox == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<b>hỏng", 'Can\'t find end tag corresponding to start tag "b"'),
        ("a < b", "Unclosed start tag at byte offset 2"),
        ("<p>a</p>", 'Unsupported start tag "p"'),
        ("<b><i>a</b></i>", 'expected "</i>", found "</b>"'),
        ("a</b>", "Unexpected end tag"),
        ("x" * 4097, "message is too long"),
        ("😀" * 2049, "message is too long"),
        (" \n ", "message text is empty"),
    ],
)
async def test_what_text_is_refused(client: Bot, phone: TelegramPhone, text: str, sentence: str) -> None:
    with pytest.raises(TelegramBadRequest) as refused:
        await client.send_message(phone.user_id, text, parse_mode=ParseMode.HTML)
    assert sentence in refused.value.message
    assert phone.inbox == []


async def test_what_keyboards_and_replies_are_refused(client: Bot, phone: TelegramPhone) -> None:
    with pytest.raises(TelegramBadRequest, match="BUTTON_DATA_INVALID"):
        await client.send_message(phone.user_id, "a", reply_markup=buttons("đ" * 33))
    no_action = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="a")]])
    with pytest.raises(TelegramBadRequest, match="text buttons are unallowed"):
        await client.send_message(phone.user_id, "a", reply_markup=no_action)
    address = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="a", url="javascript:1")]])
    with pytest.raises(TelegramBadRequest, match="Wrong HTTP URL"):
        await client.send_message(phone.user_id, "a", reply_markup=address)
    with pytest.raises(TelegramBadRequest, match="message to be replied not found"):
        await client.send_message(phone.user_id, "a", reply_parameters=ReplyParameters(message_id=77))
    bare = ReplyParameters(message_id=77, allow_sending_without_reply=True)
    assert (await client.send_message(phone.user_id, "a", reply_parameters=bare)).reply_to_message is None
    reply = await client.send_message(phone.user_id, "b", reply_parameters=ReplyParameters(message_id=1))
    assert reply.reply_to_message
    assert reply.reply_to_message.text == "/start"


async def test_files_go_both_ways(client: Bot, phone: TelegramPhone) -> None:
    picture = scene("den-hong")
    sent = await client.send_photo(phone.user_id, BufferedInputFile(picture, "den.png"), caption="Ảnh <đèn>")
    assert sent.photo
    assert (sent.photo[-1].width, sent.caption) == (640, "Ảnh <đèn>")
    again = await client.send_photo(phone.user_id, sent.photo[-1].file_id)
    assert again.photo
    assert again.photo[-1].file_unique_id == sent.photo[-1].file_unique_id
    document = await client.send_document(phone.user_id, BufferedInputFile(b"%PDF-1.4", "Công văn số 1.pdf"))
    assert document.document
    assert document.document.file_name == "Công văn số 1.pdf"
    album = await client.send_media_group(
        phone.user_id,
        [
            InputMediaPhoto(media=BufferedInputFile(picture, "a.png"), caption="Hai ảnh"),
            InputMediaPhoto(media=sent.photo[0].file_id),
        ],
    )  # fmt: skip
    assert len({it.media_group_id for it in album}) == 1
    assert album[0].media_group_id
    for wrong in (b"khong phai anh", b""):
        with pytest.raises((TelegramBadRequest, TelegramNetworkError)):
            await client.send_photo(phone.user_id, BufferedInputFile(wrong, "a.png"))
    with pytest.raises(TelegramBadRequest, match="caption is too long"):
        await client.send_photo(phone.user_id, sent.photo[0].file_id, caption="x" * 1025)
    with pytest.raises(TelegramBadRequest, match="one album"):
        await client.send_media_group(
            phone.user_id,
            [InputMediaPhoto(media=sent.photo[0].file_id), InputMediaDocument(media=document.document.file_id)],
        )
    with pytest.raises(TelegramBadRequest, match="wrong file identifier"):
        await client.send_photo(phone.user_id, "nobody-knows-it")


async def test_a_bot_polls_and_downloads(client: Bot, phone: TelegramPhone) -> None:
    await phone.photo(text="Đèn hỏng", name="den-hong.png")
    await phone.document(size=21 * 1024 * 1024)
    [start, photo, big] = await take(client)
    assert (start.message.text, start.message.entities[0].type) == ("/start", "bot_command")
    assert [it.update_id for it in (start, photo, big)] == list(range(start.update_id, start.update_id + 3))
    assert (photo.message.caption, photo.message.from_user.full_name) == ("Đèn hỏng", "Công dân Thử Nghiệm A")
    got = await client.download(photo.message.photo[-1].file_id)
    assert isinstance(got, io.BytesIO)
    assert got.read() == scene("den-hong")
    with pytest.raises(TelegramBadRequest, match="file is too big"):
        await client.get_file(big.message.document.file_id)
    assert await client.get_updates(timeout=0) == []


async def test_every_kind_of_message_is_read_by_aiogram(client: Bot, phone: TelegramPhone) -> None:
    await take(client)
    for verb in ("photo", "voice", "video", "document", "gif", "sticker", "location", "share_contact"):
        await getattr(phone, verb)()
    await phone.album(count=3, text="Ba ảnh")
    said = await phone.say("Trả lời", reply_to=1)
    await phone.edit(message_id=said["message_id"], text="Trả lời lại")
    updates = await take(client)
    kinds = [str(update.message.content_type) for update in updates if update.message]
    assert kinds[:8] == [
        "ContentType.PHOTO", "ContentType.VOICE", "ContentType.VIDEO", "ContentType.DOCUMENT", "ContentType.ANIMATION",
        "ContentType.STICKER", "ContentType.LOCATION", "ContentType.CONTACT",
    ]  # fmt: skip
    contact = updates[7].message.contact
    assert (contact.user_id, contact.phone_number) == (phone.user_id, "84900010001")
    album = [update.message for update in updates if update.message and update.message.media_group_id]
    assert (len(album), len({it.media_group_id for it in album})) == (3, 1)
    assert [it.caption for it in album] == ["Ba ảnh", None, None]
    assert updates[-2].message.reply_to_message.message_id == 1
    assert updates[-1].edited_message.text == "Trả lời lại"
    assert updates[-1].edited_message.edit_date


async def test_a_tap_is_answered_over_the_chat(client: Bot, phone: TelegramPhone) -> None:
    await client.send_message(phone.user_id, "Việc mới", reply_markup=buttons("c:nhan:7f"))
    await take(client)
    await phone.tap(label="c:nhan:7f")
    [update] = await take(client)
    assert (update.callback_query.data, update.callback_query.message.text) == ("c:nhan:7f", "Việc mới")
    assert await client.answer_callback_query(update.callback_query.id, text="Đã nhận việc")
    assert phone.toasts == ["Đã nhận việc"]
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await client.answer_callback_query("12345")


async def test_the_keyboard_that_asks_for_the_phone_number(client: Bot, phone: TelegramPhone) -> None:
    await take(client)
    keys = ReplyKeyboardMarkup(keyboard=[[KeyboardButton(text="Gửi số điện thoại", request_contact=True)]])
    await client.send_message(phone.user_id, "Xin số", reply_markup=keys)
    assert phone.keyboard == ["Gửi số điện thoại"]
    await phone.press(label="Gửi số điện thoại")
    [update] = await take(client)
    assert update.message.contact.user_id == phone.user_id
    await client.send_message(phone.user_id, "Cảm ơn", reply_markup=ReplyKeyboardRemove())
    assert phone.keyboard == []


async def test_who_cannot_be_written_to(simulator: Simulator, client: Bot, phone: TelegramPhone) -> None:
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await client.send_message(123456, "a")
    stranger = await simulator.telegram_phone(BOT)
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await client.send_message(stranger.user_id, "a")
    await phone.block()
    with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
        await client.send_message(phone.user_id, "a")
    blocked = (await take(client))[-1].my_chat_member
    assert (blocked.old_chat_member.status, blocked.new_chat_member.status) == ("member", "kicked")
    await phone.block(blocked=False)
    await simulator.telegram_verbs.deactivate(user_id=phone.user_id)
    with pytest.raises(TelegramForbiddenError, match="user is deactivated"):
        await client.send_message(phone.user_id, "a")


async def test_a_group_with_privacy_mode_and_its_migration(
    simulator: Simulator, client: Bot, phone: TelegramPhone
) -> None:
    other = await simulator.telegram_phone(BOT, name="Cán bộ Thử Nghiệm B")
    group = await simulator.telegram_group(BOT, phone, other, title="Phòng Kinh tế")
    await group.add_bot()
    [start, joined, service] = await take(client)
    assert (joined.my_chat_member.new_chat_member.status, joined.my_chat_member.chat.type) == ("member", "group")
    assert service.message.new_chat_members[0].id == BOT
    card = await client.send_message(int(group.chat_id), "Việc mới", reply_markup=buttons("c:nhan:7f"))
    await group.phone(other.user_id).say("chuyện riêng của chúng tôi")
    await group.phone(other.user_id).say("/viec")
    await group.phone(other.user_id).say("/viec@someone_else_bot")
    await group.phone(other.user_id).say("Đã làm xong", reply_to=card.message_id)
    await group.phone(other.user_id).tap(label="c:nhan:7f")
    updates = await take(client)
    assert [it.message.text for it in updates if it.message] == ["/viec", "Đã làm xong"]
    assert updates[-1].callback_query.from_user.id == other.user_id
    assert (await client.get_chat_member(int(group.chat_id), other.user_id)).status == "member"
    assert (await client.get_chat(int(group.chat_id))).title == "Phòng Kinh tế"

    grown = await group.migrate()
    [old, new] = await take(client)
    assert (old.message.migrate_to_chat_id, new.message.migrate_from_chat_id) == (
        int(grown.chat_id),
        int(group.chat_id),
    )
    with pytest.raises(TelegramMigrateToChat) as moved:
        await client.send_message(int(group.chat_id), "a")
    assert moved.value.migrate_to_chat_id == int(grown.chat_id)
    await client.send_message(int(grown.chat_id), "a")
    await grown.remove_bot()
    with pytest.raises(TelegramForbiddenError, match="kicked from the supergroup"):
        await client.send_message(int(grown.chat_id), "a")
    assert start.message.chat.type == "private"


async def test_a_bot_leaves_a_group(simulator: Simulator, client: Bot, phone: TelegramPhone) -> None:
    group = await simulator.telegram_group(BOT, phone)
    await group.add_bot(admin=True)
    await group.phone(phone.user_id).say("ai cũng thấy")
    assert (await take(client))[-1].message.text == "ai cũng thấy"
    assert await client.leave_chat(int(group.chat_id))
    with pytest.raises(TelegramForbiddenError, match="not a member"):
        await client.send_message(int(group.chat_id), "a")


async def test_a_bot_loses_its_rights_in_a_supergroup_and_gets_them_back(
    simulator: Simulator, client: Bot, phone: TelegramPhone
) -> None:
    group = await simulator.telegram_group(BOT, phone, supergroup=True)
    await group.add_bot()
    card = await client.send_message(int(group.chat_id), "a")
    await take(client)
    await group.mute_bot()
    with pytest.raises(TelegramBadRequest, match="not enough rights to send text messages"):
        await client.send_message(int(group.chat_id), "b")
    with pytest.raises(TelegramBadRequest, match="not enough rights"):
        await client.edit_message_text("b", chat_id=int(group.chat_id), message_id=card.message_id)
    assert (await client.get_chat_member(int(group.chat_id), BOT)).status == "restricted"
    await group.mute_bot(muted=False)
    await client.send_message(int(group.chat_id), "c")
    lost, found = [update.my_chat_member for update in await take(client)]
    assert (lost.new_chat_member.status, lost.new_chat_member.can_send_messages) == ("restricted", False)
    assert (found.old_chat_member.status, found.new_chat_member.status) == ("restricted", "member")


async def test_polling_and_webhook_exclude_each_other(client: Bot, phone: TelegramPhone) -> None:
    await phone.say("chờ ai lấy")
    with pytest.raises(TelegramBadRequest, match="HTTPS"):
        await client.set_webhook("http://example.org/")
    with pytest.raises(TelegramBadRequest, match="unallowed characters"):
        await client.set_webhook("https://example.org/", secret_token="có dấu")
    assert await client.set_webhook("http://127.0.0.1:9/hook", secret_token="s3", allowed_updates=["message"])
    with pytest.raises(TelegramConflictError, match="webhook is active"):
        await client.get_updates()
    info = await client.get_webhook_info()
    assert (info.url, info.allowed_updates) == ("http://127.0.0.1:9/hook", ["message"])
    assert await client.delete_webhook(drop_pending_updates=True)
    assert await client.get_updates(timeout=0) == []


async def test_a_second_poller_ends_the_first(simulator: Simulator, client: Bot, phone: TelegramPhone) -> None:
    await take(client)
    first = asyncio.create_task(client.get_updates(timeout=30))
    await simulator.wait(lambda: simulator.telegram.updates.polled(BOT))
    second = asyncio.create_task(client.get_updates(timeout=30))
    with pytest.raises(TelegramConflictError, match="terminated by other getUpdates"):
        await first
    await phone.say("alo")
    assert [update.message.text for update in await second if update.message] == ["alo"]


async def test_faults_as_aiogram_sees_them(simulator: Simulator, client: Bot, phone: TelegramPhone) -> None:
    fault = simulator.telegram_verbs.fault
    await fault(kind="rate_limited", retry_after=7, count=1)
    with pytest.raises(TelegramRetryAfter) as flood:
        await client.send_message(phone.user_id, "a")
    assert flood.value.retry_after == 7
    await fault(kind="blocked", count=1)
    with pytest.raises(TelegramForbiddenError):
        await client.send_message(phone.user_id, "a")
    await fault(kind="revoked", count=1)
    with pytest.raises(TelegramUnauthorizedError):
        await client.get_me()
    await fault(kind="down", count=1)
    with pytest.raises(TelegramNetworkError):
        await client.get_me()
    await fault(kind="down", mode="502", count=1)
    with pytest.raises(ClientDecodeError):  # a gateway's page is no JSON
        await client.get_me()
    assert phone.inbox == []
    await fault(kind="drop_after_accept", count=1)
    with pytest.raises(TelegramNetworkError):
        await client.send_message(phone.user_id, "đến rồi")
    assert [message.text for message in phone.inbox] == ["đến rồi"]
    await simulator.telegram_verbs.set_bot(bot_id=BOT, token=f"{BOT}:another-demo-token")
    with pytest.raises(TelegramUnauthorizedError):
        await client.get_me()


async def test_limits_answer_429_with_the_seconds_to_wait(
    simulator: Simulator, client: Bot, phone: TelegramPhone
) -> None:
    group = await simulator.telegram_group(BOT, phone)
    await group.add_bot()
    await simulator.telegram_verbs.set_bot(bot_id=BOT, per_second=0, chat_burst=2)
    for _ in range(2):
        await client.send_message(phone.user_id, "a")
    with pytest.raises(TelegramRetryAfter):
        await client.send_message(phone.user_id, "a")
    for _ in range(20):
        await client.send_message(int(group.chat_id), "a")
    with pytest.raises(TelegramRetryAfter) as flood:
        await client.send_message(int(group.chat_id), "a")
    assert 55 <= flood.value.retry_after <= 60
    await simulator.verbs.advance(seconds=61)
    await client.send_message(int(group.chat_id), "a")


async def test_no_token_is_noted(simulator: Simulator, client: Bot) -> None:
    await client.set_webhook("http://127.0.0.1:9/hook", secret_token="s3cret")
    [call] = simulator.telegram_verbs.calls()
    assert call["path"] == "/setWebhook"
    assert TOKEN not in str(call)
    assert "s3cret" not in str(call)
