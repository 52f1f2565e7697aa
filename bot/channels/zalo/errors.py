"""Say what a Zalo error code means for the message, the person and the account."""

from bot.channels.zalo.error_codes import (
    ARTICLE_QUOTA,
    CODES,
    OA_RATE_LIMITED,
    RECIPIENT_LIMIT,
    SENDING_FAILED,
    Action,
    Scope,
)
from bot.domain.delivery import (
    AccountStoppedError,
    MessageInvalidError,
    NightError,
    QuotaExhaustedError,
    RecipientGoneError,
    RecipientLimitError,
    SendError,
    TemporaryError,
    ThrottledError,
    UnknownOutcomeError,
    UploadExpiredError,
)

MAX_DETAIL = 300
_EVERYWHERE = frozenset({OA_RATE_LIMITED, -216, -220})


class TokenExpiredError(AccountStoppedError):
    """The access token is no longer taken: refresh once and repeat; if that does not help, a person must act."""


class WrongEndpointError(AccountStoppedError):
    """This kind of OA must use the other endpoint; where none is left, a person must act."""


_CLASSES: dict[Action, type[SendError]] = {
    "retry_later": TemporaryError,
    "retry_next_day": QuotaExhaustedError,
    "retry_after_night": NightError,
    "refresh_token": TokenExpiredError,
    "reupload": UploadExpiredError,
    "switch_endpoint": WrongEndpointError,
    "permanent_recipient": RecipientGoneError,
    "permanent_message": MessageInvalidError,
    "stop_account": AccountStoppedError,
}


def send_error(scope: Scope, code: int, message: str = "") -> SendError:
    """Return the error for a code of Zalo's tables (api.md 5); unknown codes are temporary, reason unknown_code.

    `-200` says that sending failed without a reason, and live users saw the message arrive all the same: its outcome
    is unknown. A code missing in the OA table is looked up in the older one; one of the token or of speed that the
    phone channel does not list means there what it means everywhere, since the token is the same.
    """
    detail = message[:MAX_DETAIL]
    known = CODES[scope].get(code) or _elsewhere(scope, code)
    if known is None:
        return TemporaryError("unknown_code", f"{code} {detail}".strip(), provider_code=code)
    reason, action = known
    if code == OA_RATE_LIMITED and scope in {"oa", "zns"}:
        reason = "app_rate_limited" if "application" in message.lower() else reason
        return ThrottledError(reason, detail, provider_code=code)
    if scope == "oa" and code == SENDING_FAILED:
        return UnknownOutcomeError(reason, detail, provider_code=code)
    if scope == "oa" and code == ARTICLE_QUOTA and "article" in message.lower():
        return QuotaExhaustedError("article_quota_used", detail, provider_code=code)
    if scope == "oa" and code == RECIPIENT_LIMIT:
        return RecipientLimitError(reason, detail, provider_code=code)
    return _CLASSES[action](reason, detail, provider_code=code)


def _elsewhere(scope: Scope, code: int) -> tuple[str, Action] | None:
    if scope == "oa":
        return CODES["oa_legacy"].get(code)
    return CODES["oa"][code] if scope == "zns" and code in _EVERYWHERE else None
