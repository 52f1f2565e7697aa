"""Dossiers in a real browser: found, opened, put off with a letter, counted; accessible, on small phones, on paper."""

import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from docx import Document
from playwright.async_api import Page, ViewportSize, expect

from bot.domain.dossier import Status
from bot.store.dossiers import DossierRow
from tests.browser.test_console import PHONE, too_wide, violations
from tests.handlers.console.conftest import office
from tests.handlers.console.dossiers import NAME, code_of, news, procedure, taken, working_on
from tests.handlers.console.visitor import Office, Visitor
from tests.servers.browser_fixtures import DESKTOP, OpenPage

__all__ = ["office"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
SHOTS = os.environ.get("SCREENSHOTS", "")
DAY = timedelta(days=1)
CAUSE = "Chờ kết quả xác minh của cơ quan cũ"


async def shoot(page: Page, name: str) -> None:
    """Keep a picture of the whole page for whoever wants to look: SCREENSHOTS names the folder."""
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


@pytest.fixture
def database_url(tmp_path: Path, sqlite_template: Callable[[Path], str]) -> str:
    """Use SQLite alone: the browser looks the same on every database."""
    return sqlite_template(tmp_path / "loa.db")


async def signed_in(office: Office, page: Page, visitor: Visitor) -> str:
    """Give a browser the session of a visitor; returns the address of the console."""
    url = str(office.client.make_url("/")).rstrip("/")
    await page.context.add_cookies([{"name": "loa", "value": visitor.token, "url": url}])
    return url


async def some(office: Office) -> DossierRow:
    """Take in a few dossiers of every light; returns one that is late."""
    runtime, now = office.runtime, office.runtime.now()
    await procedure(runtime)
    late = await working_on(runtime, 1, received=-20 * DAY, due=-5 * DAY, online=True)
    await working_on(runtime, 2, received=-9 * DAY, due=timedelta())
    await working_on(runtime, 3, received=-DAY, due=20 * DAY, online=False)
    paused = [
        news(4, Status.ACCEPTED, now - 6 * DAY, due_at=now + DAY, field="Đất đai"),
        news(4, Status.SUPPLEMENT, now - 5 * DAY, papers="Giấy chứng sinh", limit_at=now + 9 * DAY),
    ]
    odd = [
        news(5, Status.ACCEPTED, now - 9 * DAY, due_at=now - 3 * DAY),
        news(5, Status.RETURNED, now - 4 * DAY),
        news(5, Status.PROCESSING, now - 3 * DAY),
    ]
    done = [news(6, Status.ACCEPTED, now - 9 * DAY, due_at=now - DAY), news(6, Status.RETURNED, now - 2 * DAY)]
    await taken(runtime, [*paused, *odd, *done])
    async with runtime.units_of_work() as uow:
        row = await uow.session.get(DossierRow, late.id)
        assert row is not None
        row.rating, row.rated_at, row.rating_remark = 3, now, "Cán bộ nhiệt tình"
    return late


@pytest.mark.parametrize(("viewport", "dark"), [(DESKTOP, False), (PHONE, True)], ids=["desktop", "phone-dark"])
async def test_pages_of_dossiers_are_accessible_and_fit_the_screen(
    office: Office, browser_page: OpenPage, viewport: ViewportSize, dark: bool
) -> None:
    late = await some(office)
    page = await browser_page(viewport, dark=dark)
    url = await signed_in(office, page, await office.enter("head"))
    found = {}
    for name, path in {
        "list": "",
        "nothing": "?q=khong+co+gi",
        "dossier": f"/{late.id}",
        "overdue": "/overdue",
        "reports": "/reports?from=2026-01-01",
        "letter": "/letter",
    }.items():
        await page.goto(f"{url}/dossiers{path}")
        await shoot(page, f"{name}-{'dark' if dark else 'light'}")
        found[name] = await violations(page)
        assert not await too_wide(page), name
    assert found == {name: [] for name in found}


async def test_a_late_dossier_is_found_put_off_and_counted_with_the_keyboard(
    office: Office, browser_page: OpenPage, tmp_path: Path
) -> None:
    await some(office)
    page = await browser_page(ViewportSize(width=390, height=800))
    url = await signed_in(office, page, await office.enter("head"))
    await page.goto(f"{url}/dossiers")
    await page.get_by_role("searchbox").fill("000 00 01 H26-261101-0001")
    await page.keyboard.press("Enter")
    await shoot(page, "found-390")
    await page.get_by_role("link", name=code_of(1)).focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name=code_of(1))).to_be_visible()
    await page.get_by_label("Nguyên nhân chậm").fill(CAUSE)
    today = office.runtime.now()
    monday = today + timedelta(days=14 - today.weekday())
    await page.get_by_label("Ngày hẹn mới").fill(monday.strftime("%Y-%m-%d"))
    await page.get_by_role("button", name="Ghi lại").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").filter(has_text="Đã hẹn lại")).to_be_visible()
    await expect(page.get_by_text("Xin lỗi, ngày hẹn mới")).to_be_visible()
    await shoot(page, "put-off-390")
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Tải thư xin lỗi (docx)").click()
    await (await download.value).save_as(tmp_path / "letter.docx")
    words = "\n".join(paragraph.text for paragraph in Document(str(tmp_path / "letter.docx")).paragraphs)
    assert NAME in words
    assert CAUSE in words
    await page.goto(f"{url}/dossiers/reports")
    await shoot(page, "reports-390")
    received = page.locator(".run-figures dd a").first
    number = await received.inner_text()
    await received.click()
    await expect(page).to_have_url(re.compile("what=received"))
    await expect(page.locator(".case-row")).to_have_count(int(number))
    await page.goto(f"{url}/dossiers/overdue")
    await page.emulate_media(media="print")
    await expect(page.get_by_role("heading", name="Hồ sơ quá hạn")).to_be_visible()
    await expect(page.get_by_role("link", name="Tải bảng (xlsx)")).to_be_hidden()
    await page.goto(f"{url}/dossiers/reports?from=2026-08-01")
    await page.set_viewport_size({"width": 1030, "height": 700})
    await shoot(page, "reports-print")
