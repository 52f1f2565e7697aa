"""Make files as people upload them, and as nobody should."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns"


def xlsx(rows: Sequence[Sequence[Any]], formats: Mapping[str, str] | None = None, **sheet: Any) -> bytes:
    """Return a workbook as a spreadsheet saves it; `formats` are number formats by place, as B2."""
    book = Workbook()
    active = book.active
    assert active is not None
    for row in rows:
        active.append(list(row))
    for place, code in (formats or {}).items():
        active[place].number_format = code
    for name, value in sheet.items():
        setattr(active, name, value)
    return saved(book)


def saved(book: Workbook) -> bytes:
    """Return the bytes of a workbook."""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def large(rows: int) -> bytes:
    """Return a workbook of five columns and so many lines, every one good."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["Họ tên", "Điện thoại", "Số tiền", "Ngày nhận", "Nơi nhận"])
    for n in range(rows):
        money, day = WriteOnlyCell(sheet, 500_000 + n), WriteOnlyCell(sheet, datetime(2026, 12, 1 + n % 28))  # noqa: DTZ001 - as a cell has it
        money.number_format, day.number_format = "#,##0", "dd/mm/yyyy"
        sheet.append([f"Nguyễn Văn Ví Dụ {n}", f"09{n:08d}", money, day, f"Nhà văn hoá thôn {n % 20}"])
    return saved(book)


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    """Return a zip archive of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def workbook_parts(rows: str, before: str = "") -> dict[str, str | bytes]:
    """Return the parts of a workbook written by hand; `before` stands in front of the sheet's root."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    book = f'<workbook xmlns:r="{office}"><sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>'
    links = "".join(
        f'<Relationship Id="r{n}" Type="{office}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(
            (("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "/xl/sharedStrings.xml")), 1
        )
    )
    root = f'<Relationships><Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/>'
    return {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f"{root}</Relationships>",
        "xl/workbook.xml": book,
        "xl/_rels/workbook.xml.rels": f"<Relationships>{links}</Relationships>",
        "xl/worksheets/sheet1.xml": f"{before}<worksheet><sheetData>{rows}</sheetData></worksheet>",
    }


def ods_cell(text: str, attributes: str = "", repeated: int = 1) -> str:
    """Return one cell of an ods document, written by hand."""
    times = f' table:number-columns-repeated="{repeated}"' if repeated > 1 else ""
    words = f"<text:p>{escape(text)}</text:p>" if text else ""
    return f"<table:table-cell{times} {attributes}>{words}</table:table-cell>"


def ods(rows: Sequence[str], before: str = "", manifest: str = "") -> bytes:
    """Return an ods document whose rows are the XML of their cells; `before` stands in front of its root."""
    content = "".join(
        row if row.startswith("<table:table-row") else f"<table:table-row>{row}</table:table-row>" for row in rows
    )
    spaces = " ".join(f'xmlns:{name}="{_OFFICE}:{name}:1.0"' for name in ("office", "table", "text"))
    xml = (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<office:document-content {spaces}><office:body>'
        f'<office:spreadsheet><table:table table:name="A">{content}</table:table>'
        '<table:table table:name="B"><table:table-row><table:table-cell><text:p>khác</text:p></table:table-cell>'
        "</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"
    )
    parts: dict[str, str | bytes] = {"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": xml}
    return zipped({**parts, "META-INF/manifest.xml": manifest} if manifest else parts)
