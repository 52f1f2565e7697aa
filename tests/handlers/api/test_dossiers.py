"""Pushing statuses of dossiers: what is taken in, what is refused, and what a system may see."""

import json
import unicodedata
from typing import Any

from bot.store.audit import AuditRow
from bot.store.dossier_notices import DossierNoticeRow
from bot.store.dossiers import DossierEventRow, DossierRow
from tests.handlers.api.conftest import BATCH, CODE, System, item

EVENTS = f"/api/v1/dossiers/{CODE}/events"


async def test_a_batch_is_taken_in_item_by_item_and_told_again_it_changes_nothing(system: System) -> None:
    later = item(TrangThaiHoSo="Đang xử lý", ThoiGian="24/11/2026")
    odd = item(MaHoSo="000.00.15.H26-261123-0008", TrangThaiHoSo=10, NgayTra="23/11/2026 08:00", ThoiGian=None)
    answer = await system.push(item(), later, odd, item(MaHoSo="không phải mã"), "chữ", item(TrangThaiHoSo="gì đó"))
    assert answer.status == 200, answer.content
    assert answer.content["received"] == 6
    assert answer.content["counts"] == {"new": 3, "refused": 3}
    results = answer.content["results"]
    assert [each["index"] for each in results] == list(range(6))
    assert [each["result"] for each in results] == ["new", "new", "new", "refused", "refused", "refused"]
    assert [[p["code"] for p in each["problems"]] for each in results[3:]] == [["code"], ["not_an_object"], ["status"]]
    assert results[5]["code"] == CODE
    assert results[3]["problems"][0]["field"] == "MaHoSo"
    assert "000.00.15" in results[3]["problems"][0]["detail"]
    rows = await system.rows(DossierRow)
    assert {(row.code, row.status, row.source) for row in rows} == {
        (CODE, 4, f"api:{system.key_id}"), ("000.00.15.H26-261123-0008", 10, f"api:{system.key_id}"),
    }  # fmt: skip
    assert {row.unit_id for row in rows} == {"commune"}
    mine = next(row for row in rows if row.code == CODE)
    assert mine.applicant is not None
    assert system.runtime.box.open(mine.applicant) == "Nguyễn Văn Mẫu"
    again = await system.push(item(), later, odd)
    assert again.content["counts"] == {"same": 3}
    pushes = [row for row in await system.rows(AuditRow) if row.action == "dossier.push"]
    assert [row.data["key"] for row in pushes] == ["Một cửa"], "one trail for what changed something"


async def test_what_comes_late_and_what_is_odd_is_named_so(system: System) -> None:
    await system.push(item(TrangThaiHoSo=9, ThoiGian="23/11/2026 09:00"))
    older = await system.push(item())
    back = await system.push(item(TrangThaiHoSo=4, ThoiGian="23/11/2026 09:30"))
    told_again = await system.push(item(TrangThaiHoSo=4, ThoiGian="23/11/2026 09:30", LyDo="Xem lại"))
    kinds = [each.content["results"][0]["result"] for each in (older, back, told_again)]
    assert kinds == ["older", "odd", "changed"]


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"ThoiGian": "31/02/2026"}, "ThoiGian", "moment"),
    ({"ThoiGian": "2027-11-25"}, "ThoiGian", "in_future"),
    ({"ThoiGian": "", "TrangThaiHoSo": 4}, "ThoiGian", "required"),
    ({"NgayHenTra": "99/99/2026"}, "NgayHenTra", "moment"),
    ({"TrangThaiHoSo": 11}, "TrangThaiHoSo", "status"),
    ({"TrangThaiHoSo": True}, "TrangThaiHoSo", "type"),
    ({"TrangThaiHoSo": None}, "TrangThaiHoSo", "required"),
    ({"MaHoSo": {"a": 1}}, "MaHoSo", "type"),
    ({"MaHoSo": "000.00.15.H26-261345-0007"}, "MaHoSo", "code"),
    ({"LePhi": -1}, "LePhi", "money"),
    ({"LePhi": 1e300}, "LePhi", "type"),
    ({"ChuHoSo": "a" * 201}, "ChuHoSo", "too_long"),
    ({"ChuHoSo": 10**30}, "ChuHoSo", "too_long"),
    ({"DanhSachGiayTo": ["x"] * 51}, "DanhSachGiayTo", "too_many"),
    ({"MaDonVi": "99999"}, "MaDonVi", "unknown_unit"),
    ({"ThoiGian": "01/06/2025", "MaDonVi": "10183"}, "MaDonVi", "unknown_unit"),
]


