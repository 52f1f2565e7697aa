"""Procedures in the console: looked up by whoever works on dossiers, kept and brought in by administrators."""

import io
import json
import re

from aiohttp import FormData
from sqlmodel import select

from bot.store.procedures import ProcedureRow
from bot.store.staff import StaffRoleRow
from tests.handlers.console.visitor import Office, Visitor

TABLE = "Hình thức nộpThời gianPhí, lệ phíMô tả"


def record(number: int, **told: str) -> str:
    values = {
        "ma_thu_tuc": f"1.9000{number:02}",
        "ten_thu_tuc": f"Đăng ký nuôi cá <{number}>",
        "linh_vuc": "Thủy sản",
        "cap_thuc_hien": "Cấp xã",
        "detail_url": f"https://dvc.example/{number}",
        "cach_thuc_thuc_hien": f"{TABLE}Trực tuyến15 NgàyMiễn phí(Theo quy định của tỉnh)",
        "thanh_phan_ho_so": "Tờ khai",
        **told,
    }
    return json.dumps(values, ensure_ascii=False)


async def bring(visitor: Visitor, *lines: str, name: str = "a.jsonl", **fields: str) -> str:
    form = FormData(quote_fields=False)
    form.add_field("csrf", visitor.csrf)
    form.add_field("file", io.BytesIO("\n".join(lines).encode()), filename=name)
    for key, value in fields.items():
        form.add_field(key, value)
    answer = await visitor.post("/admin/procedures/import", form)
    assert answer.status in {200, 422}
    return await answer.text()


async def rows(office: Office) -> dict[str, ProcedureRow]:
    async with office.runtime.database.reading() as session:
        return {row.code: row for row in (await session.exec(select(ProcedureRow))).all()}


async def test_a_catalogue_is_looked_at_first_and_then_brought_in(office: Office) -> None:
    visitor = await office.enter("admin")
    assert "Chưa có thủ tục nào" in await visitor.page("/admin/procedures")
    lines = [record(1), record(2, linh_vuc="Hải quan"), record(3, cap_thuc_hien="Cấp tỉnh"), '{"ma_thu_tuc": "x"}']
    chosen = {"without": "hải quan\nThuế", "level": "xã", "link": "https://xa.example/{code}"}
    page = await bring(visitor, *lines, **chosen, dry="1")
    assert "Chỉ xem trước, chưa lưu gì." in page
    assert "1 thủ tục mới, 0 thay đổi, 0 như cũ, 2 không chọn, 1 dòng lỗi" in page
    assert "Trong tệp không có lĩnh vực “Thuế”" in page
    assert "Dòng 4: mã thủ tục “x” không đúng" in page
    assert 'value="https://xa.example/{code}"' in page
    assert await rows(office) == {}
    page = await bring(visitor, *lines, **chosen)
    assert "Đăng ký nuôi cá &lt;1&gt;" in page
    assert set(await rows(office)) == {"1.900001"}
    assert "Nhập danh mục thủ tục" in await visitor.page("/admin/audit?kind=procedure")


async def test_a_procedure_is_edited_and_the_next_catalogue_leaves_that(office: Office) -> None:
    visitor = await office.enter("admin")
    await bring(visitor, record(1))
    row = (await rows(office))["1.900001"]
    home = f"/admin/procedures/{row.id}"
    page = await visitor.page(home)
    assert "11 ngày làm việc" in page
    assert "danh mục ghi: 15 Ngày" in page
    assert "Giấy tờ cần nộp" in page
    fields = {
        "name": row.name, "field": row.field, "days": "-1", "fee": row.fee_words, "online": "một phần",
        "url": row.online_url, "active": "1",
    }  # fmt: skip
    answer = await visitor.post(home, fields)
    assert answer.status == 422
    assert 'name="days" value="-1" aria-invalid="true"' in await answer.text()
    assert (await visitor.post(home, {**fields, "days": "9"})).status == 303
    row = (await rows(office))["1.900001"]
    assert (row.days, row.fee, row.fee_words) == (9, None, "Miễn phí (Theo quy định của tỉnh)")
    page = await bring(visitor, record(1))
    assert "1.900001: Thời hạn (ngày làm việc, 0: trong ngày): 9 → 11" in page
    page = await visitor.page(home)
    assert "Cơ quan đã sửa" in page
    answer = await visitor.post(f"{home}/follow")
    assert answer.headers["Location"] == f"{home}?done=procedure_follows"
    await bring(visitor, record(1))
    assert (await rows(office))["1.900001"].days == 11
    assert (await visitor.post("/admin/procedures/none", fields)).status == 404


