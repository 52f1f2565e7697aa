"""Read one record of the national catalogue of procedures: what its glued tables say, and nothing that they do not."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from bot.domain.procedure_table import Way, limit_of, price_of, same_day, ways
from bot.domain.text import clean

NOTHING = frozenset({"", "không có thông tin", "không có", "không có.", "không", "không."})
"""How the catalogue says that it says nothing."""
FULL, PART = "full", "part"
"""How a procedure can be filed online: all the way, or only in part."""
MAX_NAME = 1_000
_MAX_DETAIL = 20_000
_CODE = re.compile(r"(\d{1,2}\.\d{6})((?:\.[0-9A-Z]{2,4}){1,5})?")
# What stands behind the last words of a text is the page it was copied from.
_PAGE_REST = re.compile(r"(?:Mã:|Từ khóa|Chọn cơ quan)")
_GLUED_HEADS = re.compile(r"Tên giấy tờ\s*Mẫu đơn, tờ khai\s*Số lượng|Tên văn bản pháp lý\s*Mã văn bản")
_GLUED_COPIES = re.compile(r"(\d{1,3} bản (?:chính|sao)(?:, ?\d{1,3} bản (?:chính|sao))?)(?=[^\s,.;:)])")
_BLANKS = re.compile(r"[ \t]+")
_LINES = re.compile(r" ?\n[ \n]*")


class Procedure(NamedTuple):
    """One procedure as a source tells it; texts "" and numbers None where it tells nothing that can be read.

    `days` working days, `fee` đồng, `online` full | part | "". `details` are the longer texts by name: papers, steps,
    ways, result, legal_basis, conditions.
    """

    code: str
    full_code: str
    name: str
    field: str = ""
    agency: str = ""
    level: str = ""
    days: int | None = None
    limit_words: str = ""
    fee: int | None = None
    fee_words: str = ""
    online: str = ""
    online_url: str = ""
    details: Mapping[str, Any] = {}


def codes(text: str) -> tuple[str, str]:
    """Return a procedure's short code and the one with the agency's suffix, each "" when it is not told.

    "1.000253.000.00.00.H26" gives ("1.000253", "1.000253.000.00.00.H26"); anything else gives ("", "").
    """
    found = _CODE.fullmatch(clean(text).upper())
    if found is None:
        return "", ""
    return found[1], found[0] if found[2] else ""


def read_record(record: Mapping[str, Any], link: str = "") -> Procedure:
    """Read a record of the catalogue; never raises, a record without code or name gives one that is empty.

    `link` is where procedures of this office are filed, with {code} and {full_code} in it; else the catalogue's own.
    """
    code, full_code = codes(_text(record, "ma_thu_tuc"))
    table = ways(_raw(record, "cach_thuc_thuc_hien"))
    days, limit_words = _limit(record, table)
    fee, fee_words = price_of(table)
    online = _online(record, table)
    return Procedure(
        code=code,
        full_code=full_code,
        name=" ".join(_text(record, "ten_thu_tuc").split())[:MAX_NAME],
        field=" ".join(_text(record, "linh_vuc").split()),
        agency=" ".join((_text(record, "co_quan_co_tham_quyen") or _text(record, "co_quan_thuc_hien")).split())[:200],
        level=" ".join(_text(record, "cap_thuc_hien").split()),
        days=days,
        limit_words=limit_words,
        fee=fee,
        fee_words=fee_words,
        online=online,
        online_url=linked(link, code, full_code) or _text(record, "detail_url") if online else "",
        details=_details(record, table),
    )


def linked(link: str, code: str, full_code: str) -> str:
    """Return where one procedure is filed, from a link with {code} and {full_code} in it; "" without a link."""
    return link.replace("{full_code}", full_code or code).replace("{code}", code)


def _limit(record: Mapping[str, Any], table: list[Way]) -> tuple[int | None, str]:
    """Read the limit off the table; where it tells none, the steps may say that it is the same day."""
    days, words = limit_of(table)
    if days is None:
        texts = (
            _trimmed(_text(record, name)) for name in ("trinh_tu_thuc_hien", "cach_thuc_thuc_hien", "yeu_cau_dieu_kien")
        )
        said = same_day(table, texts)
        if said:
            return 0, said
    return days, words


def _online(record: Mapping[str, Any], table: list[Way]) -> str:
    """Say how it can be filed online: as its own words say, else in part where the table has a way online at all."""
    words = " ".join(_raw(record, name).casefold() for name in ("ten_thu_tuc", "cach_thuc_thuc_hien"))
    full, part = "toàn trình" in words, "một phần" in words
    if full != part:
        return FULL if full else PART
    return PART if part or any(way.channel == "Trực tuyến" for way in table) else ""


def _details(record: Mapping[str, Any], table: list[Way]) -> dict[str, Any]:
    papers = _GLUED_COPIES.sub(r"\1\n", _GLUED_HEADS.sub("\n", _text(record, "thanh_phan_ho_so")))
    found = {
        "papers": _trimmed(papers.replace("\n--\n", "\n").removeprefix("--")),
        "steps": _trimmed(_text(record, "trinh_tu_thuc_hien")),
        "ways": "\n".join(way.words for way in table),
        "result": _trimmed(_PAGE_REST.split(_text(record, "ket_qua_xu_ly"))[0]),
        "legal_basis": _trimmed(_GLUED_HEADS.sub("\n", _text(record, "can_cu_phap_ly"))),
        "conditions": _trimmed(_PAGE_REST.split(_text(record, "yeu_cau_dieu_kien"))[0]),
    }
    return {name: text[:_MAX_DETAIL] for name, text in found.items() if text.casefold() not in NOTHING}


def _trimmed(text: str) -> str:
    """Return a text with single blanks and single line ends."""
    return _LINES.sub("\n", _BLANKS.sub(" ", text)).strip()


def _raw(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    return clean(value) if isinstance(value, str) else ""


def _text(record: Mapping[str, Any], name: str) -> str:
    """Return a text of a record, "" where it says that there is none."""
    text = _raw(record, name)
    return "" if text.casefold() in NOTHING else text
