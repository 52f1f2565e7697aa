"""Turn the cells of a worksheet into lines of texts: plain rows at once, what is not plain as the parser tells it."""

from bot.sheets.cell_texts import CellTexts
from bot.sheets.lines import Flaw, Gatherer
from bot.sheets.package import Reader
from bot.sheets.plain_rows import ROW_END, PlainRows, column_of, is_alone, opening, row_number, rows_of

_MOST_HELD = 1024 * 1024
"""Bytes of a row that are kept back until its end is there."""
_ODD_AT_ONCE = 50
"""Rows that are not plain, among fewer that are, after which no more are looked for."""


class Worksheet(Reader):
    """Read one sheet; all that the parser is not shown are whole rows of a document that is well-formed without them.

    It is shown what stands before the first row, each row that is not plain, and everything from the last row on.
    """

    def __init__(self, gatherer: Gatherer, texts: CellTexts) -> None:
        super().__init__()
        self._gatherer, self._shown = gatherer, texts.shown
        self._row, self._column = 0, -1
        self._texts: dict[int, str] = {}
        self._flaws: dict[int, str] = {}
        self._kind, self._style = "n", 0
        self._parts: list[str] = []
        self._sounds = 0
        self._columns: dict[str, int] = {}
        self._plain: PlainRows | None = PlainRows(texts, gatherer.limits.columns)
        self._begun = False
        self._held = b""
        self._odd = self._read = 0

    def feed(self, data: bytes, *, final: bool = False) -> None:
        """Take some bytes of the sheet; raises ExpatError where it is not well-formed, ValueError for nonsense."""
        if self._plain is None:
            self.parser.Parse(data, final)
            return
        if not self._begun:
            self._begun, end = True, opening(data)
            self.parser.Parse(data[:end], False)
            data = data[end:]
            if not end:
                self._plain = None
        self._held += data
        if self._plain is not None:
            self._take_rows(self._plain)
        begins = self._held[:64].lstrip()[: len(b"<row")]
        if final or not b"<row".startswith(begins) or len(self._held) > _MOST_HELD:
            self._plain = None
        if self._plain is None:
            held, self._held = self._held, b""
            self.parser.Parse(held, final)

    def release(self) -> None:
        """Have the parser look at what has been kept back."""
        held, self._held = self._held, b""
        self.parser.Parse(held, False)

    def _take_rows(self, plain: PlainRows) -> None:
        """Take the rows that have come to their end; from where nothing can be told for sure all is kept."""
        end = self._held.rfind(ROW_END) + len(ROW_END)
        if end < len(ROW_END):
            return
        rows = rows_of(self._held[:end])
        if rows is None:
            self._plain = None
            return
        rest = self._held[end:]
        for place, text in enumerate(rows):
            row = plain.read(text, self._row)
            if row is not None:
                self._row, self._read = row.number, self._read + 1
                self._gatherer.add_cells(*row)
                continue
            self._odd += 1
            if not is_alone(text) or self._odd > max(_ODD_AT_ONCE, self._read):
                self._plain = None
                self._held = b"".join(each.encode() + ROW_END for each in rows[place:]) + rest
                return
            self.parser.Parse(text.encode() + ROW_END, False)
        self._held = rest

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
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
            self._row = row_number(attributes.get("r"), self._row)
            self._column, self._texts, self._flaws = -1, {}, {}
        elif name == "rPh":
            self._sounds += 1

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name in {"v", "t"}:
            self.listen(None)
        elif name == "c":
            if self._parts:
                text, flaw = self._shown(self._kind, self._style, "".join(self._parts))
                self._texts[self._column] = text
                if flaw:
                    self._flaws.setdefault(self._column, flaw)
        elif name == "row":
            self._gatherer.add(self._row, self._texts, self._flaws)
            self._texts, self._flaws = {}, {}  # a cell that stands in no row is none
        elif name == "rPh":
            self._sounds -= 1

    def _column_of(self, place: str) -> int:
        letters = place.rstrip("0123456789")
        column = self._columns.get(letters)
        if column is None:
            column = self._columns[letters] = column_of(letters)
        return column
