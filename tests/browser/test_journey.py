"""The whole journey in a real browser: the citizen's phone beside the officials' console, on demo data."""

import os
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, ViewportSize, expect

from bot.config import Settings
from tests.live import Live, running
from tests.servers.browser_fixtures import OpenPage
from tests.simulator.__main__ import DEFAULT_ACCOUNTS, DEFAULT_BOTS, PHONES, furnish_telegram
from tests.simulator.pictures import SCENES, scene
from tests.simulator.simulator import Simulator

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
SHOTS = os.environ.get("SCREENSHOTS", "")
PASSWORD = "loa-demo-2026"
SECONDS = 20_000
ANSWER = "Đã thay bóng đèn <đầu làng> lúc 15 giờ & thử, đèn sáng bình thường."


@pytest.fixture
def database_url(tmp_path: Path, sqlite_demo: Callable[[Path], str]) -> str:
    """Use SQLite alone, with the demo in it: the browser looks the same on every database."""
    return sqlite_demo(tmp_path)


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[Live]:
    async with Simulator(time_scale=100) as simulator:
        # A test is quicker than people: the bot's limits on haste are tried elsewhere.
        quick_bots = [bot | {"per_second": 0, "chat_burst": 0} for bot in DEFAULT_BOTS]
        for account in DEFAULT_ACCOUNTS:
            await simulator.verbs.add_oa(**account)
        for user_id, letter in PHONES:
            await simulator.verbs.phone(name=f"Công dân Thử Nghiệm {letter}", user_id=user_id)
        await furnish_telegram(simulator, quick_bots)
        quick = replace(settings, conversation=replace(settings.conversation, undo_seconds=2))
        async with running(quick, simulator, seeded=True) as it:
            yield it


async def sign_in(page: Page, live: Live, name: str) -> None:
    await page.goto(f"{live.url}/login")
    await page.fill("[name=email]", f"{name}@thanhoai.example")
    await page.fill("[name=password]", PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page).not_to_have_url(re.compile("login"))


async def test_citizen_writes_official_answers_head_approves_citizen_rates(
    live: Live, browser_page: OpenPage, tmp_path: Path
) -> None:
    phones = await browser_page()
    await phones.goto(live.simulator.url)
    phone = phones.get_by_test_id("phone-1")
    messages = phone.get_by_test_id("messages")
    await phone.get_by_test_id("follow").click()
    await expect(messages).to_contain_text("Xin chào", timeout=SECONDS)
    await phone.get_by_test_id("input").fill("Đèn đường đầu làng hỏng ba hôm nay, tối đi rất nguy hiểm")
    await phone.get_by_test_id("send").click()
    await expect(messages).to_contain_text("thành phản ánh?", timeout=SECONDS)
    await phone.get_by_test_id("photo-3").click()
    await expect(messages).to_contain_text("Kèm theo: 3 ảnh", timeout=SECONDS)
    await phone.locator('[data-testid="button"][data-payload="gửi"]').last.click()
    await expect(messages).to_contain_text("Mã: PA-", timeout=SECONDS)
    found = re.search(r"Mã: (PA-[2-9A-Z]{5})", await messages.inner_text())
    assert found
    code = found.group(1)

    official = await answered_in_the_console(live, browser_page, tmp_path, code)
    await expect(messages).to_contain_text(ANSWER, timeout=SECONDS)
    await expect(messages).to_contain_text("đánh giá kết quả", timeout=SECONDS)
    await phone.locator(f'[data-testid="button"][data-payload="#danhgia {code} 3"]').click()
    await expect(messages).to_contain_text("Cảm ơn", timeout=SECONDS)
    await phone.get_by_test_id("input").fill("Xử lý rất nhanh, cảm ơn xã")
    await phone.get_by_test_id("send").click()
    await official.reload()
    await expect(official.locator("body")).to_contain_text("Rất hài lòng", timeout=SECONDS)


async def shot(page: Page, name: str) -> None:
    """Keep a picture for whoever wants to look: SCREENSHOTS names the folder."""
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/{name}.png")


