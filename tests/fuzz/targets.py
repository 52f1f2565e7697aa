"""What is fuzzed: each target takes any bytes, and raises when the service would break a promise over them."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bot.channels.channel import RawEvent
from bot.channels.telegram.updates import parse_update
from bot.channels.telegram.webhook import SECRET_HEADER
from bot.channels.telegram.webhook import verified_event as telegram_event
from bot.channels.zalo.events import parse_event
from bot.channels.zalo.payload import id_of, read_object
from bot.channels.zalo.webhook import verified_event as zalo_event
from bot.domain.update import Update

_PAYLOADS = Path(__file__).parents[1] / "payloads"
NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
_KEY, _BOT = "demo-oa-secret", "7000000001"
_APP = "1111222233334444555"
_LONGEST = 200
"""Longer than anything by which a webhook is stored and found again."""


def zalo(raw: bytes) -> None:
    """Read what is stored as Zalo's: at least one update."""
    _said(parse_event(raw))


def telegram(raw: bytes) -> None:
    """Read what is stored as Telegram's: exactly one update."""
    updates = parse_update(raw)
    assert len(updates) == 1
    _said(updates)


def body(raw: bytes) -> None:
    """Take a signed body in: it is described so that it can be stored, or refused as unreadable."""
    try:
        data = read_object(raw)
    except ValueError:
        data = {}
    terms = (id_of(data.get("app_id")) or _APP, raw, id_of(data.get("timestamp")), _KEY)
    signed = b"".join(term if isinstance(term, bytes) else term.encode("utf-8", "replace") for term in terms)
    headers = {"X-ZEvent-Signature": f"mac={hashlib.sha256(signed).hexdigest()}", SECRET_HEADER: _KEY}
    try:
        event = zalo_event(headers, raw, _APP, _KEY, {}, NOW)
    except ValueError:
        event = None
    if event is not None:
        _storable(event)
        assert "\0" not in f"{event.account}{event.event}{event.key}{event.contact}", "PostgreSQL holds no NUL"
    try:
        _storable(telegram_event(headers, raw, _BOT, {_BOT: _KEY}, NOW))
    except ValueError:
        return


def _said(updates: list[Update]) -> None:
    assert updates
    for update in updates:
        json.dumps([update.account, update.external_id, update.sender, update.occurred_at.isoformat()])


def _storable(event: RawEvent) -> None:
    for value in (event.account, event.event, event.key, event.contact):
        value.encode()
        assert len(value) <= _LONGEST
    assert event.occurred_at.tzinfo is not None


TARGETS: dict[str, tuple[Callable[[bytes], None], Path]] = {
    "zalo": (zalo, _PAYLOADS / "zalo" / "events"),
    "telegram": (telegram, _PAYLOADS / "telegram"),
    "body": (body, _PAYLOADS / "zalo" / "events"),
}
"""Each target with the recorded bodies it starts from."""
