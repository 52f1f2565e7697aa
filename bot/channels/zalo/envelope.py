"""Tell from a webhook's outer fields which account and person it concerns, when it happened and how it is keyed."""

import hashlib
import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from bot.channels.channel import RawEvent
from bot.channels.zalo.payload import id_of, list_of, moment_of, object_of, read_object

MAX_EVENT_NAME = 64

_CLOCK_SKEW = timedelta(days=1)
_FROM_USER = re.compile("user_(send|submit|reacted)_|anonymous_send_")
_FROM_OA = re.compile("oa_(send|reacted)_|user_(received|seen)_message$")
_GROUP = re.compile("(user|oa)_send_group(_|$)")
_NAME = re.compile(r"[!-~]{0,64}")
_MESSAGE = re.compile("(user|oa|anonymous)_send_")
_DIFFERENT_NAMES = 256


class _Kind(NamedTuple):
    """What an event's name says about where the other fields stand."""

    name: str
    from_user: bool
    from_oa: bool
    group: bool
    message: bool


@lru_cache(_DIFFERENT_NAMES)
def _kind(given: str) -> _Kind:
    name = given if _NAME.fullmatch(given) else "".join(c for c in given if " " < c <= "~")[:MAX_EVENT_NAME]
    patterns = (_FROM_USER, _FROM_OA, _GROUP, _MESSAGE)
    return _Kind(name, *(bool(pattern.match(name)) for pattern in patterns))


_NAMELESS = _kind("")


def _kind_of(data: dict[str, Any]) -> _Kind:
    name = data.get("event_name")
    if not isinstance(name, str):
        return _NAMELESS
    # Only names of a sensible length are remembered: the cache must not become a store of what forgers send.
    return _kind(name) if len(name) <= MAX_EVENT_NAME else _kind.__wrapped__(name)


def raw_event(body: bytes, now: datetime) -> RawEvent:
    """Read the facts intake stores beside the body; raises ValueError when the body is no JSON object.

    `now` stands in for a missing or absurd timestamp.
    """
    data = read_object(body)
    return routed(data, account_of(data), body, now)


def routed(data: dict[str, Any], account: str, body: bytes, now: datetime) -> RawEvent:
    """Read the same facts from a body that is parsed already and whose account is known."""
    kind = _kind_of(data)
    moment = moment_of(data.get("timestamp"))
    return RawEvent(
        account=account,
        event=kind.name,
        key=_key(data, kind, body),
        contact=_contact(data, kind),
        occurred_at=moment if moment is not None and moment <= now + _CLOCK_SKEW else now,
    )


def event_name(data: dict[str, Any]) -> str:
    """Return the event's name, cut to a length a column can hold."""
    return _kind_of(data).name


def account_of(data: dict[str, Any]) -> str:
    """Return the OA's id: where it stands depends on who acted (api.md 1.4); empty when the event names none."""
    given = id_of(data.get("oa_id")) or id_of(data.get("oaId"))
    if given:
        return given
    kind = _kind_of(data)
    if kind.from_oa:
        return id_of(object_of(data.get("sender")).get("id"))
    if kind.from_user:
        return id_of(object_of(data.get("recipient")).get("id"))
    return ""


def contact_of(data: dict[str, Any]) -> str:
    """Return the person (or group) whose events must be handled in order; empty for news about the account.

    The phone channel's receipts name a phone in the person's place.
    """
    return _contact(data, _kind_of(data))


def _contact(data: dict[str, Any], kind: _Kind) -> str:
    if kind.group:
        return id_of(object_of(data.get("recipient")).get("id"))
    if data.get("group_id") is not None:
        return id_of(data["group_id"])
    if kind.from_oa and "recipient" in data:
        return id_of(object_of(data["recipient"]).get("id"))
    return _person(data, kind)


def person_of(data: dict[str, Any]) -> str:
    """Return the citizen who acted or whom the event concerns; empty when there is none, or several."""
    return _person(data, _kind_of(data))


def _person(data: dict[str, Any], kind: _Kind) -> str:
    for holder, field in (("sender", "id"), ("follower", "id"), ("data", "user_id")):
        found = id_of(object_of(data.get(holder)).get(field))
        if found:
            return "" if holder == "sender" and kind.from_oa else found
    users = list_of(data.get("users"))
    if len(users) == 1:
        return id_of(object_of(users[0]).get("id"))
    return id_of(data.get("user_id"))


def key_of(data: dict[str, Any], body: bytes) -> str:
    """Return what makes the event unique within its account: a repeat by Zalo has the identical body.

    A message's own id would do for messages alone; a reaction or receipt names somebody else's, and management
    events have none, so these are keyed by a digest of the body.
    """
    return _key(data, _kind_of(data), body)


def _key(data: dict[str, Any], kind: _Kind, body: bytes) -> str:
    message_id = id_of(object_of(data.get("message")).get("msg_id")) if kind.message else ""
    return f"{kind.name}:{message_id or hashlib.sha256(body).hexdigest()[:32]}"