async def test_a_bad_item_is_refused_with_the_field_named(system: System) -> None:
    answer = await system.push(*({**item(), **wrong} for wrong, _, _ in WRONG))
    told = [(each["result"], [(p["field"], p["code"]) for p in each["problems"]]) for each in answer.content["results"]]
    assert told == [("refused", [(field, code)]) for _, field, code in WRONG]
    assert await system.rows(DossierRow) == []


async def test_landlines_and_unknown_channels_do_not_keep_an_item_out(system: System) -> None:
    answer = await system.push(item(SoDienThoai="0243 000 0000", KenhThucHien="bồ câu", DonViXuLy="Tổ nào đó"))
    (result,) = answer.content["results"]
    assert result["result"] == "new"
    assert [p["code"] for p in result["problems"]] == ["phone", "channel", "unit_name"]
    (row,) = await system.rows(DossierRow)
    assert row.phone is None


async def test_names_of_the_exchange_are_read_in_every_spelling(system: System) -> None:
    given = {
        "mahoso": " 000.00.15.h26 – 261123 – 0007 ", "TrangThai": "yeu cau bo sung giay to",
        "NgayCapNhat": 20261123083000, "TENTHUTUC": unicodedata.normalize("NFD", "Đăng ký kết hôn"),
        "LinhVuc": "Hộ tịch\x00", "HinhThuc": "Trực tuyến",
        "DanhSachGiayTo": [{"TenGiayTo": "Giấy khai sinh"}, "Ảnh\ud800 thẻ"], "HanBoSung": "05-12-2026",
        "LePhi": "50.000 đồng", "GhiChu": "Thiếu", "LyDo": "Thiếu giấy tờ", "TruongKhac": {"a": [1, {"b": None}]},
        "MaDonVi": "10183.office", "MaBuuGui": "  ",
    }  # fmt: skip
    answer = await system.push(given)
    assert answer.content["counts"] == {"new": 1}, answer.content
    (row,) = await system.rows(DossierRow)
    assert (row.code, row.status, row.unit_id, row.procedure_name, row.field, row.online) == (
        CODE, 5, "office", "Đăng ký kết hôn", "Hộ tịch", True,
    )  # fmt: skip
    assert row.facts == {
        "procedure_name": "Đăng ký kết hôn", "field": "Hộ tịch", "online": True, "reason": "Thiếu giấy tờ",
        "papers": "Giấy khai sinh; Ảnh thẻ", "limit_at": "2026-12-04T17:00:00+00:00", "fee": 50000,
        "unit_code": "10183.office",
    }  # fmt: skip


async def test_a_key_reaches_its_own_branch_and_no_further(system: System) -> None:
    office = await system.other("office")
    police = await system.other("police")
    theirs = await police.push(item())
    assert theirs.content["counts"] == {"new": 1}
    for wrong in (item(), item(MaHoSo="000.00.15.H26-261123-0009", MaDonVi="10183.police")):
        (result,) = (await office.push(wrong)).content["results"]
        assert result["result"] == "refused"
        assert {p["code"] for p in result["problems"]} <= {"foreign_dossier", "foreign_unit"}
    for method, path, body in (("GET", f"/api/v1/dossiers/{CODE}", None), ("POST", EVENTS, item(TrangThaiHoSo=4))):
        answer = await office.call(method, path, body)
        assert (answer.status, answer.problem) == (404, "not_found")
    by_name = await system.push(item(MaHoSo="000.00.15.H26-261123-0010", DonViXuLy="phòng kinh tế"))
    assert by_name.content["counts"] == {"new": 1}
    units = {row.code[-4:]: row.unit_id for row in await system.rows(DossierRow)}
    assert units == {"0007": "police", "0010": "economy"}
    seen = await system.call("GET", f"/api/v1/dossiers/{CODE}")
    assert (seen.status, seen.content["MaDonVi"]) == (200, "10183.police"), "what lies below is seen"


