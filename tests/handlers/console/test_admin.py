"""What administrators keep: accounts, units, staff, rules, calendars, and the log of it all."""

from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import FormData

from bot.channels.channel import AccountInfo, GrantedTokens
from bot.domain.delivery import TemporaryError
from bot.store import accounts, audit, credentials, inbox, staff, units
from bot.store.inbox import InboxRow
from bot.store.staff import StaffRoleRow, StaffRow
from bot.store.units import UnitRow
from tests.handlers.console.visitor import Office, Visitor


async def admin(office: Office) -> Visitor:
    return await office.enter("admin")


async def second_commune(office: Office) -> None:
    """Add a commune that the administrator does not look after, with one person."""
    async with office.runtime.units_of_work() as uow:
        since = date(2025, 7, 1)
        uow.session.add(UnitRow(id="other", code="1", name="Xã khác", kind="commune", path="/other/", valid_from=since))
        uow.session.add(StaffRow(id="them", email="them@x.example", name="Họ", password="-", created_at=uow.now))
        await uow.session.flush()
        uow.session.add(StaffRoleRow(staff_id="them", role="official", unit_id="other"))


# accounts


async def test_an_account_added_by_hand_lets_in_what_waited(office: Office) -> None:
    now = office.clock.now
    async with office.runtime.units_of_work() as uow:
        uow.session.add(
            InboxRow(
                provider="zalo", account="998877", event="user_send_text", key="k", contact="c", raw=b"{}",
                state="no_account", next_attempt_at=now, occurred_at=now, received_at=now,
            )
        )  # fmt: skip
    visitor = await admin(office)
    assert 'value="998877"' in await visitor.page("/admin/accounts/new?oa_id=998877")
    fields = {
        "oa_id": "998877", "name": "OA xã", "unit_id": "commune", "kind": "state",
        "access_token": "secret-access", "refresh_token": "secret-refresh", "webhook_key": "secret-key",
    }  # fmt: skip
    answer = await visitor.post("/admin/accounts", fields)
    assert answer.headers["Location"] == "/admin/accounts?done=added"
    async with office.runtime.database.reading() as session:
        row = await accounts.by_external_id(session, "zalo", "998877")
        assert row is not None
        kept = await credentials.credential(session, row.id)
        assert await inbox.open_counts(session) == {"new": 1}
    assert kept is not None
    assert b"secret-access" not in (kept.access_token or b"")
    assert office.runtime.accounts.webhook_keys("zalo")["998877"] == "secret-key"
    page = await visitor.page("/admin/accounts")
    assert "OA xã" in page
    assert "secret" not in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"oa_id": "abc"}, "Chỉ gồm chữ số"),
        ({"unit_id": "nowhere"}, "Hãy chọn một đơn vị"),
        ({"unit_id": "other"}, "Hãy chọn một đơn vị"),
        ({"access_token": ""}, "Chưa nhập"),
        ({"oa_id": "2222333344445555666"}, "đã được thêm"),
        ({"kind": "x"}, "Hãy chọn loại OA"),
    ],
)
async def test_what_is_wrong_with_an_account_is_said_and_nothing_secret_shown(
    office: Office, change: dict[str, str], words: str
) -> None:
    await second_commune(office)
    fields = {
        "oa_id": "998877", "name": "OA <xã>", "unit_id": "commune", "kind": "state", "access_token": "sesame",
        "refresh_token": "sesame", "webhook_key": "sesame",
    }  # fmt: skip
    answer = await (await admin(office)).post("/admin/accounts", fields | change)
    page = await answer.text()
    assert answer.status == 422
    assert words in page
    assert "OA &lt;xã&gt;" in page
    assert "sesame" not in page


