"""Makers of webhook payloads, shaped like the provider's (fields, order and types)."""

import hashlib

from .model import Json, Message, OfficialAccount, Person, Template


def user_message(oa: OfficialAccount, person: Person, message: Message, timestamp: int) -> Json:
    """Make the event of a citizen's message (`user_send_*`)."""
    return {
        "app_id": oa.app_id,
        "sender": {"id": person.user_id},
        "user_id_by_app": person.user_id_by_app,
        "recipient": {"id": oa.oa_id},
        "event_name": f"user_send_{message.kind}",
        "message": _content(message),
        "timestamp": str(timestamp),
    }


def oa_message(oa: OfficialAccount, person: Person, message: Message, timestamp: int) -> Json:
    """Make the echo of an OA's message (`oa_send_*`); `admin_id` only when a person typed it in the OA tool."""
    sender = {"id": oa.oa_id} | ({"admin_id": message.admin_id} if message.admin_id else {})
    return {
        "app_id": oa.app_id,
        "sender": sender,
        "user_id_by_app": person.user_id_by_app,
        "recipient": {"id": person.user_id},
        "event_name": f"oa_send_{_ECHO_NAMES.get(message.kind, message.kind)}",
        "message": _content(message),
        "timestamp": str(timestamp),
    }


# Interactive messages come back under oa_send_list (events_index.json, note on oa_send_list).
_ECHO_NAMES = {"buttons": "list", "request_user_info": "list"}


def _content(message: Message) -> Json:
    content: Json = {"text": message.text} if message.text else {}
    content["msg_id"] = message.msg_id
    if message.quote_msg_id:
        content["quote_msg_id"] = message.quote_msg_id
    attachments = message.attachments or _interactive(message)
    if attachments:
        content["attachments"] = attachments
    return content


def _interactive(message: Message) -> list[Json]:
    links = []
    for element in message.elements:
        action = element.get("default_action") or {}
        payload = {
            "thumbnail": element.get("image_url", ""),
            "title": element.get("title", ""),
            "description": element.get("subtitle", ""),
            "url": action.get("url", ""),
        }
        links.append({"payload": payload, "type": "link"})
    return links


def received(oa: OfficialAccount, person: Person, message: Message, timestamp: int) -> Json:
    """Make `user_received_message`; the phone channel names the phone instead of the user id."""
    if message.via == "zns":
        return {
            "sender": {"id": oa.oa_id},
            "recipient": {"id": hashlib.sha256(person.phone.encode()).hexdigest() if message.hashed else person.phone},
            "event_name": "user_received_message",
            "message": {
                "delivery_time": str(timestamp),
                "msg_id": message.msg_id,
                "tracking_id": message.tracking_id,
            },
            "app_id": oa.app_id,
            "timestamp": str(timestamp),
        }
    return _receipt(oa, person, "user_received_message", {"msg_id": message.msg_id}, timestamp)


def seen(oa: OfficialAccount, person: Person, msg_ids: list[str], timestamp: int) -> Json:
    """Make `user_seen_message`."""
    return _receipt(oa, person, "user_seen_message", {"msg_ids": msg_ids}, timestamp)


def oa_reacted(oa: OfficialAccount, person: Person, msg_id: str, icon: str, timestamp: int) -> Json:
    """Make `oa_reacted_message`."""
    return _receipt(oa, person, "oa_reacted_message", {"msg_id": msg_id, "react_icon": icon}, timestamp)


def _receipt(oa: OfficialAccount, person: Person, name: str, message: Json, timestamp: int) -> Json:
    return {
        "app_id": oa.app_id,
        "sender": {"id": oa.oa_id},
        "user_id_by_app": person.user_id_by_app,
        "recipient": {"id": person.user_id},
        "event_name": name,
        "message": message,
        "timestamp": str(timestamp),
    }