async def answered_in_the_console(live: Live, browser_page: OpenPage, folder: Path, code: str) -> Page:
    """Let an official answer a case with a photo and the head approve it; returns the official's page."""
    official = await browser_page()
    await sign_in(official, live, "can-bo")
    await official.goto(f"{live.url}/?q={code}")
    await official.get_by_role("link", name=code).first.click()
    await expect(official.locator("#thread")).to_contain_text("tối đi rất nguy hiểm")
    await expect(official.locator("#thread img").first).to_be_visible(timeout=SECONDS)
    proof = folder / "sau.png"
    proof.write_bytes(scene(min(SCENES)))
    await official.locator("#text").fill(ANSWER)
    await official.locator("#files").set_input_files(proof)
    await expect(official.locator("[data-upload-list] .upload-chip")).to_have_count(1, timeout=SECONDS)
    await shot(official, "case-in-console")
    await official.get_by_role("button", name="Trình duyệt").click()
    await expect(official.locator("body")).to_contain_text("Chờ duyệt", timeout=SECONDS)

    head = await browser_page()
    await sign_in(head, live, "truong-phong")
    await head.goto(f"{live.url}/?view=approve")
    await head.get_by_role("link", name=code).first.click()
    await head.get_by_role("button", name="Duyệt và gửi").click()
    await expect(head.locator("body")).to_contain_text("Đã duyệt, câu trả lời sẽ được gửi", timeout=SECONDS)
    return official


@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
async def test_the_same_journey_on_telegram(live: Live, browser_page: OpenPage, tmp_path: Path, width: int) -> None:
    page = await browser_page(ViewportSize(width=width, height=844))
    await page.goto(f"{live.simulator.url}/telegram")
    phone = page.get_by_test_id("phone-1")
    messages = phone.get_by_test_id("messages")
    await phone.get_by_test_id("start").click()
    await expect(messages).to_contain_text("Xin chào", timeout=SECONDS)
    await shot(page, f"telegram-welcome-{width}")
    await phone.get_by_test_id("input").fill("Đèn đường đầu làng hỏng ba hôm nay, tối đi rất nguy hiểm")
    await phone.get_by_test_id("send").click()
    await expect(messages).to_contain_text("thành phản ánh?", timeout=SECONDS)
    await phone.get_by_test_id("photo-3").click()
    await expect(messages).to_contain_text("Kèm theo: 3 ảnh", timeout=SECONDS)
    await shot(page, f"telegram-summary-{width}")
    await tap(phone, "gửi")
    await expect(messages).to_contain_text("Mã: PA-", timeout=SECONDS)
    found = re.search(r"Mã: (PA-[2-9A-Z]{5})", await messages.inner_text())
    assert found
    await answered_in_the_console(live, browser_page, tmp_path, found.group(1))
    await expect(messages).to_contain_text(ANSWER, timeout=SECONDS)
    await expect(phone.locator("[data-from=bot] [data-testid=image]")).to_have_count(1)
    await expect(messages).to_contain_text("đánh giá kết quả", timeout=SECONDS)
    await shot(page, f"telegram-answer-{width}")
    await tap(phone, f"#danhgia {found.group(1)} 3")
    await expect(messages).to_contain_text("Cảm ơn", timeout=SECONDS)
    await shot(page, f"telegram-thanks-{width}")


async def tap(phone: Locator, payload: str) -> None:
    await phone.locator(f'[data-testid="button"][data-payload="{payload}"]').last.click()


async def code_of(page: Page, live: Live, who: str, *, group: bool = False) -> str:
    """Get a one-time code on somebody's own page of the console: for a private chat, or for the group of a unit."""
    if "/login" in page.url or page.url == "about:blank":
        await sign_in(page, live, who)
    await page.goto(f"{live.url}/me")
    if group:
        await page.locator("#group-unit").select_option(label="Phòng Kinh tế")
        await page.get_by_role("button", name="Lấy mã nhóm").click()
    else:
        await page.locator("#link-current").fill(PASSWORD)
        await page.get_by_role("button", name="Lấy mã nối").click()
    await shot(page, f"code-{who}-{'group' if group else 'own'}")
    return await page.locator("[data-code]").inner_text()


async def write(phone: Locator, text: str) -> None:
    await phone.get_by_test_id("input").fill(text)
    await phone.get_by_test_id("send").click()


