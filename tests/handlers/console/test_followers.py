"""The import of followers on the page of accounts: begun there, its progress, and what became of it in words."""

from datetime import timedelta
from typing import Any

import pytest

from bot import translations
from bot.store import accounts, follower_imports
from bot.store.accounts import AccountRow
from bot.store.follower_imports import FollowerImportRow
from tests.handlers.console.visitor import Office
from tests.runtime_fixtures import APP_ID

BEGIN = "/admin/accounts/account/followers"


async def stands(office: Office, **values: Any) -> None:
    now = office.clock.now
    made: dict[str, Any] = {
        "plan": [{"part": "everybody"}], "told": 12_000, "found": 3_400, "made": 3_000, "begun_at": now,
        "progress_at": now,
    }  # fmt: skip
    async with office.runtime.units_of_work() as uow:
        uow.session.add(FollowerImportRow(account_id="account", **(made | values)))


async def page(office: Office) -> str:
    return " ".join((await (await office.enter("admin")).page("/admin/accounts")).split())


async def test_an_administrator_begins_an_import_once(office: Office) -> None:
    assert office.runtime.settings.zalo.app_id == APP_ID
    visitor = await office.enter("admin")
    assert "Nhập người theo dõi" in await visitor.page("/admin/accounts")
    answer = await visitor.post(BEGIN)
    assert answer.headers["Location"] == "/admin/accounts?done=followers"
    shown = await visitor.page("/admin/accounts?done=followers")
    assert "Đã bắt đầu nhập người theo dõi." in shown
    assert "Đang bắt đầu hỏi Zalo." in shown
    assert f'action="{BEGIN}"' not in shown
    again = await visitor.post(BEGIN)
    assert again.status == 422
    assert "Đang nhập người theo dõi của tài khoản này rồi" in await again.text()
    assert "Bắt đầu nhập người theo dõi" in await visitor.page("/admin/audit")


@pytest.mark.parametrize("who", ["official", "leader", "auditor", "stranger"])
async def test_nobody_else_begins_one(office: Office, who: str) -> None:
    assert (await (await office.enter(who)).post(BEGIN)).status in {403, 404}
    async with office.runtime.database.reading() as session:
        assert await follower_imports.all_imports(session) == {}


async def test_of_accounts_that_do_not_exist_or_tell_nobody_none_is_imported(office: Office) -> None:
    async with office.runtime.units_of_work() as uow:
        uow.session.add(
            AccountRow(
                id="bot", provider="telegram", external_id="7000000001", name="Bot", unit_id="commune",
                created_at=uow.now,
            )
        )  # fmt: skip
    visitor = await office.enter("admin")
    assert (await visitor.post("/admin/accounts/nowhere/followers")).status == 404
    answer = await visitor.post("/admin/accounts/bot/followers")
    assert answer.status == 422
    assert "/admin/accounts/bot/followers" not in await visitor.page("/admin/accounts")


async def test_the_form_needs_its_token(office: Office) -> None:
    answer = await (await office.enter("admin")).post(BEGIN, csrf="wrong")
    assert answer.status in {400, 403, 422}
    async with office.runtime.database.reading() as session:
        assert await follower_imports.all_imports(session) == {}


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"part": "everybody"}, "Đang đọc danh sách chung."),
        ({"part": "tags"}, "Đang hỏi các nhãn của OA."),
        ({"part": "tag", "tag": "Hội <viên>"}, "Đang đọc những người có nhãn “Hội &lt;viên&gt;”."),
        ({"part": "days", "first": "2026-11-20", "last": "2026-11-20"}, "lần cuối ngày 20/11/2026."),
        ({"part": "days", "first": "2026-11-01", "last": "2026-11-16"}, "từ 01/11/2026 đến 16/11/2026."),
    ],
)
async def test_how_far_it_has_come_is_shown(office: Office, step: dict[str, str], words: str) -> None:
    await stands(office, plan=[step])
    shown = await page(office)
    assert "Đã biết 3.400 trên 12.000 người theo dõi, trong đó 3.000 người mới." in shown
    assert words in shown
    assert 'hx-trigger="every 10s"' in shown
    assert "9.951" not in shown


async def test_what_lies_beyond_the_list_is_explained(office: Office) -> None:
    await stands(office, beyond=True, state="done", plan=[], ended_at=office.clock.now, found=11_990)
    shown = await page(office)
    assert "Zalo chỉ cho đọc danh sách chung đến vị trí 9.951" in shown
    assert "Còn 10 người Zalo chưa cho biết." in shown
    assert "Nhập lại người theo dõi" in shown
    assert "every 10s" not in shown


async def test_why_it_does_not_get_on_is_said(office: Office) -> None:
    await stands(office, error="provider_timeout")
    assert "hệ thống sẽ tự thử lại." in await page(office)
    async with office.runtime.units_of_work() as uow:
        await accounts.stop(uow.session, "account", "oa_blocked", "", uow.now, asked_at=uow.now)
    assert "Tạm nghỉ vì tài khoản đang dừng." in await page(office)


@pytest.mark.parametrize(
    ("reason", "words"),
    [("permission_not_granted", "OA chưa cấp quyền này"), ("api_shut_down", "Zalo không cho loại OA này đọc")],
)
async def test_why_it_failed_is_said(office: Office, reason: str, words: str) -> None:
    await stands(office, state="failed", error=reason, plan=[], ended_at=office.clock.now)
    shown = await page(office)
    assert "Không nhập được." in shown
    assert words in shown
    assert f'action="{BEGIN}"' in shown


async def test_it_is_told_in_english_too(office: Office) -> None:
    await stands(office)
    visitor = await office.enter("admin")
    assert (await visitor.post("/me/language", {"language": "en"})).status == 303
    shown = await visitor.page("/admin/accounts")
    assert "3,400 of 12,000 followers are known, 3,000 of them are new." in shown
    assert translations.current() == "vi"


async def test_the_health_page_says_for_how_long_it_has_not_got_on(office: Office) -> None:
    await stands(office, progress_at=office.clock.now - timedelta(minutes=20), error="provider_timeout")
    shown = await (await office.enter("admin")).page("/health")
    assert "việc nhập người theo dõi đã 20 phút không đi tiếp, mới biết 3400 trên 12000 người" in shown
    assert "không ai bị nhập hai lần" in shown
