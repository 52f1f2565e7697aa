"""The Telegram page in a real browser: a citizen and a bot, a group with a bot, every kind of message on the screen."""

import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Locator, Page, ViewportSize, expect

from tests.servers.browser_fixtures import OpenPage
from tests.simulator.simulator import Simulator
from tests.simulator.telegram.phone import TelegramPhone
from tests.simulator.tests.receiver import Receiver

pytestmark = pytest.mark.browser
BOT = 7000000001
TOKEN = f"{BOT}:demo-not-a-real-token"
SHOTS = os.environ.get("SCREENSHOTS", "")
KEYS = {
    "inline_keyboard": [
        [{"text": "Nhận việc", "callback_data": "c:nhan:7f"}, {"text": "Hỏi lại", "callback_data": "c:hoi:7f"}]
    ]
}


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Receiver() as receiver, Simulator() as it:
        await it.add_bot(TOKEN, "Trợ lý xã Thanh Oai", webhook_url=receiver.url)
        yield it


@pytest.fixture
async def phones(simulator: Simulator) -> list[TelegramPhone]:
    names = ("Công dân Thử Nghiệm A", "Cán bộ Thử Nghiệm B", "Trưởng phòng Thử Nghiệm C")
    return [await simulator.telegram_phone(BOT, name=name) for name in names]


async def bot_calls(simulator: Simulator, method: str, **arguments: object) -> dict[str, object]:
    """Call the Bot API as the bot."""
    async with simulator.telegram.http.post(f"{simulator.url}/bot{TOKEN}/{method}", json=arguments) as answer:
        body = await answer.json()
    assert body["ok"], body
    return dict(body["result"]) if isinstance(body["result"], dict) else {}


async def last(phone: Locator, sender: str) -> Locator:
    message = phone.locator(f"[data-testid=message][data-from={sender}]").last
    await expect(message).to_be_visible()
    return message


