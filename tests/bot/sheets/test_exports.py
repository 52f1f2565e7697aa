"""Exports are read as whoever opens them sees them, whatever program wrote them, and say where they end too early."""

from datetime import datetime
from pathlib import Path

import pytest

from bot.errors import InvalidInputError
from bot.sheets.exports import read_export
from tests.bot.sheets.files import OLE, ods, ods_cell, saved, xlsx, zipped

XLS = Path(__file__).with_name("export.xls")
HEADER = ["Mã hồ sơ", "Chủ hồ sơ", "Ngày tiếp nhận", "Trạng thái"]
ROW = ["000.00.01.H26-261118-0001", "Nguyễn Văn Mẫu", "18/11/2026 08:30", "Đang xử lý"]


def read(data: bytes) -> list[tuple[int, list[str]]]:
    return [(line.number, line.cells) for line in read_export(data)]


def refused(data: bytes) -> tuple[str, dict[str, object]]:
    with pytest.raises(InvalidInputError) as caught:
        read(data)
    return caught.value.code, caught.value.details


def test_a_workbook_with_titles_merged_cells_and_cells_that_are_dates() -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["DANH SÁCH HỒ SƠ, THÁNG 11"])
    sheet.merge_cells("A1:D1")
    sheet.append([])
    sheet.append(HEADER)
    sheet.append([ROW[0], ROW[1], datetime(2026, 11, 18, 8, 30), ROW[3]])  # noqa: DTZ001 - as a cell has it
    sheet["C4"].number_format = "dd/mm/yyyy hh:mm"
    assert read(saved(book)) == [(1, ["DANH SÁCH HỒ SƠ, THÁNG 11"]), (3, HEADER), (4, ROW)]


def test_a_document_as_libreoffice_writes_it() -> None:
    title = ods_cell("DANH SÁCH HỒ SƠ", 'table:number-columns-spanned="4" table:number-rows-spanned="1"')
    covered = '<table:covered-table-cell table:number-columns-repeated="3"/>'
    date = 'office:value-type="date" office:date-value="2026-11-18T08:30:00"'
    rows = [
        title + covered + '<table:table-cell table:number-columns-repeated="16380"/>',
        "".join(map(ods_cell, HEADER)),
        ods_cell(ROW[0]) + ods_cell(ROW[1]) + ods_cell(ROW[2], date) + ods_cell(ROW[3]),
        '<table:table-row table:number-rows-repeated="1048573"><table:table-cell/></table:table-row>',
    ]
    assert read(ods(rows)) == [(1, ["DANH SÁCH HỒ SƠ"]), (2, HEADER), (3, ROW)]


def test_an_old_workbook_is_read_from_its_first_sheet_that_is_seen() -> None:
    lines = read(XLS.read_bytes())
    assert lines[0] == (1, ["DANH SÁCH HỒ SƠ"])
    assert lines[1:] == [(3, [*HEADER, "Lệ phí"]), (4, [*ROW[:2], "18/11/2026 08:30:00", ROW[3], "15000"])]


@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_in_any_usual_form_below_a_title_with_commas(sign: str, encoding: str) -> None:
    lines = [["Danh sách, tháng 11"], HEADER, ROW]
    text = "\r\n".join(sign.join(f'"{cell}"' if sign in cell else cell for cell in line) for line in lines) + "\r\n"
    assert read(text.encode(encoding)) == [(1, ["Danh sách, tháng 11"]), (2, HEADER), (3, ROW)]


def test_text_in_windows_1258_with_its_tone_marks_apart() -> None:
    import unicodedata

    # The code page has no letter with both a tone and another mark: the tone follows as a mark of its own.
    apart = "".join(
        letter if letter.encode("cp1258", "ignore") else "".join(_tone_apart(letter)) for letter in ";".join(HEADER)
    )
    data = (apart + "\r\n" + "a;b;c;d\r\n").encode("cp1258")
    assert [unicodedata.normalize("NFC", cell) for cell in read(data)[0][1]] == HEADER


def _tone_apart(letter: str) -> str:
    import unicodedata

    base, *marks = list(unicodedata.normalize("NFD", letter))
    tones = [mark for mark in marks if mark in "\u0300\u0301\u0303\u0309\u0323"]
    rest = unicodedata.normalize("NFC", base + "".join(mark for mark in marks if mark not in tones))
    return rest + "".join(tones)


def test_a_file_that_was_cut_off_says_after_which_row() -> None:
    book = xlsx([HEADER, *[[f"{number}", *ROW[1:]] for number in range(5000)]])
    code, details = refused(book[: len(book) // 2])
    assert code == "cut_off"
    assert 1000 < int(str(details["row"])) < 5000
    assert refused(b"PK\x03\x04" + b"\x00" * 50) == ("cut_off", {"row": 0})
    text = "\n".join(";".join(line) for line in [HEADER, ROW, ROW])
    assert refused(text[:-12].encode()) == ("cut_off", {"row": 2})
    assert refused((text[:-12] + ';a;"b').encode()) == ("cut_off", {"row": 2})
    assert refused(text.encode()[:-6]) == ("cut_off", {"row": 2})
    assert len(read(text.encode())) == 3


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_a_table"),
        (b"\x00\x01\x02", "not_a_table"),
        (b"\xff\xfe\x00", "cut_off"),
        (zipped({"a.txt": "b"}), "not_a_table"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "password"),
        (OLE + b"\x00" * 600, "not_a_table"),
        (OLE + "Workbook".encode("utf-16-le") + b"\x00" * 600, "broken"),
        (xlsx([["a"]]).replace(b"PK\x01\x02", b"PK\x09\x09"), "broken"),
    ],
)
def test_what_is_no_table_is_refused(data: bytes, code: str) -> None:
    assert refused(data)[0] == code
