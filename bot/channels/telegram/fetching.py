"""Ask for updates and leave each as it is: what is stored is what came, however new or odd its shape."""

import json
import re
from datetime import datetime
from itertools import pairwise

from aiogram.methods import TelegramMethod

from bot.channels.channel import Fetched
from bot.channels.telegram.payload import integer_of, read_object
from bot.channels.telegram.webhook import event_of

_TOKENS = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{},]', re.DOTALL)
_NUMBER = re.compile(rb'"update_id"\s*:\s*([0-9]{1,18})\b')
_OPENS, _CLOSES = ("[", "{"), ("]", "}")
_OF_LIST = 1
"""How deep in an answer the list of updates stands."""


class GetRawUpdates(TelegramMethod[list[str]]):
    """core.telegram.org/bots/api#getupdates, with each update as the words that came: one odd one spoils no others."""

    __returning__ = list[str]
    __api_method__ = "getUpdates"

    offset: int | None = None
    timeout: int | None = None
    allowed_updates: list[str] | None = None


def with_texts(answer: str) -> str:
    """Return the answer with the words of each update in its place; what is no list of updates stays as it is."""
    depth, starts = 0, list[int]()
    for token in _TOKENS.finditer(answer):
        sign = token[0]
        depth -= sign in _CLOSES
        if sign == "[" and depth == _OF_LIST:
            starts = [token.end()]
        elif sign == "," and depth == _OF_LIST + 1 and starts:
            starts.append(token.end())
        elif sign == "]" and depth == _OF_LIST and starts:
            return _filled(answer, starts, token.start())
        depth += sign in _OPENS
    return answer


def _filled(answer: str, starts: list[int], end: int) -> str:
    parts = [answer[start:stop].strip(" \t\r\n,") for start, stop in pairwise([*starts, end])]
    return answer[: starts[0]] + json.dumps([part for part in parts if part])[1:-1] + answer[end:]


def fetched(raw: bytes, account: str, now: datetime) -> Fetched | None:
    """Describe an update that was fetched: by its number alone when it cannot be read; None when it has none."""
    try:
        update = read_object(raw)
    except ValueError:
        found = _NUMBER.search(raw)
        update = {"update_id": int(found[1])} if found else {}
    number = integer_of(update.get("update_id"))
    return None if number is None else Fetched(number, event_of(update, raw, account, now), raw)
