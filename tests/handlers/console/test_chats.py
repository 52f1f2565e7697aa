"""Linking chats in the console: codes shown once, by whom they may be made, and what is shown of what is linked."""

import re

import pytest

from bot.actions import contacts, official_links
from bot.actions.official_links import Redeemed
from bot.store import accounts, links, staff
from bot.store.accounts import AccountRow
from tests.handlers.console.visitor import Office
from tests.servers import cheap_passwords

PASSWORD = "mật khẩu cũ dài"
CODE = re.compile(r"LK-[2-9A-HJ-NP-Z]{8}")


@pytest.fixture
async def desk(office: Office) -> Office:
    async with office.runtime.units_of_work() as uow:
        uow.session.add(
            AccountRow(
                id="bot",
                provider="telegram",
                external_id="7000000001",
                name="Bot xã",
                unit_id="commune",
                learnt={"username": "loa_bot"},
                created_at=uow.now,
            )
        )
        for key in ("official", "head"):
            person = await staff.person(uow.session, key)
            assert person is not None
            person.password = cheap_passwords.hashed(PASSWORD)
    return office


async def redeem(desk: Office, code: str, chat: str, kind: str = "person") -> Redeemed:
    async with desk.runtime.units_of_work() as uow:
        account = await accounts.account(uow.session, "bot")
        assert account is not None
        contact = await contacts.met(uow, account, chat, interacts=True, kind=kind)
        return await official_links.redeem(uow, desk.runtime.box, account, contact, code)


async def test_nothing_is_offered_where_no_account_can(office: Office) -> None:
    visitor = await office.enter("head")
    assert "Làm việc trên điện thoại" not in await visitor.page("/me")


async def test_a_code_is_shown_once_and_links_the_chat(desk: Office) -> None:
    visitor = await desk.enter("official")
    answer = await visitor.post("/me/link", {"current": PASSWORD})
    text = await answer.text()
    found = CODE.search(text)
    assert answer.status == 200
    assert found
    assert f"https://t.me/loa_bot?start={found[0]}" in text
    assert not CODE.search(await visitor.page("/me"))
    assert await redeem(desk, found[0], "5000") is Redeemed.LINKED
    page = await visitor.page("/me")
    assert "nối từ" in page
    assert (await visitor.post("/me/link/end")).headers["Location"] == "/me?done=unlinked"
    assert "nối từ" not in await visitor.page("/me?done=unlinked")
    async with desk.runtime.database.reading() as session:
        assert await links.official(session, "bot", "5000") is None


async def test_a_stolen_session_links_nothing(desk: Office) -> None:
    visitor = await desk.enter("official")
    answer = await visitor.post("/me/link", {"current": "wrong"})
    assert answer.status == 422
    assert not CODE.search(await answer.text())


@pytest.mark.parametrize(("key", "unit", "status"), [
    ("head", "economy", 200), ("head", "police", 422), ("head", "nowhere", 422), ("leader", "police", 200),
    ("official", "economy", 403), ("inspector", "economy", 403), ("auditor", "economy", 403), ("admin", "police", 403),
])  # fmt: skip
async def test_only_whoever_leads_a_unit_gives_it_a_group(desk: Office, key: str, unit: str, status: int) -> None:
    visitor = await desk.enter(key)
    answer = await visitor.post("/me/groups", {"unit_id": unit})
    assert answer.status == status
    assert bool(CODE.search(await answer.text())) is (status == 200)
    assert ("Nhóm chat của đơn vị" in await visitor.page("/me")) is (status != 403)


async def test_a_group_is_shown_and_removed(desk: Office) -> None:
    head, admin, stranger = await desk.enter("head"), await desk.enter("admin"), await desk.enter("stranger")
    found = CODE.search(await (await head.post("/me/groups", {"unit_id": "economy"})).text())
    assert found
    assert await redeem(desk, found[0], "-100", "group") is Redeemed.LINKED
    assert "Bỏ nhóm" in await head.page("/me")
    assert "Bỏ nhóm" in await admin.page("/admin/units/economy")
    assert (await stranger.post("/units/economy/groups/remove")).status == 403
    assert (await head.post("/admin/units/economy/groups/remove")).status == 403
    answer = await admin.post("/admin/units/economy/groups/remove")
    assert answer.headers["Location"] == "/admin/units/economy?done=group_removed"
    assert "Bỏ nhóm" not in await head.page("/me")
    assert "Đã bỏ nhóm" in await admin.page("/admin/units/economy?done=group_removed")


async def test_the_head_of_one_unit_removes_no_other_units_group(desk: Office) -> None:
    head = await desk.enter("head")
    assert (await head.post("/units/police/groups/remove")).status == 403
    assert (await head.post("/units/nowhere/groups/remove")).status == 404


async def test_every_link_stands_in_the_log_and_the_code_does_not(desk: Office) -> None:
    visitor, auditor = await desk.enter("official"), await desk.enter("auditor")
    found = CODE.search(await (await visitor.post("/me/link", {"current": PASSWORD})).text())
    assert found
    await redeem(desk, found[0], "5000")
    await visitor.post("/me/link/end")
    page = await auditor.page("/admin/audit?kind=link")
    for words in ("Lấy mã nối chat", "Nối chat của cán bộ", "Thôi nối chat của cán bộ", "telegram"):
        assert words in page
    assert found[0] not in page


async def test_the_page_speaks_english(desk: Office) -> None:
    visitor = await desk.enter("head")
    await visitor.post("/me/language", {"language": "en"})
    page = await visitor.page("/me")
    assert "Working on the phone" in page
    assert "Group chats of units" in page


async def test_an_administrators_reset_cuts_every_chat_off(desk: Office) -> None:
    from bot.actions import staff as actions

    visitor = await desk.enter("official")
    found = CODE.search(await (await visitor.post("/me/link", {"current": PASSWORD})).text())
    assert found
    await redeem(desk, found[0], "5000")
    async with desk.runtime.units_of_work() as uow:
        await actions.set_password(uow, "official", "-", reset=True)
    async with desk.runtime.database.reading() as session:
        assert await links.official(session, "bot", "5000") is None
