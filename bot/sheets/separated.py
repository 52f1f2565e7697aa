"""Read csv in any usual encoding and with any usual sign between the cells."""

import csv
import io
from collections.abc import Iterator

from bot.errors import InvalidInputError
from bot.sheets.lines import LONGEST_CELL, Flaw, Gatherer, Limits, Line

_SIGNS = ",;\t"
_AT_ONCE = 1000
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read(data: bytes, limits: Limits) -> Iterator[Line]:
    """Give the lines of a csv file; raises InvalidInputError as `lines.read_lines` does."""
    text = _decoded(data)
    first, _, rest = text.partition("\n")
    skipped, sign = 0, max(_SIGNS, key=first.count)
    told = first.strip().lower()
    if told.startswith("sep=") and len(told) == len("sep=x"):
        skipped, sign, text = 1, told[-1], rest
    csv.field_size_limit(LONGEST_CELL * 4)
    gatherer = Gatherer(limits)
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=sign), start=1 + skipped):
            texts = {column: cell[:LONGEST_CELL] for column, cell in enumerate(cells) if cell}
            flaws = {column: Flaw.FORMULA for column, cell in texts.items() if cell[0] == "=" and len(cell) > 1}
            gatherer.add(number, texts, flaws)
            if len(gatherer.lines) >= _AT_ONCE:
                yield from gatherer.taken()
    except csv.Error as error:
        raise InvalidInputError("file", "broken") from error
    yield from gatherer.taken()


def _decoded(data: bytes) -> str:
    """Return the text: UTF-8, UTF-16 with its mark, else Windows-1258, in which older programs write Vietnamese."""
    encodings = ("utf-16",) if data.startswith(_UTF16) else ("utf-8-sig", "cp1258")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text or not text.strip():
            break
        return text
    raise InvalidInputError("file", "not_a_table")
