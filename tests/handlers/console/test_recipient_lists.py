"""Staff upload lists, see what is wrong and where, take out the bad lines, and remove lists."""

import html
import io
import re
from typing import Any

import pytest
from aiohttp import ClientResponse, FormData
from openpyxl import load_workbook
from sqlmodel import col, select

from bot.store.audit import AuditRow
from bot.store.contacts import ContactRow
from bot.store.marks import MarkRow
from bot.store.recipients import ListedRow, RecipientListRow
from bot.store.staff import StaffRoleRow, StaffRow
from jobs.check_lists import check_lists
from tests.bot.sheets.files import OLE, xlsx
from tests.handlers.console.test_events import read_until
from tests.handlers.console.visitor import Office, Visitor

HEADER = ["Họ tên", "Điện thoại", "Số tiền"]
HOME = "/announcements/lists"


async def writer(office: Office, unit: str = "commune") -> Visitor:
    """Sign in somebody who writes announcements of a unit."""
    async with office.runtime.units_of_work() as uow:
        key = f"writer-{unit}"
        email = f"{key}@thanhoai.example"
        uow.session.add(StaffRow(id=key, email=email, name="Cán bộ soạn", password="-", created_at=uow.now))
        await uow.session.flush()
        uow.session.add(StaffRoleRow(staff_id=key, role="broadcaster", unit_id=unit))
    return await office.enter(key)


async def upload(visitor: Visitor, data: bytes, file_name: str = "ds.xlsx", **fields: str) -> ClientResponse:
    form = FormData(quote_fields=False)
    for field, value in {"unit_id": "commune", "name": "Chi trả tháng 12", **fields}.items():
        form.add_field(field, value)
    form.add_field("file", io.BytesIO(data), filename=file_name, content_type="application/octet-stream")
    return await visitor.post(HOME, form, **{"X-CSRF-Token": visitor.csrf})


async def uploaded(visitor: Visitor, data: bytes, **fields: str) -> str:
    answer = await upload(visitor, data, **fields)
    assert answer.status == 303, await answer.text()
    return answer.headers["Location"]


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


async def test_a_good_list_is_checked_and_its_fields_are_shown(office: Office) -> None:
    visitor = await writer(office)
    assert "Chưa có danh sách nào" in await visitor.page(HOME)
    path = await uploaded(visitor, xlsx([HEADER, ["Ví Dụ", "0900000001", 5], ["Thí Dụ", 900000002, 6]]))
    assert "Đang kiểm tra từng dòng" in await visitor.page(path)
    await check_lists(office.runtime)
    page = words(await visitor.page(path))
    assert "Dùng được" in page
    assert "Nhận được thông báo 2 Dòng lỗi, không được gửi 0 Dòng cần lưu ý 1" in page
    assert "{{Họ tên}} , {{Số tiền}}" in page
    assert "3 Điện thoại Số bị mất chữ số 0 ở đầu" in page
    assert "Chi trả tháng 12" in await visitor.page(HOME)
    assert "0900000001" not in page


async def test_errors_of_columns_come_first_and_alone(office: Office) -> None:
    visitor = await writer(office)
    rows: list[list[str | None]] = [["Họ tên", "ho ten", None, "Số tiền"], ["A", "B", "", "=1+1"]]
    path = await uploaded(visitor, xlsx(rows))
    await check_lists(office.runtime)
    page = words(await visitor.page(path))
    assert "Không dùng được" in page
    assert "Trùng tên với cột “Họ tên” (cột A, B)" in page
    assert "Cột C chưa có tên" in page
    assert "Không thấy cột cho biết người nhận" in page
    assert "công thức" not in page


async def test_bad_lines_are_named_by_row_and_column_and_taken_out_with_the_reasons(office: Office) -> None:
    visitor = await writer(office)
    path = await uploaded(visitor, xlsx([HEADER, ["Ví Dụ", "0900000001", 5], [], ["Thí Dụ", "09", "=1+1"]]))
    await check_lists(office.runtime)
    page = words(await visitor.page(path))
    assert "4 Số tiền Ô là công thức. Hãy chép ô rồi dán giá trị (Paste Values)." in page
    assert "4 Điện thoại Không phải là số điện thoại di động." in page
    answer = await visitor.get(f"{path}/bad.xlsx")
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    sheet = load_workbook(io.BytesIO(await answer.read())).active
    assert sheet is not None
    first, second = sheet.iter_rows(values_only=True)
    assert first == (*HEADER, "Lý do lỗi")
    assert second[:2] == ("Thí Dụ", "09")
    assert "Ô là công thức" in str(second[3])
    async with office.runtime.database.reading() as session:
        entries = (await session.exec(select(AuditRow).where(AuditRow.action == "recipient_list.bad_lines"))).all()
    assert [entry.actor_id for entry in entries] == ["writer-commune"]


