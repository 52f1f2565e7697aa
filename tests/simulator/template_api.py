"""Endpoints that tell of templates: which an account has, what becomes of a message, what is left of the day."""

from typing import Any

from .errors import ApiError
from .gateway import ApiCall, Route
from .model import Json, OfficialAccount, Template

LIST_MAX = 100
STATUSES = ("ENABLE", "PENDING_REVIEW", "REJECT", "DISABLE", "DELETE")


def _admit(call: ApiCall) -> None:
    if call.oa.template_refusal:
        raise ApiError(call.oa.template_refusal)


def _listed(template: Template) -> Json:
    return {
        "templateId": template.template_id,
        "templateName": template.name,
        "status": template.status,
        "templateQuality": template.quality,
    }


def _parameter(template: Template, name: str, longest: int) -> Json:
    optional = name in template.optional
    return {
        "name": name,
        "require": not optional,
        "type": template.types.get(name, "STRING"),
        "maxLength": longest,
        "minLength": 0 if optional else 1,
        "acceptNull": optional,
    }


def _described(oa: OfficialAccount, template: Template) -> Json:
    by_uid = {"price_uid": str(template.price_uid)} if template.by_uid else {}
    return {
        **_listed(template),
        "templateTag": template.tag,
        "listParams": [_parameter(template, name, longest) for name, longest in template.params.items()],
        "listButtons": [],
        "timeout": 7_200_000,
        "price": str(template.price_phone),
        "price_sdt": str(template.price_phone),
        **by_uid,
        "applyTemplateQuota": oa.daily_template_quota > 0,
    }


async def list_templates(call: ApiCall) -> list[Json]:
    """GET /template/all?offset&limit&status."""
    _admit(call)
    offset, limit = str(call.params.get("offset", 0)), str(call.params.get("limit", LIST_MAX))
    if not (offset.isdecimal() and limit.isdecimal()):
        raise ApiError(-132, "offset or limit")
    wanted = call.params.get("status")
    views = [_listed(t) for t in call.oa.templates.values() if wanted in {None, "", t.status}]
    return views[int(offset) : int(offset) + min(int(limit), LIST_MAX)]


def _wanted(call: ApiCall) -> Template:
    _admit(call)
    template = call.oa.templates.get(str(call.params.get("template_id", "")))
    if template is None:
        raise ApiError(-109)
    return template


async def template_info(call: ApiCall) -> Json:
    """GET /template/info/v2?template_id."""
    return _described(call.oa, _wanted(call))


async def template_sample(call: ApiCall) -> Json:
    """GET /template/sample-data?template_id: a value for each parameter, as long as it may be."""
    return {name: "x" * longest for name, longest in _wanted(call).params.items()}


async def template_tags(call: ApiCall) -> list[str]:
    """GET /message/template-tag."""
    _admit(call)
    return sorted({template.tag for template in call.oa.templates.values()})


async def message_status(call: ApiCall) -> Json:
    """GET /message/status?message_id: -1 none, 0 pushed, 1 delivered."""
    _admit(call)
    message = call.provider.world.messages.get(str(call.params.get("message_id", "")))
    if message is None or message.via != "zns" or message.oa_id != call.oa.oa_id:
        return {"status": -1, "message": "The message does not exist"}
    arrived = bool(message.received_ms)
    return {"status": int(arrived), "delivery_time": str(message.received_ms) if arrived else ""}


async def quota(call: ApiCall) -> Json:
    """GET /message/quota."""
    _admit(call)
    remaining = call.oa.daily_template_quota - call.oa.templates_sent
    return {"dailyQuota": str(call.oa.daily_template_quota), "remainingQuota": str(remaining)}


async def quality(call: ApiCall) -> Json:
    """GET /quality: as bad as the worst template."""
    _admit(call)
    found: list[Any] = [t.quality for t in call.oa.templates.values()]
    worst = next((name for name in ("LOW", "MEDIUM", "HIGH") if name in found), "UNDEFINED")
    return {"oaCurrentQuality": worst, "oa7dayQuality": worst}


ROUTES = [
    Route("GET", path, endpoint, zns=True, reads_body=False)
    for path, endpoint in (
        ("/template/all", list_templates),
        ("/template/info/v2", template_info),
        ("/template/sample-data", template_sample),
        ("/message/template-tag", template_tags),
        ("/message/status", message_status),
        ("/message/quota", quota),
        ("/quality", quality),
    )
]
