"""A run of an announcement in a real browser: live, accessible, with the keyboard alone, on a small phone, on paper."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.browser.test_console import PHONE, too_wide, violations
from tests.handlers.console.conftest import office
from tests.handlers.console.test_announcement_runs import became, begun, hired, village
from tests.handlers.console.visitor import Office, Visitor
from tests.servers.browser_fixtures import OpenPage

__all__ = ["office"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
PATHS = ("", "/stop", "/unreached", "/answers")


@pytest.fixture
def database_url(tmp_path: Path, sqlite_template: Callable[[Path], str]) -> str:
    """Use SQLite alone: the browser looks the same on every database."""
    return sqlite_template(tmp_path / "loa.db")


async def signed_in(office: Office, page: Page, visitor: Visitor) -> str:
    """Give a browser the session of a visitor; returns the address of the console."""
    url = str(office.client.make_url("/")).rstrip("/")
    await page.context.add_cookies([{"name": "loa", "value": visitor.token, "url": url}])
    return url


async def sent_in_part(office: Office) -> str:
    address = await begun(office, 9)
    missed = ("failed", "recipient_blocked")
    await became(office, ("seen", ""), ("delivered", ""), ("sent", ""), missed, missed, ("cancelled", "opted_out"))
    await village(office.runtime, "c03", "kim-lam")
    return address


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("viewport", [ViewportSize(width=1400, height=900), PHONE], ids=["desktop", "phone"])
async def test_pages_of_a_run_are_accessible_and_fit_the_screen(
    office: Office, browser_page: OpenPage, viewport: ViewportSize, dark: bool
) -> None:
    address = await sent_in_part(office)
    page = await browser_page(viewport, dark=dark)
    url = await signed_in(office, page, await office.enter("leader"))
    found = {}
    for path in PATHS:
        await page.goto(f"{url}{address}{path}")
        found[path] = await violations(page)
        assert not await too_wide(page), path
    assert found == {path: [] for path in PATHS}


async def test_the_page_moves_by_itself_and_is_steered_by_the_keyboard(office: Office, browser_page: OpenPage) -> None:
    address = await begun(office, 6)
    page = await browser_page()
    url = await signed_in(office, page, await hired(office, "broadcaster"))
    await page.goto(f"{url}{address}")
    figures = page.locator(".run-figures dd")
    await expect(figures.nth(1)).to_have_text("0")
    await became(office, ("sent", ""), ("sent", ""))
    await office.runtime.queue.announce("broadcast:1")
    await expect(figures.nth(1)).to_have_text("2", timeout=10_000)
    await page.locator("#pause").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").filter(has_text="Đã tạm dừng")).to_be_visible()
    await expect(page.get_by_text("Cán bộ đã bấm tạm dừng")).to_be_visible()
    await page.locator("#stop").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="4 người sẽ không nhận được thông báo.")).to_be_visible()
    await page.get_by_role("button", name="Dừng hẳn").focus()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("done=run_stopped"))
    await expect(page.locator("#pause, #resume, #stop")).to_have_count(0)


async def test_on_paper_stands_the_list_alone(office: Office, browser_page: OpenPage) -> None:
    address = await sent_in_part(office)
    page = await browser_page()
    url = await signed_in(office, page, await office.enter("leader"))
    await page.goto(f"{url}{address}/unreached")
    await page.get_by_role("button", name="Hiện số điện thoại đầy đủ").click()
    await expect(page.get_by_text("0900000001").first).to_be_visible()
    await page.emulate_media(media="print")
    await expect(page.get_by_text("Người Thứ 03")).to_be_visible()
    await expect(page.get_by_role("heading", name="Chưa xác định thôn")).to_be_visible()
    for words in ("Trình đơn chính", "Chọn danh sách"):
        await expect(page.get_by_role("navigation", name=words)).to_be_hidden()