async def test_procedures_are_found_page_by_page(office: Office) -> None:
    visitor = await office.enter("admin")
    await bring(visitor, *(record(n) for n in range(30)), record(40, ten_thu_tuc="Cấp giấy", linh_vuc="Khác"))
    page = await visitor.page("/admin/procedures?q=nuoi+ca")
    assert len(re.findall(r'<a href="/admin/procedures/[^"?]+"><strong>', page)) == 25
    assert 'href="/admin/procedures?q=nuoi+ca&amp;page=2"' in page
    assert "Cấp giấy" not in page
    last = await visitor.page("/admin/procedures?q=nuoi+ca&page=2")
    assert len(re.findall(r'<a href="/admin/procedures/[^"?]+"><strong>', last)) == 5
    assert "Cấp giấy" in await visitor.page("/admin/procedures?field=Khác")
    assert "Không tìm thấy thủ tục nào" in await visitor.page("/admin/procedures?q=xyz")


async def test_whoever_works_on_dossiers_looks_up_and_changes_nothing(office: Office) -> None:
    admin = await office.enter("admin")
    await bring(admin, record(1))
    row = (await rows(office))["1.900001"]
    official = await office.enter("official")
    assert "Nhập danh mục" not in await official.page("/procedures?q=ca")
    page = await official.page(f"/procedures/{row.id}")
    assert row.name.replace("<", "&lt;").replace(">", "&gt;") in page
    assert 'method="post" action="/admin/procedures' not in page
    assert (await official.get("/procedures/none")).status == 404
    assert (await official.get(f"/admin/procedures/{row.id}")).status in {403, 404}
    assert (await official.post(f"/admin/procedures/{row.id}", {"name": "x"})).status in {403, 404}


async def test_only_administrators_of_a_unit_at_the_top_change_what_all_units_share(office: Office) -> None:
    await bring(await office.enter("admin"), record(1))
    row = (await rows(office))["1.900001"]
    home = f"/admin/procedures/{row.id}"
    async with office.runtime.units_of_work() as uow:
        uow.session.add(StaffRoleRow(staff_id="stranger", role="admin", unit_id="police"))
    visitor = await office.enter("stranger")
    for page in (await visitor.page("/admin/procedures"), await visitor.page(home)):
        assert "chỉ quản trị viên của đơn vị cấp trên cùng được sửa" in page
        assert 'method="post" action="/admin/procedures' not in page
    for address in (home, f"{home}/follow", "/admin/procedures/import"):
        assert (await visitor.post(address, {"name": "x"})).status == 403
    assert (await rows(office))["1.900001"] == row
    assert "cấp trên cùng" not in await (await office.enter("admin")).page(home)
    assert "cấp trên cùng" not in await visitor.page("/procedures")


async def test_a_file_that_cannot_be_read_is_said_in_words(office: Office) -> None:
    visitor = await office.enter("admin")
    assert "Thiếu cột: name." in await bring(visitor, "code,ten", "1.900001,x", name="a.csv")
    assert "Không đọc được tệp này" in await bring(visitor, "", name="a.csv", link="https://xa.example/{code}")
    answer = await visitor.post("/admin/procedures/import", {"without": "Thuế"})
    assert "Hãy chọn một tệp." in await answer.text()
