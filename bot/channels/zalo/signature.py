"""Check that a webhook was signed by Zalo: plain SHA-256 over the received bytes, not an HMAC."""

import hashlib
import hmac
import re
from collections.abc import Iterable

HEADER = "x-zevent-signature"

_MAC = re.compile(r"\s*mac\s*=\s*([0-9a-f]{64})\s*", re.IGNORECASE)


def verify_signature(app_id: str, timestamp: str, body: bytes, header: str, keys: Iterable[str]) -> bool:
    """Say whether `header` signs `body` with one of the OA Secret Keys.

    The value is `mac=` and `hex(sha256(app_id + raw body + timestamp + OA Secret Key))` (Zalo's Java SDK, confirmed
    by real traffic); blanks around `=` and upper case are accepted. All keys are tried, in constant time each, so
    that the answer's time does not tell which OA it was.
    """
    match = _MAC.fullmatch(header)
    given = match[1].lower() if match else ""
    signed = b"".join((_bytes(app_id), body, _bytes(timestamp)))
    found = False
    for key in keys:
        found |= hmac.compare_digest(hashlib.sha256(signed + _bytes(key)).hexdigest(), given)
    return found


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "replace")
