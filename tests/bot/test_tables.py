"""Small tables that people prepare are read from any of the usual files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import InvalidInputError
from bot.tables import TableRow, read_table
from tests.bot.sheets.files import ods, ods_cell, xlsx


def _xlsx(rows: list[list[str]]) -> bytes:
    return xlsx(rows)


def _csv(rows: list[list[str]]) -> bytes:
    return "\n".join(";".join(row) for row in rows).encode()


def _ods(rows: list[list[str]]) -> bytes:
    return ods(["".join(map(ods_cell, row)) for row in rows])


@pytest.mark.parametrize("make", [_xlsx, _csv, _ods])
def test_rows_come_with_their_numbers_and_columns_by_lower_case_name(
    make: Callable[[list[list[str]]], bytes], tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(make([["Code", " Name ", ""], ["1", "Xã A", "x"], ["", "", ""], ["2", "", ""]]))
    assert read_table(file, {"code"}) == [
        TableRow(2, {"code": "1", "name": "Xã A"}),
        TableRow(4, {"code": "2", "name": ""}),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "not_a_table"), ("name\n1\n", "missing_columns"), ("code,Code\n1,2\n", "double_columns")],
)
def test_tables_of_the_wrong_shape_are_refused(text: str, code: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text(text)
    with pytest.raises(InvalidInputError) as caught:
        read_table(file, {"code"})
    assert caught.value.code == code
