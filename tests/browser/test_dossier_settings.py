"""The settings of news of dossiers in a real browser: they fit a small phone, and a template can be chosen there."""

from typing import Any

import pytest
from playwright.async_api import ViewportSize, expect
from sqlmodel import select

from bot.store.accounts import AccountRow
from bot.store.provider_templates import ProviderTemplateRow
from tests.browser.test_console import PHONE, Console, console, database_url, too_wide, violations
from tests.browser.test_journey import SHOTS
from tests.servers.browser_fixtures import OpenPage

__all__ = ["console", "database_url"]

NAME = "Báo hồ sơ có kết quả"
pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture
async def office(console: Console) -> Console:
    """Give the demo's office with a template of its account."""
    parameters: list[dict[str, Any]] = [{"name": "ma_ho_so", "type": "CODE", "required": True}]
    async with console.runtime.units_of_work() as uow:
        account = (await uow.session.exec(select(AccountRow).where(AccountRow.provider == "zalo"))).first()
        assert account is not None
        uow.session.add(
            ProviderTemplateRow(
                account_id=account.id, template_id="7", name=NAME, status="ENABLE", by_user=True, parameters=parameters
            )
        )
    return console


@pytest.mark.parametrize(
    ("viewport", "dark"), [(ViewportSize(width=1400, height=900), False), (PHONE, True)], ids=["desktop", "phone"]
)
async def test_a_template_is_chosen_and_an_account_set(
    office: Console, browser_page: OpenPage, viewport: ViewportSize, dark: bool
) -> None:
    page = await office.sign_in(await browser_page(viewport, dark=dark), "quan-tri")
    await page.goto(f"{office.url}/admin/dossiers")
    found = await violations(page)
    assert not await too_wide(page)
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/dossier-settings-{viewport['width']}.png", full_page=True)
    await page.get_by_label("Mã BIN của ngân hàng").fill("12")
    await page.get_by_role("button", name="Lưu").click()
    await expect(page.get_by_text("Mã BIN gồm đúng 6 chữ số")).to_be_visible()
    found += await violations(page)
    await page.get_by_label("Mã BIN của ngân hàng").fill("970403")
    await page.get_by_label("Số tài khoản").fill("0011012345678")
    await page.get_by_label("Tên chủ tài khoản").fill("UBND XA THANH OAI")
    await page.get_by_role("button", name="Lưu").click()
    await expect(page.get_by_text("Đã lưu.")).to_be_visible()
    await page.get_by_role("link", name="Chọn mẫu cho tin: Đã có kết quả, mời đến nhận").click()
    offering = page.locator("select", has=page.locator("option", has_text=NAME))
    await offering.select_option(label=NAME)
    await expect(page.get_by_label("ma_ho_so")).to_have_value("{{mã hồ sơ}}")
    assert not await too_wide(page)
    found += await violations(page)
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/dossier-template-{viewport['width']}.png", full_page=True)
    await page.get_by_role("button", name="Lưu").click()
    await expect(page.get_by_text(NAME)).to_be_visible()
    assert found == []
