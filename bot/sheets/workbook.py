"""Read the first sheet of an xlsx workbook that is not hidden, as a person sees it."""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime

from bot.errors import InvalidInputError
from bot.sheets.lines import LONGEST_CELL, Flaw, Gatherer, Limits, Line
from bot.sheets.number_words import BUILT_IN, GENERAL, Format, format_of, moment_words, number_words
from bot.sheets.package import Budget, Reader, fed, looked_at

_BOOK = "officeDocument"
_MOST_COLUMN = 16_384
_LAST_ROW = 1_048_576
_REMEMBERED = 20_000
"""Numbers whose words are kept: the same dates and amounts stand in many lines."""
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_SHOWN_DATE = Format(date="%d/%m/%Y")
_SHOWN_MOMENT = Format(date="%d/%m/%Y", time=True)


class _Relations(Reader):
    """Find where a part's relations lead: targets by id, and the one of a kind."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder
        self.targets: dict[str, str] = {}
        self.kinds: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship":
            target = attributes.get("Target", "")
            path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"{self._folder}/{target}")
            self.targets[attributes.get("Id", "")] = path.removeprefix("./").lstrip("/")
            self.kinds.setdefault(attributes.get("Type", "").rpartition("/")[2], self.targets[attributes.get("Id", "")])


class _Book(Reader):
    """Find the first sheet that is not hidden, and from which day dates are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[tuple[bool, str]] = []
        self.since_1904 = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "workbookPr":
            self.since_1904 = attributes.get("date1904", "0") in {"1", "true"}
        elif name == "sheet":
            link = next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")
            self.sheets.append((attributes.get("state", "visible") != "visible", link))


class _Styles(Reader):
    """Learn how each style writes a number."""

    def __init__(self) -> None:
        super().__init__()
        self._codes: dict[int, str] = {}
        self._used: list[int] = []
        self._inside = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            self._codes[int(attributes.get("numFmtId", "0"))] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._inside = True
        elif name == "xf" and self._inside:
            self._used.append(int(attributes.get("numFmtId", "0")))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._inside = False

    def formats(self) -> list[Format]:
        """Return the format of every style, in order."""
        codes = BUILT_IN | self._codes
        return [format_of(codes[number]) if number in codes else GENERAL for number in self._used]


