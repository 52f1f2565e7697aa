"""Endpoints that send: consultation messages on v3 and v2, reactions, templates by user id and by phone."""

import hashlib
import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from . import content, reach
from .errors import ApiError
from .gateway import ApiCall, Route
from .model import Json, Message, Person, Template, Tie

if TYPE_CHECKING:
    from .provider import Provider

BOUND_REPLIES_MAX = 8
REACTIONS_MAX = 50
TRACKING_MAX = 48
VIETNAM = timezone(timedelta(hours=7))


async def send_cs(call: ApiCall) -> Json:
    """POST /v3.0/oa/message/cs: not for state-agency OAs (-235)."""
    if call.oa.is_state:
        raise ApiError(-235)
    return await _consultation(call, "cs")


async def send_v2(call: ApiCall) -> Json:
    """POST /v2.0/oa/message: messages of state-agency OAs (others get -240), and everybody's reactions."""
    recipient = _object(call.params.get("recipient"), "recipient")
    if "sender_action" in call.params:
        return await _react(call, recipient)
    if "target" in recipient:
        raise ApiError(-212, "broadcast")
    if not call.oa.is_state:
        raise ApiError(-240)
    return await _consultation(call, "v2")


def _object(value: Any, name: str) -> Json:
    if not isinstance(value, dict):
        raise ApiError(-201, name)
    return value


async def _consultation(call: ApiCall, via: str) -> Json:
    provider, oa = call.provider, call.oa
    now = provider.clock.now_ms()
    person, bound_to = _recipient(call)
    call.note.user_id = person.user_id
    tie = provider.world.tie(oa.oa_id, person.user_id)
    reach.check_consultation(tie, now)
    if bound_to:
        _spend_bound_reply(bound_to, tie, now)
    message = Message(provider.world.new_hex(), oa.oa_id, person.user_id, from_oa=True, kind="text", at_ms=now, via=via)
    await content.fill(provider, oa, message, call.params.get("message"))
    quota = reach.spend_quota(oa, tie, now)
    message.quota_type = str(quota["quota_type"]) if quota else ""
    _deliver(call, person, message)
    answer: Json = {"message_id": message.msg_id, "user_id": person.user_id, "sent_time": str(now)}
    return answer | ({"quota": quota} if quota else {})


def _recipient(call: ApiCall) -> tuple[Person, Message | None]:
    recipient = _object(call.params.get("recipient"), "recipient")
    user_id, message_id = recipient.get("user_id"), recipient.get("message_id")
    if (user_id is None) == (message_id is None):
        raise ApiError(-201, "recipient")
    if message_id is not None:
        bound = call.provider.world.messages.get(str(message_id))
        if bound is None or bound.from_oa or bound.oa_id != call.oa.oa_id:
            raise ApiError(-201, "message_id")
        return call.provider.world.people[bound.user_id], bound
    return _person(call.provider, user_id), None


def _person(provider: "Provider", user_id: Any) -> Person:
    if not isinstance(user_id, str) or not user_id:
        raise ApiError(-201, "user_id")
    if user_id not in provider.world.people:
        raise ApiError(-213)
    return provider.world.people[user_id]


def _spend_bound_reply(bound: Message, tie: Tie, now_ms: int) -> None:
    # A reply bound to a message: up to 8 within 48 hours (api.md section 3.2).
    used = tie.bound_replies.get(bound.msg_id, 0)
    if used >= BOUND_REPLIES_MAX or now_ms - bound.at_ms > reach.FREE_MS:
        raise ApiError(-213)
    tie.bound_replies[bound.msg_id] = used + 1


def _deliver(call: ApiCall, person: Person, message: Message) -> None:
    call.provider.deliver(call.oa, person, message)
    call.delivered_to(person.user_id, message.msg_id)


async def _react(call: ApiCall, recipient: Json) -> Json:
    person = _person(call.provider, recipient.get("user_id"))
    action = _object(call.params["sender_action"], "sender_action")
    icon, msg_id = action.get("react_icon"), action.get("react_message_id")
    message = call.provider.world.messages.get(msg_id) if isinstance(msg_id, str) else None
    if not isinstance(icon, str) or not icon or message is None or message.user_id != person.user_id:
        raise ApiError(-201, "sender_action")
    if len(message.reactions) >= REACTIONS_MAX:
        raise ApiError(-210, "reactions")
    message.reactions.append(icon)
    call.note.user_id, call.note.msg_id = person.user_id, message.msg_id
    call.provider.oa_reacted(call.oa, person, message, icon)
    return {"message_id": message.msg_id, "user_id": person.user_id}


async def send_template(call: ApiCall) -> Json:
    """POST /v3.0/oa/message/template: a template by user id."""
    provider, oa, params = call.provider, call.oa, call.params
    now = provider.clock.now_ms()
    person = _person(provider, params.get("user_id"))
    call.note.user_id = person.user_id
    if oa.template_refusal:
        raise ApiError(-320)
    template = oa.templates.get(str(params.get("template_id", "")))
    if template is None or template.status != "ENABLE":
        raise ApiError(-201, "template_id")
    if not template.by_uid:
        raise ApiError(-249)
    _check_night(template, -234, now)
    reach.check_template(provider.world.tie(oa.oa_id, person.user_id), now)
    text = _fill_in(template, params.get("template_data"), missing=-201, too_long=-210)
    message = _template_message(call, person, template, text, "template")
    _deliver(call, person, message)
    quota = {"quota_type": "purchase_quota", "remain": "0", "total": "0", "owner_type": "OA", "owner_id": oa.oa_id}
    return {"message_id": message.msg_id, "user_id": person.user_id, "sent_time": str(now), "quota": quota}


