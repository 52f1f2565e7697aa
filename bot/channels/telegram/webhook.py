"""Let in only webhooks that carry the bot's secret and say what each concerns; without aiogram, so web stays light."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.channels.channel import RawEvent, VerificationError
from bot.channels.telegram.payload import integer_of, object_of, read_object

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name (bots/api#setwebhook)
KINDS = ("message", "edited_message", "callback_query", "my_chat_member")
"""What we ask Telegram for; it may send what was asked for earlier for a while."""

_MAX_KIND = 60
_EARLIEST, _LATEST = 1_325_376_000, 4_102_444_800
"""2012 and 2100 in seconds: a time outside is none."""


def verified_event(
    headers: Mapping[str, str], body: bytes, account: str, secrets: Mapping[str, str], now: datetime
) -> RawEvent:
    """Check the secret in constant time and describe the update.

    Raises VerificationError when it is missing or wrong, ValueError for a body that is no JSON object.
    """
    expected, given = secrets.get(account), headers.get(SECRET_HEADER) or headers.get(SECRET_HEADER.lower())
    if expected is None:
        raise VerificationError("no_key")
    if not given:
        raise VerificationError("no_signature")
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape")):
        raise VerificationError("bad_signature")
    return event_of(read_object(body), body, account, now)


def event_of(update: Mapping[str, Any], raw: bytes, account: str, now: datetime) -> RawEvent:
    """Describe an update: keyed by its number, in the order of its chat; one without is keyed by its bytes."""
    kind = kind_of(update)
    number = integer_of(update.get("update_id"))
    key = str(number) if number is not None else f"sha256:{hashlib.sha256(raw).hexdigest()}"
    content = object_of(update.get(kind))
    return RawEvent(account, kind, key, _chat(content), _moment(content) or now)


def kind_of(update: Mapping[str, Any]) -> str:
    """Return which kind of update it is: the name of its one field besides the number, "" when there is none."""
    return next((str(name)[:_MAX_KIND] for name, value in update.items() if isinstance(value, dict)), "")


def _chat(content: Mapping[str, Any]) -> str:
    chat = object_of(content.get("chat")) or object_of(object_of(content.get("message")).get("chat"))
    number = integer_of(chat.get("id"))
    if number is None:
        number = integer_of(object_of(content.get("from")).get("id"))
    return "" if number is None else str(number)


def _moment(content: Mapping[str, Any]) -> datetime | None:
    seconds = integer_of(content.get("edit_date")) or integer_of(content.get("date"))
    if seconds is None or not _EARLIEST < seconds < _LATEST:
        return None
    return datetime.fromtimestamp(seconds, UTC)
