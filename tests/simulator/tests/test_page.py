"""The page in a real browser: a citizen and an office talk, with every kind of message on the screen."""

import re

import pytest
from playwright.async_api import FilePayload, Locator, ViewportSize, expect

from tests.servers.browser_fixtures import OpenPage
from tests.simulator.__main__ import DEFAULT_ACCOUNTS, PHONES
from tests.simulator.pictures import scene
from tests.simulator.tests.conftest import BUSINESS, STATE, Json, Town

pytestmark = pytest.mark.browser
BUTTONS = [
    {"title": "Xem tiến độ", "type": "oa.query.show", "payload": "#tiendo PA-0012"},
    {"title": "Trang của xã", "type": "oa.open.url", "payload": {"url": "https://thanhoai.example/<script>"}},
]
CONTACT = {"template_type": "request_user_info", "elements": [{"title": "Xin số điện thoại", "subtitle": "Để gọi lại"}]}


async def people(town: Town) -> None:
    for user_id, letter in PHONES:
        await town.simulator.verbs.phone(name=f"Công dân Thử Nghiệm {letter}", user_id=user_id)


async def office_sends(town: Town, message: Json) -> None:
    phone = await town.simulator.phone(STATE, user_id=PHONES[0][0])
    assert (await town.send(phone, message))["error"] == 0


async def last(phone: Locator, sender: str) -> Locator:
    message = phone.locator(f"[data-testid=message][data-from={sender}]").last
    await expect(message).to_be_visible()
    return message


async def test_a_citizen_and_an_office_talk(town: Town, browser_page: OpenPage) -> None:
    await people(town)
    page = await browser_page(ViewportSize(width=1400, height=900))
    await page.goto(town.simulator.url)
    await expect(page.get_by_test_id("live")).to_have_attribute("data-live", "yes")
    one = page.get_by_test_id("phone-1")
    await expect(one.get_by_test_id("oa")).to_have_value(STATE)
    tops = [await page.get_by_test_id(f"phone-{number}").evaluate("e => e.offsetTop") for number in (1, 2, 3)]
    assert len(set(tops)) == 1, "three phones stand side by side"

    await one.get_by_test_id("follow").click()
    await expect(one.get_by_test_id("follow")).to_have_attribute("data-following", "yes")
    await one.get_by_test_id("input").fill("<b>Đường hỏng</b>")
    await one.get_by_test_id("send").click()
    await expect((await last(one, "user")).get_by_test_id("words")).to_have_text("<b>Đường hỏng</b>")
    await one.get_by_test_id("photo-3").click()
    await expect(one.get_by_test_id("image")).to_have_count(3)
    for mark in ("place", "voice", "video", "sticker", "gif", "file", "card", "link"):
        await one.get_by_test_id(mark).click()
    await expect(one.get_by_test_id("message")).to_have_count(12)
    await town.receiver.wait_for("user_send_link")

    payload = {"template_type": "button", "buttons": BUTTONS}
    await office_sends(town, {"text": "Chọn việc", "attachment": {"type": "template", "payload": payload}})
    told = await last(one, "oa")
    await expect(told).to_have_attribute("data-seen", "yes")
    await told.locator("[data-testid=button][data-payload='#tiendo PA-0012']").click()
    await expect((await last(one, "user")).get_by_test_id("words")).to_have_text("#tiendo PA-0012")
    await one.get_by_test_id("button").last.click()
    await expect(one.get_by_test_id("opened-link")).to_have_text("https://thanhoai.example/<script>")

    await office_sends(town, {"attachment": {"type": "template", "payload": CONTACT}})
    await one.get_by_test_id("share-phone-request").click()
    await town.receiver.wait_for("user_submit_info")

    await one.get_by_test_id("staff-input").fill("Mai xã cho người sửa")
    await one.get_by_test_id("staff-send").click()
    answer = await last(one, "oa")
    await expect(answer.get_by_test_id("words")).to_have_text("Mai xã cho người sửa")
    await answer.hover()
    await answer.get_by_test_id("reply").click()
    await one.get_by_test_id("input").fill("Cảm ơn")
    await one.get_by_test_id("input").press("Enter")
    await expect((await last(one, "user")).locator("blockquote")).to_have_text("Mai xã cho người sửa")

    await one.get_by_test_id("image").first.click()
    await expect(page.get_by_test_id("viewer")).to_be_visible()
    await page.keyboard.press("Escape")

    await one.get_by_test_id("block").click()
    await expect(one.get_by_test_id("block")).to_have_attribute("data-blocked", "yes")
    await one.get_by_test_id("sticker").click()
    await expect(one.get_by_test_id("notice")).to_contain_text("đã chặn")


