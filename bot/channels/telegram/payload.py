"""Read Telegram's JSON without trusting it."""

import json
from typing import Any

import orjson

from bot.channels.nesting import check_nesting


def read_object(raw: bytes) -> dict[str, Any]:
    """Parse a body that must be a JSON object; raises ValueError.

    What is broken in its characters (invalid bytes, lone surrogates) becomes a question mark.
    """
    check_nesting(raw)
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        value = _patient(raw)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - the contract names ValueError for every unreadable body
    return value


def _patient(raw: bytes) -> Any:
    value = json.loads(raw.decode("utf-8-sig", "replace"), parse_constant=_refuse, strict=False)
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def object_of(value: Any) -> dict[str, Any]:
    """Return an object, or an empty one."""
    return value if isinstance(value, dict) else {}


def integer_of(value: Any) -> int | None:
    """Return a whole number that fits 64 bits, or None."""
    fits = isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    return int(value) if fits else None
