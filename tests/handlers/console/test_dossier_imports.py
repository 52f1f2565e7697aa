"""Staff upload exports, see what would change and what is wrong, confirm, and name what the system does not know."""

import html
import io
import re

from aiohttp import ClientResponse, FormData
from openpyxl import load_workbook
from sqlmodel import select

from bot.store.audit import AuditRow
from bot.store.dossiers import DossierRow
from jobs.import_dossiers import import_dossiers
from tests.bot.sheets.files import xlsx
from tests.handlers.console.visitor import Office, Visitor
from tests.jobs.test_import_dossiers import HEADER, code, export, row

HOME = "/dossiers/imports"


async def upload(visitor: Visitor, data: bytes, file_name: str = "xuat.xlsx", unit: str = "economy") -> ClientResponse:
    form = FormData(quote_fields=False)
    form.add_field("unit_id", unit)
    form.add_field("file", io.BytesIO(data), filename=file_name, content_type="application/octet-stream")
    return await visitor.post(HOME, form, **{"X-CSRF-Token": visitor.csrf})


async def uploaded(office: Office, visitor: Visitor, data: bytes) -> str:
    """Upload a file and have it read; returns the address of its page."""
    answer = await upload(visitor, data)
    assert answer.status == 303, await answer.text()
    assert "Đang đọc tệp" in await visitor.page(answer.headers["Location"])
    await import_dossiers(office.runtime)
    return answer.headers["Location"]


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


async def dossiers(office: Office) -> dict[str, int]:
    async with office.runtime.database.reading() as session:
        return {each.code: each.status for each in (await session.exec(select(DossierRow))).all()}


async def test_an_export_is_previewed_confirmed_and_reported(office: Office) -> None:
    visitor = await office.enter("official")
    assert "Chưa nhập tệp nào" in await visitor.page(HOME)
    path = await uploaded(office, visitor, export([row(1, "Đang xử lý"), row(2, "Đang đi dạo")]))
    page = words(await visitor.page(path))
    for said in (
        "Chờ xác nhận",
        "Hồ sơ mới 1",
        "Dòng lỗi, không nhập 1",
        "Chưa biết trạng thái “Đang đi dạo”",
        code(1),
    ):
        assert said in page
    assert await dossiers(office) == {}
    answer = await visitor.get(f"{path}/bad.xlsx")
    sheet = load_workbook(io.BytesIO(await answer.read())).active
    assert sheet is not None
    head, bad = [[cell.value for cell in line] for line in sheet.iter_rows()]
    assert (head[:2], head[-1], bad[0], bad[1]) == (["Dòng", "Mã hồ sơ"], "Lý do lỗi", "4", code(2))
    assert "Chưa biết trạng thái" in str(bad[-1])
    assert (await visitor.post(f"{path}/confirm")).status == 303
    await import_dossiers(office.runtime)
    assert "Đã nhập" in words(await visitor.page(path))
    assert await dossiers(office) == {code(1): 4}
    async with office.runtime.database.reading() as session:
        deeds = {each.action for each in (await session.exec(select(AuditRow))).all()}
    assert {"dossier_import.add", "dossier_import.bad_rows", "dossier_import.confirm"} <= deeds
    again = await uploaded(office, visitor, export([row(1, "Đang xử lý")]))
    assert "không có gì thay đổi" in words(await visitor.page(again))


async def test_what_asks_for_a_word_is_not_applied_without_it(office: Office) -> None:
    visitor = await office.enter("official")
    path = await uploaded(office, visitor, xlsx([[*HEADER, "Mã đơn vị"], [*row(1, "Đang xử lý"), "99999"]]))
    assert "đơn vị chưa biết: “99999” (1)" in words(await visitor.page(path))
    answer = await visitor.post(f"{path}/confirm")
    assert (answer.status, "Hãy đánh dấu vào ô xác nhận" in await answer.text()) == (422, True)
    assert (await visitor.post(f"{path}/confirm", {"nonetheless": "yes"})).status == 303
    assert (await visitor.post(f"{path}/confirm")).status == 422


async def test_a_file_with_unknown_columns_leads_to_naming_them(office: Office) -> None:
    visitor = await office.enter("official")
    data = xlsx([["Số biên nhận gốc", *HEADER[1:]], row(1, "Đang đi dạo")])
    path = await uploaded(office, visitor, data)
    page = await visitor.page(path)
    assert "Không thấy cột mã hồ sơ" in words(page)
    address = html.unescape(re.findall(r'href="(/dossiers/columns[^"]*)"', page)[-1])
    assert 'value="Số biên nhận gốc"' in await visitor.page(address)
    lines = {
        "unit_id": "economy", "import": path.rpartition("/")[2], "headers_words": ["SO BIEN NHAN GOC", ""],
        "headers_mean": ["code", ""], "statuses_words": ["đang đi dạo"], "statuses_mean": ["4"],
        "units_words": ["X1"], "units_mean": ["economy"],
    }  # fmt: skip
    assert (await visitor.post("/dossiers/columns", lines)).status == 303
    path = await uploaded(office, visitor, data)
    assert "Hồ sơ mới 1" in words(await visitor.page(path))
    assert (await visitor.post("/dossiers/columns", {**lines, "statuses_mean": ["77"]})).status == 422
    assert (await visitor.post("/dossiers/columns", {**lines, "units_mean": ["police"]})).status == 422


async def test_an_import_is_cancelled_and_nothing_of_it_is_left(office: Office) -> None:
    visitor = await office.enter("official")
    path = await uploaded(office, visitor, export([row(1, "Đang xử lý")]))
    assert (await visitor.post(f"{path}/cancel")).status == 303
    assert "đã huỷ" in words(await visitor.page(path))
    assert (await visitor.post(f"{path}/cancel")).status == 422


async def test_only_those_who_work_on_a_units_dossiers_see_its_imports(office: Office) -> None:
    visitor, stranger = await office.enter("official"), await office.enter("stranger")
    path = await uploaded(office, visitor, export([row(1, "Đang xử lý")]))
    for answer in (
        await stranger.get(path),
        await stranger.get(f"{path}/bad.xlsx"),
        await stranger.post(f"{path}/confirm"),
    ):
        assert answer.status == 404
    assert (await upload(stranger, b"x", unit="economy")).status == 422
    assert (await stranger.get("/dossiers/columns?unit=economy")).status == 404
    auditor = await office.enter("auditor")
    assert (await auditor.get(HOME)).status == 403
    for data, name in ((b"", "a.xlsx"), (b"x", "a.pdf")):
        assert (await upload(visitor, data, name)).status == 422
