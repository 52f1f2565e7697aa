"""Files are read as a person sees them, whatever made them, and none of them can do harm."""

import contextlib
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from bot.errors import InvalidInputError
from bot.sheets.lines import Limits, Line, read_lines
from tests.bot.sheets.files import OLE, ods, ods_cell, saved, workbook_parts, xlsx, zipped

HEADER = ["Họ tên", "Điện thoại"]


def read(data: bytes, limits: Limits | None = None) -> list[Line]:
    return list(read_lines(data, limits))


def refused(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(InvalidInputError) as caught:
        read(data, limits)
    assert caught.value.field == "file"
    return caught.value.code


# xlsx


def test_texts_and_the_numbers_of_lines_are_those_of_the_sheet() -> None:
    lines = read(xlsx([HEADER, [], ["Nguyễn Văn Ví Dụ", "0900 000 001"], ["  ", None], ["B & <C>", "x\ny"]]))
    assert [(line.number, line.cells) for line in lines] == [
        (1, HEADER),
        (3, ["Nguyễn Văn Ví Dụ", "0900 000 001"]),
        (5, ["B & <C>", "x\ny"]),
    ]
    assert all(not line.flaws for line in lines)


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (912345678, "General", "912345678"),
        (912345678, "0000000000", "0912345678"),
        (912345678, "0### ### ###", "0912 345 678"),
        (1500000, "#,##0", "1.500.000"),
        (1500000, '#,##0 "đ"', "1.500.000 đ"),
        (1500000, "#,##0\\ [$₫-42A]", "1.500.000 ₫"),
        (1234.5, "#,##0.00", "1.234,50"),
        (-1234.5, "#,##0.00;[Red]-#,##0.00", "-1.234,50"),
        (1.5, "General", "1,5"),
        (0.1 + 0.2, "General", "0,3"),
        (2.0, "General", "2"),
        (0.155, "0.0%", "15,5%"),
        (1.5, "0.##", "1,5"),
        (datetime(2026, 12, 5), "mm-dd-yy", "05/12/2026"),  # noqa: DTZ001 - as a cell has it
        (datetime(2026, 12, 5), "yyyy-mm-dd", "05/12/2026"),  # noqa: DTZ001 - as a cell has it
        (datetime(2026, 12, 5, 8, 30), "dd/mm/yyyy hh:mm", "05/12/2026 08:30"),  # noqa: DTZ001 - as a cell has it
        (datetime(2026, 12, 5), "mm/yyyy", "12/2026"),  # noqa: DTZ001 - as a cell has it
        (0.3541666666666667, "h:mm", "08:30"),
        (True, "General", "TRUE"),
    ],
)
def test_numbers_and_dates_are_what_a_person_sees(value: Any, code: str, shown: str) -> None:
    [line] = read(xlsx([[value]], {"A1": code}))
    assert (line.cells, line.flaws) == ([shown], {})


def test_formulas_errors_and_lost_digits_are_noticed() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["=1+1", "#N/A", 3333444455556666777, 84912345678])
    [line] = read(saved(book))
    assert line.flaws == {0: "formula", 1: "cell_error", 2: "rounded"}
    assert line.cells[3] == "84912345678"


def test_the_first_sheet_that_is_not_hidden_is_read() -> None:
    book = Workbook()
    hidden = book.active
    assert hidden is not None
    hidden.append(["ẩn"])
    hidden.sheet_state = "hidden"
    book.create_sheet().append(["hiện"])
    assert read(saved(book))[0].cells == ["hiện"]


def test_rich_and_shared_texts_are_put_together() -> None:
    parts = workbook_parts(
        '<row r="2"><c r="B2" t="s"><v>0</v></c><c t="inlineStr"><is><r><t>ba</t></r><r><t> b</t></r></is></c></row>'
    )
    strings = (
        '<sst><si><r><t>Điện </t></r><r><t xml:space="preserve">thoại_x000D_</t></r><rPh><t>không</t></rPh></si></sst>'
    )
    assert read(zipped({**parts, "xl/sharedStrings.xml": strings})) == [Line(2, ["", "Điện thoại\r", "ba b"], {})]


