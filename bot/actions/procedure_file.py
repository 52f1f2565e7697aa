"""Read a file of procedures, line by line: the national catalogue, or a table with columns of our own."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from bot.domain.procedure import FULL, MAX_NAME, PART, Procedure, codes, linked, read_record
from bot.domain.text import clean, fold
from bot.errors import InvalidInputError
from bot.tables import read_table

COLUMNS = ("code", "name", "field", "days", "fee", "online", "url")
"""The columns of a table of our own; all but the first two may be left out."""
MOST_LINES = 20_000
MOST_DAYS = 1_000
MOST_FEE = 2_000_000_000
_MOST_BYTES = 100 * 1024 * 1024
_ONLINE = {"toan trinh": FULL, "full": FULL, "mot phan": PART, "part": PART, "khong": "", "": ""}
_FREE = frozenset({"mien phi", "khong thu", "khong"})


class Read(NamedTuple):
    """One line: its number in the file, and the procedure or what is wrong with it.

    `columns` are those of ProcedureRow that a table of our own tells; None for the catalogue, which tells all.
    """

    number: int
    procedure: Procedure | None = None
    columns: frozenset[str] | None = None
    problem: str = ""
    value: str = ""


def read_procedures(path: Path, link: str = "") -> list[Read]:
    """Read a jsonl, csv, xlsx or ods file; `link` as in bot.domain.procedure.read_record.

    Raises InvalidInputError with field "file": missing_columns, too_many_rows, too_large, or what bot.tables says.
    """
    if path.stat().st_size > _MOST_BYTES:
        raise InvalidInputError("file", "too_large", name=path.name, most=_MOST_BYTES // 1024 // 1024)
    found = list(_of_records(path, link) if _is_jsonl(path) else _of_table(path, link))
    if len(found) > MOST_LINES:
        raise InvalidInputError("file", "too_many_rows", most=MOST_LINES)
    return list(_once(found))


def _is_jsonl(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def _of_records(path: Path, link: str) -> Iterator[Read]:
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            yield Read(number, problem="not_json", value=clean(line[:40]))
            continue
        if not isinstance(record, dict):
            yield Read(number, problem="not_json", value=clean(line[:40]))
            continue
        yield _checked(number, read_record(record, link), record.get("ma_thu_tuc"))


def _of_table(path: Path, link: str) -> Iterator[Read]:
    rows = read_table(path, set())
    header = set(rows[0].cells) if rows else set()
    if {"ma_thu_tuc", "ten_thu_tuc"} <= header:
        for row in rows:
            yield _checked(row.number, read_record(row.cells, link), row.cells["ma_thu_tuc"])
        return
    missing = [name for name in COLUMNS[:2] if name not in header]
    if missing:
        raise InvalidInputError("file", "missing_columns", columns=", ".join(missing))
    for row in rows:
        try:
            yield _own(row.number, row.cells, link)
        except InvalidInputError as error:
            yield Read(row.number, problem=f"bad_{error.field}", value=row.cells[error.field][:80])


def _checked(number: int, procedure: Procedure, code: object) -> Read:
    if not procedure.code:
        return Read(number, problem="bad_code", value=clean(str(code or "")[:40]))
    if not procedure.name:
        return Read(number, problem="bad_name", value=procedure.code)
    return Read(number, procedure)


def _own(number: int, cells: Mapping[str, str], link: str) -> Read:
    """Read one row of a table of our own; raises InvalidInputError with the column that is wrong."""
    values: dict[str, Any] = {}
    code, full_code = codes(cells["code"])
    for name in COLUMNS[1:]:
        if name in cells:
            values |= column(name, cells[name])
    if "online" in cells and values["online"] and not values.get("online_url"):
        values["online_url"] = linked(link, code, full_code)
    read = _checked(number, Procedure(code, full_code, **values), cells["code"])
    return read._replace(columns=frozenset(values))


def column(name: str, text: str) -> dict[str, Any]:
    """Return what a column of our own means for ProcedureRow; raises InvalidInputError with the column as field."""
    text = " ".join(clean(text).split())
    match name:
        case "name":
            return {"name": _name(text)}
        case "days":
            return {"days": _whole(text, "days", MOST_DAYS) if text else None}
        case "fee":
            return _fee(text)
        case "online":
            if fold(text) not in _ONLINE:
                raise InvalidInputError("online", "unknown_online")
            return {"online": _ONLINE[fold(text)]}
        case "url":
            return {"online_url": _address(text)}
        case _:
            return {"field": text[:200]}


def _name(text: str) -> str:
    if not text:
        raise InvalidInputError("name", "empty")
    if len(text) > MAX_NAME:
        raise InvalidInputError("name", "too_long", most=MAX_NAME)
    return text


def _fee(text: str) -> dict[str, Any]:
    """Read an amount with or without dots and its unit, "free", or words that say what it depends on."""
    bare = text.casefold().removesuffix("đồng").removesuffix("vnđ").removesuffix("đ").strip()
    digits = bare.replace(".", "").replace(",", "").replace(" ", "")
    if digits.isascii() and digits.isdigit():
        return {"fee": _whole(digits, "fee", MOST_FEE), "fee_words": ""}
    return {"fee": 0 if fold(text) in _FREE else None, "fee_words": text[:300]}


def _whole(text: str, field: str, most: int) -> int:
    plain = text.removesuffix(".0")
    if not (plain.isascii() and plain.isdigit() and len(plain) < 12 and int(plain) <= most):  # noqa: PLR2004 - longer is more than any limit
        raise InvalidInputError(field, "not_a_number")
    return int(plain)


def _address(text: str) -> str:
    if not text:
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.netloc or " " in text or len(text) > MAX_NAME:
        raise InvalidInputError("url", "not_a_link")
    return text


def _once(found: list[Read]) -> Iterator[Read]:
    """Refuse what names a procedure that an earlier line has told already."""
    first: dict[str, int] = {}
    for read in found:
        code = read.procedure.code if read.procedure else ""
        if code and first.setdefault(code, read.number) != read.number:
            yield Read(read.number, problem="double_code", value=f"{code} ({first[code]})")
        else:
            yield read
