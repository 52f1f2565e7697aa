"""Check an uploaded list of recipients: its columns first, then each line, and name what is wrong and where."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from bot.domain.personal_columns import is_named_personal, is_personal, personal_places
from bot.domain.privacy import normalise_phone
from bot.domain.text import clean, fold

MOST_LINES = 100_000
MOST_COLUMNS = 50
LONGEST_CELL = 500
"""Characters (NFC) of one value: more than any template or text has room for."""
LONGEST_NAME = 60
USER_IDS = (5, 30)
"""How many digits a provider's user id has at least and at most."""
_PHONE_DIGITS = 9
_DOSSIER = re.compile(r"[0-9A-Z]{1,3}(?:\.[0-9A-Z]{2,3}){1,3}-(\d{6}|\d{8})-\d{4,7}", re.ASCII)
_USUAL_PHONE = re.compile(r"0[35789]\d{8}", re.ASCII)
_DASHES = re.compile(r"[-‐-―−]")
_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE | re.ASCII)
_LETTER_CODES = 26


class KeyKind(StrEnum):
    """What a list says of each recipient."""

    PHONE = "phone"
    USER_ID = "user_id"
    DOSSIER = "dossier"


KEY_NAMES: dict[KeyKind, frozenset[str]] = {
    KeyKind.USER_ID: frozenset(
        {"zalo id", "id zalo", "user id", "userid", "zalo user id", "uid", "uid zalo", "ma nguoi dung zalo"}
    ),
    KeyKind.PHONE: frozenset(
        {
            *(
                "dien thoai",
                "so dien thoai",
                "sdt",
                "so dt",
                "dt",
                "dtdd",
                "di dong",
                "so di dong",
                "dien thoai di dong",
            ),
            *("so dien thoai di dong", "dien thoai lien he", "so dien thoai lien he", "so zalo", "sdt zalo"),
            *("phone", "phone number", "mobile", "so may"),
        }
    ),
    KeyKind.DOSSIER: frozenset({"ma ho so", "so ho so", "ma hs", "dossier", "dossier code", "ma so ho so"}),
}
"""How a column is called that says who the recipient is, folded; where several are there the first kind counts."""
WARNINGS = frozenset({"zero_restored", "duplicate", "empty_cell", "beyond_columns", "personal_column"})
"""What is only said; a line with anything else wrong is not written to."""
DOSSIER = "dossier:"
"""How the recipient of a checked line begins of which only a dossier's code is known, until whose it is is found."""
UNKNOWN_DOSSIER = "dossier_unknown"
"""What is wrong with a line of which only a dossier's code is known."""
REASON_NAMES = frozenset({"ly do loi", "what is wrong"})
"""The last column of a file of bad lines, folded: it is left aside when the file comes back, put right."""
SAMPLE = (
    ("Họ tên", "Điện thoại", "Số tiền", "Ngày nhận"),
    ("Nguyễn Văn Ví Dụ", "0900 000 001", "500.000", "05/12/2026"),
    ("Trần Thị Thí Dụ", "+84 900 000 002", "1.250.000", "05/12/2026"),
)
"""A list as it should be, for a file to start from."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a column or a cell: the column's name, a word for templates, and what the words need.

    It holds nothing of what stands in the cell: problems are kept as they are, cells encrypted.
    """

    column: str
    code: str
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def severity(self) -> str:
        """Whether it keeps the line from being written to: error | warning."""
        return "warning" if self.code in WARNINGS else "error"

    def to_json(self) -> dict[str, Any]:
        """Return what is kept of it."""
        return {"column": self.column, "code": self.code, "severity": self.severity, "details": dict(self.details)}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a list: all their names in order, which one says who it is and how, and which must be filled.

    `aside` are columns that nobody wants; `personal` those with phones or numbers of identity papers beside the key,
    of which nothing is kept.
    """

    names: tuple[str, ...]
    key: int
    kind: KeyKind
    required: frozenset[int] = frozenset()
    aside: frozenset[int] = frozenset()
    personal: frozenset[int] = frozenset()

    @property
    def key_name(self) -> str:
        """The name of the column that says who it is."""
        return self.names[self.key]

    @property
    def fields(self) -> tuple[str, ...]:
        """The merge fields: every column but phones and user ids of recipients, which are kept encrypted."""
        return tuple(name for place, name in enumerate(self.names) if self.is_field(place))

    def is_field(self, place: int) -> bool:
        """Say whether the column at a place, from 0, is a merge field."""
        return not self.is_left(place) and (place != self.key or self.kind is KeyKind.DOSSIER)

    def is_left(self, place: int) -> bool:
        """Say whether nothing of the column at a place is read."""
        return place in self.aside or place in self.personal

    def judged(self, rows: Sequence[Sequence[str]]) -> "Columns":
        """Return the columns as some rows show them: those with phones or identity numbers are left out as well."""
        others = [place for place in range(len(self.names)) if place != self.key and not self.is_left(place)]
        return replace(self, personal=self.personal | personal_places(rows, others))

    def left_out(self) -> list[Problem]:
        """Name the columns of which nothing is kept, since they say who somebody is."""
        return [Problem(self.names[place], "personal_column") for place in sorted(self.personal)]


class Checked(NamedTuple):
    """One line: who it is (phone as 84…, user id, dossier's code; "" for nobody), values by field, what is wrong."""

    number: int
    recipient: str
    merged: dict[str, str]
    problems: list[Problem]

    @property
    def bad(self) -> bool:
        """Whether the line cannot be written to until it is put right."""
        return bool(self.problems) and any(problem.severity == "error" for problem in self.problems)


def letter(place: int) -> str:
    """Return what spreadsheets call the column at a place, from 0."""
    name, place = "", place + 1
    while place:
        place, rest = divmod(place - 1, _LETTER_CODES)
        name = chr(ord("A") + rest) + name
    return name


def read_columns(
    header: Sequence[str], wanted: str = "", kind: KeyKind | None = None
) -> tuple[Columns | None, list[Problem]]:
    """Return the columns that a header names, or None and everything that is wrong with it.

    `wanted` is the name of the column that says who it is and `kind` what stands there, where somebody has told so.
    A name that ends with `*` marks a column that must be filled.
    """
    names = [" ".join(clean(name).split()) for name in header]
    while names and not names[-1]:
        names.pop()
    if any(_looks_like_data(name) for name in names):
        return None, [Problem("", "no_header")]
    required = frozenset(place for place, name in enumerate(names) if name.endswith("*"))
    names = [name.rstrip("* ") for name in names]
    problems = [*_names_wrong(names), *_doubled(names)]
    key, found, wrong = _key_of(names, wanted, kind)
    problems += wrong
    if problems or found is None:
        return None, problems
    aside = frozenset(place for place, name in enumerate(names) if fold(name) in REASON_NAMES)
    personal = frozenset(place for place, name in enumerate(names) if place != key and _says_who(name))
    return Columns(tuple(names), key, found, required, aside, personal), []


def _says_who(name: str) -> bool:
    folded = fold(name)
    return is_named_personal(name) or folded in KEY_NAMES[KeyKind.PHONE] or folded in KEY_NAMES[KeyKind.USER_ID]


def _looks_like_data(name: str) -> bool:
    return normalise_phone(name) is not None or _DOSSIER.fullmatch(_dossier(name)) is not None or name.isdecimal()


def _names_wrong(names: Sequence[str]) -> list[Problem]:
    found = []
    for place, name in enumerate(names):
        if not name:
            found.append(Problem("", "unnamed_column", {"letter": letter(place)}))
        elif len(name) > LONGEST_NAME:
            found.append(
                Problem(name[:LONGEST_NAME] + "…", "long_name", {"most": LONGEST_NAME, "letter": letter(place)})
            )
        elif set(name) & set("{}"):
            found.append(Problem(name, "braces_in_name", {"letter": letter(place)}))
    return found


def _doubled(names: Sequence[str]) -> list[Problem]:
    """Name the columns that are called the same once accents, capitals and signs are left aside."""
    first: dict[str, int] = {}
    found = []
    for place, name in enumerate(names):
        folded = fold(name)
        if not folded:
            continue
        if folded in first:
            details = {"other": names[first[folded]], "letters": f"{letter(first[folded])}, {letter(place)}"}
            found.append(Problem(name, "double_column", details))
        first.setdefault(folded, place)
    return found


def _key_of(names: Sequence[str], wanted: str, kind: KeyKind | None) -> tuple[int, KeyKind | None, list[Problem]]:
    folded = [fold(name) for name in names]
    if wanted:
        name = fold(wanted)
        if not name or name not in folded:
            return -1, None, [Problem(wanted, "unknown_key", {"columns": ", ".join(filter(None, names))})]
        place = folded.index(name)
        found = kind or next((each for each, known in KEY_NAMES.items() if name in known), None)
        return place, found, [] if found else [Problem(names[place], "unknown_key_kind")]
    for each, known in KEY_NAMES.items():
        places = [place for place, name in enumerate(folded) if name in known and kind in {None, each}]
        if len(places) > 1:
            return -1, None, [Problem(names[places[1]], "two_keys", {"other": names[places[0]]})]
        if places:
            return places[0], each, []
    return -1, None, [Problem("", "no_key_column", {"columns": ", ".join(filter(None, names))})]


class LineCheck:
    """Check lines one after another; it remembers whom it has seen."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._seen: dict[str, int] = {}
        self._plan = [
            (
                place,
                name,
                place == columns.key,
                columns.is_field(place),
                "empty" if place in columns.required else "empty_cell",
            )
            for place, name in enumerate(columns.names)
            if not columns.is_left(place)
        ]

    def check(self, number: int, cells: Sequence[str], flaws: Mapping[int, str]) -> Checked:
        """Check one line: `flaws` are what the reader noticed, by column (formula | cell_error | rounded)."""
        problems: list[Problem] = []
        merged: dict[str, str] = {}
        key: str | None = ""
        there = len(cells)
        for place, name, is_key, is_field, if_empty in self._plan:
            text = clean(cells[place]) if place < there else ""
            wrong = None
            if flaws and place in flaws:
                wrong = Problem(name, flaws[place])
            elif len(text) > LONGEST_CELL:
                wrong = Problem(name, "too_long", {"most": LONGEST_CELL, "length": len(text)})
            elif not text and not is_key:
                wrong = Problem(name, if_empty)
            elif not is_key and is_personal(text):
                wrong = Problem(name, "personal_cell")
            if wrong is not None:
                problems.append(wrong)
            if is_key:
                key = text if wrong is None else None
            if is_field:
                merged[name] = text
        if there > len(self._columns.names):
            problems.append(Problem(letter(len(self._columns.names)), "beyond_columns"))
        recipient = "" if key is None else self._recipient(key, problems)
        return self._settled(number, recipient, merged, problems)

    def _recipient(self, text: str, problems: list[Problem]) -> str:
        found, more = recipient_of(text, self._columns.kind)
        problems += [Problem(self._columns.key_name, code, details) for code, details in more]
        return found

    def _settled(self, number: int, recipient: str, merged: dict[str, str], problems: list[Problem]) -> Checked:
        """Let the first good line of each recipient count."""
        line = Checked(number, recipient, merged, problems)
        if line.bad or not recipient:
            return Checked(number, "", merged, problems)
        first = self._seen.setdefault(recipient, number)
        if first == number:
            return line
        again = Problem(self._columns.key_name, "duplicate", {"first": first})
        return Checked(number, "", merged, [*problems, again])


Found = list[tuple[str, dict[str, Any]]]


def recipient_of(text: str, kind: KeyKind) -> tuple[str, Found]:
    """Return who a cell means, a phone as 84 and nine digits, and what is to be said of it; "" for nobody.

    Whose a dossier is, nobody knows yet: it is told by its code.
    """
    if not text:
        return "", [("empty", {})]
    if kind is KeyKind.PHONE:
        return _phone(text)
    if kind is KeyKind.USER_ID:
        return _user(text)
    code = _dossier(text)
    if not is_dossier_code(code):
        return "", [("not_a_dossier", {})]
    return code, []


def _phone(text: str) -> tuple[str, Found]:
    if _USUAL_PHONE.fullmatch(text):
        return f"84{text[1:]}", []
    number = normalise_phone(text)
    if number is None:
        lost = _SCIENTIFIC.fullmatch(text) is not None
        return "", [("rounded", {}) if lost else ("not_a_phone", {})]
    bare = text.removesuffix(".0")
    restored = bare.isdecimal() and len(bare) == _PHONE_DIGITS
    return number, [("zero_restored", {})] if restored else []


def _user(text: str) -> tuple[str, Found]:
    bare = text.replace(" ", "").lstrip("'")
    if bare.isascii() and bare.isdecimal() and USER_IDS[0] <= len(bare) <= USER_IDS[1]:
        return bare, []
    if _SCIENTIFIC.fullmatch(bare):
        return "", [("rounded", {})]
    return "", [("not_a_user_id", {})]


def _dossier(text: str) -> str:
    return _DASHES.sub("-", "".join(text.split())).upper()


def is_dossier_code(code: str) -> bool:
    """Say whether this is the code of a dossier, in capitals and with plain dashes: its middle part is a date."""
    found = _DOSSIER.fullmatch(code)
    if found is None:
        return False
    digits = found[1] if len(found[1]) > len("yymmdd") else f"20{found[1]}"
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True