@pytest.mark.parametrize("width", [1600, 390], ids=["desktop", "phone"])
async def test_officials_work_from_their_pockets(live: Live, browser_page: OpenPage, width: int) -> None:
    page = await browser_page(ViewportSize(width=width, height=1000))
    await page.goto(f"{live.simulator.url}/telegram")
    citizen, official, head = (page.get_by_test_id(f"phone-{number}") for number in (1, 3, 4))
    consoles = {who: await browser_page() for who in ("can-bo", "truong-phong")}
    for phone, who in ((official, "can-bo"), (head, "truong-phong")):
        await write(phone, f"/start {await code_of(consoles[who], live, who)}")
        await expect(phone.get_by_test_id("messages")).to_contain_text("Đã nối chat này", timeout=SECONDS)
    await page.get_by_test_id("group-title").fill("Phòng Kinh tế")
    for member in (7100000012, 7100000011):
        await page.get_by_test_id(f"member-{member}").check()
    await page.get_by_test_id("make-group").click()
    await page.get_by_test_id("add-bot").click()
    await expect(page.get_by_test_id("remove-bot")).to_be_visible()
    [group] = live.simulator.telegram_verbs.state()["groups"]
    await head.get_by_test_id("chat").select_option(group["chat_id"])
    await write(head, f"/start {await code_of(consoles['truong-phong'], live, 'truong-phong', group=True)}")
    await expect(head.get_by_test_id("messages")).to_contain_text("nhận thẻ việc của Phòng Kinh tế", timeout=SECONDS)

    await citizen.get_by_test_id("start").click()
    await expect(citizen.get_by_test_id("messages")).to_contain_text("Xin chào", timeout=SECONDS)
    await write(citizen, "Đèn đường đầu làng hỏng ba hôm nay, tối đi rất nguy hiểm")
    await expect(citizen.get_by_test_id("messages")).to_contain_text("thành phản ánh?", timeout=SECONDS)
    await tap(citizen, "gửi")
    await expect(citizen.get_by_test_id("messages")).to_contain_text("Mã: PA-", timeout=SECONDS)
    await expect(head.get_by_test_id("messages")).to_contain_text("đã giao, chưa nhận", timeout=SECONDS)
    await shot(page, f"pocket-new-{width}")
    await official.get_by_role("button", name="Nhận việc").last.click()
    await expect(official.get_by_test_id("toast")).to_contain_text("Đã nhận PA-", timeout=SECONDS)
    await expect(head.get_by_test_id("messages")).to_contain_text("đang xử lý", timeout=SECONDS)

    card = official.locator("[data-testid=message][data-from=bot]").last
    await card.hover()
    await card.get_by_test_id("reply").click()
    await official.get_by_test_id("input").fill(ANSWER)
    await official.get_by_test_id("photo-1").click()
    await expect(official.get_by_test_id("messages")).to_contain_text("Đã trình duyệt", timeout=SECONDS)
    await head.get_by_test_id("chat").select_option("7000000001:7100000012")
    await expect(head.get_by_test_id("messages")).to_contain_text("Chờ duyệt câu trả lời", timeout=SECONDS)
    await shot(page, f"pocket-approve-{width}")
    await head.get_by_role("button", name="Duyệt và gửi").last.click()
    await expect(citizen.get_by_test_id("messages")).to_contain_text(ANSWER, timeout=SECONDS)
    await head.get_by_test_id("chat").select_option(group["chat_id"])
    await expect(head.get_by_test_id("messages")).to_contain_text("đã trả lời", timeout=SECONDS)
    await expect(head.get_by_test_id("messages")).not_to_contain_text("đang xử lý")
    await shot(page, f"pocket-answered-{width}")


async def test_new_work_appears_without_reloading(live: Live, browser_page: OpenPage) -> None:
    official = await browser_page()
    await sign_in(official, live, "can-bo")
    await expect(official.locator("body")).to_contain_text("Việc của tôi")
    phone = await live.phone("2222333344445555666")
    await phone.follow()
    await phone.wait_for("Xin chào")
    await phone.say("Đèn đường ngõ Chùa hỏng hẳn từ hôm kia, bà con đi lại rất nguy hiểm")
    await phone.wait_for("thành phản ánh?")
    await phone.say("gửi")
    told = await phone.wait_for("Mã: PA-")
    found = re.search(r"PA-[2-9A-Z]{5}", told.text)
    assert found
    await expect(official.locator("body")).to_contain_text(found.group(0), timeout=SECONDS)
