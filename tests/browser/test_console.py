"""The console in a real browser: accessible, live, usable with the keyboard alone and on a small phone."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Page, Route, ViewportSize, expect

from bot.actions import work_case
from bot.config import Settings
from bot.demo.load import PASSWORD
from bot.runtime import Runtime, opened
from bot.store import cases, staff
from bot.store.cases import CaseFilter, CaseRow
from bot.store.unit_of_work import Actor
from handlers.app import build_app
from tests.servers.browser_fixtures import OpenPage
from tests.servers.run import free_port

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
PHONE = ViewportSize(width=360, height=740)
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SEVERE = {"serious", "critical"}


@dataclass
class Console:
    """The console on demo data, without jobs: nothing changes but what the test does."""

    runtime: Runtime
    url: str

    async def sign_in(self, page: Page, name: str) -> Page:
        await page.goto(f"{self.url}/login")
        await page.get_by_label("E-mail").fill(f"{name}@thanhoai.example")
        await page.get_by_label("Mật khẩu").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page).not_to_have_url(re.compile("login"))
        return page

    async def a_case(self, *states: str) -> CaseRow:
        """Return an ordinary case of the economy division in one of these states."""
        async with self.runtime.database.reading() as session:
            official = await staff.by_email(session, "can-bo@thanhoai.example")
            assert official is not None
            paths = (await staff.grants(session, official.id)).paths(work_permission())
            found = await cases.search(session, CaseFilter(paths=paths, view="all"), 200)
        return next(case for case in found if case.state in states)


def work_permission() -> Any:
    from bot.domain.access import Permission

    return Permission.CASE_WORK


@pytest.fixture
def database_url(tmp_path: Path, sqlite_demo: Callable[[Path], str]) -> str:
    """Use SQLite alone, with the demo in it: the browser looks the same on every database."""
    return sqlite_demo(tmp_path)


@pytest.fixture
async def console(settings: Settings) -> AsyncIterator[Console]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    mine = replace(
        settings,
        server=replace(settings.server, port=port, public_url=url),
        conversation=replace(settings.conversation, undo_seconds=12),
    )
    async with opened(mine) as runtime:
        runner = web.AppRunner(build_app(runtime), access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield Console(runtime, url)
        await runner.cleanup()


async def violations(page: Page) -> list[str]:
    """Return what axe-core holds against a page, the serious things only."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    options = {"runOnly": tags, "resultTypes": ["violations"]}  # what passes need not be described
    found = await page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{v['id']}: {node['html'][:120]}" for v in found["violations"] if v["impact"] in SEVERE for node in v["nodes"]
    ]


