"""The journey of an announcement in a real browser: composed by one, approved by another, read on a citizen's phone."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, ViewportSize, expect
from sqlmodel import select

from bot.actions import marks
from bot.store import accounts
from bot.store.contacts import ContactRow
from bot.store.provider_templates import ProviderTemplateRow
from bot.store.units import AreaRow
from tests.browser.test_console import PHONE, Console, console, too_wide, violations
from tests.browser.test_journey import SECONDS, SHOTS, database_url, live, sign_in
from tests.live import Live
from tests.servers.browser_fixtures import OpenPage
from tests.simulator.__main__ import PHONES
from tests.simulator.pictures import SCENES, scene

__all__ = ["console", "database_url", "live"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
VILLAGE = "Thôn Kim Châu"
PATHS = ("", "/words", "/audience", "/ways", "/schedule", "/check")


async def shot(page: Page, name: str) -> None:
    """Keep a picture of the whole page for whoever wants to look: SCREENSHOTS names the folder."""
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


async def follower(live: Live, page: Page) -> None:
    """Let a phone follow, and note in which village its owner lives."""
    await page.goto(live.simulator.url)
    phone = page.get_by_test_id("phone-1")
    await phone.get_by_test_id("follow").click()
    await expect(phone.get_by_test_id("messages")).to_contain_text("Xin chào", timeout=SECONDS)
    await phone.get_by_test_id("input").fill("xin chào")
    await phone.get_by_test_id("send").click()
    await live.until(lambda: heard(live))
    async with live.runtime.units_of_work() as uow:
        contact = (await uow.session.exec(select(ContactRow).where(ContactRow.external_id == PHONES[0][0]))).one()
        area = (await uow.session.exec(select(AreaRow).where(AreaRow.name == VILLAGE))).one()
        await marks.set_area(uow, contact, area.id)


async def heard(live: Live) -> bool:
    rows = [row for row in await live.rows(ContactRow) if row.external_id == PHONES[0][0]]
    return any(row.last_interaction_at is not None for row in rows)


@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
async def test_one_composes_another_approves_and_the_village_reads_it(
    live: Live, browser_page: OpenPage, tmp_path: Path, width: int
) -> None:
    phones = await browser_page()
    await follower(live, phones)
    writer = await browser_page(ViewportSize(width=width, height=844))
    await sign_in(writer, live, "van-hoa")
    await writer.goto(f"{live.url}/announcements")
    await writer.get_by_role("link", name="Soạn thông báo").click()
    await shot(writer, f"new-{width}")
    await writer.get_by_role("link", name="Cảnh báo bão, mưa lũ").click()
    for label, value in (("Thiên tai", "Bão số 1"), ("Nơi", "xã Thanh Oai"), ("Giờ", "20:00"), ("Ngày", "05/02/2027")):
        await writer.get_by_label(label, exact=True).fill(value)
    await writer.get_by_label("Địa điểm", exact=True).fill("Nhà văn hóa thôn")
    await writer.get_by_label("Số trực", exact=True).fill("024 0000 0000")
    await shot(writer, f"start-{width}")
    await writer.get_by_role("button", name="Soạn tiếp").click()

    await expect(writer.locator("#preview")).to_contain_text("KHẨN: Bão số 1", timeout=SECONDS)
    await expect(writer.locator(".handset")).to_have_count(2)
    await expect(writer.get_by_text("Cần danh sách người nhận có các cột: Nguồn")).to_be_visible()
    text = await writer.get_by_label("Nội dung").input_value()
    await writer.get_by_label("Nội dung").fill(text.replace("{{Nguồn}}", "đài truyền thanh xã") + "\nKính gửi ")
    await writer.get_by_role("button", name="Tên", exact=True).click()
    await expect(writer.get_by_label("Nội dung")).to_have_value(re.compile(r"Kính gửi \{\{Tên\}\}$"))
    await expect(writer.locator("#preview")).to_contain_text("Kính gửi Ông/Bà", timeout=SECONDS)
    picture = tmp_path / "bao.png"
    picture.write_bytes(scene(min(SCENES)))
    await writer.get_by_label("Ảnh kèm theo").set_input_files(picture)
    await shot(writer, f"words-{width}")
    await writer.get_by_role("button", name="Lưu và tiếp tục").click()

    reach = writer.locator("#reach")
    await expect(reach).to_contain_text("người sẽ nhận được", timeout=SECONDS)
    await writer.get_by_label(VILLAGE).check()
    await expect(reach).to_contain_text(f"ở {VILLAGE}.", timeout=SECONDS)
    await expect(reach.locator(".figures-total strong")).to_have_text("1")
    await shot(writer, f"audience-{width}")
    await writer.get_by_role("button", name="Lưu và tiếp tục").click()
    if "/ways" in writer.url:
        await shot(writer, f"ways-{width}")
        await writer.get_by_role("button", name="Lưu và tiếp tục").click()

    await writer.get_by_label("Hằng tháng").check()
    await expect(writer.locator("#dates li")).to_have_count(5, timeout=SECONDS)
    await shot(writer, f"schedule-{width}")
    await writer.get_by_label("Ngay sau khi được duyệt").check()
    await expect(writer.locator("#dates")).to_contain_text("Gửi ngay khi được duyệt", timeout=SECONDS)
    await writer.get_by_role("button", name="Lưu và tiếp tục").click()

    await expect(writer.locator("#preview img").first).to_be_visible(timeout=SECONDS)
    await expect(writer.locator("#reach")).to_contain_text("người sẽ nhận được", timeout=SECONDS)
    await shot(writer, f"check-{width}")
    assert not await too_wide(writer)
    await writer.get_by_role("button", name="Trình duyệt").click()
    await expect(writer.locator("body")).to_contain_text("Đã trình duyệt")
    address = writer.url.partition("?")[0]

    approver = await browser_page(ViewportSize(width=width, height=844))
    await sign_in(approver, live, "duyet-tin")
    await approver.goto(address)
    await expect(approver.locator("#preview img").first).to_be_visible(timeout=SECONDS)
    await shot(approver, f"approve-{width}")
    await approver.get_by_label("Tôi xác nhận đây là tình huống khẩn cấp").check()
    await approver.get_by_role("button", name="Duyệt", exact=True).click()
    await expect(approver.locator("body")).to_contain_text("Đã duyệt thông báo")

    messages = phones.get_by_test_id("phone-1").get_by_test_id("messages")
    await expect(messages).to_contain_text("KHẨN: Bão số 1", timeout=SECONDS)
    await expect(messages).to_contain_text("Nguồn: đài truyền thanh xã", timeout=SECONDS)
    await shot(phones, f"simulator-{width}")
    await expect(writer.locator("#headline")).to_contain_text("Đã gửi", timeout=SECONDS)
    await expect(writer.locator("#live progress")).to_have_attribute("value", "1", timeout=SECONDS)
    await shot(writer, f"sent-{width}")
    await writer.goto(f"{live.url}/announcements")
    await expect(writer.locator("[data-row]").first).to_contain_text("KHẨN: Bão số 1")
    await shot(writer, f"list-{width}")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("viewport", [ViewportSize(width=1400, height=900), PHONE], ids=["desktop", "phone"])
async def test_pages_of_announcements_are_accessible_and_fit_the_screen(
    console: Console, browser_page: OpenPage, viewport: ViewportSize, dark: bool
) -> None:
    async with console.runtime.units_of_work() as uow:
        [account] = [row for row in await accounts.all_accounts(uow.session) if row.kind == "state"]
        parameter = {"name": "customer_name", "type": "CUSTOMER_NAME", "required": True, "longest": 30}
        uow.session.add(
            ProviderTemplateRow(
                account_id=account.id,
                template_id="77",
                name="Mẫu thử",
                status="ENABLE",
                parameters=[parameter],
                by_user=True,
                price_user=200,
                price_phone=300,
                text="Kính gửi <customer_name>",
            )
        )
    page = await console.sign_in(await browser_page(viewport, dark=dark), "van-hoa")
    await page.goto(f"{console.url}/announcements/new?start=ocop")
    found = {"start": await violations(page)}
    await page.get_by_role("button", name="Soạn tiếp").click()
    await expect(page.locator("#preview .handset")).to_have_count(2, timeout=SECONDS)
    address = page.url.partition("/words")[0].removeprefix(console.url)
    for path in ("/announcements", "/announcements/new", *(f"{address}{each}" for each in PATHS)):
        await page.goto(console.url + path)
        if path.endswith(("/audience", "/ways", "/check")):
            await expect(page.locator("#reach")).to_contain_text("sẽ nhận được", timeout=SECONDS)
        if path.endswith("/ways"):
            await page.get_by_label("Mẫu tin cho người ngoài thời hạn").select_option("77")
            await expect(page.get_by_label("customer_name")).to_have_value("{{Tên}}")
            await expect(page.locator("#reach")).to_contain_text("theo mẫu", timeout=SECONDS)
        if not dark:
            await shot(page, f"axe-{path.rpartition('/')[2] or 'page'}-{viewport['width']}")
        found[path.replace(address, "…")] = await violations(page)
        assert not await too_wide(page), path
    assert {path: said for path, said in found.items() if said} == {}


async def test_an_announcement_is_composed_with_the_keyboard_alone(console: Console, browser_page: OpenPage) -> None:
    page = await console.sign_in(await browser_page(), "van-hoa")
    await page.goto(f"{console.url}/announcements/new")
    await page.get_by_role("button", name="Soạn thông báo trống").focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("Tiêu đề").focus()
    await page.keyboard.type("Họp thôn")
    await page.keyboard.press("Tab")
    await page.keyboard.type("Kính mời ")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Nội dung")).to_be_focused()
    await page.keyboard.type(" tối nay.")
    await expect(page.get_by_label("Nội dung")).to_have_value("Kính mời {{Tên}} tối nay.")
    await page.get_by_role("button", name="Lưu và tiếp tục").focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("Thôn Kim Lâm").focus()
    await page.keyboard.press("Space")
    await expect(page.locator("#reach")).to_contain_text("ở Thôn Kim Lâm.", timeout=SECONDS)
    await page.get_by_role("button", name="Lưu và tiếp tục").focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("Ngay sau khi được duyệt").focus()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_label("Ngày", exact=True)).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Hãy chọn ngày và giờ gửi")).to_have_count(2)
