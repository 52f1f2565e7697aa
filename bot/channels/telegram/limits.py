"""Say what a bot can carry and how fast, as Telegram's papers and its frequently asked questions tell."""

from bot.channels.channel import AccountRef
from bot.channels.rate_limit import Window
from bot.channels.telegram.ids import is_group
from bot.domain.message import Capabilities

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_PAYLOAD = 64
"""Bytes that a button may carry (core.telegram.org/bots/api#inlinekeyboardbutton)."""
MAX_BUTTONS = 24
"""Telegram takes a hundred; a list longer than this is easier read as lines."""
MAX_LABEL = 64
MAX_DOWNLOAD = 20 * 1024 * 1024
"""Bytes of the largest file a bot may fetch (core.telegram.org/bots/api#getfile)."""
MAX_PHOTO = 10 * 1024 * 1024
MAX_UPLOAD = 50 * 1024 * 1024

_BOT_PER_SECOND = 30
_CHAT_PER_SECOND = 1
_GROUP_PER_MINUTE = 20
"""core.telegram.org/bots/faq, "My bot is hitting limits, how do I avoid this?"."""

_CAPABILITIES = Capabilities(
    max_text=MAX_TEXT,
    max_caption=MAX_CAPTION,
    utf16=True,
    max_buttons=MAX_BUTTONS,
    max_button_label=MAX_LABEL,
    asks_contact=True,
    quotes=True,
    edits=True,
    groups=True,
    receipts=False,
    per_minute=_BOT_PER_SECOND * 60,
)


def capabilities(account: AccountRef) -> Capabilities:
    """Return the limits of a bot: all bots have the same."""
    del account
    return _CAPABILITIES


def bot_windows(account_id: str) -> tuple[Window, ...]:
    """Return what every request of a bot is counted in."""
    return (Window(f"telegram:bot:{account_id}", _BOT_PER_SECOND, 1),)


def chat_windows(account_id: str, chat: str) -> tuple[Window, ...]:
    """Return what limits one chat alone."""
    own = Window(f"telegram:chat:{account_id}:{chat}", _CHAT_PER_SECOND, 1)
    if is_group(chat):
        return Window(f"telegram:group:{account_id}:{chat}", _GROUP_PER_MINUTE, 60), own
    return (own,)


def utf16_length(text: str) -> int:
    """Return how long Telegram holds a text to be: UTF-16 code units (core.telegram.org/api/entities)."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
