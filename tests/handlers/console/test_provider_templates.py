"""The page of providers' templates: what stands there, who may look, and asking anew."""

import pytest

from bot.actions import templates
from bot.domain.template import Parameter, TemplateFacts
from bot.store import provider_templates, staff
from bot.store.accounts import AccountRow
from bot.store.broadcasts import BroadcastRow
from bot.store.staff import StaffRoleRow, StaffRow
from tests.handlers.console.test_events import read_until
from tests.handlers.console.visitor import Office

FACTS = TemplateFacts(
    "312396", "Kết quả <hồ sơ>", "ENABLE", "MEDIUM", "TRANSACTION",
    (Parameter("ma_ho_so", longest=30), Parameter("ghi_chu", required=False, shortest=2, longest=9)),
    by_user=True, price_user=90, price_phone=1200,
)  # fmt: skip


@pytest.fixture
async def known(office: Office) -> Office:
    async with office.runtime.units_of_work() as uow:
        await templates.described(uow, "account", FACTS)
        await templates.listed(uow, "account", TemplateFacts("5", "Giấy mời cũ", "DISABLE", "LOW"))
        await templates.allowed(uow, "account", left=499, per_day=500, quality="HIGH")
        for key, unit in (("writer", "commune"), ("elsewhere", "economy")):
            uow.session.add(
                StaffRow(id=key, email=f"{key}@thanhoai.example", name=key, password="-", created_at=uow.now)
            )
            await uow.session.flush()
            uow.session.add(StaffRoleRow(staff_id=key, role="broadcaster", unit_id=unit))
    return office


async def test_everything_about_a_template_stands_there(known: Office) -> None:
    page = await (await known.enter("admin")).page("/admin/templates")
    for words in (
        "Kết quả &lt;hồ sơ&gt;", "312396", "TRANSACTION", "Được gửi", "Trung bình", "90 đồng", "1.200 đồng", "ma_ho_so",
        "tối đa 30 ký tự", "2–9 ký tự, không bắt buộc", "Giấy mời cũ", "Bị Zalo tắt", "còn 499", "Hỏi lại Zalo ngay",
    ):  # fmt: skip
        assert words in page, words
    assert page.index("Kết quả &lt;hồ sơ&gt;") < page.index("Giấy mời cũ")


async def test_who_writes_announcements_looks_too_but_only_at_their_units(known: Office) -> None:
    page = await (await known.enter("writer")).page("/provider-templates")
    assert "ma_ho_so" in page
    assert 'action="/provider-templates/fetch"' in page
    assert "ma_ho_so" not in await (await known.enter("elsewhere")).page("/provider-templates")
    official = await known.enter("official")
    for path in ("/admin/templates", "/provider-templates"):
        assert (await official.get(path)).status in {403, 404}
        assert (await official.post(f"{path}/fetch")).status in {403, 404}


async def test_asking_anew(known: Office) -> None:
    visitor = await known.enter("writer")
    answer = await visitor.post("/provider-templates/fetch")
    assert answer.headers["Location"] == "/provider-templates?done=asked_provider"
    async with known.runtime.database.reading() as session:
        row = await provider_templates.template(session, "account", "312396")
    assert row is not None
    assert row.fetched_at is None
    page = await visitor.page("/provider-templates?done=asked_provider")
    assert "Đang hỏi Zalo" in page
    assert "đang chờ hỏi Zalo" in page
    assert (await visitor.post("/provider-templates/fetch", csrf="wrong")).status in {400, 403, 422}


async def test_an_open_page_hears_of_news(known: Office) -> None:
    assert (await (await known.enter("official")).get("/events?topics=templates")).status == 404
    for key in ("admin", "writer"):
        answer = await (await known.enter(key)).get("/events?topics=templates")
        await read_until(answer, b"welcome")
        async with known.runtime.units_of_work() as uow:
            await templates.described(uow, "account", FACTS)
        await read_until(answer, b"event: templates\ndata: 1\n\n")
        answer.close()


async def test_why_an_account_has_none(office: Office) -> None:
    visitor = await office.enter("admin")
    assert "Chưa có mẫu tin nào" in await visitor.page("/admin/templates")
    async with office.runtime.units_of_work() as uow:
        await templates.refused(uow, "account", "billing_account_missing")
    page = await visitor.page("/admin/templates")
    assert "OA chưa liên kết tài khoản thanh toán" in page
    assert "Tin trả lời người dân vẫn gửi bình thường" in page


async def test_the_health_page_names_template_and_announcement(known: Office) -> None:
    async with known.runtime.units_of_work() as uow:
        account = await uow.session.get(AccountRow, "account")
        assert account is not None
        uow.session.add(
            BroadcastRow(
                account_id="account", unit_id="commune", way="template_phone", state="paused",
                paused_reason="template_disabled", message={"template_id": "5"}, created_at=uow.now,
            )
        )  # fmt: skip
    page = await (await known.enter("admin")).page("/health")
    assert "mẫu tin “Giấy mời cũ” của UBND xã Thanh Oai không gửi được nữa (Bị Zalo tắt)" in page
    assert "Hãy chờ Zalo duyệt lại mẫu" in page


async def test_the_page_speaks_english(known: Office) -> None:
    async with known.runtime.units_of_work() as uow:
        person = await staff.person(uow.session, "admin")
        assert person is not None
        person.language = "en"
    page = await (await known.enter("admin")).page("/admin/templates")
    for words in ("Zalo templates (ZBS)", "May be sent", "at most 30 characters", "Ask Zalo now"):
        assert words in page, words
