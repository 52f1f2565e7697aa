"""The fixtures that hand a real Chromium to browser tests."""

from collections.abc import AsyncIterator, Awaitable, Generator
from typing import Protocol

import pytest
from playwright.async_api import Browser, ConsoleMessage, Error, Page, ViewportSize, async_playwright

from tests.servers.chromium import ARGUMENTS, MISSING, find_chromium

DESKTOP = ViewportSize(width=1280, height=800)


class OpenPage(Protocol):
    """Open a page in a browser profile of its own; `problems` gathers script and console errors of all pages."""

    problems: list[str]

    def __call__(self, viewport: ViewportSize = DESKTOP, *, dark: bool = False) -> Awaitable[Page]: ...


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium, or skip the test."""
    return find_chromium() or pytest.skip(MISSING)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give all tests skipped for want of a browser one place, so that the summary says it in one line."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple) and MISSING in report.longrepr[2]:
        report.longrepr = (__file__, 1, report.longrepr[2])
    return report


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Run a Chromium for one test."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def browser_page(browser: Browser) -> AsyncIterator[OpenPage]:
    """Give the test a maker of pages; a script error or a refused resource on any of them fails the test.

    A test that provokes such errors clears `browser_page.problems` before it ends.
    """
    open_page = _Pages(browser)
    yield open_page
    assert open_page.problems == []


class _Pages:
    def __init__(self, browser: Browser) -> None:
        self.problems: list[str] = []
        self._browser = browser

    async def __call__(self, viewport: ViewportSize = DESKTOP, *, dark: bool = False) -> Page:
        context = await self._browser.new_context(
            viewport=viewport,
            color_scheme="dark" if dark else "light",
            locale="vi-VN",
            timezone_id="Asia/Ho_Chi_Minh",
        )
        page = await context.new_page()
        page.on("pageerror", self._note_error)
        page.on("console", self._note_console)
        return page

    def _note_error(self, error: Error) -> None:
        self.problems.append(f"script error: {error.message}")

    def _note_console(self, message: ConsoleMessage) -> None:
        # An answer of 401, 404 or 422 is logged too; the test that asked for it expects it.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.problems.append(f"console: {message.text}")