class _Strings(Reader):
    """Gather the texts that cells share."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._parts: list[str] = []
        self._sounds = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        del attributes
        if name == "si":
            self._parts = []
        elif name == "rPh":
            self._sounds += 1
        elif name == "t" and not self._sounds:
            self.listen(self._parts.append)

    def end(self, name: str) -> None:
        if name == "t":
            self.listen(None)
        elif name == "rPh":
            self._sounds -= 1
        elif name == "si":
            self.texts.append(_text(self._parts))


def _text(parts: list[str]) -> str:
    text = "".join(parts)[:LONGEST_CELL]
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


class _Sheet(Reader):
    """Turn cells into lines of texts."""

    def __init__(self, gatherer: Gatherer, strings: list[str], formats: list[Format], *, since_1904: bool) -> None:
        super().__init__()
        self._gatherer, self._strings, self._formats, self._since_1904 = gatherer, strings, formats, since_1904
        self._row, self._column = 0, -1
        self._texts: dict[int, str] = {}
        self._flaws: dict[int, str] = {}
        self._kind, self._style = "n", 0
        self._parts: list[str] = []
        self._sounds = 0
        self._columns: dict[str, int] = {}
        self._numbers: dict[tuple[int, str], tuple[str, bool]] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            place = attributes.get("r")
            self._column = self._column + 1 if place is None else self._column_of(place)
            self._kind, style = attributes.get("t", "n"), attributes.get("s")
            self._style = int(style) if style else 0
            self._parts = []
        elif name == "v" or (name == "t" and not self._sounds):
            self.listen(self._parts.append)
        elif name == "f":
            self._flaws[self._column] = Flaw.FORMULA
        elif name == "row":
            number = attributes.get("r")
            last, self._row = self._row, int(number) if number else self._row + 1
            if not last < self._row <= _LAST_ROW:  # lines would be lost, or take each other's place
                raise ValueError(f"row {number} after {last}")
            self._column, self._texts, self._flaws = -1, {}, {}
        elif name == "rPh":
            self._sounds += 1

    def end(self, name: str) -> None:
        if name in {"v", "t"}:
            self.listen(None)
        elif name == "c":
            if self._parts:
                self._texts[self._column] = self._shown()
        elif name == "row":
            self._gatherer.add(self._row, self._texts, self._flaws)
        elif name == "rPh":
            self._sounds -= 1

    def _column_of(self, place: str) -> int:
        letters = place.rstrip("0123456789")
        column = self._columns.get(letters)
        if column is None:
            column = 0
            for letter in letters.upper():
                column = min(column * 26 + ord(letter) - 64, _MOST_COLUMN)
            column = self._columns[letters] = column - 1
        return column

    def _shown(self) -> str:
        kind = self._kind
        if kind == "s":
            return self._strings[int(self._parts[0] if len(self._parts) == 1 else "".join(self._parts))]
        if kind in {"inlineStr", "str"}:
            return _text(self._parts)
        raw = "".join(self._parts)[:LONGEST_CELL]
        if kind == "b":
            return "TRUE" if raw.strip() == "1" else "FALSE"
        if kind == "e":
            self._flaws.setdefault(self._column, Flaw.ERROR)
            return raw
        if kind == "d":
            return _iso_words(raw)
        key = (self._style, raw)
        found = self._numbers.get(key)
        if found is None:
            form = self._formats[self._style] if self._style < len(self._formats) else GENERAL
            found = number_words(raw.strip(), form, since_1904=self._since_1904)
            if len(self._numbers) < _REMEMBERED:
                self._numbers[key] = found
        text, rounded = found
        if rounded:
            self._flaws.setdefault(self._column, Flaw.ROUNDED)
        return text


def _iso_words(raw: str) -> str:
    try:
        moment = datetime.fromisoformat(raw.strip())
    except ValueError:
        return raw
    return moment_words(moment, _SHOWN_MOMENT if "T" in raw else _SHOWN_DATE)


def _relations(archive: zipfile.ZipFile, part: str, budget: Budget) -> _Relations:
    folder, name = posixpath.split(part)
    found = _Relations(folder or ".")
    looked_at(archive, posixpath.join(folder, "_rels", f"{name}.rels"), found, budget)
    return found


def read(archive: zipfile.ZipFile, limits: Limits) -> Iterator[Line]:
    """Give the lines of the first sheet; raises InvalidInputError as `lines.read_lines` does."""
    try:
        yield from _lines(archive, limits)
    except (KeyError, ValueError, IndexError, OverflowError) as error:  # what the parts say of each other is not so
        raise InvalidInputError("file", "broken") from error


def _lines(archive: zipfile.ZipFile, limits: Limits) -> Iterator[Line]:
    budget = Budget(limits.unpacked)
    part = _relations(archive, "", budget).kinds.get(_BOOK, "xl/workbook.xml")
    if not part.endswith(".xml"):
        raise InvalidInputError("file", "not_a_table")
    book, links = _Book(), _relations(archive, part, budget)
    for _ in fed(archive, part, book, budget):
        pass
    if not book.sheets:
        raise InvalidInputError("file", "not_a_table")
    _, link = next((sheet for sheet in book.sheets if not sheet[0]), book.sheets[0])
    strings, styles = _Strings(), _Styles()
    looked_at(archive, links.kinds.get("sharedStrings", ""), strings, budget)
    looked_at(archive, links.kinds.get("styles", ""), styles, budget)
    gatherer = Gatherer(limits)
    sheet = _Sheet(gatherer, strings.texts, styles.formats(), since_1904=book.since_1904)
    for _ in fed(archive, links.targets[link], sheet, budget):
        yield from gatherer.taken()