async def test_a_stopped_account_is_started_again(office: Office) -> None:
    async with office.runtime.units_of_work() as uow:
        await accounts.stop(uow.session, "account", "oa_blocked", "x", uow.now, asked_at=uow.now)
    visitor = await admin(office)
    assert "Cho hoạt động trở lại" in await visitor.page("/admin/accounts")
    assert (await visitor.post("/admin/accounts/account/restart")).status == 303
    assert "Cho hoạt động trở lại" not in await visitor.page("/admin/accounts")
    assert (await visitor.post("/admin/accounts/unknown/restart")).status == 404


async def test_an_account_whose_grant_died_needs_new_tokens(office: Office) -> None:
    async with office.runtime.units_of_work() as uow:
        await accounts.stop(uow.session, "account", "refresh_token_dead", "Invalid token", uow.now, asked_at=uow.now)
    with_page(office)
    visitor = await admin(office)
    page = await visitor.page("/admin/accounts")
    assert "Cho hoạt động trở lại" not in page
    assert "Cấp quyền lại trên trang của Zalo" in page
    assert "còn đến" not in page
    refused = await visitor.post("/admin/accounts/account/restart")
    assert refused.status == 422
    assert "Cần mã truy cập mới" in await refused.text()
    tokens = {"access_token": "new-access", "refresh_token": ""}
    refused = await visitor.post("/admin/accounts/account/reconnect", tokens)
    assert 'id="error-refresh_token">Chưa nhập' in await refused.text()
    tokens["refresh_token"] = "new-refresh"
    answer = await visitor.post("/admin/accounts/account/reconnect", tokens)
    assert answer.headers["Location"] == "/admin/accounts?done=connected"
    async with office.runtime.database.reading() as session:
        row, kept = await accounts.account(session, "account"), await credentials.credential(session, "account")
    assert row is not None
    assert kept is not None
    assert row.state == "active"
    assert office.runtime.box.open(kept.access_token or b"") == "new-access"
    assert (await visitor.post("/admin/accounts/unknown/reconnect", tokens)).status == 404


class ZaloPage:
    """Stand in for the provider's permission page and what it answers."""

    def __init__(self, office: Office, error: Exception | None = None) -> None:
        self.office = office
        self.error = error
        self.given: list[tuple[str, str]] = []
        self.oauth = self
        self.access_token, self.refresh_token = "new-access", "new-refresh"
        self.expires_at = office.clock.now

    def permission_url(self, redirect_uri: str, state: str, challenge: str = "") -> str:
        return f"https://zalo.example/permission?redirect_uri={redirect_uri}&state={state}&code_challenge={challenge}"

    async def exchange_code(self, code: str, verifier: str = "") -> GrantedTokens:
        self.given.append((code, verifier))
        if self.error is not None:
            raise self.error
        return self

    async def account_info(self, _account: Any) -> AccountInfo:
        return AccountInfo(external_id="445566", name="OA UBND xã", kind="state")


def with_page(office: Office, error: Exception | None = None) -> ZaloPage:
    page = ZaloPage(office, error)
    office.runtime.channels["zalo"] = page  # type: ignore[assignment]  # only the page is asked
    return page


async def begin(visitor: Visitor) -> dict[str, list[str]]:
    answer = await visitor.post("/admin/accounts/connect", {"unit_id": "commune"})
    assert answer.status == 303
    return parse_qs(urlsplit(answer.headers["Location"]).query)


async def test_an_account_is_connected_on_zalos_page(office: Office) -> None:
    zalo = with_page(office)
    visitor = await admin(office)
    sent = await begin(visitor)
    answer = await visitor.get(f"/admin/accounts/connected?code=c0de&oa_id=445566&state={sent['state'][0]}")
    assert answer.headers["Location"] == "/admin/accounts?done=connected"
    [(code, verifier)] = zalo.given
    assert (code, len(verifier)) == ("c0de", 43)
    async with office.runtime.database.reading() as session:
        row = await accounts.by_external_id(session, "zalo", "445566")
    assert row is not None
    assert (row.name, row.unit_id) == ("OA UBND xã", "commune")


