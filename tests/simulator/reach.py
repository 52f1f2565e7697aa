"""May this OA write to this person now, and on which quota: the windows of api.md section 3.5."""

from .errors import ApiError
from .model import Json, OfficialAccount, Tie

HOUR_MS = 3_600_000
FREE_MS = 48 * HOUR_MS
OPEN_MS = 7 * 24 * HOUR_MS
TEMPLATE_MS = 365 * 24 * HOUR_MS
WELCOME_TOTAL = 3


def check_consultation(tie: Tie, now_ms: int) -> None:
    """Raise ApiError -213 (blocked, or left without a sign of life since), -232 (never met) or -230 (over 7 days)."""
    check_not_gone(tie)
    if not tie.last_interaction_ms:
        raise ApiError(-232)
    if now_ms - tie.last_interaction_ms > OPEN_MS:
        raise ApiError(-230)


def check_template(tie: Tie, now_ms: int) -> None:
    """Raise ApiError when a template by user id may not go: as above, but with a year instead of 7 days."""
    check_not_gone(tie)
    if not tie.last_interaction_ms or now_ms - tie.last_interaction_ms > TEMPLATE_MS:
        raise ApiError(-232)


def check_not_gone(tie: Tie) -> None:
    """Raise ApiError -213 when the person blocked or left the OA."""
    if tie.blocked or tie.left:
        raise ApiError(-213)


def spend_quota(oa: OfficialAccount, tie: Tie, now_ms: int) -> Json | None:
    """Use up one consultation message and return its quota block; None means the message is charged."""
    if tie.last_message_ms and now_ms - tie.last_message_ms <= FREE_MS:
        return {"quota_type": "reply", "expired_date": str(tie.last_message_ms + FREE_MS)}
    if tie.following and not tie.last_message_ms and tie.welcome_used < WELCOME_TOTAL:
        tie.welcome_used += 1
        remain = WELCOME_TOTAL - tie.welcome_used
        return {"quota_type": "welcome_msg", "remain": str(remain), "total": str(WELCOME_TOTAL)}
    if oa.sub_quota_used < oa.sub_quota_total:
        oa.sub_quota_used += 1
        return {
            "quota_type": "sub_quota",
            "remain": str(oa.sub_quota_total - oa.sub_quota_used),
            "total": str(oa.sub_quota_total),
            "owner_type": "OA",
            "owner_id": oa.oa_id,
        }
    return None
