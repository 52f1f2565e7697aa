"""Say what Telegram's refusals mean for the message, the chat and the bot."""

from aiogram.exceptions import (
    TelegramAPIError,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)

from bot.channels.telegram.session import NoAnswerError, NotSentError, UnreadableAnswerError
from bot.domain.delivery import (
    AccountStoppedError,
    ConnectionFailedError,
    MessageInvalidError,
    RecipientGoneError,
    RecipientMovedError,
    SendError,
    TemporaryError,
    ThrottledError,
    UnknownOutcomeError,
)

_TOO_MANY = 429
_SERVER_ERROR = 500
_NOT_PASSED_ON = (502, 503)
"""What the gateway before Telegram's servers says while none of them takes requests, which may last for minutes and
hours (tdlib/telegram-bot-api issue 868, yagop/node-telegram-bot-api issue 634). A 502 may also mean that a server broke
off after it had taken the request, and doubles are reported, though seldom. Telegram cannot be asked: to call that open
would give up every message of such hours after one repeat, and one that may come twice is the lesser harm. A gateway
that waited in vain (504) had passed the request on: that stays open."""
_WAITED_IN_VAIN = "gateway time"
_CLIENT_ERROR = 400
_MAX_DETAIL = 300

_GONE: tuple[tuple[str, str], ...] = (
    ("chat not found", "chat_not_found"),
    ("user not found", "chat_not_found"),
    ("peer_id_invalid", "chat_not_found"),
    ("user_deactivated", "user_deactivated"),
    ("user is deactivated", "user_deactivated"),
    ("bot can't initiate conversation", "chat_never_begun"),
    ("bot was blocked", "bot_blocked"),
    ("kicked", "bot_removed"),
    ("not a member", "bot_removed"),
    ("group chat was deactivated", "bot_removed"),
    ("group is deactivated", "bot_removed"),
    ("chat_write_forbidden", "group_refuses"),
    ("not enough rights", "group_refuses"),
    ("have no rights to send", "group_refuses"),
    ("need administrator rights", "group_refuses"),
    ("topic_closed", "group_refuses"),
)
"""What a refusal's text holds, in lower case → the word that staff texts are filed under. Telegram documents only that
403 means "the bot may not"; these texts are what its server says (tdlib/telegram-bot-api, Client.cpp)."""


_PLAIN: tuple[tuple[type[Exception], type[SendError], str], ...] = (
    (NotSentError, ConnectionFailedError, "telegram_unreachable"),
    # A token of the wrong form or of a deleted bot is answered 404, a revoked one 401.
    (TelegramUnauthorizedError, AccountStoppedError, "bot_token_refused"),
    (TelegramNotFound, AccountStoppedError, "bot_token_refused"),
    (TelegramEntityTooLarge, MessageInvalidError, "telegram_file_too_large"),
    (TelegramConflictError, TemporaryError, "telegram_conflict"),
)
"""Errors that mean the same whatever was called and whatever is said."""


def send_error(error: Exception, *, once: bool) -> SendError:
    """Return what an error of a call means; `once` for a call whose repeat would reach somebody twice.

    Raises the error itself when it is none of aiogram's or the session's.
    """
    detail = str(getattr(error, "message", None) or error)[:_MAX_DETAIL]
    for kind, meaning, reason in _PLAIN:
        if isinstance(error, kind):
            return meaning(reason, detail)
    match error:
        case NoAnswerError():
            return _open(error.reason, "", once=once)
        case UnreadableAnswerError():
            return _by_status(error.status, once=once)
        case TelegramRetryAfter():
            seconds = float(error.retry_after)
            return ThrottledError("telegram_flood", f"retry after {seconds:g} s", retry_after=seconds)
        case TelegramMigrateToChat():
            return RecipientMovedError("chat_moved", str(error.migrate_to_chat_id))
        case TelegramAPIError():
            return _refused(error, detail, once=once)
        case _:
            raise error


def _refused(error: TelegramAPIError, detail: str, *, once: bool) -> SendError:
    said = detail.lower()
    if isinstance(error, TelegramServerError):
        if _WAITED_IN_VAIN in said:
            return _open("telegram_gateway", detail, once=once)
        return TemporaryError("telegram_5xx", detail)  # Telegram itself says that it was not done
    if "too many requests" in said:
        return ThrottledError("telegram_flood", detail)
    gone = next((word for text, word in _GONE if text in said), "")
    if gone or isinstance(error, TelegramForbiddenError):
        return RecipientGoneError(gone or "bot_blocked", detail)
    return MessageInvalidError("telegram_refused", detail)


def _open(reason: str, detail: str, *, once: bool) -> SendError:
    """Return the error of a call that may have been done: repeated only where that harms nobody."""
    return UnknownOutcomeError(reason, detail) if once else TemporaryError(reason, detail)


def _by_status(status: int, *, once: bool) -> SendError:
    detail = f"HTTP {status}"
    if status == _TOO_MANY:
        return ThrottledError("telegram_flood", detail)
    if _CLIENT_ERROR <= status < _SERVER_ERROR:
        return AccountStoppedError("telegram_address_wrong", detail)
    if status in _NOT_PASSED_ON:
        return TemporaryError("telegram_5xx", detail)
    return _open("telegram_gateway" if status >= _SERVER_ERROR else "telegram_unreadable", detail, once=once)


def conflict_reason(error: TelegramConflictError) -> str:
    """Tell who else gets the updates: a webhook, or somebody who polls."""
    return "webhook_elsewhere" if "webhook" in error.message.lower() else "polled_elsewhere"
