"""Read small tables that people prepare: the first sheet of an xlsx or ods document, or csv in any usual encoding."""

from dataclasses import dataclass
from pathlib import Path

from bot.errors import InvalidInputError
from bot.sheets.lines import read_lines


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: its number as the reader of the file counts it, and its cells by lower-case column name."""

    number: int
    cells: dict[str, str]


def read_table(path: Path, columns: set[str]) -> list[TableRow]:
    """Return the rows of a csv, xlsx or ods file that has at least these columns.

    Raises InvalidInputError with field "file": missing_columns, double_columns, or what bot.sheets.lines says.
    """
    lines = read_lines(path.read_bytes())
    first = next(lines, None)
    if first is None:
        raise InvalidInputError("file", "not_a_table")
    header = [cell.strip().lower() for cell in first.cells]
    missing = sorted(columns - set(header))
    if missing:
        raise InvalidInputError("file", "missing_columns", columns=", ".join(missing))
    doubled = sorted({name for name in header if name and header.count(name) > 1})
    if doubled:
        raise InvalidInputError("file", "double_columns", columns=", ".join(doubled))
    rows = []
    for line in lines:
        cells = {name: cell.strip() for name, cell in zip(header, line.cells, strict=False) if name}
        if any(cells.values()):
            rows.append(TableRow(line.number, {name: cells.get(name, "") for name in header if name}))
    return rows
