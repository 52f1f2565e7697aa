"""Take cells out of rows of a worksheet that are written plainly, several times faster than a parser tells of them.

Plain is what the expressions here match completely: a part of XML in which everything matched is well-formed. What is
not plain is left to the parser, so that nothing is read in another way, or accepted that it refuses.
"""

import re
import sys
from typing import NamedTuple

from bot.sheets.cell_texts import TEXTS, CellTexts
from bot.sheets.lines import LONGEST_CELL, Flaw

ROW_END = b"</row>"
_BLANK = r"[ \t\n]"
_VALUE = r'"[^"<&]*+"'
# What no XML may hold: controls, and (as UTF-8) the two last signs of the basic plane; and what no text may hold.
_CONTROLS = bytes({*range(0x20)} - {0x09, 0x0A, 0x0D})
_NEVER = (b"\xef\xbf\xbe", b"\xef\xbf\xbf", b"]]>")
_HEAD = re.compile(rf'{_BLANK}*+<row(?: r="([0-9]{{1,9}})")?((?: [A-Za-z][\w:]*+={_VALUE})*+) ?(/?)>', re.ASCII)
_CELL = re.compile(
    # the column, other attributes, ...
    rf'<c(?: r="([A-Z]{{1,3}})[0-9]{{1,9}}")?([^<>/]*+)'
    # ... then nothing, or a formula, a value or a text.
    rf"(?:/>|>(<f>[^<]*+</f>|<f/>)?(?:<v>([^<]{{0,{LONGEST_CELL}}}+)</v>"
    rf'|<is><t(?: xml:space="preserve")?>([^<]{{0,{LONGEST_CELL}}}+)</t></is>|<v/>)?</c>)'
    # What is none of this is found as a cell with an attribute that nobody knows.
    r"|([\s\S]++)",
    re.ASCII,
)
_ATTRIBUTE = re.compile(rf" ([A-Za-z][\w:]*+)=({_VALUE})", re.ASCII)
_CELL_ATTRIBUTES = re.compile(r'(?: s="(?P<s1>[0-9]{1,9})")?(?: t="(?P<t>[A-Za-z]*)")?(?: s="(?P<s2>[0-9]{1,9})")?')
_ENTITY = re.compile(r"&(?:(amp|lt|gt|quot|apos)|#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6}));")
_FAR = re.compile(r"(&#(?:[0-9]{3,7}|x[0-9A-Fa-f]{2,6});)")
_ASCII = 0x80
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_MOST_KNOWN = 2000
_MOST_COLUMN = 16_384
_LAST_ROW = 1_048_576
_ALLOWED = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OPENING = re.compile(
    rb'(?:\xef\xbb\xbf)?(?:<\?xml version="1\.0"(?: encoding="[Uu][Tt][Ff]-8")?(?: standalone="(?:yes|no)")?\?>)?'
    rb"[ \t\r\n]*<worksheet[ \t\r\n>]"
)
_NO_OPENING = re.compile(rb"<(?:[!?]|(?:row|c|v|t|f|rPh)[ \t\r\n/>])")
_SHEET = b"<sheetData>"


class Row(NamedTuple):
    """One row: its number, its texts from the first column on, and flaws by column."""

    number: int
    cells: list[str]
    flaws: dict[int, str]


def opening(data: bytes) -> int:
    """Return where the first row begins in the first bytes of a worksheet; 0 where rows cannot be told for sure."""
    end = data.find(_SHEET) + len(_SHEET)
    begun = _OPENING.match(data)
    if end < len(_SHEET) or begun is None or _NO_OPENING.search(data, begun.end() - 1, end):
        return 0
    return end


def rows_of(data: bytes) -> list[str] | None:
    """Return the text of each row, without its end, in bytes that end with that of a row; None if it may be no XML."""
    if len(data.translate(None, _CONTROLS)) < len(data) or any(each in data for each in _NEVER):
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("</row>")[:-1]


def is_alone(row: str) -> bool:
    """Say whether a text, with an end of a row behind it, is whole rows if it is XML at all: nothing stays open."""
    begin = 0
    while (head := _HEAD.match(row, begin)) and head[3]:
        begin = head.end()
    last = row[begin:]
    return last.lstrip(" \t\n").startswith("<row") and last.count("<row") == 1 and "<!" not in row and "<?" not in row


def row_number(told: str | None, last: int) -> int:
    """Return the number of a row after another; raises ValueError where lines would be lost, or lie on each other."""
    number = int(told) if told else last + 1
    if not last < number <= _LAST_ROW:
        raise ValueError(f"row {number} after {last}")
    return number


