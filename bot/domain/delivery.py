"""Decide what becomes of a message after each try: one family of errors, one table, one place."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.errors import LoaError


class DeliveryState(StrEnum):
    """Where a message is on its way out."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    SEEN = "seen"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


FINAL_STATES = frozenset(
    {DeliveryState.DELIVERED, DeliveryState.SEEN, DeliveryState.FAILED, DeliveryState.CANCELLED, DeliveryState.EXPIRED}
)


class Outcome(StrEnum):
    """What a refused or broken send means for the message, the recipient and the account."""

    RETRY_LATER = "retry_later"
    RETRY_NEXT_DAY = "retry_next_day"
    RETRY_AFTER_NIGHT = "retry_after_night"
    REUPLOAD = "reupload"
    RECIPIENT_GONE = "permanent_recipient"
    MESSAGE_INVALID = "permanent_message"
    ACCOUNT_STOPPED = "stop_account"
    UNKNOWN = "unknown"


class SendError(LoaError):
    """A send did not succeed. `reason` is a word from the provider's table for staff, `detail` the raw text.

    `retry_after` in seconds is the provider's own wait when it names one.
    """

    outcome = Outcome.RETRY_LATER

    def __init__(
        self, reason: str, detail: str = "", *, provider_code: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{reason} {detail}".strip())
        self.reason = reason
        self.detail = detail
        self.provider_code = provider_code
        self.retry_after = retry_after


class ConnectionFailedError(SendError):
    """The provider could not be reached; nothing left this machine."""


class ThrottledError(SendError):
    """The provider asks to slow down."""


class TemporaryError(SendError):
    """The provider refuses now and may accept later."""


class QuotaExhaustedError(SendError):
    """A daily or monthly allowance of the account is used up."""

    outcome = Outcome.RETRY_NEXT_DAY


class TemplatesRefusedError(QuotaExhaustedError):
    """The account may send no templates until a person acts; its chats go on, and templates are tried next day."""


class RecipientLimitError(SendError):
    """This person has had as many messages today as the provider lets through; others can be written to."""

    outcome = Outcome.RETRY_NEXT_DAY


class NightError(SendError):
    """This kind of message is not taken between 22:00 and 06:00 Vietnamese time."""

    outcome = Outcome.RETRY_AFTER_NIGHT


class UploadExpiredError(SendError):
    """An uploaded picture or file is no longer known; upload again and repeat once."""

    outcome = Outcome.REUPLOAD


class RecipientGoneError(SendError):
    """This person cannot be written to; other people can."""

    outcome = Outcome.RECIPIENT_GONE


class RecipientMovedError(SendError):
    """The provider knows this recipient by another id now, `moved_to`; what is sent there arrives."""

    def __init__(self, reason: str, moved_to: str) -> None:
        super().__init__(reason, moved_to, retry_after=0.0)
        self.moved_to = moved_to


class MessageInvalidError(SendError):
    """The provider will never take this message."""

    outcome = Outcome.MESSAGE_INVALID


class AccountStoppedError(SendError):
    """Nothing can be sent through this account until a person acts."""

    outcome = Outcome.ACCOUNT_STOPPED


TEMPLATE_REASONS = frozenset(
    {
        "template_invalid",
        "template_not_editable",
        "template_no_access",
        "template_not_approved",
        "template_disabled",
        "template_not_by_user_id",
        "template_quota_used",
    }
)
"""What is refused because of the template and not of the one message: no other recipient would get it either."""


class UnknownOutcomeError(SendError):
    """The bytes left and no answer came: the person may or may not have the message."""

    outcome = Outcome.UNKNOWN


class Sent(NamedTuple):
    """The provider took the message: its id, and what it said of the allowance (`quota_type` None: charged)."""

    message_id: str
    quota_type: str | None = None
    quota_remaining: int | None = None


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to write into the outbox row after a failed try; `at` is None for a final state.

    `attempts` is how many tries count from now on, where this one does not: None leaves the number as it is.
    """

    state: DeliveryState
    at: datetime | None
    reason: str
    stops_account: bool = False
    recipient_gone: bool = False
    attempts: int | None = None


_PAUSES = tuple(timedelta(seconds=s) for s in (2, 10, 30, 120, 600, 1800, 3600))
_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
MAX_ATTEMPTS = len(_PAUSES) + 1
SETTLE_AFTER = timedelta(seconds=3)
"""A send whose answer was lost may still be on its way: the provider is asked only after so long."""
UNKNOWN_PATIENCE = timedelta(seconds=60)
"""How long an unknown outcome waits for the provider's echo when the provider cannot be asked."""
UNTOLD_PATIENCE = timedelta(seconds=20)
"""How long it waits where no echo ever comes: so that what disturbed the first try is over before the one repeat."""


def next_step(error: SendError, attempts: int, now: datetime, jitter: float) -> NextStep:  # noqa: PLR0911 - one return a row of the table
    """Decide after `attempts` tries (this one included) what becomes of the message; `jitter` from 0 to 1."""
    match error.outcome:
        case Outcome.UNKNOWN:
            return NextStep(DeliveryState.UNKNOWN, now, error.reason)
        case Outcome.RECIPIENT_GONE:
            return NextStep(DeliveryState.FAILED, None, error.reason, recipient_gone=True)
        case Outcome.MESSAGE_INVALID:
            return NextStep(DeliveryState.FAILED, None, error.reason)
        case Outcome.ACCOUNT_STOPPED:
            return NextStep(DeliveryState.QUEUED, now + timedelta(minutes=5), error.reason, stops_account=True)
        case Outcome.RETRY_NEXT_DAY:
            return NextStep(DeliveryState.QUEUED, _tomorrow(now, jitter), error.reason)
        case Outcome.RETRY_AFTER_NIGHT:
            return NextStep(DeliveryState.QUEUED, _morning(now, jitter), error.reason)
        case Outcome.REUPLOAD if attempts > 1:
            return NextStep(DeliveryState.FAILED, None, error.reason)
        case Outcome.REUPLOAD:
            return NextStep(DeliveryState.QUEUED, now, error.reason)
        case Outcome.RETRY_LATER:
            return _later(error, attempts, now, jitter)


def _later(error: SendError, attempts: int, now: datetime, jitter: float) -> NextStep:
    if isinstance(error, ThrottledError):
        wait = timedelta(seconds=error.retry_after if error.retry_after is not None else 60)
        at = now + wait + timedelta(seconds=jitter)
        # Being asked to slow down says nothing about the message; 1 remains, by which the order of a chat is kept.
        return NextStep(DeliveryState.QUEUED, at, error.reason, attempts=max(1, attempts - 1))
    if attempts >= MAX_ATTEMPTS:
        return NextStep(DeliveryState.FAILED, None, error.reason)
    pause = _PAUSES[attempts - 1] if error.retry_after is None else timedelta(seconds=error.retry_after)
    return NextStep(DeliveryState.QUEUED, now + pause * (1 + jitter / 4), error.reason)


def _tomorrow(now: datetime, jitter: float) -> datetime:
    local = now.astimezone(_LOCAL)
    return _at_six(local + timedelta(days=1), jitter)


def _morning(now: datetime, jitter: float) -> datetime:
    local = now.astimezone(_LOCAL)
    six = local.replace(hour=6, minute=0, second=0, microsecond=0)
    return _at_six(local if local < six else local + timedelta(days=1), jitter)


def _at_six(day: datetime, jitter: float) -> datetime:
    return (day.replace(hour=6, minute=0, second=0, microsecond=0) + timedelta(minutes=10 * jitter)).astimezone(UTC)
