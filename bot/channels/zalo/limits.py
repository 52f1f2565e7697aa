"""Say what an Official Account can carry, from its kind and what was learnt about it."""

from bot.channels.channel import AccountRef
from bot.domain.message import Capabilities

V2 = "v2"
V3 = "v3"
MAX_TEXT = 2000
MAX_BUTTONS = 5
WINDOW_HOURS = 7 * 24
FREE_HOURS = 48
REQUESTS_PER_MINUTE = 100


def endpoint(account: AccountRef) -> str:
    """Return which message API an account uses: what was learnt, else v2 for state agencies and v3 for the others.

    A state-agency account gets -235 on v3, a business account -240 on v2 (contract §0, row 1).
    """
    return account.learnt.get("endpoint") or (V2 if account.kind == "state" else V3)


def capabilities(account: AccountRef) -> Capabilities:
    """Return the limits of an account: lengths in characters (contract §3.3), times in hours (§3.5).

    Buttons and lists are documented for v2 only; the request for contact data for v3 only.
    """
    v2 = endpoint(account) == V2
    return Capabilities(
        max_text=MAX_TEXT,
        max_buttons=MAX_BUTTONS if v2 else 0,
        max_button_label=100,
        file_captions=False,
        asks_contact=not v2,
        quotes=not v2,
        window_hours=WINDOW_HOURS,
        free_hours=FREE_HOURS,
        per_minute=int(account.learnt.get("per_minute", REQUESTS_PER_MINUTE)),
    )
