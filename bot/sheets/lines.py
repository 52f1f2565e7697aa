"""Say what a table is read as, line by line, how much of it is read at most, and which kind of file it is."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.errors import InvalidInputError

LONGEST_CELL = 32_767
"""Characters that a cell of a spreadsheet can hold; what is beyond is cut off while reading."""
EXACT_DIGITS = 15
"""Digits of a number that a spreadsheet keeps; it replaces those beyond by zeros."""
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OLD_BOOKS = ("Workbook".encode("utf-16-le"), "Book".encode("utf-16-le"))


class Flaw:
    """What a reader notices about a cell: its text is made by a formula, is an error, or has lost digits."""

    FORMULA = "formula"
    ERROR = "cell_error"
    ROUNDED = "rounded"


class Line(NamedTuple):
    """One line that is not empty: its number as whoever opens the file sees it, its texts, and flaws by column."""

    number: int
    cells: list[str]
    flaws: dict[int, str]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read: lines, columns, and bytes once unpacked; what is beyond is refused."""

    lines: int = 100_001
    columns: int = 50
    unpacked: int = 400 * 1024 * 1024


@dataclass(slots=True)
class Gatherer:
    """Put cells together into lines, and refuse what is beyond the limits."""

    limits: Limits
    lines: list[Line] = field(default_factory=list)
    count: int = 0

    def add(self, number: int, texts: dict[int, str], flaws: dict[int, str]) -> None:
        """Take a line's texts by column, from 0; empty lines are passed over. Raises InvalidInputError."""
        last = max(texts, default=-1)
        if last >= 0 and (not texts[last] or texts[last].isspace()):
            last = max((column for column, text in texts.items() if text and not text.isspace()), default=-1)
        if flaws:
            last = max(last, *flaws)
        if last < 0:
            return
        if last >= self.limits.columns:
            raise InvalidInputError("file", "too_many_columns", most=self.limits.columns, row=number)
        self._keep(number, [texts.get(column, "") for column in range(last + 1)], flaws)

    def add_cells(self, number: int, cells: list[str], flaws: dict[int, str]) -> None:
        """Take a line's texts as `add` does, none beyond the limit of columns, as a list that may be changed."""
        least = max(flaws) + 1 if flaws else 0
        while len(cells) > least and (not cells[-1] or cells[-1].isspace()):
            cells.pop()
        cells += [""] * (least - len(cells))
        if cells:
            self._keep(number, cells, flaws)

    def _keep(self, number: int, cells: list[str], flaws: dict[int, str]) -> None:
        self.count += 1
        if self.count > self.limits.lines:
            raise InvalidInputError("file", "too_many_rows", most=self.limits.lines - 1)
        self.lines.append(Line(number, cells, flaws))

    def taken(self) -> list[Line]:
        """Return the lines that have gathered, once."""
        lines, self.lines = self.lines, []
        return lines


def read_lines(data: bytes, limits: Limits | None = None) -> Iterator[Line]:
    """Give the lines of an xlsx, ods or csv file that are not empty, one after another, known by its content.

    Raises InvalidInputError with field "file": password | old_workbook | broken | bomb | not_a_table | too_many_rows |
    too_many_columns.
    """
    from bot.sheets import opendocument, separated, workbook

    limits = limits or Limits()
    if data.startswith(OLE):
        old = _ENCRYPTED not in data and any(name in data for name in _OLD_BOOKS)
        raise InvalidInputError("file", "old_workbook" if old else "password")
    if not data.startswith(b"PK"):
        yield from separated.read(data, limits)
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            if "content.xml" in names or "encrypted-package" in names:
                yield from opendocument.read(archive, limits)
            elif "[Content_Types].xml" in names:
                yield from workbook.read(archive, limits)
            else:
                raise InvalidInputError("file", "not_a_table")
    except zipfile.BadZipFile as error:
        raise InvalidInputError("file", "broken") from error