async def send_zns(call: ApiCall) -> Json:
    """POST /message/template: a template by phone number, with the codes of the phone channel."""
    return await _send_zns(call, _person_of_phone(call))


async def send_zns_hashed(call: ApiCall) -> Json:
    """POST /message/template/hashphone: the same, with the SHA-256 of the phone number in its place."""
    return await _send_zns(call, _person_of_hash(call), hashed=True)


async def _send_zns(call: ApiCall, person: Person | None, *, hashed: bool = False) -> Json:
    provider, oa, params = call.provider, call.oa, call.params
    person, template = _zns_parties(call, person)
    _check_night(template, -133, provider.clock.now_ms())
    text = _fill_in(template, params.get("template_data"), missing=-1122, too_long=-1121)
    if str(params.get("sending_mode", "1")) not in {"1", "3"}:
        raise ApiError(-161)
    tracking_id = str(params.get("tracking_id", ""))
    if len(tracking_id) > TRACKING_MAX:
        raise ApiError(-132, "tracking_id")
    if params.get("mode") == "development" and person.phone not in oa.admin_phones:
        raise ApiError(-127)
    if oa.templates_sent >= oa.daily_template_quota:
        raise ApiError(-144)
    oa.templates_sent += 1
    message = _template_message(call, person, template, text, "zns")
    message.tracking_id, message.hashed = tracking_id, hashed
    _deliver(call, person, message)
    remaining = str(oa.daily_template_quota - oa.templates_sent)
    return {
        "msg_id": message.msg_id,
        "sent_time": str(message.at_ms),
        "sending_mode": str(params.get("sending_mode", "1")),
        "quota": {"dailyQuota": str(oa.daily_template_quota), "remainingQuota": remaining},
    }


def _person_of_phone(call: ApiCall) -> Person | None:
    phone = re.sub(r"^\+?0?(?=\d)", "", str(call.params.get("phone", "")))
    phone = phone if phone.startswith("84") else "84" + phone
    if not re.fullmatch(r"84\d{9,10}", phone):
        raise ApiError(-108)
    return call.provider.world.person_by_phone(phone)


def _person_of_hash(call: ApiCall) -> Person | None:
    wanted = str(call.params.get("hash_phone", ""))
    if not re.fullmatch(r"[0-9a-f]{64}", wanted):
        raise ApiError(-108)
    people = call.provider.world.people.values()
    return next((one for one in people if hashlib.sha256(one.phone.encode()).hexdigest() == wanted), None)


def _zns_parties(call: ApiCall, person: Person | None) -> tuple[Person, Template]:
    if call.oa.template_refusal:
        raise ApiError(call.oa.template_refusal)
    template = call.oa.templates.get(str(call.params.get("template_id", "")))
    if template is None:
        raise ApiError(-109)
    testing = call.params.get("mode") == "development" and template.status == "PENDING_REVIEW"
    if template.status != "ENABLE" and not testing:
        raise ApiError(-146 if template.status == "DISABLE" else -131)
    if person is None:
        raise ApiError(-118)
    call.note.user_id = person.user_id
    if call.provider.world.tie(call.oa.oa_id, person.user_id).blocked:
        raise ApiError(-141)
    return person, template


def _check_night(template: Template, code: int, now_ms: int) -> None:
    # Only promotion is kept away from the night by Zalo (api.md section 3.5).
    hour = datetime.fromtimestamp(now_ms / 1000, VIETNAM).hour
    if template.tag == "PROMOTION" and (hour >= 22 or hour < 6):
        raise ApiError(code)


def _fill_in(template: Template, data: Any, *, missing: int, too_long: int) -> str:
    values = data if isinstance(data, dict) else {}
    text = template.text
    for name, longest in template.params.items():
        value = str(values.get(name, ""))
        if not value and name not in template.optional:
            raise ApiError(missing, name)
        if len(value) > longest:
            raise ApiError(too_long, name)
        text = text.replace(f"<{name}>", value)
    return text


def _template_message(call: ApiCall, person: Person, template: Template, text: str, via: str) -> Message:
    world = call.provider.world
    zinstant = {
        "zinstant_id": world.new_hex(),
        "text": text,
        "link_url": call.provider.media.url + "/",
        "checksum": world.new_hex(32),
    }
    return Message(
        world.new_hex(),
        call.oa.oa_id,
        person.user_id,
        from_oa=True,
        kind="template",
        at_ms=call.provider.clock.now_ms(),
        attachments=[{"payload": zinstant, "type": "template"}],
        via=via,
        template_id=template.template_id,
    )


ROUTES = [
    Route("POST", "/v3.0/oa/message/cs", send_cs, sends=True),
    Route("POST", "/v2.0/oa/message", send_v2, sends=True),
    Route("POST", "/v3.0/oa/message/template", send_template, sends=True),
    Route("POST", "/message/template", send_zns, sends=True, zns=True),
    Route("POST", "/message/template/hashphone", send_zns_hashed, sends=True, zns=True),
]
