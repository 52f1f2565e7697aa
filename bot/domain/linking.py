"""Rules of linking two contacts that are one person: what has to be said where, and how long it holds."""

import re
import secrets
from collections.abc import Callable
from datetime import timedelta

from bot.domain.phrases import typed

ANSWER_WITHIN = timedelta(hours=24)
"""So long a question whether to link may be answered with a bare yes or no."""
CODE_HOLDS = timedelta(minutes=15)
CODE_TRIES = 5
_DIGITS = "0123456789"
_LENGTH = 6
_TYPED = re.compile(rf"noi(\d{{{_LENGTH}}})", re.ASCII)


def new_code(choice: Callable[[str], str] = secrets.choice) -> str:
    """Make the digits that a person carries from one chat to the other."""
    return "".join(choice(_DIGITS) for _ in range(_LENGTH))


def link_code(text: str) -> str | None:
    """Return the digits of `nối 482913`, typed in any way, or None for any other text."""
    found = _TYPED.fullmatch("".join(typed(text).folded))
    return found[1] if found else None
