"""The quota endpoint: one person's free messages, or the OA's packages (api.md section 3.2)."""

from datetime import datetime, timedelta, timezone

from . import reach
from .errors import ApiError
from .gateway import ApiCall, Route
from .model import Json
from .user_api import known_person

VIETNAM = timezone(timedelta(hours=7))


async def quota(call: ApiCall) -> Json | list[Json]:
    """POST /v3.0/oa/quota/message with `user_id` or `quota_owner`."""
    if "user_id" in call.params:
        return _of_person(call)
    if str(call.params.get("quota_owner", "")).upper() not in {"OA", "APP"}:
        raise ApiError(-201, "quota_owner")
    return _of_oa(call)


def _of_person(call: ApiCall) -> Json:
    _, tie = known_person(call, call.params["user_id"])
    inside = bool(tie.last_message_ms) and call.provider.clock.now_ms() - tie.last_message_ms <= reach.FREE_MS
    # Unlimited inside 48 hours since 2026; the figure stays at 8 (api.md section 3.5).
    return {
        "last_interaction": str(tie.last_interaction_ms),
        "cs_reply": {"remain": 8 if inside else 0, "total": 8},
        "promotion": {"daily_remain": 1, "daily_total": 1, "monthly_remain": 4, "monthly_total": 4},
    }


def _of_oa(call: ApiCall) -> list[Json]:
    now = datetime.fromtimestamp(call.provider.clock.now(), VIETNAM)
    month_end = (now.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    row = {
        "asset_id": f"cs-{call.oa.oa_id}",
        "product_type": "cs",
        "quota_type": "sub_quota",
        "valid_through": f"{month_end:%d/%m/%Y}",
        "total": call.oa.sub_quota_total,
        "remain": call.oa.sub_quota_total - call.oa.sub_quota_used,
    }
    wanted = [(key, call.params[key]) for key in ("product_type", "quota_type") if call.params.get(key)]
    return [row] if all(row[key] == value for key, value in wanted) else []


ROUTES = [
    Route("POST", "/v3.0/oa/quota/message", quota),
    Route("POST", "/v2.0/oa/quota/message", quota),
]
