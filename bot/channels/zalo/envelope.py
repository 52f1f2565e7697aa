"""Tell from a webhook's outer fields which account and person it concerns, when it happened and how it is keyed."""

import hashlib
import re
from datetime import datetime, timedelta
from typing import Any

from bot.channels.channel import RawEvent
from bot.channels.zalo.payload import id_of, list_of, moment_of, object_of, read_object

MAX_EVENT_NAME = 64

_CLOCK_SKEW = timedelta(days=1)
_FROM_USER = re.compile("user_(send|submit|reacted)_|anonymous_send_")
_FROM_OA = re.compile("oa_(send|reacted)_|user_(received|seen)_message$")
_GROUP = re.compile("(user|oa)_send_group(_|$)")
_NAME = re.compile(r"[!-~]{0,64}")
_MESSAGE = re.compile("(user|oa|anonymous)_send_")


def raw_event(body: bytes, now: datetime) -> RawEvent:
    """Read the facts intake stores beside the body; raises ValueError when the body is no JSON object.

    `now` stands in for a missing or absurd timestamp.
    """
    return routed(read_object(body), body, now)


def routed(data: dict[str, Any], body: bytes, now: datetime) -> RawEvent:
    """Read the same facts from a body that is parsed already."""
    moment = moment_of(data.get("timestamp"))
    return RawEvent(
        account=account_of(data),
        event=event_name(data),
        key=key_of(data, body),
        contact=contact_of(data),
        occurred_at=moment if moment is not None and moment <= now + _CLOCK_SKEW else now,
    )


def event_name(data: dict[str, Any]) -> str:
    """Return the event's name, cut to a length a column can hold."""
    name = data.get("event_name")
    if not isinstance(name, str):
        return ""
    if _NAME.fullmatch(name):
        return name
    return "".join(c for c in name if " " < c <= "~")[:MAX_EVENT_NAME]


def account_of(data: dict[str, Any]) -> str:
    """Return the OA's id: where it stands depends on who acted (api.md 1.4); empty when the event names none."""
    name = event_name(data)
    given = id_of(data.get("oa_id")) or id_of(data.get("oaId"))
    if given:
        return given
    if _FROM_OA.match(name):
        return id_of(object_of(data.get("sender")).get("id"))
    if _FROM_USER.match(name):
        return id_of(object_of(data.get("recipient")).get("id"))
    return ""


def contact_of(data: dict[str, Any]) -> str:
    """Return the person (or group) whose events must be handled in order; empty for news about the account.

    The phone channel's receipts name a phone in the person's place.
    """
    name = event_name(data)
    if _GROUP.match(name):
        return id_of(object_of(data.get("recipient")).get("id"))
    if data.get("group_id") is not None:
        return id_of(data["group_id"])
    if _FROM_OA.match(name) and "recipient" in data:
        return id_of(object_of(data["recipient"]).get("id"))
    return person_of(data)


def person_of(data: dict[str, Any]) -> str:
    """Return the citizen who acted or whom the event concerns; empty when there is none, or several."""
    for holder, field in (("sender", "id"), ("follower", "id"), ("data", "user_id")):
        found = id_of(object_of(data.get(holder)).get(field))
        if found:
            return "" if holder == "sender" and _FROM_OA.match(event_name(data)) else found
    users = list_of(data.get("users"))
    if len(users) == 1:
        return id_of(object_of(users[0]).get("id"))
    return id_of(data.get("user_id"))


def key_of(data: dict[str, Any], body: bytes) -> str:
    """Return what makes the event unique within its account: a repeat by Zalo has the identical body.

    A message's own id would do for messages alone; a reaction or receipt names somebody else's, and management
    events have none, so these are keyed by a digest of the body.
    """
    name = event_name(data)
    message_id = id_of(object_of(data.get("message")).get("msg_id")) if _MESSAGE.match(name) else ""
    return f"{name}:{message_id or hashlib.sha256(body).hexdigest()[:32]}"
