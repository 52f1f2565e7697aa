"""Read the table "how to file" of a procedure, whose cells the national catalogue glues together without a mark."""

import math
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

_HEAD = re.compile(r"^Hình thức nộp\s*Thời gian\s*Phí, lệ phí\s*Mô tả")
_NO_WORD = "Không có thông tin"
_UNIT = "Ngày làm việc|Ngày|Giờ làm việc|Giờ|Tuần|Tháng|Năm|Phút"
# One line of the table begins with how to file, goes on with the time and ends, for us, with the fee. The time may be a
# number with its unit, a number that has lost it, or some words; the fee an amount, "free", or that nothing is known.
# A number that has lost its unit before an amount cannot be told from it ("520,000 VNĐ"): then the time is empty.
_LINE = re.compile(
    r"(?P<channel>Trực tiếp|Trực tuyến|Dịch vụ bưu chính)[ \t]*"
    rf"(?P<time>{_NO_WORD}|\d{{1,4}}[ \t]*(?:{_UNIT})|\d{{1,4}}(?=[ \t]*[MK])|[^\d\n(]{{2,60}}?|)[ \t]*"
    rf"(?P<fee>Miễn phí|{_NO_WORD}|\d[\d.,]{{0,14}}[ \t]?(?:Việt Nam Đồng|VNĐ|USD))"
)
_LIMIT = re.compile(rf"(\d{{1,4}})[ \t]*({_UNIT})?")
_WORKING = re.compile(r"(?<![\d.,/])0?(\d{1,3})[ \t]*(?:\([^()\n]{1,30}\)[ \t]*)?ngày làm việc", re.IGNORECASE)
# How a text says that the result is given on the same day: what comes in the afternoon waits for the next one.
_SAME_DAY = re.compile(
    r"sau 15 ?(?:giờ|h\b)[^.;\n()]{0,120}?trả kết quả[^.;\n()]{0,80}?ngày làm việc tiếp theo"
    r"|trả kết quả[^.;,\n()]{0,60}?(?<!\w)trong ngày làm việc tiếp theo[^.;\n()]{0,60}?sau 15 ?(?:giờ|h\b)"
    r"|(?:trả (?:ngay )?kết quả|giải quyết)[^.;,\n()]{0,40}?(?<!\w)trong (?:cùng )?ngày"
    r"(?: (?:làm việc|tiếp nhận|nhận(?: được| đủ)?|nộp)(?! (?:tiếp|sau|thứ|kế))|[.,;\n]|$)",
    re.IGNORECASE,
)
_TODAY = re.compile(r"(?:ngay )?trong (?:cùng )?ngày(?: làm việc)?", re.IGNORECASE)
_UNENTERED = {"", "0", "1", _NO_WORD}
"""What stands in the column of the time where nothing was entered."""
_AMOUNT = re.compile(r"(?<![\d.,/])(\d{1,3}(?:[.,]\d{3})+|\d{4,9})[ \t]*(?:đồng|đ\b|vnđ|việt nam đồng)", re.IGNORECASE)
_UNSAID = re.compile(r"[\s(\-]*(?:không(?: có| quy định| có thông tin)?|miễn phí)[\s).]*", re.IGNORECASE)
_OF_CALENDAR = Fraction(5, 7)
_DAYS_OF = {
    "Ngày làm việc": Fraction(1),
    "Ngày": _OF_CALENDAR,
    "Giờ làm việc": Fraction(1, 8),
    "Giờ": Fraction(1, 8),
    "Phút": Fraction(1, 480),
    "Tuần": Fraction(5),
    "Tháng": 30 * _OF_CALENDAR,
    "Năm": 365 * _OF_CALENDAR,
}
"""How many working days each unit is; a day that is not called a working one is one of the calendar."""
_LEAST_FEE = 1_000
"""đồng; what costs less is an amount in thousands that has lost its noughts."""
_MOST_FEE = 2_000_000_000
_WORDS = 300