async def test_a_callback_that_nobody_asked_for_is_refused(office: Office) -> None:
    zalo = with_page(office)
    visitor, other = await admin(office), await admin(office)
    state = (await begin(visitor))["state"][0]
    for wrong in ("", "a.b.c", state[:-1] + ("0" if state[-1] != "0" else "1"), f"x{state}"):
        assert (await visitor.get(f"/admin/accounts/connected?code=c&oa_id=1&state={wrong}")).status == 422
    assert (await other.get(f"/admin/accounts/connected?code=c&oa_id=1&state={state}")).status == 422
    office.clock.forward(minutes=31)
    assert (await visitor.get(f"/admin/accounts/connected?code=c&oa_id=1&state={state}")).status == 422
    assert zalo.given == []


async def test_a_refusal_of_zalo_is_said_in_words(office: Office) -> None:
    with_page(office, TemporaryError("code_used"))
    visitor = await admin(office)
    state = (await begin(visitor))["state"][0]
    answer = await visitor.get(f"/admin/accounts/connected?code=c&oa_id=1&state={state}")
    assert answer.status == 422
    assert "Zalo từ chối" in await answer.text()


# units


async def test_a_unit_is_added_renamed_and_ended(office: Office) -> None:
    visitor = await admin(office)
    fields = {"parent_id": "commune", "name": "Trạm y tế", "code": "YT", "kind": "division", "valid_from": "2025-07-01"}
    answer = await visitor.post("/admin/units", fields)
    path = urlsplit(answer.headers["Location"]).path
    assert "Trạm y tế" in await visitor.page("/admin/units")
    change = {"name": "Trạm Y tế xã", "kind": "division", "aliases": "Trạm xá; Y tế", "valid_to": "2026-12-31"}
    assert (await visitor.post(path, change)).status == 303
    page = await visitor.page(path)
    assert "Trạm xá; Y tế" in page
    again = await visitor.post("/admin/units", fields)
    assert again.status == 422
    assert "đã được dùng" in await again.text()
    wrong = await visitor.post(path, change | {"valid_to": "2020-01-01"})
    assert "sau ngày bắt đầu" in await wrong.text()


async def test_another_communes_units_are_out_of_reach(office: Office) -> None:
    await second_commune(office)
    visitor = await admin(office)
    assert "Xã khác" not in await visitor.page("/admin/units")
    assert (await visitor.get("/admin/units/other")).status == 404
    for path in ("/admin/units/other", "/admin/units/other/settings", "/admin/units/other/areas"):
        assert (await visitor.post(path, {"name": "x"})).status == 404
    fields = {"parent_id": "other", "name": "x", "code": "x", "kind": "x", "valid_from": "2025-07-01"}
    assert (await visitor.post("/admin/units", fields)).status == 422


async def test_a_units_own_settings(office: Office) -> None:
    visitor = await admin(office)
    fields = {"approval": "no", "phone": "024 1", "fallback": "police", "accept": "120", "normal": ""}
    assert (await visitor.post("/admin/units/commune/settings", fields)).status == 303
    async with office.runtime.database.reading() as session:
        unit = await units.unit(session, "commune")
    assert unit is not None
    assert unit.settings == {"approval": False, "phone": "024 1", "fallback": "police", "limits": {"accept": 120}}
    wrong = await visitor.post("/admin/units/commune/settings", fields | {"accept": "soon"})
    page = await wrong.text()
    assert wrong.status == 422
    assert "số nguyên" in page
    assert 'value="soon"' in page


