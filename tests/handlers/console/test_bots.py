"""Bots in the console: connected by their token, shown with how their updates come in, given a new token."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.config import Settings
from bot.runtime import opened
from bot.store import accounts, credentials, receptions
from bot.store.accounts import AccountRow
from handlers.app import build_app
from jobs.keep_webhooks import keep_webhooks
from tests import commune
from tests.handlers.console.visitor import Office, Visitor
from tests.runtime_fixtures import Clock
from tests.simulator.simulator import Simulator

BOT = "7000000001"
TOKEN = f"{BOT}:console-not-a-real-token"


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as it:
        await it.add_bot(TOKEN, "Bot xã <b>Thanh</b> Oai", username="thanhoai_bot")
        yield it


@pytest.fixture
async def office(settings: Settings, simulator: Simulator, clock: Clock) -> AsyncIterator[Office]:
    mine = replace(settings, telegram=replace(settings.telegram, api_url=simulator.url))
    async with opened(mine, clock) as runtime:
        async with runtime.units_of_work() as uow:
            await commune.build(uow)
        async with TestClient(TestServer(build_app(runtime))) as client:
            yield Office(runtime, client, clock)


async def admin(office: Office) -> Visitor:
    return await office.enter("admin")


async def bot(office: Office) -> AccountRow | None:
    async with office.runtime.database.reading() as session:
        return await accounts.by_external_id(session, "telegram", BOT)


async def added(office: Office, mode: str = "webhook") -> Visitor:
    visitor = await admin(office)
    fields = {"token": f" {TOKEN} ", "name": "", "unit_id": "commune", "mode": mode}
    answer = await visitor.post("/admin/accounts/bots", fields)
    assert answer.headers["Location"] == "/admin/accounts?done=added"
    return visitor


async def test_a_bot_is_connected_and_its_token_kept_secret(office: Office) -> None:
    visitor = await added(office)
    row = await bot(office)
    assert row is not None
    assert (row.name, row.learnt["mode"], row.learnt["username"]) == (
        "Bot xã <b>Thanh</b> Oai", "webhook", "thanhoai_bot",
    )  # fmt: skip
    async with office.runtime.database.reading() as session:
        kept = await credentials.credential(session, row.id)
    assert kept is not None
    assert kept.refresh_token is None
    assert TOKEN.encode() not in (kept.access_token or b"")
    assert len(office.runtime.accounts.webhook_keys("telegram")[BOT]) >= 32
    page = await visitor.page("/admin/accounts")
    assert "Bot xã &lt;b&gt;Thanh&lt;/b&gt; Oai" in page
    assert "@thanhoai_bot" in page
    assert "Đang thiết lập" in page
    assert TOKEN not in page


async def test_the_state_of_the_webhook_is_shown(office: Office, simulator: Simulator) -> None:
    visitor = await added(office)
    assert await keep_webhooks(office.runtime) == 1
    page = await visitor.page("/admin/accounts")
    assert "Webhook đã đặt" in page
    assert "Tin cuối từ Telegram" in page
    row = await bot(office)
    assert row is not None
    async with office.runtime.units_of_work() as uow:
        reception = await receptions.begin(uow.session, row.id)
        reception.waiting, reception.reported = 7, "Connection refused"
        reception.reported_at = office.clock.now - timedelta(minutes=2)
    page = await visitor.page("/admin/accounts")
    assert "Telegram không kết nối được đến dịch vụ" in page
    assert "<dd>7</dd>" in page
    assert "Telegram chưa chuyển được 7 tin" in await visitor.page("/health")
    await simulator.telegram_verbs.fault(kind="error_any", code=400, description="Bad Request: bad webhook: HTTPS")
    await keep_webhooks(office.runtime)
    page = await visitor.page("/admin/accounts")
    assert "Telegram không nhận địa chỉ webhook" in page
    assert "không nhận được tin mới" in await visitor.page("/health")


async def test_a_bot_may_be_polled(office: Office) -> None:
    visitor = await added(office, "polling")
    row = await bot(office)
    assert row is not None
    assert row.learnt["mode"] == "polling"
    assert "Dịch vụ tự hỏi Telegram" in await visitor.page("/admin/accounts")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"token": ""}, "Chưa nhập"),
        ({"token": f"{BOT}:sesame"}, "Telegram không nhận mã này"),
        ({"token": "sesame"}, "Telegram không nhận mã này"),
        ({"unit_id": "nowhere"}, "Hãy chọn một đơn vị"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_secret_shown(
    office: Office, change: dict[str, str], words: str
) -> None:
    visitor = await admin(office)
    fields = {"token": TOKEN, "name": "Bot <xã>", "unit_id": "commune", "mode": "polling"}
    answer = await visitor.post("/admin/accounts/bots", fields | change)
    page = await answer.text()
    assert answer.status == 422
    assert words in page
    assert "Bot &lt;xã&gt;" in page
    assert "sesame" not in page
    assert TOKEN not in page
    assert await bot(office) is None


async def test_a_telegram_that_is_silent_and_a_bot_that_is_known(office: Office, simulator: Simulator) -> None:
    visitor = await admin(office)
    fields = {"token": TOKEN, "name": "", "unit_id": "commune", "mode": "webhook"}
    await simulator.telegram_verbs.fault(kind="down", mode="502", count=1)
    assert "Chưa hỏi được Telegram" in await (await visitor.post("/admin/accounts/bots", fields)).text()
    await visitor.post("/admin/accounts/bots", fields)
    assert "đã được thêm" in await (await visitor.post("/admin/accounts/bots", fields)).text()


async def test_a_stopped_bot_gets_a_new_token_of_its_own(office: Office, simulator: Simulator) -> None:
    visitor = await added(office)
    row = await bot(office)
    assert row is not None
    async with office.runtime.units_of_work() as uow:
        await accounts.stop(uow.session, row.id, "bot_token_refused", "Unauthorized", uow.now, asked_at=uow.now)
    page = await visitor.page("/admin/accounts")
    assert "Lấy mã (token) mới của bot" in page
    assert (await visitor.post(f"/admin/accounts/{row.id}/restart")).status == 422
    other = "7000000002:other-not-a-real-token"
    await simulator.add_bot(other, "Bot khác")
    refused = await visitor.post(f"/admin/accounts/{row.id}/token", {"token": other})
    assert "Đây là mã của một bot khác" in await refused.text()
    fresh = f"{BOT}:fresh-not-a-real-token"
    await simulator.telegram_verbs.set_bot(bot_id=BOT, token=fresh)
    refused = await visitor.post(f"/admin/accounts/{row.id}/token", {"token": TOKEN})
    assert "Telegram không nhận mã này" in await refused.text()
    answer = await visitor.post(f"/admin/accounts/{row.id}/token", {"token": fresh})
    assert answer.headers["Location"] == "/admin/accounts?done=connected"
    again = await bot(office)
    assert again is not None
    assert again.state == "active"
    assert (await visitor.post("/admin/accounts/unknown/token", {"token": fresh})).status == 404


async def test_only_administrators_connect_bots(office: Office) -> None:
    visitor = await office.enter("official")
    assert (await visitor.post("/admin/accounts/bots", {"token": TOKEN})).status in {403, 404}
    assert await bot(office) is None
