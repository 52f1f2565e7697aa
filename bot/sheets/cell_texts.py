"""Turn what a workbook stores in a cell into the text that a person sees, and what is odd about it."""

import re
from datetime import datetime

from bot.sheets.lines import LONGEST_CELL, Flaw
from bot.sheets.number_words import GENERAL, Format, moment_words, number_words

_REMEMBERED = 20_000
"""Numbers whose words are kept: the same dates and amounts stand in many lines."""
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_SHOWN_DATE = Format(date="%d/%m/%Y")
_SHOWN_MOMENT = Format(date="%d/%m/%Y", time=True)
TEXTS = frozenset({"inlineStr", "str"})
"""Kinds of cells whose text stands in them."""


class CellTexts:
    """Know the shared texts and the formats of a workbook's styles."""

    def __init__(self, strings: list[str], formats: list[Format], *, since_1904: bool) -> None:
        self.strings = strings
        self._formats, self._since_1904 = formats, since_1904
        self._numbers: dict[tuple[int, str], tuple[str, str]] = {}

    def shown(self, kind: str, style: int, stored: str) -> tuple[str, str]:
        """Return the text of a cell that is not empty, and its flaw or "".

        Raises ValueError or IndexError for a shared text that is not there.
        """
        if kind == "s":
            return self.strings[int(stored)], ""
        if kind in TEXTS:
            return unescaped(stored), ""
        raw = stored[:LONGEST_CELL]
        if kind == "b":
            return "TRUE" if raw.strip() == "1" else "FALSE", ""
        if kind == "e":
            return raw, Flaw.ERROR
        if kind == "d":
            return _iso_words(raw), ""
        return self._numbers.get((style, raw)) or self._number(style, raw)

    def _number(self, style: int, raw: str) -> tuple[str, str]:
        form = self._formats[style] if style < len(self._formats) else GENERAL
        text, rounded = number_words(raw.strip(), form, since_1904=self._since_1904)
        found = text, Flaw.ROUNDED if rounded else ""
        if len(self._numbers) < _REMEMBERED:
            self._numbers[style, raw] = found
        return found


def unescaped(text: str) -> str:
    """Return a text as long as a cell can hold, with the signs that workbooks write as `_x000D_`."""
    text = text[:LONGEST_CELL]
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _iso_words(raw: str) -> str:
    try:
        moment = datetime.fromisoformat(raw.strip())
    except ValueError:
        return raw
    return moment_words(moment, _SHOWN_MOMENT if "T" in raw else _SHOWN_DATE)
