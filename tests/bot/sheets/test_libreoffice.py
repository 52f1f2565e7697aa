"""Files that LibreOffice Calc has written are read as whoever opens them sees them."""

from pathlib import Path

import pytest

from bot.sheets.exports import read_export
from bot.sheets.lines import read_lines

_HERE = Path(__file__).parent
HEADER = [
    "STT", "Mã hồ sơ", "Chủ hồ sơ", "Số điện thoại", "Ngày tiếp nhận", "Ngày hẹn trả", "Trạng thái", "Lệ phí",
]  # fmt: skip
ROWS = [
    ["1", "000.00.01.H26-261124-0001", "Nguyễn Văn Mẫu", "0900000001", "24/11/2026 08:30", "01/12/2026 17:00",
     "Đang xử lý", "15000"],
    ["2", "000.00.01.H26-261125-0002", "Trần Thị Thử", "0900000002", "25/11/2026 09:05", "27/11/2026 17:00",
     "Đã trả kết quả", "0"],
    ["3", "000.00.01.H26-261125-0003", "Lê Thị Ví Dụ", "0900000003", "25/11/2026 14:00", "04/12/2026 17:00",
     "Yêu cầu bổ sung giấy tờ"],
]  # fmt: skip


@pytest.mark.parametrize("kind", ["xlsx", "ods", "xls", "csv"])
def test_an_export_that_libreoffice_has_written(kind: str) -> None:
    lines = list(read_export((_HERE / f"libreoffice.{kind}").read_bytes()))
    assert [line.number for line in lines] == [1, 2, 4, 5, 6, 7]
    assert lines[0].cells[0] == "DANH SÁCH HỒ SƠ TIẾP NHẬN"
    assert lines[2].cells == HEADER
    # An old workbook keeps moments without how they are shown, so their seconds stand there, too.
    assert [[cell.removesuffix(":00") if len(cell) == len("24/11/2026 08:30:00") else cell for cell in line.cells]
            for line in lines[3:]] == ROWS  # fmt: skip


@pytest.mark.parametrize("kind", ["xlsx", "ods", "csv"])
def test_a_list_that_libreoffice_has_written(kind: str) -> None:
    lines = list(read_lines((_HERE / f"libreoffice.{kind}").read_bytes()))
    assert [line.cells for line in lines[2:]] == [HEADER, *ROWS]