async def test_villages_and_categories(office: Office) -> None:
    visitor = await admin(office)
    await visitor.post("/admin/units/commune/areas", {"name": "Thôn Mã Kiều", "aliases": "Ma Kieu"})
    page = await visitor.page("/admin/units/commune")
    assert "Thôn Mã Kiều" in page
    assert (await visitor.post("/admin/areas/kim-lam", {"name": "Làng Kim Lâm", "aliases": ""})).status == 303
    assert (await visitor.post("/admin/areas/unknown", {"name": "x"})).status == 404
    new = {"name": "Chợ búa", "code": "cho", "level": "complex", "keywords": "chợ, lấn chiếm", "normal": "960"}
    assert (await visitor.post("/admin/units/commune/categories", new | {"field_work": "1"})).status == 303
    taken = await visitor.post("/admin/units/commune/categories", new)
    assert taken.status == 422
    change = {"category_id": "khac", "name": "Việc khác", "code": "khac", "level": "normal"}
    assert (await visitor.post("/admin/units/commune/categories", change)).status == 303
    async with office.runtime.database.reading() as session:
        found = {c.code: c for c in await units.categories(session, "commune")}
    assert found["khac"].name == "Việc khác"
    assert (found["cho"].field_work, found["cho"].limits, found["cho"].level) == (True, {"normal": 960}, "complex")


async def test_units_come_in_from_a_table_with_bad_rows_named(office: Office) -> None:
    await second_commune(office)
    table = (
        "code,name,kind,parent,valid_from,aliases\n"
        "TYT,Trạm y tế,division,10183,2025-07-01,Trạm xá\n"
        ",Không mã,division,10183,2025-07-01,\n"
        "X,Ngày sai,division,10183,hôm qua,\n"
        "Y,Lạc cha,division,99999,2025-07-01,\n"
        "Z,Người ta,division,1,2025-07-01,\n"
    )
    visitor = await admin(office)
    answer = await visitor.upload("/admin/units/import", "don-vi.csv", table.encode(), "file")
    page = await answer.text()
    for words in ("1 đơn vị mới", "4 dòng lỗi", "Dòng 3:", "thiếu mã", "hôm qua", "99999", "ngoài phạm vi"):
        assert words in page, words
    again = await (await visitor.upload("/admin/units/import", "don-vi.csv", table.encode(), "file")).text()
    assert "0 đơn vị mới, 0 thay đổi, 1 như cũ" in again


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"code,name\n1,2\n", "Thiếu cột"), (b"\x00\x01\x02", "Không đọc được"), (b"", "Không đọc được")],
)
async def test_a_file_that_is_no_table_of_units(office: Office, data: bytes, words: str) -> None:
    answer = await (await admin(office)).upload("/admin/units/import", "x.csv", data, "file")
    assert answer.status == 422
    assert words in await answer.text()


async def test_no_file_at_all(office: Office) -> None:
    answer = await (await admin(office)).post("/admin/units/import", {"file": ""})
    assert answer.status == 422


# staff


async def test_a_person_is_added_and_can_be_cut_off_at_once(office: Office) -> None:
    visitor = await admin(office)
    fields = {
        "email": "Moi@ThanhOai.example", "name": "Người mới", "role": "official", "unit_id": "economy",
        "password": "mật khẩu ban đầu",
    }  # fmt: skip
    answer = await visitor.post("/admin/staff", fields)
    path = urlsplit(answer.headers["Location"]).path
    fresh = await office.enter(path.rsplit("/", 1)[1])
    assert (await fresh.get("/")).status == 200
    assert (await visitor.post(f"{path}/deactivate")).status == 303
    assert (await fresh.get("/")).status == 303
    assert "Đã khoá" in await visitor.page("/admin/staff")
    assert (await visitor.post(f"{path}/activate")).status == 303
    again = await visitor.post("/admin/staff", fields)
    assert "đã có tài khoản" in await again.text()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"email": "not an address"}, "không hợp lệ"),
        ({"name": " "}, "Chưa nhập"),
        ({"role": "king"}, "chọn một vai trò"),
        ({"unit_id": "other"}, "chọn một đơn vị"),
        ({"password": "short"}, "ít nhất 10"),
    ],
)
async def test_what_is_wrong_with_a_new_person(office: Office, change: dict[str, str], words: str) -> None:
    await second_commune(office)
    fields = {"email": "a@b.example", "name": "A", "role": "official", "unit_id": "economy", "password": "mật khẩu dài"}
    answer = await (await admin(office)).post("/admin/staff", fields | change)
    page = await answer.text()
    assert answer.status == 422
    assert words in page
    assert "mật khẩu dài" not in page