class PlainRows:
    """Read rows one at a time."""

    def __init__(self, texts: CellTexts, columns: int) -> None:
        self._texts, self._most = texts, columns
        self._columns = _Columns()
        self._kinds = _Kinds()
        self._signs = _Signs()
        self._heads = {""}

    def read(self, row: str, last: int) -> Row | None:
        """Return what stands in a row, given without its end, after the row numbered `last`.

        None where it is not plain, or has too many columns. Raises ValueError and IndexError for what makes no sense.
        """
        begin = 0
        if "&#" in row:
            row = self._spelt_out(row)
        while head := _HEAD.match(row, begin):
            if head[2] not in self._heads and not self._is_head(head[2]):
                return None
            last, begin = row_number(head[1], last), head.end()
            if not head[3]:
                break
        else:
            return None
        found = _CELL.findall(row, begin)
        odd = "&" in row or "_x" in row
        if (found and found[-1][-1]) or (odd and not _is_sound(row)):
            return None
        return self._cells(last, found, odd=odd)

    def _cells(self, number: int, found: list[tuple[str, ...]], *, odd: bool) -> Row | None:
        columns, kinds, most = self._columns, self._kinds, self._most
        shown, strings = self._texts.shown, self._texts.strings
        cells: list[str] = []
        flaws: dict[int, str] = {}
        column = -1
        for letters, rest, formula, value, words, _ in found:
            column = columns[letters] if letters else column + 1
            kind, style = kinds[rest]
            if column >= most or style < 0:
                return None
            if formula:
                flaws[column] = Flaw.FORMULA
            text = words or value
            if not text:
                continue
            if odd:
                text = _ENTITY.sub(_meant, text)
            if kind == "s":
                text = strings[int(text)]
            elif kind not in TEXTS or odd:
                text, flaw = shown(kind, style, text)
                if flaw:
                    flaws.setdefault(column, flaw)
            if column == len(cells):
                cells.append(text)
            else:
                cells += [""] * (column + 1 - len(cells))
                cells[column] = text
        return Row(number, cells, flaws)

    def _spelt_out(self, row: str) -> str:
        """Put the signs themselves for numbers of signs beyond ASCII, which are no part of any tag."""
        parts = _FAR.split(row)
        parts[1::2] = [self._signs[number] for number in parts[1::2]]
        return "".join(parts)

    def _is_head(self, attributes: str) -> bool:
        """Say whether the attributes of a row are well-formed: each is there once."""
        names = [name for name, _ in _ATTRIBUTE.findall(attributes)]
        if "r" in names or len(set(names)) < len(names):
            return False
        if len(self._heads) < _MOST_KNOWN:
            self._heads.add(attributes)
        return True


class _Columns(dict[str, int]):
    """The places of columns, from 0, by their letters."""

    def __missing__(self, letters: str) -> int:
        place = self[letters] = column_of(letters)
        return place


class _Kinds(dict[str, tuple[str, int]]):
    """Kinds and styles of cells by their attributes; a style of -1 is for those that are not plain."""

    def __missing__(self, attributes: str) -> tuple[str, int]:
        match = _CELL_ATTRIBUTES.fullmatch(attributes)
        if match is None or (match["s1"] and match["s2"]):
            return "", -1
        kind = "n" if match["t"] is None else match["t"]
        found = kind, int(match["s1"] or match["s2"] or 0)
        if len(self) < _MOST_KNOWN:
            self[attributes] = found
        return found


class _Signs(dict[str, str]):
    """Signs by the numbers that are written for them; what XML may not hold, and ASCII, stays as it is written."""

    def __missing__(self, written: str) -> str:
        match = _ENTITY.fullmatch(written)
        sign = _meant(match) if match else ""
        found = sign if _ALLOWED.fullmatch(sign) and ord(sign) >= _ASCII else written
        if len(self) < _MOST_KNOWN:
            self[written] = found
        return found


def column_of(letters: str) -> int:
    """Return the place, from 0, of the column that is called so; one beyond what a sheet can have is the last."""
    column = 0
    for letter in letters.upper():
        column = min(column * 26 + ord(letter) - 64, _MOST_COLUMN)
    return column - 1


def _is_sound(row: str) -> bool:
    """Say whether each `&` in a row begins what means a sign that XML may hold."""
    return "&" not in _ENTITY.sub(lambda found: "" if _ALLOWED.fullmatch(_meant(found)) else "&", row)


def _meant(found: re.Match[str]) -> str:
    name, digits, hexadecimal = found.groups()
    if name:
        return _NAMED[name]
    code = int(digits) if digits else int(hexadecimal, 16)
    return chr(code) if code <= sys.maxunicode else ""
