"""The whole journey in a real browser: the citizen's phone beside the officials' console, on demo data."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from bot.config import Settings
from bot.demo.load import load
from bot.runtime import opened
from tests.live import Live, running
from tests.runtime_fixtures import with_zalo
from tests.servers.browser_fixtures import OpenPage
from tests.simulator.__main__ import DEFAULT_ACCOUNTS, PHONES
from tests.simulator.pictures import SCENES, scene
from tests.simulator.simulator import Simulator

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
PASSWORD = "loa-demo-2026"
SECONDS = 20_000


@pytest.fixture
def database_url(tmp_path: Path, sqlite_template: Callable[[Path], str]) -> str:
    """Use SQLite alone: the browser looks the same on every database."""
    return sqlite_template(tmp_path / "loa.db")


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[Live]:
    async with Simulator(time_scale=100) as simulator:
        for account in DEFAULT_ACCOUNTS:
            await simulator.verbs.add_oa(**account)
        for user_id, letter in PHONES:
            await simulator.verbs.phone(name=f"Công dân Thử Nghiệm {letter}", user_id=user_id)
        quick = replace(settings, conversation=replace(settings.conversation, undo_seconds=2))
        async with opened(with_zalo(quick, simulator.url)) as runtime:
            await load(runtime)
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

    official = await browser_page()
    await sign_in(official, live, "can-bo")
    await official.goto(f"{live.url}/?q={code}")
    await official.get_by_role("link", name=code).first.click()
    await expect(official.locator("#thread")).to_contain_text("tối đi rất nguy hiểm")
    await expect(official.locator("#thread img").first).to_be_visible(timeout=SECONDS)
    proof = tmp_path / "sau.png"
    proof.write_bytes(scene(min(SCENES)))
    await official.locator("#text").fill("Đã thay bóng đèn đầu làng lúc 15 giờ hôm nay, đèn sáng bình thường.")
    await official.locator("#files").set_input_files(proof)
    await expect(official.locator("[data-upload-list] .upload-chip")).to_have_count(1, timeout=SECONDS)
    await official.get_by_role("button", name="Trình duyệt").click()
    await expect(official.locator("body")).to_contain_text("Chờ duyệt", timeout=SECONDS)

    head = await browser_page()
    await sign_in(head, live, "truong-phong")
    await head.goto(f"{live.url}/?view=approve")
    await head.get_by_role("link", name=code).first.click()
    await head.get_by_role("button", name="Duyệt và gửi").click()
    await expect(head.locator(".undo-bar")).to_be_visible(timeout=SECONDS)

    await expect(messages).to_contain_text("Đã thay bóng đèn", timeout=SECONDS)
    await expect(messages).to_contain_text("đánh giá kết quả", timeout=SECONDS)
    await phone.locator(f'[data-testid="button"][data-payload="#danhgia {code} 3"]').click()
    await expect(messages).to_contain_text("Cảm ơn", timeout=SECONDS)
    await phone.get_by_test_id("input").fill("Xử lý rất nhanh, cảm ơn xã")
    await phone.get_by_test_id("send").click()
    await official.reload()
    await expect(official.locator("body")).to_contain_text("Rất hài lòng", timeout=SECONDS)


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
