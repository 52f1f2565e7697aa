"""The list of work."""

import re

from bot.actions import work_case
from bot.store import accounts
from bot.store.unit_of_work import Actor
from tests.handlers.console.visitor import Office


def codes(page: str) -> list[str]:
    return re.findall(r'class="case-code"[^>]*>([^<]+)<', page)


async def test_work_is_ordered_by_what_is_due_first(office: Office) -> None:
    first = await office.make_case("Đèn đường thôn Kim Lâm không sáng")
    office.clock.forward(hours=2)
    second = await office.make_case("Cột điện nghiêng sắp đổ ở ngõ 3")
    page = await (await office.enter("official")).page("/")
    assert codes(page) == [first.code, second.code]
    assert "Còn 5 ngày làm việc" in page or "Còn 4 ngày làm việc" in page


async def test_all_cases_together_are_listed_by_what_happened_last(office: Office) -> None:
    first = await office.make_case("Đèn đường thôn Kim Lâm không sáng")
    office.clock.forward(hours=2)
    second = await office.make_case("Cột điện nghiêng sắp đổ ở ngõ 3")
    visitor = await office.enter("official")
    assert codes(await visitor.page("/?view=all")) == [second.code, first.code]
    assert codes(await visitor.page("/?view=all&q=den")) == [first.code]


async def test_only_ones_own_units_are_listed(office: Office) -> None:
    case = await office.make_case()
    assert case.unit_id == "economy"
    assert codes(await (await office.enter("stranger")).page("/")) == []
    assert codes(await (await office.enter("leader")).page("/")) == [case.code]


async def test_reports_about_conduct_are_listed_for_inspectors_alone(office: Office) -> None:
    case = await office.make_case("Cán bộ một cửa hách dịch với dân", "thai-do-can-bo")
    assert case.restricted
    for key in ("official", "head", "leader", "auditor"):
        page = await (await office.enter(key)).page("/?view=all&q=hach+dich")
        assert codes(page) == [], key
        assert case.code not in page
    assert codes(await (await office.enter("inspector")).page("/")) == [case.code]


async def test_search_finds_with_and_without_accents_and_by_code(office: Office) -> None:
    case = await office.make_case("Ổ gà lớn trước cổng trường Kim Bài", "ha-tang", place="cổng trường")
    other = await office.make_case("Mất nước sạch hai ngày", citizen="1")
    visitor = await office.enter("leader")
    for words in ("ổ gà", "o ga", "TRUONG kim bai", case.code, case.code.lower().replace("-", " ")):
        page = await visitor.page(f"/?q={words.replace(' ', '+')}")
        assert codes(page) == [case.code], words
    assert codes(await visitor.page("/?q=nuoc")) == [other.code]
    assert "Không tìm thấy phản ánh nào" in await visitor.page("/?q=khong+co+gi")


async def test_search_takes_anything_a_person_may_type(office: Office) -> None:
    await office.make_case()
    visitor = await office.enter("leader")
    for words in ("%25", "_", "';--", "%22%3E%3Cscript%3E", "x" * 500, "%F0%9F%98%80", "%C3%28"):
        page = await visitor.page(f"/?q={words}")
        assert "<script>" not in page


async def test_views_and_their_counts(office: Office) -> None:
    visitor = await office.enter("official")
    mine = await office.make_case("Đèn đường hỏng ngõ 1")
    await office.make_case("Đèn đường hỏng ngõ 2", citizen="1")
    async with office.runtime.units_of_work(Actor("staff", "official", "A")) as uow:
        await work_case.accept(uow, mine.id)
    office.clock.forward(days=30)
    visitor = await office.enter("official")
    page = await visitor.page("/?view=mine")
    assert codes(page) == [mine.code]
    counts = re.findall(r'class="inbox-count">(\d+)<', page)
    assert counts == ["1", "2", "0", "0", "2"]
    assert len(codes(await visitor.page("/?view=overdue"))) == 2
    assert "Quá hạn" in page
    assert codes(await visitor.page("/?view=approve")) == []
    assert len(codes(await visitor.page("/?view=nonsense"))) == 2


