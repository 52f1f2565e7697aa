"""Tell which columns of an uploaded list hold numbers that say who somebody is, by their names and by their cells."""

import re
from collections.abc import Iterable, Sequence

from bot.domain.privacy import normalise_phone
from bot.domain.text import clean, fold

SAMPLE_LINES = 200
"""How many of the first lines of a list are looked at before it is decided what its columns hold."""

_OF = r"(?: (?:cong dan|ca nhan|nguoi dan|nguoi nhan|chu ho|chu the|khach hang))*"
_PAPERS = re.compile(
    r"(?:so |ma )*(?:the )?(?:cccd|cmnd|cmtnd|cmt|cccd cmnd|cmnd cccd|can cuoc|chung minh nhan dan|chung minh thu"
    rf"|dinh danh|ddcn|ho chieu|giay to|giay to tuy than|passport){_OF}(?: so)?"
    r"|(?:passport|identity|id card|citizen id|national id)(?: number| no)?"
)
_CITIZEN = re.compile(r"0\d{2}[ .]?\d{3}[ .]?\d{3}[ .]?\d{3}", re.ASCII)
_CITIZEN_WITHIN = re.compile(r"(?<![\d.\-])0\d{2}[0-3]\d{8}(?![\d.\-]\d|\d)", re.ASCII)
_CITIZEN_DIGITS = 12
_TWELVE = re.compile(r"0\d{11}", re.ASCII)
"""What is found fast, since it begins with a certain sign: few cells of a hundred thousand lines hold it."""
_BEGINS = ("0", "+84", "(0", "(+84", "84")
_WITHOUT_ZERO = re.compile(r"(?:\d{9}|\d{11})(?:\.0)?", re.ASCII)
"""What a spreadsheet makes of a phone or a citizen's number that it takes for a sum; also old identity cards."""
_ROUND = "000"
_FEWEST = 3
_NEARLY_ALL = 0.8
_MANY = 0.5


def is_named_personal(name: str) -> bool:
    """Say whether a column is called like numbers of identity papers."""
    return _PAPERS.fullmatch(fold(name)) is not None


def is_personal(text: str) -> bool:
    """Say whether a cell is nothing but a mobile phone's number, or has a citizen's number in it; sums are neither."""
    if len(text) >= _CITIZEN_DIGITS and _TWELVE.search(text) and _CITIZEN_WITHIN.search(text):
        return True
    if not text.startswith(_BEGINS):
        return False
    if _CITIZEN.fullmatch(text):
        return True
    return normalise_phone(text) is not None and not (text.startswith("84") and text.endswith(_ROUND))


def personal_places(rows: Iterable[Sequence[str]], places: Iterable[int]) -> frozenset[int]:
    """Return which of these columns hold such numbers, judged by some rows of the list."""
    columns = {place: [clean(row[place]) for row in rows if place < len(row)] for place in places}
    return frozenset(place for place, cells in columns.items() if _mostly_personal(list(filter(None, cells))))


def _mostly_personal(cells: Sequence[str]) -> bool:
    if not cells:
        return False
    if sum(map(is_personal, cells)) >= _MANY * len(cells):
        return True
    bare = sum(1 for it in cells if _WITHOUT_ZERO.fullmatch(it) and not it.removesuffix(".0").endswith(_ROUND))
    return len(cells) >= _FEWEST and bare >= _NEARLY_ALL * len(cells)