# ods


def test_an_ods_document_shows_what_a_person_sees() -> None:
    rows = [
        ods_cell("Họ tên") + ods_cell("Số tiền") + ods_cell("Ngày", repeated=2) + ods_cell("", repeated=1020),
        '<table:table-row table:number-rows-repeated="2"><table:table-cell/></table:table-row>',
        ods_cell("Nguyễn Văn  Ví Dụ") + ods_cell("1.500.000", 'office:value-type="float" office:value="1500000"')
        + ods_cell("05/12/2026", 'office:value-type="date" office:date-value="2026-12-05"')
        + '<table:table-cell table:formula="of:=A1"><office:annotation><text:p>ghi chú</text:p></office:annotation>'
        "<text:p>một</text:p><text:p>hai<text:s text:c='2'/>ba</text:p></table:table-cell>",
        ods_cell("3,33E+18", 'office:value-type="float" office:value="3333444455556666777"'),
    ]  # fmt: skip
    assert read(ods(rows)) == [
        Line(1, ["Họ tên", "Số tiền", "Ngày", "Ngày"], {}),
        Line(4, ["Nguyễn Văn  Ví Dụ", "1.500.000", "05/12/2026", "một\nhai  ba"], {3: "formula"}),
        Line(5, ["3,33E+18"], {0: "rounded"}),
    ]


# csv


@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_csv_is_read_in_any_usual_encoding_and_with_any_sign(encoding: str, sign: str) -> None:
    text = f'Họ tên{sign}Điện thoại\r\n"Ví Dụ{sign} A"{sign}0900000001\r\n\r\n"b\nc"{sign}=A1\r\n'
    assert read(text.encode(encoding)) == [
        Line(1, HEADER, {}),
        Line(2, [f"Ví Dụ{sign} A", "0900000001"], {}),
        Line(4, ["b\nc", "=A1"], {1: "formula"}),
    ]


def test_csv_in_windows_1258_and_with_a_line_that_names_its_sign() -> None:
    # Windows-1258 writes tones as marks of their own behind the letter.
    text = "".join(_for_1258(c) for c in "sep=;\nHọ tên;Số tiền\nLê Thị Ví Dụ;500.000\n")
    lines = read(text.encode("cp1258"))
    assert [[unicodedata.normalize("NFC", cell) for cell in line.cells] for line in lines] == [
        ["Họ tên", "Số tiền"],
        ["Lê Thị Ví Dụ", "500.000"],
    ]
    assert [line.number for line in lines] == [2, 3]


def _for_1258(character: str) -> str:
    try:
        character.encode("cp1258")
    except UnicodeEncodeError:
        parts = unicodedata.normalize("NFD", character)
        tones = [c for c in parts if c in "\u0300\u0301\u0303\u0309\u0323"]
        rest = unicodedata.normalize("NFC", "".join(c for c in parts if c not in tones))
        return rest + "".join(tones)
    return character