async def test_filters_stand_in_the_address(office: Office) -> None:
    case = await office.make_case("Rác chất đống cạnh mương", "moi-truong")
    await office.make_case("Đèn đường hỏng ngõ 2", citizen="1")
    visitor = await office.enter("leader")
    assert codes(await visitor.page("/?category=moi-truong")) == [case.code]
    assert codes(await visitor.page(f"/?unit={case.unit_id}")) == [case.code]
    assert len(codes(await visitor.page("/?unit=commune"))) == 2
    assert len(codes(await visitor.page("/?unit=unknown&category="))) == 2


async def test_identity_numbers_are_masked(office: Office) -> None:
    await office.make_case("Tôi là Hoà, CCCD 001099012345, đèn đường hỏng")
    page = await (await office.enter("official")).page("/")
    assert "001099012345" not in page
    assert "•••••••••345" in page


async def test_what_citizens_type_breaks_no_page(office: Office) -> None:
    await office.make_case("<img src=x onerror=alert(1)> {{ 7*7 }} {% raw %} đèn hỏng", place="<b>ngõ</b>")
    page = await (await office.enter("official")).page("/")
    assert "<img src=x" not in page
    assert "{{ 7*7 }}" in page
    assert "<b>ngõ" not in page


async def test_pages_of_fifty(office: Office) -> None:
    for number in range(52):
        await office.make_case(f"Đèn đường hỏng ở ngõ số {number}", citizen=str(number))
    visitor = await office.enter("official")
    assert len(codes(await visitor.page("/"))) == 50
    assert len(codes(await visitor.page("/?page=2"))) == 2
    assert codes(await visitor.page("/?page=999999999")) == []
    assert len(codes(await visitor.page("/?page=x"))) == 50


async def test_several_cases_are_handed_over_at_once(office: Office) -> None:
    cases = [await office.make_case(f"Đèn hỏng ngõ {n}", citizen=str(n)) for n in range(3)]
    visitor = await office.enter("head")
    async with office.runtime.units_of_work(Actor("staff", "official", "A")) as uow:
        await work_case.accept(uow, cases[2].id)
    chosen = [f"{case.id}:{case.version}" for case in cases]
    fields = {"case": chosen, "unit_id": "police", "owner_id": "", "reason": "Thuộc địa bàn", "back": "/?view=open"}
    answer = await visitor.post("/cases/assign", fields)
    assert answer.headers["Location"] == "/?view=open&done=assigned&failed=1"
    units = [(await office.case(case.id)).unit_id for case in cases]
    assert units == ["police", "police", "economy"]
    assert "1 phản ánh không chuyển được" in await visitor.page("/?failed=1")


async def test_bulk_reaches_no_case_outside_ones_units(office: Office) -> None:
    case = await office.make_case()
    visitor = await office.enter("stranger")
    fields = {"case": f"{case.id}:1", "unit_id": "police", "reason": "Cho tôi xem", "back": "//evil.example"}
    answer = await visitor.post("/cases/assign", fields)
    assert answer.headers["Location"] == "/?failed=1"
    assert (await office.case(case.id)).unit_id == "economy"


async def test_an_administrator_without_cases_lands_on_health(office: Office) -> None:
    answer = await (await office.enter("admin")).get("/")
    assert answer.headers["Location"] == "/health"


async def test_officials_learn_that_their_channel_stands_still(office: Office) -> None:
    case = await office.make_case()
    visitor = await office.enter("official")
    for path in ("/", f"/cases/{case.id}"):
        assert "Kênh Zalo" not in await visitor.page(path)
    async with office.runtime.units_of_work() as uow:
        await accounts.stop(uow.session, "account", "refresh_token_dead", "x", uow.now, asked_at=uow.now)
    for path in ("/", f"/cases/{case.id}"):
        page = await visitor.page(path)
        assert "Kênh Zalo" in page
        assert "sẽ được gửi khi kênh hoạt động lại" in page