async def test_files_that_cannot_be_read_say_why_in_either_language(office: Office) -> None:
    visitor = await writer(office)
    path = await uploaded(visitor, OLE + b"\x00" * 600)
    await check_lists(office.runtime)
    assert "Tệp có mật khẩu" in await visitor.page(path)
    await visitor.post("/me/language", {"language": "en"})
    page = words(await visitor.page(path))
    assert "The file has a password" in page
    assert "Lists of recipients" in await visitor.page(HOME)


@pytest.mark.parametrize(
    ("name", "data", "fields", "said"),
    [
        ("ds.docx", b"x", {}, "Hãy chọn tệp xlsx, ods hoặc csv."),
        ("ds.csv", b"", {}, "Tệp không có dòng dữ liệu nào."),
        ("ds.csv", b"x", {"unit_id": "nowhere"}, "Hãy chọn một đơn vị trong danh sách."),
        ("ds.csv", b"x", {"name": "x" * 101}, "tối đa 100 ký tự"),
        ("ds.csv", b"x", {"key_kind": "x"}, "Hãy cho biết cột này"),
    ],
)
async def test_an_upload_that_is_none_is_said_and_nothing_is_kept(
    office: Office, name: str, data: bytes, fields: dict[str, str], said: str
) -> None:
    visitor = await writer(office)
    answer = await upload(visitor, data, name, **fields)
    assert answer.status == 422
    assert said in html.unescape(await answer.text())
    async with office.runtime.database.reading() as session:
        assert (await session.exec(select(RecipientListRow))).all() == []


async def test_a_key_column_of_another_name_can_be_told(office: Office) -> None:
    visitor = await writer(office)
    data = "Họ tên;Liên hệ\nVí Dụ;0900000001\n".encode()
    path = await uploaded(visitor, data, key_column="liên hệ", key_kind="phone")
    await check_lists(office.runtime)
    assert "Liên hệ (Số điện thoại)" in words(await visitor.page(path))


async def test_lists_are_kept_by_those_who_write_announcements_of_the_unit(office: Office) -> None:
    visitor = await writer(office)
    path = await uploaded(visitor, xlsx([HEADER, ["A", "09", 5]]))
    await check_lists(office.runtime)
    other = await writer(office, "economy")
    assert "Chi trả tháng 12" not in await other.page(HOME)
    for address in (path, f"{path}/bad.xlsx", f"/events?topics=recipient_list:{path.rpartition('/')[2]}"):
        assert (await other.get(address)).status == 404, address
    assert (await other.post(f"{path}/remove")).status == 404
    assert (await upload(other, b"x")).status == 422
    official = await office.enter("official")
    assert (await official.get(HOME)).status == 403
    assert (await official.get(path)).status == 403


async def test_a_list_is_removed_and_gone_at_once(office: Office) -> None:
    visitor = await writer(office)
    path = await uploaded(visitor, xlsx([HEADER, ["A", "0900000001", 5]]))
    await check_lists(office.runtime)
    answer = await visitor.post(f"{path}/remove")
    assert answer.headers["Location"] == f"{HOME}?done=removed"
    assert (await visitor.get(path)).status == 404
    assert (await visitor.get(f"{path}/bad.xlsx")).status == 404


async def test_open_pages_hear_that_a_list_was_checked(office: Office) -> None:
    visitor = await writer(office)
    path = await uploaded(visitor, xlsx([HEADER, ["A", "0900000001", 5]]))
    topic = f"recipient_list:{path.rpartition('/')[2]}"
    answer = await visitor.get(f"/events?topics={topic}")
    await read_until(answer, b"welcome")
    await check_lists(office.runtime)
    await read_until(answer, f"event: {topic}\n".encode())
    answer.close()
    missed = await visitor.get(f"/events?topics={topic}&since=0")
    await read_until(missed, f"event: {topic}\n".encode())
    missed.close()


