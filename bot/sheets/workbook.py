"""Read the first sheet of an xlsx workbook that is not hidden, as a person sees it."""

import posixpath
import zipfile
from collections.abc import Iterator

from bot.errors import InvalidInputError
from bot.sheets.cell_texts import CellTexts, unescaped
from bot.sheets.lines import Gatherer, Limits, Line
from bot.sheets.number_words import BUILT_IN, GENERAL, Format, format_of
from bot.sheets.package import Budget, Reader, fed, looked_at
from bot.sheets.worksheet import Worksheet

_BOOK = "officeDocument"


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
            self.texts.append(unescaped("".join(self._parts)))


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
    texts = CellTexts(strings.texts, styles.formats(), since_1904=book.since_1904)
    sheet = Worksheet(gatherer, texts)
    for _ in fed(archive, links.targets[link], sheet, budget):
        yield from gatherer.taken()
