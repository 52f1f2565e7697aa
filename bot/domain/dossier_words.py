"""Read what other systems write of dossiers: moments, statuses in numbers and words, phones, however they are spelt."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from bot.clock import LOCAL_ZONE
from bot.domain.dossier import Status
from bot.domain.privacy import normalise_phone
from bot.domain.text import clean, fold

_FIRST_YEAR, _LAST_YEAR = 1990, 2100
_LONGEST = 60
_TIME = r"(?P<hour>\d{1,2})\s*(?:[:h]\s*(?P<minute>\d{1,2})?\s*(?:[:m]\s*(?P<second>\d{1,2})(?P<part>\.\d{1,9})?)?)"
_HALF = r"(?:\s*(?P<half>AM|PM|SA|CH)\b\.?)?"
_DAY_FIRST = r"(?P<day>\d{1,2})\s*(?P<mark>[/.-])\s*(?P<month>\d{1,2})\s*(?P=mark)\s*(?P<year>\d{4})"
_SHAPES = tuple(
    re.compile(shape, re.IGNORECASE | re.ASCII)
    for shape in (
        rf"{_DAY_FIRST}(?:[\s,T-]+(?:lúc\s+)?{_TIME}{_HALF})?",
        rf"{_TIME}{_HALF}(?:\s*(?:,|-|ngày)\s*|\s+(?:ngày\s+)?){_DAY_FIRST}",
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?:(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?)?",
        r"(?P<year>\d{4})/(?P<month>\d{1,2})/(?P<day>\d{1,2})" + rf"(?:\s+{_TIME}{_HALF})?",
    )
)
_ISO = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.IGNORECASE | re.ASCII,
)
_NOON = 12
_NUMBER = re.compile(r"0?(?P<code>10|[1-9])(?:[.,]0+)?", re.ASCII)
_NUMBERED = re.compile(r"\(?0?(?P<code>10|[1-9])\)?\s*[-–:.)]\s*(?P<words>\D.*)", re.ASCII | re.DOTALL)
_LEADING = ("trang thai ho so ", "trang thai ", "ho so dang o trang thai ", "ho so ")
_TRAILING = (" ho so", " cho cong dan", " cho nguoi dan", " cho to chuc ca nhan")
_USUAL_PHONE = re.compile(r"0[35789]\d{8}", re.ASCII)
_PHONES = re.compile(r"[;,/|\n]|\s-\s")

_S = Status
STATUS_WORDS: Mapping[Status, tuple[str, ...]] = {
    _S.REGISTERED: (
        "Mới đăng ký", "Đã đăng ký", "Đăng ký trực tuyến", "Mới nộp", "Đã nộp", "Mới gửi", "Đã gửi", "Mới",
        "Chờ tiếp nhận", "Chờ xác nhận", "Chưa tiếp nhận",
    ),
    _S.ACCEPTED: ("Được tiếp nhận", "Đã tiếp nhận", "Đã được tiếp nhận", "Mới tiếp nhận", "Tiếp nhận"),
    _S.REFUSED: (
        "Không được tiếp nhận", "Không tiếp nhận", "Từ chối", "Từ chối tiếp nhận", "Đã từ chối", "Bị từ chối",
        "Đã từ chối tiếp nhận", "Trả lại",
    ),
    _S.PROCESSING: (
        "Đang xử lý", "Chờ xử lý", "Chưa xử lý", "Đang giải quyết", "Chưa giải quyết", "Đang thụ lý", "Đang thẩm định",
        "Đang xác minh", "Chờ phân công", "Đã chuyển xử lý", "Chuyển xử lý", "Đang chuyển xử lý", "Đang trình ký",
        "Chờ ký", "Chờ ký duyệt", "Chờ phê duyệt", "Đang liên thông", "Chờ liên thông", "Đã bổ sung",
        "Đã bổ sung giấy tờ", "Đã nộp bổ sung", "Đã thực hiện nghĩa vụ tài chính",
    ),
    _S.SUPPLEMENT: (
        "Yêu cầu bổ sung giấy tờ", "Yêu cầu bổ sung", "Chờ bổ sung", "Chờ bổ sung giấy tờ", "Đang chờ bổ sung",
        "Cần bổ sung", "Bổ sung", "Bổ sung giấy tờ", "Tạm dừng chờ bổ sung", "Chờ công dân bổ sung",
        "Công dân bổ sung", "Yêu cầu công dân bổ sung",
    ),
    _S.FEE: (
        "Yêu cầu thực hiện nghĩa vụ tài chính", "Thực hiện nghĩa vụ tài chính", "Nghĩa vụ tài chính",
        "Chờ thực hiện nghĩa vụ tài chính", "Chờ nghĩa vụ tài chính", "Chờ nộp phí", "Chờ nộp lệ phí",
        "Chờ nộp phí, lệ phí", "Chờ nộp thuế", "Chờ thanh toán", "Yêu cầu nộp phí", "Yêu cầu thanh toán",
    ),
    _S.WITHDRAWN: (
        "Công dân yêu cầu rút hồ sơ", "Công dân rút hồ sơ", "Công dân xin rút hồ sơ", "Công dân rút", "Rút hồ sơ",
        "Yêu cầu rút hồ sơ", "Xin rút hồ sơ", "Đã rút", "Đã rút hồ sơ", "Rút",
    ),
    _S.STOPPED: (
        "Dừng xử lý", "Đã dừng xử lý", "Dừng giải quyết", "Đã dừng", "Không giải quyết", "Từ chối giải quyết",
        "Không đủ điều kiện giải quyết", "Huỷ", "Đã huỷ", "Bị huỷ",
    ),
    _S.READY: (
        "Đã xử lý xong", "Xử lý xong", "Đã xử lý", "Đã có kết quả", "Có kết quả", "Đã giải quyết", "Đã giải quyết xong",
        "Hoàn thành", "Đã hoàn thành", "Hoàn thành xử lý", "Đã xong", "Chờ trả kết quả", "Chưa trả kết quả",
        "Chờ nhận kết quả", "Chờ trả", "Chưa trả",
    ),
    _S.RETURNED: ("Đã trả kết quả", "Trả kết quả", "Đã trả", "Đã nhận kết quả", "Đã phát kết quả"),
}  # fmt: skip
"""How one-stop systems call each status; the first of each are the words of the national exchange."""
_BY_WORDS = {fold(word): status for status, words in STATUS_WORDS.items() for word in words}


def read_moment(text: str) -> datetime | None:
    """Return the moment that a text names, in UTC; None for anything else, impossible dates included.

    Reads ISO 8601, `dd/MM/yyyy[ HH:mm[:ss]]` (also with dashes or dots, with the time in front, with AM/PM or SA/CH),
    `yyyy/MM/dd`, and `yyyyMMdd[HHmm[ss]]`. It is Vietnamese time where no zone is told; a day alone is its beginning.
    """
    found = clean(text)
    if len(found) > _LONGEST:
        return None
    if _ISO.fullmatch(found):
        return _bounded(_from_iso(found))
    for shape in _SHAPES:
        match = shape.fullmatch(found)
        if match is not None:
            return _bounded(_made({name: value for name, value in match.groupdict().items() if value}))
    return None


def _from_iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.upper().replace(",", "."))
    except ValueError:
        return None


def _made(parts: Mapping[str, str]) -> datetime | None:
    year, month, day = (int(parts[name]) for name in ("year", "month", "day"))
    hour, minute, second = (int(parts.get(name, 0)) for name in ("hour", "minute", "second"))
    half = parts.get("half", "").upper()
    if half:
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if half in {"PM", "CH"} else 0)
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=LOCAL_ZONE)
    except ValueError:
        return None


def _bounded(moment: datetime | None) -> datetime | None:
    """Return the moment in UTC where its year can be meant; what lies outside is a slip of the keyboard."""
    if moment is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=LOCAL_ZONE)).astimezone(UTC)


def read_status(text: str) -> Status | None:
    """Return the status that a number (1–10) or words name, with or without accents; None for unknown ones.

    Where a number stands before the words, as in `4 - Đang xử lý`, the words decide if they are known.
    """
    found = clean(text)
    if len(found) > 2 * _LONGEST:
        return None
    if number := _NUMBER.fullmatch(found):
        return Status(int(number["code"]))
    if numbered := _NUMBERED.fullmatch(found):
        return _of_words(numbered["words"]) or Status(int(numbered["code"]))
    return _of_words(found)


def _of_words(text: str) -> Status | None:
    words = fold(text)
    if words in _BY_WORDS:
        return _BY_WORDS[words]
    for start in _LEADING:
        if words.startswith(start):
            return _of_words(words.removeprefix(start))
    for end in _TRAILING:
        if words.endswith(end):
            return _of_words(words.removesuffix(end))
    return None


def read_phone(text: str) -> str | None:
    """Return the first Vietnamese mobile number that stands in a field, as `84` and nine digits; None without one."""
    if _USUAL_PHONE.fullmatch(text):
        return f"84{text[1:]}"
    found = clean(text)
    return normalise_phone(found) or next(
        (phone for part in _PHONES.split(found) if (phone := normalise_phone(part))), None
    )