async def test_the_sample_is_a_good_list(office: Office) -> None:
    visitor = await writer(office)
    answer = await visitor.get(f"{HOME}/sample.xlsx")
    assert answer.status == 200
    path = await uploaded(visitor, await answer.read())
    await check_lists(office.runtime)
    page = words(await visitor.page(path))
    assert "Nhận được thông báo 2 Dòng lỗi, không được gửi 0 Dòng cần lưu ý 0" in page


async def test_everybody_on_a_list_gets_a_tag_or_a_village_and_what_people_have_said_stays(office: Office) -> None:
    visitor = await writer(office)
    runtime = office.runtime
    async with runtime.units_of_work() as uow:
        for n in range(4):
            hashed = runtime.box.fingerprint(f"8490000000{n}")
            uow.session.add(
                ContactRow(id=f"c{n}", account_id="account", external_id=f"u{n}", phone_hash=hashed, created_at=uow.now)
            )
        await uow.session.flush()
        for n in range(20):
            uow.session.add(MarkRow(kind="tag", value=f"nhãn {n}", contact_id="c2", by="staff", at=uow.now))
        left: dict[str, Any] = {"kind": "area", "value": "kim-lam", "contact_id": "c1", "chosen": False, "by": "self"}
        uow.session.add(MarkRow(**left, at=uow.now))
    path = await uploaded(visitor, xlsx([HEADER, *([f"Ví Dụ {n}", f"090000000{n}", n] for n in (0, 1, 2, 8))]))
    await check_lists(runtime)
    async with runtime.units_of_work() as uow:  # as a line whose dossier is bound to somebody
        uow.session.add(ListedRow(list_id=path.rsplit("/", 1)[1], n=50, recipient="c3"))
    for fields, said in (
        ({"tag": ""}, "bỏ trống"), ({"tag": "Cán bộ"}, "dành cho máy của cơ quan"),
        ({"area_id": "nonsense"}, "thôn"), ({"tag": "Hộ nghèo", "area_id": "kim-lam"}, "Mỗi lần chỉ"),
    ):  # fmt: skip
        answer = await visitor.post(f"{path}/marks", fields)
        assert answer.status == 422, fields
        assert said in await answer.text() or fields == {"tag": ""}
    for fields, number in (({"tag": " Hộ  NGHÈO "}, "3"), ({"tag": "hộ nghèo"}, "3"), ({"area_id": "kim-lam"}, "3")):
        answer = await visitor.post(f"{path}/marks", fields)
        assert answer.headers["Location"] == f"{path}?marked={number}"
    assert "Đã ghi cho 2 người" in await visitor.page(f"{path}?marked=2")
    async with runtime.database.reading() as session:
        rows = (await session.exec(select(MarkRow).where(col(MarkRow.value).in_(("hộ nghèo", "kim-lam"))))).all()
        trail = (await session.exec(select(AuditRow).where(AuditRow.action == "recipient_list.mark"))).all()
    assert sorted((row.value, row.contact_id, row.chosen) for row in rows) == [
        ("hộ nghèo", "c0", True), ("hộ nghèo", "c1", True), ("hộ nghèo", "c3", True),
        ("kim-lam", "c0", True), ("kim-lam", "c1", False), ("kim-lam", "c2", True), ("kim-lam", "c3", True),
    ]  # fmt: skip
    assert [row.data["value"] for row in trail] == ["hộ nghèo", "hộ nghèo", "kim-lam"]
    stranger = await office.enter("official")
    assert (await stranger.post(f"{path}/marks", {"tag": "a"})).status == 403


async def test_older_lists_are_on_the_next_page(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.console.recipient_lists.PAGE", 2)
    visitor = await writer(office)
    for n in range(3):
        await uploaded(visitor, xlsx([HEADER, ["Ví Dụ", "0900000001", n]]), name=f"Danh sách số {n}")
        office.clock.forward(minutes=1)
    newest, older = await visitor.page(HOME), await visitor.page(f"{HOME}?page=2")
    assert [[f"số {n}" in page for n in range(3)] for page in (newest, older)] == [
        [False, True, True], [True, False, False],
    ]  # fmt: skip
    assert f"{HOME}?page=2" in newest
