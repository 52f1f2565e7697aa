"""An administrator connects a bot in a real browser, and a citizen gets an answer from it."""

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, ViewportSize, expect

from bot.config import Settings
from bot.store import accounts
from tests.browser.test_journey import SECONDS, shot, sign_in
from tests.live import Live, running
from tests.servers.browser_fixtures import OpenPage
from tests.simulator.__main__ import DEFAULT_ACCOUNTS
from tests.simulator.simulator import Simulator

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
BOT = "7000000042"
TOKEN = f"{BOT}:browser-not-a-real-token"


@pytest.fixture
def database_url(tmp_path: Path, sqlite_demo: Callable[[Path], str]) -> str:
    """Use SQLite alone, with the demo in it: the browser looks the same on every database."""
    return sqlite_demo(tmp_path)


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[Live]:
    async with Simulator(time_scale=100) as simulator:
        for account in DEFAULT_ACCOUNTS:
            await simulator.verbs.add_oa(**account)
        await simulator.add_bot(TOKEN, "Bot thử <b>nghiệm</b>", username="bot_moi_bot")
        async with running(settings, simulator, seeded=True) as it:
            yield it


async def fill(page: Page, live: Live, token: str, mode: str) -> None:
    await page.goto(f"{live.url}/admin/accounts")
    await page.get_by_role("link", name="Thêm bot Telegram").click()
    await page.fill("[name=token]", token)
    await page.select_option("[name=unit_id]", index=1)
    await page.select_option("[name=mode]", mode)
    await shot(page, "bot-new")
    await page.get_by_role("button", name="Thêm bot").click()


@pytest.mark.parametrize(("mode", "width"), [("webhook", 1280), ("polling", 390)])
async def test_an_administrator_connects_a_bot(live: Live, browser_page: OpenPage, mode: str, width: int) -> None:
    page = await browser_page(ViewportSize(width=width, height=844))
    await sign_in(page, live, "quan-tri")
    await fill(page, live, f"{BOT}:wrong", mode)
    await expect(page.locator("#error-token")).to_contain_text("Telegram không nhận mã này")
    await shot(page, f"bot-wrong-token-{mode}")
    browser_page.problems.clear()  # the browser notes that the form was refused
    await fill(page, live, TOKEN, mode)
    await expect(page).to_have_url(re.compile("/admin/accounts\\?done=added"))
    phone = await live.simulator.telegram_phone(BOT)
    await phone.follow()
    await phone.wait_for("Xin chào", timeout=40)
    await page.reload()
    card = page.locator("section", has_text="Bot thử <b>nghiệm</b>")
    await expect(card).to_contain_text("Webhook đã đặt" if mode == "webhook" else "Đang nhận", timeout=SECONDS)
    await card.scroll_into_view_if_needed()
    await shot(page, f"bot-card-{mode}")
    async with live.runtime.units_of_work() as uow:
        row = await accounts.by_external_id(uow.session, "telegram", BOT)
        assert row is not None
        await accounts.stop(uow.session, row.id, "bot_token_refused", "Unauthorized", uow.now, asked_at=uow.now)
    await page.goto(f"{live.url}/admin/accounts")
    await expect(card).to_contain_text("Lấy mã (token) mới của bot")
    await card.scroll_into_view_if_needed()
    await shot(page, f"bot-stopped-{mode}")
    await card.locator("[name=token]").fill(TOKEN)
    await card.get_by_role("button", name="Kết nối lại bằng mã mới").click()
    await expect(page.locator("body")).to_contain_text("Đã kết nối tài khoản")
