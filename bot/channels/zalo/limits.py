"""Say what an Official Account can carry, from its kind and what was learnt about it."""

from bot.channels.channel import AccountRef
from bot.channels.rate_limit import Window
from bot.domain.message import Capabilities

V2 = "v2"
V3 = "v3"
MAX_TEXT = 2000
MAX_BUTTONS = 5
WINDOW_HOURS = 7 * 24
FREE_HOURS = 48
REQUESTS_PER_MINUTE = 100
APP_REQUESTS_PER_MINUTE = 4000
"""What all OAs of an app share (api.md 3.1); such a figure in an answer says nothing about one OA's limit."""

_MINUTE = 60


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


class RequestLimits:
    """The windows that an OA's requests are counted in: its own, and the one that all OAs of the app share.

    Zalo counts by the calendar minute; no minute at all holds too many when no sixty seconds do. An OA's own limit
    (100 or 2 000 by package, api.md 3.1) is told by the headers of its answers; `oa_default` holds until then.
    `templates` is how many of these an account may send by phone. A limit of 0 is none.
    """

    def __init__(self, app_id: str, app_per_minute: int, oa_default: int, templates: int = 0) -> None:
        self._templates = templates
        self._app = Window(f"zalo:app:{app_id}", app_per_minute, _MINUTE) if app_per_minute else None
        self._oa_default = oa_default
        self._rates: dict[str, int] = {}
        self._windows: dict[str, tuple[int, tuple[Window, ...]]] = {}

    def of(self, account: AccountRef) -> tuple[Window, ...]:
        """Return the windows of an account, by what is known of it here or was learnt before."""
        rate = self.rate(account)
        known = self._windows.get(account.id)
        if known is None or known[0] != rate:
            known = self._windows[account.id] = (rate, self._made(account.id, rate))
        return known[1]

    def of_id(self, account_id: str) -> tuple[Window, ...]:
        """Return the windows of an account of which only our row's id is at hand."""
        known = self._windows.get(account_id)
        return known[1] if known is not None else self._made(account_id, self._rates.get(account_id, self._oa_default))

    def by_phone(self, account_id: str) -> tuple[Window, ...]:
        """Return the window of templates by phone, which count in no other one (api.md 3.1)."""
        return (Window(f"zalo:template:{account_id}", self._templates, _MINUTE),) if self._templates else ()

    def rate(self, account: AccountRef) -> int:
        """Return how many requests a minute an account may make; 0 is no limit."""
        if not self._oa_default:
            return 0
        told = self._rates.get(account.id)
        return told if told is not None else int(account.learnt.get("per_minute", self._oa_default))

    def told(self, account: AccountRef, limit: int) -> bool:
        """Take what an answer said of an account's limit; True when that is news."""
        if limit >= APP_REQUESTS_PER_MINUTE:
            return False
        known = self._rates.get(account.id)
        if known is None:
            known = int(account.learnt.get("per_minute", REQUESTS_PER_MINUTE))
        self._rates[account.id] = limit
        return limit != known

    def _made(self, account_id: str, rate: int) -> tuple[Window, ...]:
        # An OA without a limit of its own still has a window: it shows how much of the app's the OA alone takes.
        limit = rate or (self._app.limit if self._app else 0)
        if not limit:
            return ()
        own = Window(f"zalo:oa:{account_id}", limit, _MINUTE)
        return (own, self._app) if self._app else (own,)
