"""A workbook written piece by piece opens as one, in sheets that are full, and holds nothing but text."""

import io

from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from bot.sheets.lines import LONGEST_CELL, read_lines
from bot.sheets.streaming import Streaming

HEADER = ("Họ tên", "Lý do")


def test_rows_go_on_in_the_next_sheet_and_each_begins_with_the_header() -> None:
    book = Streaming("Kết quả", HEADER, rows=3)
    pieces = [book.add([(f"{n}", "x")] * 2) for n in range(4)]
    pieces.append(book.close())
    read = load_workbook(io.BytesIO(b"".join(pieces)))
    assert read.sheetnames == ["Kết quả 1", "Kết quả 2", "Kết quả 3"]
    values = [[row[0].value for row in sheet.iter_rows()] for sheet in read]
    assert values == [["Họ tên", "0", "0", "1"], ["Họ tên", "1", "2", "2"], ["Họ tên", "3", "3"]]
    book.abandon()


def test_bytes_leave_while_rows_still_come() -> None:
    book = Streaming("t", HEADER)
    sizes = [len(book.add([(f"Người số {n}", f"{n * page}") for n in range(5000)])) for page in range(4)]
    last = len(book.close())
    assert sum(sizes) > 5 * last


def test_one_sheet_has_the_plain_title() -> None:
    book = Streaming("Kết quả", HEADER)
    data = book.add([]) + book.close()
    assert load_workbook(io.BytesIO(data)).sheetnames == ["Kết quả"]


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_every_text_comes_back_as_text(texts: list[str]) -> None:
    starts = [f"{start}{text}" for start in ("=", "+", "-", "@", "\t", "") for text in texts]
    book = Streaming("t", HEADER)
    data = book.add([(text, "") for text in starts]) + book.close()
    [sheet] = load_workbook(io.BytesIO(data))
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert all(cell.data_type != "f" for cell in cells)
    assert len(cells) == len(starts)


def test_our_own_reader_reads_it_and_a_cell_is_no_longer_than_a_cell_may_be() -> None:
    book = Streaming("t", HEADER)
    data = book.add([("Nguyễn <Văn> & A", "x" * (LONGEST_CELL + 5))]) + book.close()
    lines = [line.cells for line in read_lines(data)]
    assert [cell.strip() for cell in lines[0][:2]] == list(HEADER)
    assert lines[1][0] == "Nguyễn <Văn> & A"
    assert len(lines[1][1]) == LONGEST_CELL


def test_what_nobody_takes_to_its_end_leaves_nothing_open() -> None:
    book = Streaming("t", HEADER)
    book.add([("a", "b")])
    book.abandon()
    book.abandon()