# what is refused


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_a_table"),
        (b"\x00\x01\x02\xff" * 50, "not_a_table"),
        (OLE + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\x00" * 600, "password"),
        (OLE + b"\x00" * 2000, "password"),
        (OLE + b"\x00" * 600 + "Workbook".encode("utf-16-le") + b"\x00" * 600, "old_workbook"),
        (b"PK\x03\x04" + b"x" * 500, "broken"),
        (zipped({"word/document.xml": "<a/>"}), "not_a_table"),
        (zipped({"[Content_Types].xml": "<Types/>"}), "broken"),
        (zipped({"content.xml": "<a>"}), "broken"),
        (zipped({"content.xml": "<a/>"}), "not_a_table"),
        (zipped({"encrypted-package": b"x"}), "password"),
        (ods([], manifest="<m:manifest xmlns:m='m'><m:encryption-data/></m:manifest>"), "password"),
        (xlsx([HEADER])[:-400], "broken"),
        (zipped(workbook_parts('<row r="1"><c t="s"><v>7</v></c></row>')), "broken"),
        (zipped(workbook_parts('<row r="one"/>')), "broken"),
        (zipped(workbook_parts('<row r="2"/><row r="2"/>')), "broken"),
        (zipped(workbook_parts('<row r="0"/>')), "broken"),
        (zipped(workbook_parts('<row r="9999999999"/>')), "broken"),
        (zipped(workbook_parts("<row><c></row>")), "broken"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(data: bytes, code: str) -> None:
    assert refused(data) == code


@pytest.mark.parametrize(
    "make",
    [
        lambda before: ods([ods_cell("&a;")], before),
        lambda before: zipped(workbook_parts('<row><c t="str"><v>&a;</v></c></row>', before)),
    ],
)
@pytest.mark.parametrize(
    "before",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
    ],
)
def test_a_document_with_a_type_or_entities_is_refused(make: Callable[[str], bytes], before: str) -> None:
    assert refused(make(before)) == "broken"


def test_what_unpacks_to_more_than_is_allowed_is_refused() -> None:
    limits = Limits(unpacked=200_000)
    assert (
        refused(zipped(workbook_parts('<row r="1"><c t="str"><v>' + "x" * 300_000 + "</v></c></row>")), limits)
        == "bomb"
    )
    assert refused(ods([ods_cell("x" * 300_000)]), limits) == "bomb"
    strings = {**workbook_parts(""), "xl/sharedStrings.xml": "<sst>" + "<si><t>x</t></si>" * 20_000 + "</sst>"}
    assert refused(zipped(strings), limits) == "bomb"


def test_lines_and_columns_beyond_the_limit_are_refused() -> None:
    limits = Limits(lines=3, columns=4)
    assert len(read(xlsx([["a"]] * 3), limits)) == 3
    assert refused(xlsx([["a"]] * 4), limits) == "too_many_rows"
    assert refused(b"a\n" * 4, limits) == "too_many_rows"
    assert refused(xlsx([["a", None, None, None, "e"]]), limits) == "too_many_columns"
    assert refused(ods([ods_cell("", repeated=16_000) + ods_cell("x")]), limits) == "too_many_columns"
    assert refused(ods([ods_cell("x", repeated=1_000_000_000)]), limits) == "too_many_columns"
    many = f'<table:table-row table:number-rows-repeated="1000000">{ods_cell("x")}</table:table-row>'
    assert refused(ods([many]), limits) == "too_many_rows"
    empty = f'<table:table-row table:number-rows-repeated="1048576">{ods_cell("")}</table:table-row>'
    assert read(ods([ods_cell("x"), empty]), limits) == [Line(1, ["x"], {})]


def test_a_huge_cell_is_cut() -> None:
    for data in (
        zipped(workbook_parts('<row><c t="str"><v>' + "x" * 300_000 + "</v></c></row>")),
        b"x" * 120_000,
        ods([ods_cell("x" * 300_000)]),
    ):
        [line] = read(data)
        assert len(line.cells[0]) == 32_767


def test_a_part_encrypted_in_the_archive_is_called_so() -> None:
    data = bytearray(xlsx([HEADER]))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(mark, at + 4)
    assert refused(bytes(data)) == "password"


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", OLE]))
def test_no_bytes_do_more_than_be_refused(data: bytes, before: bytes) -> None:
    with contextlib.suppress(InvalidInputError):
        read(before + data)


GOOD = xlsx([HEADER, ["Ví Dụ", "0900000001"], [1, datetime(2026, 12, 5)]])  # noqa: DTZ001 - as a cell has it


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_no_damaged_byte_does_more_than_spoil_the_file(at: int, byte: int) -> None:
    data = bytearray(GOOD)
    data[at] = byte
    with contextlib.suppress(InvalidInputError):
        assert len(read(bytes(data))) <= 3