async def test_roles_are_given_and_taken(office: Office) -> None:
    visitor = await admin(office)
    fields = {"role": "unit_head", "unit_id": "police"}
    assert (await visitor.post("/admin/staff/official/roles", fields)).status == 303
    assert "Trưởng đơn vị" in await visitor.page("/admin/staff/official")
    assert (await visitor.post("/admin/staff/official/roles/take", fields)).status == 303
    async with office.runtime.database.reading() as session:
        held = [(r.role, r.unit_id) for r in await staff.roles(session, "official")]
    assert held == [("official", "economy")]


async def test_the_last_administrator_stays(office: Office) -> None:
    visitor = await admin(office)
    take = await visitor.post("/admin/staff/admin/roles/take", {"role": "admin", "unit_id": "commune"})
    block = await visitor.post("/admin/staff/admin/deactivate")
    assert (take.status, block.status) == (422, 422)
    assert "quản trị viên cuối cùng" in await block.text()


async def test_people_of_other_communes_are_out_of_reach(office: Office) -> None:
    await second_commune(office)
    visitor = await admin(office)
    assert "them@x.example" not in await visitor.page("/admin/staff")
    for path in ("", "/deactivate", "/activate", "/password", "/roles", "/roles/take"):
        fields = {"password": "mật khẩu dài", "role": "official", "unit_id": "economy"}
        answer = await (visitor.post(f"/admin/staff/them{path}", fields) if path else visitor.get("/admin/staff/them"))
        assert answer.status == 404, path


async def test_a_reset_password_ends_sessions_and_the_second_factor(office: Office) -> None:
    async with office.runtime.units_of_work() as uow:
        person = await staff.person(uow.session, "official")
        assert person is not None
        person.totp = b"x"
    theirs = await office.enter("official")
    answer = await (await admin(office)).post("/admin/staff/official/password", {"password": "mật khẩu mới dài"})
    assert answer.status == 303
    assert (await theirs.get("/")).status == 303
    async with office.runtime.database.reading() as session:
        person = await staff.person(session, "official")
    assert person is not None
    assert person.totp is None


# rules


