"""Make one recipient's message out of a broadcast's, and know what a broadcast may do next."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.domain.message import Message

_FIELD = re.compile(r"\{\{\s*([^{}]{1,60}?)\s*\}\}")


def fields_of(message: Message) -> set[str]:
    """Return the merge fields that a message names as `{{field}}`."""
    return {name for text in (message.text, message.title) for name in _FIELD.findall(text)}


def personal(message: Message, merged: Mapping[str, Any] | None) -> Message:
    """Fill the merge fields with one recipient's values; a field without a value becomes nothing.

    Returns the very same object when there is nothing to fill.
    """
    if not merged and "{{" not in message.text and "{{" not in message.title:
        return message
    values = merged or {}

    def fill(text: str) -> str:
        return _FIELD.sub(lambda found: str(values.get(found[1], "")), text)

    return replace(message, text=fill(message.text), title=fill(message.title))