class Way(NamedTuple):
    """One line of the table: how to file, how long that takes, what it costs, a remark on that, and the rest."""

    channel: str
    time: str
    fee: str
    note: str
    rest: str

    @property
    def glued(self) -> bool:
        """Whether the time and the amount are one number that nobody can part."""
        return not self.time and self.fee[0].isdigit()

    @property
    def words(self) -> str:
        """The line as people read it."""
        parts = (self.time, self.fee, self.note.strip("() \n"), self.rest)
        told = [" ".join(part.split()) for part in parts if part.strip() and part.strip() != _NO_WORD]
        return f"{self.channel}: {'; '.join(told)}" if told else self.channel


def ways(text: str) -> list[Way]:
    """Part a glued table into its lines; a text that is no such table gives none."""
    body = _HEAD.sub("", text, count=1)
    found = list(_LINE.finditer(body))
    ends = [*(line.start() for line in found[1:]), len(body)]
    return [_way(line, body[line.end() : end]) for line, end in zip(found, ends, strict=False)]


def _way(line: re.Match[str], behind: str) -> Way:
    note = _bracketed(behind)
    return Way(line["channel"], line["time"].strip(), line["fee"].strip(), note, behind[len(note) :].strip())


def _bracketed(text: str) -> str:
    """Return the remark in brackets that a text begins with, brackets within it included; "" for none."""
    depth = 0
    for index, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth <= 0:
            return text[: index + 1] if index else ""
    return ""


def limit_of(table: list[Way]) -> tuple[int | None, str]:
    """Return the longest limit in working days and what the table says of limits; None where that cannot be read.

    Where one line can be read and another cannot, the longest is not known.
    """
    said = _distinct(way.fee if way.glued else way.time for way in table)
    known = [way for way in table if way.glued or _said(way.time)]
    days = [_days(way) for way in known]
    read = [number for number in days if number is not None]
    return max(read) if read and len(read) == len(days) else None, "; ".join(said)[:_WORDS]


def same_day(table: list[Way], texts: Iterable[str]) -> str:
    """Return the words by which texts promise the result on the same day; "" where none do or the table says a time."""
    if any(way.glued or way.time not in _UNENTERED for way in table):
        return ""
    found = next(filter(None, map(_SAME_DAY.search, texts)), None)
    return " ".join(found[0].split()) if found else ""


def _days(way: Way) -> int | None:
    if _TODAY.fullmatch(way.time):
        return 0
    found = _LIMIT.fullmatch(way.time)
    number = int(found[1]) if found else 0
    if found is None or number == 0:
        return None
    unit = found[2]
    if unit is None:
        # What has lost its unit is in working days. But 1 is also what stands there when nothing was entered.
        return number if number > 1 else None
    if unit == "Ngày" and _meant_working(way, number):
        return number
    return math.ceil(number * _DAYS_OF[unit])


def _meant_working(way: Way, number: int) -> bool:
    """Say whether the remark calls the same number working days, which the column often does not."""
    return any(int(found) == number for found in _WORKING.findall(way.rest))


def price_of(table: list[Way]) -> tuple[int | None, str]:
    """Return the fee in đồng, 0 for none, and what the table says of it; None where it depends or cannot be read.

    "Miễn phí" with a remark that somebody else sets the fee is no promise that there is none.
    """
    said = _distinct(f"{way.fee} {way.note}".strip() if _said(way.note) else way.fee for way in table)
    prices = {_price(way) for way in table if _said(way.fee)}
    return prices.pop() if len(prices) == 1 else None, "; ".join(said)[:_WORDS]


def _price(way: Way) -> int | None:
    note_amounts = {_number(found) for found in _AMOUNT.findall(way.note)}
    if way.fee == "Miễn phí":
        return 0 if not way.note or _UNSAID.fullmatch(way.note) else None
    if way.fee.endswith("USD") or way.glued:
        return None
    amount = _number(way.fee.removesuffix("VNĐ").removesuffix("Việt Nam Đồng"))
    credible = _LEAST_FEE <= amount <= _MOST_FEE and note_amounts <= {amount}
    return amount if credible else None


def _number(text: str) -> int:
    digits = "".join(sign for sign in text if sign.isascii() and sign.isdigit())
    return int(digits or 0)


def _said(text: str) -> bool:
    return text.strip() not in {"", _NO_WORD}


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(" ".join(text.split()) for text in texts if _said(text)))
