"""Find what names a dossier in what a citizen types: a code however it is written, or its end, and how much else."""

import re
from typing import NamedTuple

from bot.domain.dossier_code import day_of, found_in, squeezed

_DASHES = re.compile("[‐‑‒–—―−_]")
_PLAIN = re.compile(r"[0-9A-Z][0-9A-Z.\-]*")
_LONGEST_WINDOW = 11
"""A code whose dots and dashes are blanks, with blanks inside of its parts, is so many words at most."""
_MOST_WORDS = 40
_EDGES = "?&=/:;,.()[]{}\"'!-"
_NUMBER = range(4, 8)
_DAY = (8, 6)
_AGENCY = re.compile(r"\d{0,9}[A-Z]\d{2}\d{0,9}")
"""Every agency's part that we know has one letter before two digits (H26, G09); without its dots it must look so."""
_ANY_AGENCY = re.compile(r"[0-9A-Z]{3,15}")
_END = re.compile(r"(?<![0-9A-Z.\-])(\d{8}|\d{6})(?:[ ]?-[ ]?|[ ])(\d{4,7})(?![0-9A-Z\-])")
_RUN = re.compile(r"(?<![0-9A-Z.\-])(\d{8}|\d{6})(\d{4,7})(?![0-9A-Z\-])")
_LONE = re.compile(r"(?<![0-9A-Z])\d{2,7}(?![0-9A-Z])")
_YEARS = range(2012, 2050)
"""The years that the date of a code's end may lie in: other digits are a phone, an amount or a date of birth."""
_AROUND, _AROUND_WHILE_BUSY = 50, 25
"""A text that holds a code and so many characters more asks for the dossier; a longer one tells a story."""
_TAIL_AROUND = 30
_FEW = 12


class End(NamedTuple):
    """The end of a code: its date as written, "" where it was left out, and its number without leading zeros."""

    day: str
    number: str


def candidates(text: str, *, waits: bool = False) -> list[str]:
    """Return what of a text may be a code, as its letters and digits alone, the longest first; at most a dozen.

    Dots, dashes and blanks may be missing or stand anywhere. While a code is waited for (`waits`) its agency's part
    may look as it likes.
    """
    found = [squeezed(code) for code in found_in(text)]
    words = [word.strip(_EDGES) for word in _DASHES.sub("-", text).upper().split()][:_MOST_WORDS]
    for start in range(len(words)):
        joined = ""
        for word in words[start : start + _LONGEST_WINDOW]:
            if word and not _PLAIN.fullmatch(word):
                break
            joined += squeezed(word)
            if _reads_as_code(joined, waits=waits):
                found.append(joined)
    return sorted(dict.fromkeys(found), key=len, reverse=True)[:_FEW]


def _reads_as_code(joined: str, *, waits: bool) -> bool:
    agency = _ANY_AGENCY if waits else _AGENCY
    for number in _NUMBER:
        for day in _DAY:
            head, part = joined[: -number - day], joined[-number - day : -number]
            digits = joined[-number - day :].isdigit()
            if digits and agency.fullmatch(head) and day_of(f"X-{part}-{joined[-number:]}") is not None:
                return True
    return False


def end_in(text: str, *, waits: bool = False) -> End | None:
    """Return the end of a code, date and number, that stands in a text without the rest; None where none does.

    Between date and number stands a dash or a blank; while a code is waited for (`waits`) nothing need stand there.
    """
    plain = _DASHES.sub("-", text).upper()
    for shape in (_END, _RUN) if waits else (_END,):
        for match in shape.finditer(plain):
            day = day_of(f"X-{match[1]}-{match[2]}")
            if day is not None and day.year in _YEARS:
                return End(match[1], match[2].lstrip("0") or "0")
    return None


def number_in(text: str) -> End | None:
    """Return the last digits of a code that are all the digits of a short text ("0012", "số 12 ạ"); else None."""
    found = _LONE.findall(text.upper())
    if len(found) != 1 or len(re.findall(r"\d+", text)) != 1 or len(text) > _TAIL_AROUND:
        return None
    return End("", found[0].lstrip("0") or "0")


def asks(text: str, code: str, *, busy: bool = False) -> bool:
    """Say whether a text that holds a code, given as letters and digits, is no more than a question about it.

    While somebody is `busy` with something else, as with a report, the text has to be little more than the code.
    """
    return len(text) - len(code) <= (_AROUND_WHILE_BUSY if busy else _AROUND)