async def test_rules_are_added_moved_changed_and_removed(office: Office) -> None:
    visitor = await admin(office)
    new = {"unit_id": "commune", "words": "chợ, họp chợ", "target_unit_id": "office", "note": "Chợ"}
    assert (await visitor.post("/admin/rules", new)).status == 303

    async def order() -> list[tuple[str, str]]:
        async with office.runtime.database.reading() as session:
            return [(r.id, r.target_unit_id) for r in await units.routing_rules(session, "commune")]

    added = (await order())[-1][0]
    await visitor.post(f"/admin/rules/{added}/move", {"direction": "up"})
    assert [target for _, target in await order()] == ["economy", "office", "police"]
    await visitor.post(f"/admin/rules/{added}/move", {"direction": "down"})
    await visitor.post(f"/admin/rules/{added}/move", {"direction": "down"})
    assert (await order())[-1][0] == added
    await visitor.post("/admin/rules", new | {"rule_id": added, "target_unit_id": "police"})
    assert (await order())[-1] == (added, "police")
    assert (await visitor.post(f"/admin/rules/{added}/remove")).status == 303
    assert len(await order()) == 2
    assert (await visitor.post("/admin/rules/unknown/remove")).status == 404


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"words": ""}, "ít nhất một điều kiện"),
        ({"target_unit_id": "nowhere"}, "chọn một đơn vị"),
        ({"category_id": "x"}, "chọn một lĩnh vực"),
        ({"area_id": "x"}, "chọn một thôn"),
    ],
)
async def test_what_is_wrong_with_a_rule(office: Office, change: dict[str, str], words: str) -> None:
    fields = {"unit_id": "commune", "words": "chợ", "target_unit_id": "office"}
    answer = await (await admin(office)).post("/admin/rules", fields | change)
    assert answer.status == 422
    assert words in await answer.text()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("den duong thon kim lam hong may hom nay", ("Điện – nước", "Thôn Kim Lâm", "Phòng Kinh tế", "quy tắc 1")),
        ("co danh nhau o ngo 3", ("Công an xã", "có từ “đánh nhau”")),
        ("hôm nay trời đẹp quá", ("Văn phòng", "không quy tắc nào khớp")),
        ("tôi muốn tố cáo ông chủ tịch", ("tố cáo, khiếu nại theo luật",)),
        ("cán bộ một cửa hách dịch, nhũng nhiễu dân", ("chỉ người thanh tra thấy", "thuộc loại hạn chế")),
    ],
)
async def test_what_would_happen_to_a_text(office: Office, text: str, said: tuple[str, ...]) -> None:
    visitor = await admin(office)
    page = await visitor.page(f"/admin/rules/try?unit=commune&text={text.replace(' ', '+')}")
    for words in said:
        assert words in page, words


async def test_trying_a_text_stores_nothing_and_escapes_it(office: Office) -> None:
    visitor = await admin(office)
    page = await visitor.page("/admin/rules/try?unit=commune&text=%3Cscript%3E")
    assert "<script>" not in page
    assert (await visitor.get("/admin/rules/try?unit=commune&text=")).status == 404
    assert (await visitor.get("/admin/rules/try?unit=nowhere&text=x")).status == 404


# calendars


async def test_a_day_off_moves_the_dates_of_open_cases_and_says_so(office: Office) -> None:
    case = await office.make_case()
    assert case.due_at is not None
    visitor = await admin(office)
    fields = {"unit_id": "commune", "year": "2026", "day": "2026-11-25", "name": "Nghỉ bão", "works": "no"}
    assert (await visitor.post("/admin/calendars/days", fields)).status == 303
    moved = await office.case(case.id)
    assert moved.due_at is not None
    assert (moved.due_at - case.due_at).days >= 1
    page = await (await office.enter("official")).page(f"/cases/{case.id}")
    assert "Lịch làm việc thay đổi" in page
    assert "Nghỉ bão" in page
    assert "Nghỉ bão" in await visitor.page("/admin/calendars?unit=commune&year=2026")
    assert (await visitor.post("/admin/calendars/days/remove", fields)).status == 303
    assert (await office.case(case.id)).due_at == case.due_at


async def test_holidays_are_proposed_and_a_year_confirmed(office: Office) -> None:
    visitor = await admin(office)
    assert "chưa được xác nhận" in await visitor.page("/admin/calendars?year=2026")
    fields = {"unit_id": "commune", "year": "2026", "worked_name": "Làm bù"}
    assert (await visitor.post("/admin/calendars/prefill", fields)).status == 303
    page = await visitor.page("/admin/calendars?unit=commune&year=2026")
    assert "02/09/2026" in page
    assert (await visitor.post("/admin/calendars/confirm", fields)).status == 303
    assert "chưa được xác nhận" not in await visitor.page("/admin/calendars?unit=commune&year=2026")
    assert (await visitor.post("/admin/calendars/confirm", fields | {"year": "1900"})).status == 422