async def test_own_photos_and_another_oa(town: Town, browser_page: OpenPage) -> None:
    await people(town)
    page = await browser_page()
    await page.goto(town.simulator.url)
    two = page.get_by_test_id("phone-2")
    await two.get_by_test_id("oa").select_option(BUSINESS)
    photo = FilePayload(name="anh.png", mimeType="image/png", buffer=scene("canh-dong"))
    await two.get_by_test_id("upload-photo").set_input_files([photo])
    await expect(two.get_by_test_id("image")).to_have_count(1)
    [hook] = await town.receiver.wait_for("user_send_image")
    assert hook.event["recipient"]["id"] == BUSINESS
    await page.reload()
    await expect(page.get_by_test_id("phone-2").get_by_test_id("oa")).to_have_value(BUSINESS)


async def test_the_panel_sets_faults_and_shows_the_log(town: Town, browser_page: OpenPage) -> None:
    await people(town)
    page = await browser_page()
    await page.goto(town.simulator.url)
    await page.get_by_test_id("fault-count").fill("2")
    await page.get_by_test_id("fault-oa").select_option(STATE)
    await page.get_by_test_id("fault-rate_limited").click()
    await expect(page.get_by_test_id("off-rate_limited")).to_be_visible()
    [fault] = town.simulator.provider.faults.view()
    assert (fault["kind"], fault["count"], fault["oa_id"]) == ("rate_limited", 2, STATE)
    await town.ask(STATE, "/v2.0/oa/getoa")
    await page.get_by_test_id("clear-faults").click()
    await expect(page.get_by_test_id("off-rate_limited")).to_have_count(0)
    await page.get_by_test_id("tab-console").click()
    console = page.get_by_test_id(f"console-{STATE}")
    await console.get_by_test_id("test-button").click()
    await expect(console.get_by_role("status")).to_contain_text("200")
    await console.get_by_test_id("webhook-switch").click()
    await expect(console.get_by_test_id("webhook-state")).to_have_text("Webhook đã tắt")
    await page.get_by_test_id("tab-logs").click()
    await expect(page.get_by_test_id("calls").get_by_test_id("log-entry")).to_contain_text("-32")
    await expect(page.get_by_test_id("deliveries").get_by_test_id("log-entry")).to_contain_text("user_send_text")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_a_small_phone_needs_no_sideways_scrolling(town: Town, browser_page: OpenPage, dark: bool) -> None:
    await people(town)
    assert len(DEFAULT_ACCOUNTS) == 2
    phone = await town.simulator.phone(STATE, user_id=PHONES[0][0])
    await phone.say("dài" * 200)
    page = await browser_page(ViewportSize(width=360, height=740), dark=dark)
    await page.goto(town.simulator.url)
    await expect(page.get_by_test_id("phone-1").get_by_test_id("message")).to_have_count(1)
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    for tab in ("console", "logs"):
        await page.get_by_test_id(f"tab-{tab}").click()
        await expect(page.get_by_test_id(f"panel-{tab}")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") == 360
    await page.get_by_test_id("new-name").fill("Công dân D")
    await page.get_by_test_id("add-phone").click()
    await expect(page.get_by_test_id("phone-4")).to_contain_text(re.compile("Công dân D"))
