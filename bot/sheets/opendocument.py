"""Read the first sheet of an ods document: the texts that a person sees stand in it."""

import zipfile
from collections.abc import Iterator

from bot.errors import InvalidInputError
from bot.sheets.lines import EXACT_DIGITS, LONGEST_CELL, Flaw, Gatherer, Limits, Line
from bot.sheets.package import Budget, Reader, fed, looked_at

_MANIFEST = "META-INF/manifest.xml"
_CELLS = frozenset({"table-cell", "covered-table-cell"})
_WORDS = frozenset({"p", "s", "tab", "line-break"})
_ASIDE = frozenset({"annotation", "shapes"})


class _Manifest(Reader):
    """Find out whether the document is encrypted."""

    def __init__(self) -> None:
        super().__init__()
        self.encrypted = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        del attributes
        self.encrypted = self.encrypted or name == "encryption-data"


class _Content(Reader):
    """Turn the cells of the first table into lines; what stands beside them (comments, drawings) is left out."""

    def __init__(self, gatherer: Gatherer) -> None:
        super().__init__()
        self._gatherer = gatherer
        self.tables = 0
        self._row = 0
        self._repeated_rows, self._repeated_cells = 1, 1
        self._column = 0
        self._texts: dict[int, str] = {}
        self._flaws: dict[int, str] = {}
        self._parts: list[str] = []
        self._value, self._flaw = "", ""
        self._aside = 0

    @property
    def through(self) -> bool:
        """Whether the first table has ended."""
        return self.tables < 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.tables < 0:
            return
        if name in _ASIDE:
            self._aside += 1
            self.listen(None)
        elif self._aside:
            return
        elif name in _CELLS:
            self._begin_cell(_plain(attributes))
        elif name in _WORDS:
            self._begin_words(name, attributes)
        elif name == "table-row":
            self._repeated_rows = int(_plain(attributes).get("number-rows-repeated", "1"))
            self._column, self._texts, self._flaws = 0, {}, {}
        elif name == "table":
            self.tables += 1

    def _begin_words(self, name: str, attributes: dict[str, str]) -> None:
        """Take what words are made of: paragraphs, and the blanks that XML would lose."""
        if name == "p":
            if self._parts:
                self._parts.append("\n")
            self.listen(self._parts.append)
        elif name == "s":
            self._parts.append(" " * min(int(_plain(attributes).get("c", "1")), LONGEST_CELL))
        else:
            self._parts.append("\t" if name == "tab" else "\n")

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._parts = []
        self._repeated_cells = int(attributes.get("number-columns-repeated", "1"))
        kind = attributes.get("value-type", "")
        self._value = attributes.get("date-value") or attributes.get("value") or ""
        self._flaw = ""
        if "formula" in attributes:
            self._flaw = Flaw.FORMULA
        elif kind == "float" and _digits(self._value) > EXACT_DIGITS:
            self._flaw = Flaw.ROUNDED

    def end(self, name: str) -> None:
        if self.tables < 0:
            return
        if name in _ASIDE:
            self._aside -= 1
        elif self._aside:
            return
        elif name == "p":
            self.listen(None)
        elif name in _CELLS:
            self._end_cell()
        elif name == "table-row":
            self._end_row()
        elif name == "table":
            self.tables = -1

    def _end_cell(self) -> None:
        text = "".join(self._parts)[:LONGEST_CELL] or self._value[:LONGEST_CELL]
        if text or self._flaw:
            # One repeated beyond what is read is refused by its last column, without being written out.
            for column in range(
                self._column, self._column + min(self._repeated_cells, self._gatherer.limits.columns + 1)
            ):
                self._texts[column] = text
                if self._flaw:
                    self._flaws[column] = self._flaw
        self._column += self._repeated_cells

    def _end_row(self) -> None:
        first, self._row = self._row + 1, self._row + self._repeated_rows
        if self._texts or self._flaws:
            for number in range(first, self._row + 1):
                self._gatherer.add(number, self._texts, self._flaws)


def _plain(attributes: dict[str, str]) -> dict[str, str]:
    return {name.rpartition(":")[2]: value for name, value in attributes.items()}


def _digits(value: str) -> int:
    try:
        return len(str(abs(int(float(value))))) if value else 0
    except (ValueError, OverflowError):
        return 0


def read(archive: zipfile.ZipFile, limits: Limits) -> Iterator[Line]:
    """Give the lines of the first sheet; raises InvalidInputError as `lines.read_lines` does."""
    budget, manifest = Budget(limits.unpacked), _Manifest()
    looked_at(archive, _MANIFEST, manifest, budget)
    if manifest.encrypted or "content.xml" not in archive.NameToInfo:
        raise InvalidInputError("file", "password")
    gatherer = Gatherer(limits)
    content = _Content(gatherer)
    try:
        for _ in fed(archive, "content.xml", content, budget):
            yield from gatherer.taken()
            if content.through:
                return
    except ValueError as error:  # a count that is no number
        raise InvalidInputError("file", "broken") from error
    if not content.tables and not gatherer.count:
        raise InvalidInputError("file", "not_a_table")