async def test_working_hours_are_set_and_nonsense_refused(office: Office) -> None:
    visitor = await admin(office)

    def hours(start: str, end: str) -> FormData:
        form = FormData()
        given = [("csrf", visitor.csrf), ("unit_id", "police"), ("year", "2026"), ("rows", "1")]
        given += [("start-0", start), ("end-0", end), *(("weekdays-0", str(n)) for n in range(7))]
        for name, value in given:
            form.add_field(name, value)
        return form

    assert (await visitor.post("/admin/calendars/hours", hours("00:00", "23:59"))).status == 303
    async with office.runtime.database.reading() as session:
        row = await units.calendar_of(session, "police")
    assert row is not None
    assert row.intervals == [[[0, 1, 2, 3, 4, 5, 6], "00:00", "23:59"]]
    backwards = await visitor.post("/admin/calendars/hours", hours("17:00", "08:00"))
    assert backwards.status == 422
    assert "chạy ngược" in await backwards.text()
    assert (await visitor.post("/admin/calendars/hours", hours("soon", "08:00"))).status == 422
    none = await visitor.post("/admin/calendars/hours", {"unit_id": "police", "rows": "0"})
    assert none.status == 422


async def test_a_date_that_is_none(office: Office) -> None:
    fields = {"unit_id": "commune", "day": "31/02/2026", "name": "x", "works": "no"}
    answer = await (await admin(office)).post("/admin/calendars/days", fields)
    assert answer.status == 422
    assert "Ngày không hợp lệ" in await answer.text()


# the log


async def test_the_log_shows_who_did_what(office: Office) -> None:
    case = await office.make_case()
    await (await office.enter("head")).post(f"/cases/{case.id}/accept")
    visitor = await office.enter("auditor")
    page = await visitor.page("/admin/audit?kind=case")
    assert "Nhận xử lý" in page
    assert "Cán bộ head" in page
    assert case.code in page
    page = await visitor.page("/admin/audit?kind=staff")
    assert case.code not in page
    assert (await visitor.get("/admin/audit?kind=%27--&page=-1")).status == 200


async def test_the_log_never_shows_words_phones_or_passwords(office: Office) -> None:
    case = await office.make_case("Tôi tên Hoà, số 0900000001, đèn đường hỏng")
    visitor = await office.enter("official")
    await visitor.post(f"/cases/{case.id}/answer", {"text": "Đã thay bóng đèn mới từ tối nay."})
    async with office.runtime.database.reading() as session:
        rows = await audit.latest(session, 100)
    written = " ".join(str(row.data) for row in rows)
    for secret in ("0900000001", "thay bóng đèn", "đèn đường hỏng"):
        assert secret not in written


# forms that ask for a unit


@pytest.mark.parametrize(
    ("page", "form", "field"),
    [
        ("/admin/staff", "/admin/staff", "unit_id"),
        ("/admin/staff/official", "/admin/staff/official/roles", "unit_id"),
        ("/admin/accounts/new", "/admin/accounts", "unit_id"),
        ("/admin/accounts", "/admin/accounts/connect", "unit_id"),
        ("/admin/units", "/admin/units", "parent_id"),
        ("/admin/rules", "/admin/rules", "target_unit_id"),
    ],
)
async def test_no_unit_is_chosen_for_the_administrator(office: Office, page: str, form: str, field: str) -> None:
    with_page(office)
    visitor = await admin(office)
    select = (await visitor.page(page)).rsplit(f' name="{field}"', 1)[1].split("</select>")[0]
    assert "required" in select.split(">")[0]
    assert select.split("<option", 2)[1].startswith(' value="">— Chọn đơn vị —')
    assert " selected" not in select
    fields = {
        field: "", "email": "a@b.example", "name": "A", "role": "official", "password": "mật khẩu dài", "code": "A",
        "kind": "division", "valid_from": "2025-07-01", "words": "chợ",
    }  # fmt: skip
    if form == "/admin/rules":
        fields["unit_id"] = "commune"
    answer = await visitor.post(form, fields)
    assert answer.status == 422
    assert f'id="error-{field}">Hãy chọn một đơn vị trong danh sách.' in await answer.text()