async def too_wide(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("viewport", [ViewportSize(width=1400, height=900), PHONE], ids=["desktop", "phone"])
async def test_pages_are_accessible_and_fit_the_screen(
    console: Console, browser_page: OpenPage, viewport: ViewportSize, dark: bool
) -> None:
    case = await console.a_case("in_progress")
    drafted = await console.a_case("drafted")
    page = await browser_page(viewport, dark=dark)
    await page.goto(f"{console.url}/login")
    found = {"/login": await violations(page)}
    await console.sign_in(page, "truong-phong")
    for path in ("/", "/?view=done", "/?q=khong+co+gi", f"/cases/{case.id}", f"/cases/{drafted.id}", "/health", "/me"):
        await page.goto(console.url + path)
        found[path] = await violations(page)
        assert not await too_wide(page), path
    assert {path: said for path, said in found.items() if said} == {}


@pytest.mark.parametrize("viewport", [ViewportSize(width=1400, height=900), PHONE], ids=["desktop", "phone"])
async def test_administration_is_accessible_and_fits_the_screen(
    console: Console, browser_page: OpenPage, viewport: ViewportSize
) -> None:
    page = await console.sign_in(await browser_page(viewport), "quan-tri")
    found = {}
    for name in ("accounts", "accounts/new", "units", "staff", "rules", "procedures", "api-keys", "calendars", "audit"):
        await page.goto(f"{console.url}/admin/{name}")
        found[name] = await violations(page)
        assert not await too_wide(page), name
    assert {name: said for name, said in found.items() if said} == {}


async def test_the_list_is_worked_with_the_keyboard_alone(console: Console, browser_page: OpenPage) -> None:
    page = await console.sign_in(await browser_page(), "can-bo")
    rows = page.locator("[data-row]")
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await expect(rows.nth(1).locator("[data-open]")).to_be_focused()
    await page.keyboard.press("k")
    await expect(rows.nth(0).locator("[data-open]")).to_be_focused()
    await page.keyboard.press("x")
    await expect(page.locator("[data-bulk-bar]")).to_be_visible()
    await expect(page.locator("[data-bulk-count]")).to_have_text("Đã chọn 1")
    code = await rows.nth(0).locator("[data-open]").inner_text()
    await page.keyboard.press("/")
    await expect(page.locator("[data-search]")).to_be_focused()
    await page.keyboard.type(code.lower())
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(1)
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_contain_text(code)


async def test_somebody_elses_work_appears_without_reloading(console: Console, browser_page: OpenPage) -> None:
    case = await console.a_case("in_progress", "assigned")
    inbox = await console.sign_in(await browser_page(), "truong-phong")
    row = inbox.locator(f"#case-{case.id}")
    await expect(row).to_be_visible()
    other = await console.sign_in(await browser_page(), "truong-phong")
    await other.goto(f"{console.url}/cases/{case.id}")
    thread = other.locator("#thread")
    await other.get_by_label("Trả lời công dân").fill("Đang viết dở câu trả lời")
    async with console.runtime.units_of_work(Actor("staff", case.owner_id, "Cán bộ Kinh tế")) as uow:
        await work_case.ask_back(uow, case.id, None, "Ông/Bà cho biết gần số nhà nào?", 0, 30)
    await expect(row.get_by_text("Chờ công dân")).to_be_visible()
    await expect(thread.get_by_text("gần số nhà nào")).to_be_visible()
    await expect(other.locator("#headline")).to_contain_text("Chờ công dân")
    await expect(other.locator("[data-news]").first).to_be_visible()
    await expect(other.get_by_label("Trả lời công dân")).to_have_value("Đang viết dở câu trả lời")
    await expect(other.locator("#announcer")).to_have_text("Phản ánh đã được cập nhật")


async def test_the_list_is_not_pulled_away_while_choosing(console: Console, browser_page: OpenPage) -> None:
    case = await console.a_case("in_progress")
    page = await console.sign_in(await browser_page(), "truong-phong")
    await page.locator(f"#case-{case.id} input[type=checkbox]").check()
    async with console.runtime.units_of_work(Actor("staff", case.owner_id, "Cán bộ Kinh tế")) as uow:
        await work_case.add_note(uow, case.id, "Đã gọi điện")
    await expect(page.get_by_text("Danh sách vừa có thay đổi.")).to_be_visible()
    await expect(page.locator(f"#case-{case.id} input[type=checkbox]")).to_be_checked()


async def test_photos_go_up_when_chosen_and_survive_a_form_that_fails(
    console: Console, browser_page: OpenPage, tmp_path: Path
) -> None:
    from PIL import Image

    case = await console.a_case("in_progress")
    photo, rubbish = tmp_path / "hiện trường.png", tmp_path / "rác.jpg"
    Image.new("RGB", (80, 60), "green").save(photo)
    rubbish.write_bytes(b"not a picture")
    page = await console.sign_in(await browser_page(PHONE), "can-bo")
    await page.goto(f"{console.url}/cases/{case.id}")
    chips = page.locator(".upload-chip")
    await page.set_input_files("#files", [photo])
    await expect(chips).to_have_count(1)
    await page.set_input_files("#files", [rubbish])
    await expect(page.get_by_text("không phải là ảnh đọc được")).to_be_visible()
    await expect(chips).to_have_count(1)
    await page.locator("#do-answer form").evaluate("form => form.noValidate = true")
    await page.get_by_label("Trả lời công dân").fill("Ngắn quá")
    await page.get_by_role("button", name="Trình duyệt").click()
    await expect(page.get_by_text("ít nhất 20 ký tự")).to_be_visible()
    await expect(chips).to_have_count(1)
    await expect(page.get_by_label("Trả lời công dân")).to_have_value("Ngắn quá")
    await expect(page.get_by_label("Trả lời công dân")).to_be_focused()
    await chips.get_by_role("button").click()
    await expect(chips).to_have_count(0)


async def test_approving_can_be_undone_while_the_seconds_run(console: Console, browser_page: OpenPage) -> None:
    case = await console.a_case("drafted")
    page = await console.sign_in(await browser_page(), "truong-phong")
    await page.goto(f"{console.url}/cases/{case.id}")
    await page.get_by_role("button", name="Duyệt và gửi").click()
    await page.get_by_role("button", name="Hoàn tác").click()
    await expect(page.get_by_text("Đã thu hồi, chưa có gì gửi đi")).to_be_visible()
    await page.get_by_role("button", name="Duyệt và gửi").click()
    await expect(page.get_by_role("button", name="Hoàn tác")).to_be_visible()
    await expect(page.get_by_role("button", name="Hoàn tác")).to_have_count(0, timeout=30_000)


async def test_light_and_dark_follow_the_device_and_then_the_choice(console: Console, browser_page: OpenPage) -> None:
    page = await browser_page(dark=True)
    await console.sign_in(page, "can-bo")
    theme = page.locator("html")
    await expect(theme).to_have_attribute("data-bs-theme", "dark")
    await page.get_by_role("button", name="Đổi nền sáng, tối").click()
    await expect(theme).to_have_attribute("data-bs-theme", "light")
    await page.reload()
    await expect(theme).to_have_attribute("data-bs-theme", "light")


async def test_a_rule_is_tried_before_it_is_used(console: Console, browser_page: OpenPage) -> None:
    page = await console.sign_in(await browser_page(), "quan-tri")
    await page.goto(f"{console.url}/admin/rules")
    await page.get_by_label("Lời của người dân").fill("den duong thon kim lam hong may hom nay")
    await page.get_by_role("button", name="Thử", exact=True).click()
    await expect(page.locator("#trial")).to_contain_text("Phòng Kinh tế")
    await expect(page.locator("#trial")).to_contain_text("Thôn Kim Lâm")


async def test_the_menu_opens_on_a_phone(console: Console, browser_page: OpenPage) -> None:
    page = await console.sign_in(await browser_page(PHONE), "truong-phong")
    await expect(page.get_by_role("link", name="Sức khỏe hệ thống")).to_be_hidden()
    await page.get_by_role("button", name="Mở trình đơn").click()
    await page.get_by_role("link", name="Sức khỏe hệ thống").click()
    await expect(page.locator("h1")).to_have_text("Sức khỏe hệ thống")


async def test_printing_a_case_leaves_the_frame_out(console: Console, browser_page: OpenPage) -> None:
    case = await console.a_case("in_progress")
    page = await console.sign_in(await browser_page(), "can-bo")
    await page.goto(f"{console.url}/cases/{case.id}")
    await page.emulate_media(media="print")
    await expect(page.locator(".navbar-vertical")).to_be_hidden()
    await expect(page.locator(".case-actions")).to_be_hidden()
    await expect(page.locator("#thread")).to_be_visible()


async def test_photos_chosen_together_go_up_one_by_one(
    console: Console, browser_page: OpenPage, tmp_path: Path
) -> None:
    from PIL import Image

    case = await console.a_case("in_progress")
    photos = [tmp_path / f"{n}.png" for n in range(3)]
    for photo in photos:
        Image.new("RGB", (80, 60), "green").save(photo)
    page = await console.sign_in(await browser_page(), "can-bo")
    await page.goto(f"{console.url}/cases/{case.id}")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    await page.set_input_files("#files", photos)
    await expect(page.locator(".upload-chip")).to_have_count(3)
    assert [url for url in sent if url.endswith("/files")] == [f"{console.url}/cases/{case.id}/files"] * 3
    assert await page.locator("#files").evaluate("input => input.files.length") == 0


async def test_every_view_and_every_tab_is_in_sight(console: Console, browser_page: OpenPage) -> None:
    case = await console.a_case("in_progress")
    page = await console.sign_in(await browser_page(ViewportSize(width=1400, height=900)), "lanh-dao")
    await expect(page.locator(".inbox-view").last).to_be_in_viewport(ratio=1)
    assert await page.locator(".inbox-views").evaluate("row => row.scrollWidth <= row.clientWidth")
    head = await console.sign_in(await browser_page(ViewportSize(width=1400, height=900)), "truong-phong")
    await head.goto(f"{console.url}/cases/{case.id}")
    header = head.locator(".case-actions .card-header")
    assert await header.evaluate("row => row.scrollWidth <= row.clientWidth")
    inside = "tab => tab.getBoundingClientRect().right <= tab.closest('.card').getBoundingClientRect().right"
    assert await head.locator("#tab-refuse").evaluate(inside)


async def test_news_that_comes_while_the_list_is_fetched_is_not_lost(console: Console, browser_page: OpenPage) -> None:
    page = await console.sign_in(await browser_page(), "can-bo")
    asked, held = asyncio.Semaphore(0), asyncio.Event()

    async def hold(route: Route) -> None:
        if route.request.headers.get("x-live") != "1":
            await route.continue_()
            return
        asked.release()
        answer = await route.fetch()  # the server has answered with what it knew by now
        await held.wait()
        await route.fulfill(response=answer)

    await page.route("**/*", hold)
    await expect(page.locator("#cases")).to_be_visible()
    await page.evaluate("heard = 0; document.addEventListener('htmx:sseMessage', () => { heard += 1; }); 0")
    async with asyncio.timeout(30):
        while asked.locked():  # until the page listens, and its first question is on its way
            await console.runtime.queue.announce("cases")
            await asyncio.sleep(1)
        await asked.acquire()
        before = await page.evaluate("heard")
        while await page.evaluate("heard") == before:
            await console.runtime.queue.announce("cases")
            await asyncio.sleep(0.1)
        held.set()
        await asked.acquire()
