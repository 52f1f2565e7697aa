"""An export with bad rows in a real browser: uploaded, looked at, put right where it was not known, confirmed."""

import re
from pathlib import Path

import pytest
from playwright.async_api import ViewportSize, expect
from sqlmodel import select

from bot.store.dossiers import DossierRow
from tests.bot.sheets.files import xlsx
from tests.browser.test_announcements import shot
from tests.browser.test_console import too_wide, violations
from tests.browser.test_journey import SECONDS, database_url, live, sign_in
from tests.jobs.test_import_dossiers import HEADER, code, row
from tests.live import Live
from tests.servers.browser_fixtures import OpenPage

__all__ = ["database_url", "live"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
async def test_an_export_with_bad_rows_is_looked_at_put_right_and_confirmed(
    live: Live, browser_page: OpenPage, tmp_path: Path, width: int
) -> None:
    file = tmp_path / "xuat.xlsx"
    rows = [
        row(1, "Đang xử lý"), row(2, "Đã trả kết quả"), row(3, "Đang đi dạo"), row(4, "Đang xử lý", "31/02/2026"),
        row(1, "Đã xử lý xong", "21/11/2026 10:00"),
    ]  # fmt: skip
    rows[1][3] = "12"
    file.write_bytes(xlsx([["DANH SÁCH HỒ SƠ"], ["Mã số biên nhận gốc", *HEADER[1:]], *rows]))
    page = await browser_page(ViewportSize(width=width, height=844))
    await sign_in(page, live, "can-bo")

    async def upload() -> None:
        await page.goto(f"{live.url}/dossiers/imports")
        await page.get_by_label("Tệp", exact=True).set_input_files(file)
        await shot(page, f"imports-{width}")
        await page.get_by_role("button", name="Tải lên và xem trước").click()

    await upload()
    await expect(page.get_by_text("Không thấy cột mã hồ sơ")).to_be_visible(timeout=SECONDS)
    await shot(page, f"import-refused-{width}")
    assert await violations(page) == []
    await page.get_by_role("link", name="Chọn ý nghĩa các cột").click()
    await expect(page.get_by_role("textbox", name="Tên cột trong tệp").first).to_have_value("Mã số biên nhận gốc")
    await page.get_by_role("combobox", name="Ý nghĩa của cột").first.select_option(label="Mã hồ sơ")
    await shot(page, f"columns-{width}")
    assert await violations(page) == []
    assert not await too_wide(page)
    await page.get_by_role("button", name="Lưu").click()
    await expect(page.get_by_text("Đã lưu.")).to_be_visible()

    await upload()
    await expect(page.get_by_text("Chờ xác nhận")).to_be_visible(timeout=SECONDS)
    shown = page.locator("#import")
    for said in ("Chưa biết trạng thái “Đang đi dạo”", "“31/02/2026” không phải là ngày", "Trùng hồ sơ", code(1)):
        await expect(shown).to_contain_text(said)
    await shot(page, f"import-ready-{width}")
    assert await violations(page) == []
    assert not await too_wide(page)
    await page.get_by_role("button", name="Cập nhật hồ sơ").click()
    await expect(page.locator("#import .badge").first).to_have_text(re.compile("Đã nhập"), timeout=SECONDS)
    await shot(page, f"import-applied-{width}")
    async with live.runtime.database.reading() as session:
        kept = {each.code: each.status for each in (await session.exec(select(DossierRow))).all()}
    assert {number: kept.get(code(number)) for number in (1, 2, 3, 4)} == {1: 9, 2: 10, 3: None, 4: None}
