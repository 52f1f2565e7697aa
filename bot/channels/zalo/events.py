"""Turn a webhook body into updates: one table from event name to reader, pure, without ever raising."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bot.channels.zalo.envelope import account_of, event_name, key_of, person_of
from bot.channels.zalo.payload import moment_of, read_object
from bot.channels.zalo.readers import (
    Event,
    Facts,
    OddEventError,
    about_recipient,
    account_news,
    echo,
    followed,
    group_message,
    phone_shared,
    pressed,
    rated,
    receipt,
    received,
    required,
    template_news,
    unfollowed,
    withdrawn,
)
from bot.domain.update import UNKNOWN_EVENT, Unrecognised, Update

UNKNOWN_TIME = datetime.fromtimestamp(0, UTC)
"""Stands where a body names no believable time; intake's own `occurred_at` is then the one to use."""

_KINDS = ("text", "image", "gif", "link", "audio", "video", "sticker", "location", "business_card", "file")

READERS: dict[str, Callable[[Event], Update]] = {
    **{f"user_send_{kind}": received for kind in _KINDS},
    **{f"anonymous_send_{kind}": received for kind in _KINDS},
    **{f"oa_send_{kind}": echo for kind in (*_KINDS, "list", "template")},
    **{f"oa_send_anonymous_{kind}": echo for kind in _KINDS},
    **{f"{who}_send_group_{kind}": group_message for who in ("user", "oa") for kind in _KINDS},
    "user_send_group": group_message,
    "oa_send_group": group_message,
    "user_received_message": receipt,
    "user_seen_message": receipt,
    "follow": followed,
    "user_click_chatnow": followed,
    "unfollow": unfollowed,
    "user_withdraw": withdrawn,
    "user_submit_info": phone_shared,
    "user_feedback": rated,
    "user_click_response_button": pressed,
    "oa_reacted_message": about_recipient,
    **dict.fromkeys(
        (
            "change_template_status",
            "change_template_quality",
            "change_template_quota",
            "change_oa_daily_quota",
            "change_oa_template_tags",
        ),
        template_news,
    ),
    **dict.fromkeys(
        (
            "user_reacted_message",
            "add_user_to_tag",
            "remove_user_from_tag",
            "remove_tag",
            "update_user_info",
            "widget_interaction_accepted",
            "widget_failed_to_sync_user_external_id",
            "oa_send_consent",
            "user_reply_consent",
            "user_call_oa",
            "oa_call_user",
            "create_group",
            "user_join_group",
            "user_request_join_group",
            "accept_request_join_group",
            "reject_request_join_group",
            "add_group_admin",
            "remove_group_admin",
            "update_group_info",
            "user_out_group",
            "delete_group",
            # Other readings of Zalo's documentation name these (api.md 1.5 and 7).
            "react_request_join_group",
            "react_request_join_group_accept",
            "react_request_join_group_reject",
            "user_leave_group",
            "event_journey_acknowledged",
            "event_journey_time_out",
            "extension_purchased",
            "shop_has_order",
        ),
        account_news,
    ),
}
"""Event name → how to read it; api.md 1.5 lists them."""


def parse_event(raw: bytes) -> list[Update]:
    """Return what one webhook body says, always at least one update.

    A body that is no JSON object, an event nobody knows, and one whose shape is not the documented one become
    Unrecognised. Text is NFC without controls; ids may have come as numbers. An update without a believable time
    carries UNKNOWN_TIME.
    """
    try:
        data = read_object(raw)
    except ValueError:
        return [Unrecognised(**_facts({}, raw), name="", why="not a JSON object")]
    event = Event(event_name(data), data, _facts(data, raw))
    reader = READERS.get(event.name)
    if reader is None:
        why = UNKNOWN_EVENT if event.name else "no event name"
        return [Unrecognised(**event.facts, name=event.name, why=why)]
    try:
        required(event.facts["account"], "no account")
        return [reader(event)]
    except OddEventError as odd:
        return [Unrecognised(**event.facts, name=event.name, why=str(odd))]


def _facts(data: dict[str, Any], raw: bytes) -> Facts:
    return {
        "account": account_of(data),
        "external_id": key_of(data, raw),
        "sender": person_of(data),
        "occurred_at": moment_of(data.get("timestamp")) or UNKNOWN_TIME,
    }