def user_reacted(oa: OfficialAccount, person: Person, msg_id: str, icon: str, timestamp: int) -> Json:
    """Make `user_reacted_message`."""
    return {
        "app_id": oa.app_id,
        "sender": {"id": person.user_id},
        "user_id_by_app": person.user_id_by_app,
        "recipient": {"id": oa.oa_id},
        "event_name": "user_reacted_message",
        "message": {"msg_id": msg_id, "react_icon": icon},
        "timestamp": str(timestamp),
    }


def follow(oa: OfficialAccount, person: Person, name: str, source: str, timestamp: int) -> Json:
    """Make `follow` or `unfollow`, which have no sender."""
    return {
        "oa_id": oa.oa_id,
        "follower": {"id": person.user_id},
        "user_id_by_app": person.user_id_by_app,
        "event_name": name,
        "source": source,
        "app_id": oa.app_id,
        "timestamp": str(timestamp),
    }


def about_user(oa: OfficialAccount, person: Person, name: str, timestamp: int) -> Json:
    """Make an event that only names the person: `user_click_chatnow`, `user_withdraw`."""
    return {
        "app_id": oa.app_id,
        "oa_id": oa.oa_id,
        "user_id": person.user_id,
        "user_id_by_app": person.user_id_by_app,
        "event_name": name,
        "timestamp": str(timestamp),
    }


def submit_info(oa: OfficialAccount, person: Person, info: Json, timestamp: int) -> Json:
    """Make `user_submit_info` with the given info block."""
    return {
        "app_id": oa.app_id,
        "sender": {"id": person.user_id},
        "user_id_by_app": person.user_id_by_app,
        "recipient": {"id": oa.oa_id},
        "event_name": "user_submit_info",
        "info": info,
        "timestamp": str(timestamp),
    }


def tag(oa: OfficialAccount, name: str, user_ids: list[str], tag_name: str, timestamp: int) -> Json:
    """Make `add_user_to_tag`, `remove_user_from_tag` or `remove_tag`."""
    return {
        "app_id": oa.app_id,
        "oa_id": oa.oa_id,
        "event_name": name,
        "tag": ({"user_ids": user_ids} if user_ids else {}) | {"name": tag_name},
        "timestamp": str(timestamp),
    }


def template_status(oa: OfficialAccount, template: Template, status: str, reason: str, timestamp: int) -> Json:
    """Make `change_template_status`."""
    return {
        "oa_id": oa.oa_id,
        "app_id": oa.app_id,
        "template_id": template.template_id,
        "event_name": "change_template_status",
        "status": {"prev_status": template.status, "new_status": status},
        "reason": reason,
        "timestamp": str(timestamp),
    }


def template_quality(oa: OfficialAccount, template: Template, timestamp: int) -> Json:
    """Make `change_template_quality`."""
    return {
        "oa_id": oa.oa_id,
        "app_id": oa.app_id,
        "template_id": template.template_id,
        "event_name": "change_template_quality",
        "quality": template.quality,
        "timestamp": str(timestamp),
    }


def oa_daily_quota(oa: OfficialAccount, daily: int, timestamp: int) -> Json:
    """Make `change_oa_daily_quota`, which names the OA in a field of its own."""
    return {
        "oaId": oa.oa_id,
        "app_id": oa.app_id,
        "event_name": "change_oa_daily_quota",
        "quota": {"prev_value": oa.daily_template_quota, "new_value": daily},
        "timestamp": str(timestamp),
    }


def console_test(oa: OfficialAccount, timestamp: int) -> Json:
    """Make the Test button's event: placeholders instead of parties (api.md section 1.2)."""
    return {
        "app_id": oa.app_id,
        "sender": {"id": "This is sender id"},
        "user_id_by_app": "This is user id by app",
        "recipient": {"id": "This is recipient id"},
        "event_name": "user_send_text",
        "message": {"text": "This is testing message", "msg_id": "This is message id"},
        "timestamp": str(timestamp),
    }
