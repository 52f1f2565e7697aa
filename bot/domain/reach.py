"""Decide whether a person can be written to now, and until when: the reply window of chat accounts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.message import Capabilities


class Window(StrEnum):
    """What writing to the person means now."""

    FREE = "free"
    OPEN = "open"
    CLOSED = "closed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether free text reaches the person; `closes_at` None where the account knows no window."""

    window: Window
    free_until: datetime | None
    closes_at: datetime | None

    @property
    def open(self) -> bool:
        """Say whether free text may be sent now."""
        return self.window in {Window.FREE, Window.OPEN}


WINDOW_CLOSED = frozenset({"reply_window_closed", "no_interaction", "reply_quota_used"})
"""Refusals that say no more than that free text is not let in until the person interacts again (contract §5)."""
BY_PHONE = frozenset(
    {
        "phone_invalid",
        "recipient_app_too_old",
        "recipient_cannot_receive",
        "recipient_monthly_limit",
        "recipient_not_eligible",
        "recipient_not_found",
        "recipient_not_opted_in",
        "recipient_refuses_oa",
        "test_recipient_only",
    }
)
"""Refusals of what was sent to a phone: they say nothing about the chat with the person."""


def reach(last_interaction: datetime | None, gone: bool, capabilities: Capabilities, now: datetime) -> Reach:
    """Work out the reply window of one contact.

    Zalo: free text only inside 7 days of the last interaction, free of charge inside 48 hours (contract §3.5).
    `gone` is set when the provider said that the person cannot be reached.
    """
    if capabilities.window_hours == 0:
        return Reach(Window.GONE if gone else Window.FREE, None, None)
    if last_interaction is None:
        return Reach(Window.GONE if gone else Window.CLOSED, None, None)
    closes = last_interaction + timedelta(hours=capabilities.window_hours)
    free = last_interaction + timedelta(hours=capabilities.free_hours)
    if gone:
        return Reach(Window.GONE, free, closes)
    if now < free:
        return Reach(Window.FREE, free, closes)
    return Reach(Window.OPEN if now < closes else Window.CLOSED, free, closes)