async def shot(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


async def test_a_citizen_talks_with_a_bot(
    simulator: Simulator, phones: list[TelegramPhone], browser_page: OpenPage
) -> None:
    page = await browser_page(ViewportSize(width=1400, height=900))
    await page.goto(f"{simulator.url}/telegram")
    await expect(page.get_by_test_id("live")).to_have_attribute("data-live", "yes")
    one = page.get_by_test_id("phone-1")
    await one.get_by_test_id("start").click()
    await expect((await last(one, "user")).get_by_test_id("words")).to_have_text("/start")
    await expect(one.get_by_test_id("start")).to_be_hidden()
    await one.get_by_test_id("input").fill("<b>Đường hỏng</b>")
    await one.get_by_test_id("send").click()
    await expect((await last(one, "user")).get_by_test_id("words")).to_have_text("<b>Đường hỏng</b>")
    await one.get_by_test_id("photo-3").click()
    await expect(one.get_by_test_id("image")).to_have_count(3)
    for mark in ("place", "voice", "video", "sticker", "gif", "file", "share-contact"):
        await one.get_by_test_id(mark).click()
    await expect(one.get_by_test_id("message")).to_have_count(12)

    chat = phones[0].user_id
    await bot_calls(
        simulator, "sendMessage", chat_id=chat, text="<b>Mã PA-1</b> &amp; đơn vị", parse_mode="HTML", reply_markup=KEYS
    )
    told = await last(one, "bot")
    await expect(told.locator("strong")).to_have_text("Mã PA-1")
    await told.locator("[data-payload='c:nhan:7f']").click()
    [tap] = simulator.telegram_verbs.taps(chat=phones[0].key)
    await bot_calls(simulator, "answerCallbackQuery", callback_query_id=tap["tap_id"], text="Đã nhận việc")
    await expect(one.get_by_test_id("toast")).to_have_text("Đã nhận việc")
    message_id = int(await told.get_attribute("data-msg-id") or 0)
    await bot_calls(simulator, "editMessageText", chat_id=chat, message_id=message_id, text="Đang xử lý")
    await expect(told.get_by_test_id("words")).to_have_text("Đang xử lý")
    await expect(told.get_by_test_id("button")).to_have_count(0)

    ask = {"keyboard": [[{"text": "Gửi số điện thoại", "request_contact": True}]], "resize_keyboard": True}
    await bot_calls(simulator, "sendMessage", chat_id=chat, text="Xin số điện thoại", reply_markup=ask)
    await shot(page, "telegram-citizen")
    await one.get_by_test_id("key").click()
    await expect(await last(one, "user")).to_have_attribute("data-kind", "contact")

    mine = one.locator("[data-testid=message][data-from=user]").nth(1)
    await mine.hover()
    await mine.get_by_test_id("edit").click()
    await one.get_by_test_id("input").fill("Đường hỏng nặng")
    await one.get_by_test_id("send").click()
    await expect(mine.get_by_test_id("words")).to_have_text("Đường hỏng nặng")
    await expect(mine.get_by_test_id("edited")).to_be_visible()
    await one.get_by_test_id("block").click()
    await expect(one.get_by_test_id("block")).to_have_attribute("data-blocked", "yes")
    await one.get_by_test_id("input").fill("còn đó không")
    await one.get_by_test_id("send").click()
    await expect(one.get_by_test_id("notice")).to_contain_text("bạn đã chặn bot này")


async def test_a_group_with_a_bot(simulator: Simulator, phones: list[TelegramPhone], browser_page: OpenPage) -> None:
    page = await browser_page(ViewportSize(width=1400, height=900))
    await page.goto(f"{simulator.url}/telegram")
    await page.get_by_test_id("group-title").fill("Phòng Kinh tế")
    for phone in phones[1:]:
        await page.get_by_test_id(f"member-{phone.user_id}").check()
    await page.get_by_test_id("make-group").click()
    await page.get_by_test_id("add-bot").click()
    await expect(page.get_by_test_id("remove-bot")).to_be_visible()
    [group] = simulator.telegram_verbs.state()["groups"]
    for number in (2, 3):
        await page.get_by_test_id(f"phone-{number}").get_by_test_id("chat").select_option(group["chat_id"])
    two, three = page.get_by_test_id("phone-2"), page.get_by_test_id("phone-3")
    await expect(two.get_by_test_id("chat-kind")).to_have_text("Nhóm, 3 thành viên")
    await bot_calls(
        simulator, "sendMessage", chat_id=int(group["chat_id"]), text="Việc mới: đèn đường", reply_markup=KEYS
    )
    told = await last(two, "bot")
    await told.get_by_test_id("reply").click()
    await two.get_by_test_id("input").fill("Tôi đi xem")
    await two.get_by_test_id("send").click()
    await expect((await last(three, "other")).get_by_test_id("words")).to_have_text("Tôi đi xem")
    await shot(page, "telegram-group")
    await page.get_by_test_id("migrate").click()
    await expect(two.get_by_test_id("chat")).not_to_have_value(group["chat_id"])
    await page.get_by_test_id("tab-faults").click()
    await page.get_by_test_id("fault-rate_limited").click()
    await expect(page.get_by_test_id("off-rate_limited")).to_be_visible()
    await page.get_by_test_id("tab-logs").click()
    await expect(page.get_by_test_id("calls").get_by_test_id("log-entry").first).to_contain_text("sendMessage")
    await expect(page.get_by_test_id("updates").get_by_test_id("log-entry").first).to_be_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_a_small_phone_needs_no_sideways_scrolling(
    simulator: Simulator, phones: list[TelegramPhone], browser_page: OpenPage, dark: bool
) -> None:
    await phones[0].say("dài" * 200)
    await phones[0].album(count=2)
    wide = {"inline_keyboard": [[{"text": "một nút rất là dài " * 3, "callback_data": str(n)} for n in range(3)]]}
    await bot_calls(simulator, "sendMessage", chat_id=phones[0].user_id, text="chọn", reply_markup=wide)
    await simulator.telegram_group(BOT, *phones, title="Nhóm có một cái tên dài để thử xem có vỡ trang hay không")
    page = await browser_page(ViewportSize(width=360, height=740), dark=dark)
    await page.goto(f"{simulator.url}/telegram")
    await expect(page.get_by_test_id("phone-1").get_by_test_id("message")).to_have_count(4)
    for tab in ("groups", "faults", "logs"):
        await page.get_by_test_id(f"tab-{tab}").click()
        await expect(page.get_by_test_id(f"panel-{tab}")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") == 360
    await shot(page, f"telegram-small-{'dark' if dark else 'light'}")