async def test_one_event_of_one_dossier(system: System) -> None:
    given = {name: value for name, value in item().items() if name != "MaHoSo"}
    first = await system.call("POST", "/api/v1/dossiers/000.00.15.h26-261123-0007/events", given)
    assert (first.status, first.content) == (200, {"code": CODE, "result": "new", "problems": []})
    other = await system.call("POST", EVENTS, item(MaHoSo="000.00.15.H26-261123-0008"))
    assert (other.status, other.problem) == (422, "invalid")
    assert [(e["pointer"], e["code"]) for e in other.content["errors"]] == [("/MaHoSo", "other_code")]
    wrong = await system.call("POST", EVENTS, {"TrangThaiHoSo": 12})
    assert [(e["pointer"], e["code"]) for e in wrong.content["errors"]] == [
        ("/TrangThaiHoSo", "status"), ("/ThoiGian", "required"),
    ]  # fmt: skip
    assert (await system.call("POST", "/api/v1/dossiers/PA-7K3M9/events", given)).problem == "not_found"
    assert len(await system.rows(DossierEventRow)) == 1


async def test_a_system_sees_how_a_dossier_stands_and_nobody_in_full(system: System) -> None:
    await system.push(item())
    await system.push(
        item(TrangThaiHoSo=5, ThoiGian="2026-11-23T08:45:00+07:00", LyDo="Gọi 0900000002", SoDienThoai="")
    )
    seen = (await system.call("GET", f"/api/v1/dossiers/{CODE}")).content
    assert (seen["MaHoSo"], seen["TrangThaiHoSo"], seen["TenTrangThai"]) == (CODE, 5, "Yêu cầu bổ sung giấy tờ")
    assert (seen["ThoiGian"], seen["NgayHenTra"]) == ("2026-11-23T01:45:00Z", "2026-11-30T10:00:00Z")
    assert (seen["ChuHoSo"], seen["SoDienThoai"]) == ("N. V. M.", "0900•••001")
    assert [(e["TrangThaiHoSo"], e["own"]) for e in seen["events"]] == [(2, True), (5, True)]
    assert seen["events"][1]["facts"]["LyDo"] == "Gọi 0900000002"
    kinds = {row.kind for row in await system.rows(DossierNoticeRow)}
    assert kinds == {"accepted", "supplement"} == {notice["kind"] for notice in seen["notices"]}
    other = await system.other("commune", "Cổng khác")
    theirs = (await other.call("GET", f"/api/v1/dossiers/{CODE}")).content
    assert (theirs["ChuHoSo"], theirs["SoDienThoai"]) == (None, None), "it has named nobody itself"
    assert "0900000002" not in json.dumps(theirs)
    missing = await system.call("GET", "/api/v1/dossiers/000.00.15.H26-261123-0099")
    assert missing.problem == "not_found"


async def test_who_tells_one_fact_more_does_not_make_anothers_event_its_own(system: System) -> None:
    other = await system.other("commune", "Cổng khác")
    await system.push(item(LyDo="Gọi 0900000002"))
    assert (await other.push(item(LePhi=20000))).content["counts"] == {"changed": 1}
    theirs = (await other.call("GET", f"/api/v1/dossiers/{CODE}")).content
    assert [event["own"] for event in theirs["events"]] == [False]
    assert "0900000002" not in json.dumps(theirs)
    assert theirs["ChuHoSo"] is None
    mine = (await system.call("GET", f"/api/v1/dossiers/{CODE}")).content
    assert [(event["own"], event["facts"]["LePhi"]) for event in mine["events"]] == [(True, 20000)]


async def test_what_is_no_batch_is_refused_whole(system: System) -> None:
    bodies: list[tuple[Any, str]] = [
        ([], ""), ({}, "/items"), ({"items": {}}, "/items"), ({"items": []}, "/items"),
        ({"items": [1] * 1001}, "/items"), ("chữ", ""),
    ]  # fmt: skip
    for body, pointer in bodies:
        answer = await system.call("POST", BATCH, body)
        assert (answer.status, answer.problem) == (422, "invalid")
        assert [error["pointer"] for error in answer.content["errors"]] == [pointer]


async def test_a_thousand_items_are_taken(system: System) -> None:
    items = [item(MaHoSo=f"000.00.15.H26-261123-{number:05}") for number in range(1000)]
    answer = await system.push(*items)
    assert answer.content["counts"] == {"new": 1000}
