"""Read Zalo's JSON without trusting it: each reader returns a clean value or nothing, and never raises."""

import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from bot.channels.nesting import check_nesting
from bot.domain.text import clean

MAX_ID = 128
MAX_DETAILS = 40
MAX_DETAIL = 500
MAX_URL = 4096

_EXACT_DIGITS = 20
_FOLDED = bytes.maketrans(b"123456789,[", b"000000000::")
_LONG_NUMBER = b":" + b"0" * 19
"""How a number too long for 64 bits begins once all digits, and all signs a value can follow, have been made equal."""
_EARLIEST = datetime(2012, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_SECONDS_BELOW, _MILLISECONDS_BELOW = 10**11, 10**14
_PHONE_DIGITS = range(8, 16)
_LOCAL_DIGITS = 9
_DEPTH = 8


def read_json(raw: bytes) -> Any:
    """Parse a body; raises ValueError when it is no JSON at all.

    orjson refuses lone surrogates and broken UTF-8 and rounds ids beyond 64 bits, so such bodies take the slow way:
    invalid bytes become U+FFFD, numbers too long to be exact stay strings.
    """
    check_nesting(raw)
    if _LONG_NUMBER not in raw.translate(_FOLDED, b" \t\r\n-"):
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError:
            pass
    text = raw.decode("utf-8-sig", "replace")
    return json.loads(text, parse_int=_integer, parse_constant=_refuse, strict=False)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _EXACT_DIGITS else digits


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def read_object(raw: bytes) -> dict[str, Any]:
    """Parse a body that must be a JSON object; raises ValueError."""
    value = read_json(raw)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 -- the contract names ValueError for every unreadable body
    return value


def object_of(value: Any) -> dict[str, Any]:
    """Return an object, or an empty one."""
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """Return a list, or an empty one."""
    return value if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """Return a string or number as clean text in NFC, or an empty string."""
    if isinstance(value, str):
        return clean(value)
    return str(value) if _is_number(value) else ""


def id_of(value: Any) -> str:
    """Return an id, given as string or whole number; empty when it is missing or too long to be one."""
    # Nearly all ids are plain letters and digits; cleaning each would cost a third of the webhook's path.
    if type(value) is str and len(value) <= MAX_ID and value.isascii() and value.isalnum():
        return value
    if isinstance(value, float) or not isinstance(value, str | int) or isinstance(value, bool):
        return ""
    text = clean(str(value))
    return text if len(text) <= MAX_ID else ""


def integer_of(value: Any) -> int | None:
    """Return a whole number, given as number or digits."""
    if isinstance(value, str) and len(value) <= _EXACT_DIGITS:
        try:
            return int(value)
        except ValueError:
            return None
    if not _is_number(value) or value != int(value):
        return None
    return int(value)


def degrees_of(value: Any, limit: float) -> float | None:
    """Return a coordinate within ±limit, given as number or string (Zalo's samples: strings)."""
    if not isinstance(value, str) and not _is_number(value):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if abs(number) <= limit else None


def url_of(value: Any) -> str | None:
    """Return a web address, or None for anything else."""
    text = value.strip() if isinstance(value, str) else ""
    return text if text.isprintable() and text.startswith(("http://", "https://")) and len(text) <= MAX_URL else None


def phone_of(value: Any) -> str:
    """Return a phone as digits with the country first (`84…`), or an empty string.

    Zalo gives `84…` as string or number; people and older code write `0…` or `+84…`.
    """
    digits = "".join(c for c in text_of(value) if c in "0123456789").removeprefix("00")
    if len(digits) == _LOCAL_DIGITS:
        return f"84{digits}"
    if digits.startswith("0"):
        digits = f"84{digits[1:]}"
    return digits if len(digits) in _PHONE_DIGITS else ""


def moment_of(value: Any) -> datetime | None:
    """Return the time of a `timestamp` (10 to 16 digits: seconds, milliseconds, microseconds); None if absurd."""
    number = integer_of(value)
    if number is None or number < 0:
        return None
    divisor = 1 if number < _SECONDS_BELOW else 1_000 if number < _MILLISECONDS_BELOW else 1_000_000
    try:
        moment = datetime.fromtimestamp(number / divisor, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if _EARLIEST <= moment < _LATEST else None


def details_of(data: Mapping[str, Any], leave_out: frozenset[str]) -> dict[str, str]:
    """Flatten what an event tells into short strings: `{"quota": {"new_value": 5}}` gives `quota.new_value` = 5."""
    details: dict[str, str] = {}
    for key, value in _leaves(data, leave_out, "", 0):
        if len(details) == MAX_DETAILS:
            break
        if key and value:
            details[key] = f"{details[key]}, {value}"[:MAX_DETAIL] if key in details else value
    return details


def _leaves(value: Any, leave_out: frozenset[str], path: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEPTH:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            if depth or key not in leave_out:
                yield from _leaves(inner, leave_out, f"{path}.{id_of(key)}".lstrip("."), depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, leave_out, path, depth + 1)
    else:
        yield path[:MAX_ID], text_of(value)[:MAX_DETAIL]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
