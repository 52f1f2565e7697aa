"""Read small tables that people prepare: csv in any usual encoding, or the first sheet of an xlsx workbook."""

import csv
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from bot.errors import InvalidInputError

_ENCODINGS = ("utf-8-sig", "cp1258")
_MOST_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: its number as the reader of the file counts it, and its cells by lower-case column name."""

    number: int
    cells: dict[str, str]


def read_table(path: Path, columns: set[str]) -> list[TableRow]:
    """Return the rows of a csv or xlsx file that has at least these columns.

    Raises InvalidInputError with field "file": not_a_table, missing_columns, double_columns or too_many_rows.
    """
    data = path.read_bytes()
    lines = _workbook(data) if zipfile.is_zipfile(io.BytesIO(data)) else _csv(data)
    if not lines:
        raise InvalidInputError("file", "not_a_table")
    header = [cell.strip().lower() for cell in lines[0]]
    missing = sorted(columns - set(header))
    if missing:
        raise InvalidInputError("file", "missing_columns", columns=", ".join(missing))
    doubled = sorted({name for name in header if name and header.count(name) > 1})
    if doubled:
        raise InvalidInputError("file", "double_columns", columns=", ".join(doubled))
    if len(lines) > _MOST_ROWS:
        raise InvalidInputError("file", "too_many_rows", most=_MOST_ROWS)
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        cells = {name: cell.strip() for name, cell in zip(header, line, strict=False) if name}
        if any(cells.values()):
            rows.append(TableRow(number, {name: cells.get(name, "") for name in header if name}))
    return rows


def _csv(data: bytes) -> list[list[str]]:
    for encoding in _ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        first = text.split("\n", 1)[0]
        delimiter = ";" if first.count(";") > first.count(",") else ","
        return list(csv.reader(io.StringIO(text), delimiter=delimiter))
    raise InvalidInputError("file", "not_a_table")


def _workbook(data: bytes) -> list[list[str]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (InvalidFileException, KeyError, ValueError, OSError) as error:
        raise InvalidInputError("file", "not_a_table") from error
    sheet = book.worksheets[0]
    lines = [["" if cell is None else _words(cell) for cell in line] for line in sheet.iter_rows(values_only=True)]
    book.close()
    return lines


def _words(cell: object) -> str:
    """Return what a person sees in the cell: dates without a time, whole numbers without a point."""
    from datetime import datetime

    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
