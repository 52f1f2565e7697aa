"""Endpoints that read conversations back: one person's, and the latest of all (api.md section 3.2)."""

import json

from .errors import ApiError
from .gateway import ApiCall, Route
from .model import Json, Message

COUNT_MAX = 10
TYPES = {"image": "photo", "audio": "voice", "buttons": "text", "list": "links", "request_user_info": "links"}


async def conversation(call: ApiCall) -> list[Json]:
    """GET /v2.0/oa/conversation, newest first."""
    user_id = call.params.get("user_id")
    if not isinstance(user_id, str) or user_id not in call.provider.world.people:
        raise ApiError(-201, "user_id")
    thread = call.provider.world.thread(call.oa.oa_id, user_id)
    return _page(call, [message for message in thread if not message.hidden])


async def recent_chats(call: ApiCall) -> list[Json]:
    """GET /v2.0/oa/listrecentchat: the last message of each conversation, newest first."""
    threads = call.provider.world.threads.items()
    latest = [thread[-1] for (oa_id, _), thread in threads if oa_id == call.oa.oa_id and thread]
    return _page(call, sorted(latest, key=lambda message: message.at_ms))


def _page(call: ApiCall, messages: list[Message]) -> list[Json]:
    offset, count = call.params.get("offset", 0), call.params.get("count", COUNT_MAX)
    if not isinstance(offset, int) or not isinstance(count, int) or offset < 0 or count < 1:
        raise ApiError(-201, "offset or count")
    if count > COUNT_MAX:
        raise ApiError(-210, "count")
    return [_item(call, message) for message in messages[::-1][offset : offset + count]]


def _item(call: ApiCall, message: Message) -> Json:
    person = call.provider.world.people[message.user_id]
    avatar = call.provider.media.address("nhan-dan.png")
    citizen, office = (person.user_id, person.name), (call.oa.oa_id, call.oa.name)
    (from_id, from_name), (to_id, to_name) = (office, citizen) if message.from_oa else (citizen, office)
    item: Json = {
        "src": 0 if message.from_oa else 1,
        "time": message.at_ms,
        "type": TYPES.get(message.kind, message.kind),
        "message": message.text,
        "message_id": message.msg_id,
        "from_id": from_id,
        "to_id": to_id,
        "from_display_name": from_name,
        "from_avatar": avatar,
        "to_display_name": to_name,
        "to_avatar": avatar,
    }
    if message.attachments:
        payload = message.attachments[0]["payload"]
        item |= {key: payload[key] for key in ("url", "description") if key in payload}
        if "thumbnail" in payload:
            item["thumb"] = payload["thumbnail"]
        if message.kind == "location":
            item["location"] = json.dumps(payload["coordinates"])
        if message.kind == "template":
            item["message"] = payload["text"]
    if message.elements:
        item["links"] = message.elements
    return item


ROUTES = [
    Route("GET", "/v2.0/oa/conversation", conversation, reads_body=False),
    Route("GET", "/v2.0/oa/listrecentchat", recent_chats, reads_body=False),
]
