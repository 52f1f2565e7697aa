"""Make one recipient's message out of a broadcast's, and know what a broadcast may do next."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.domain.message import Message

_TRACKING = re.compile(r"b([1-9]\d{0,17})-([1-9]\d{0,9})")
_FIELD = re.compile(r"\{\{\s*([^{}]{1,60}?)\s*\}\}")


def fields_of(message: Message) -> set[str]:
    """Return the merge fields that a message names as `{{field}}`, in its words or in a template's parameters."""
    texts = (message.text, message.title, *message.parameters.values())
    return {name for text in texts for name in _FIELD.findall(text)}


def fill(text: str, merged: Mapping[str, Any]) -> str:
    """Put one recipient's values in the place of a text's merge fields; a field without a value becomes nothing."""
    return _FIELD.sub(lambda found: str(merged.get(found[1], "")), text) if "{{" in text else text


def tracked(tracking: str) -> tuple[int, int] | None:
    """Return the broadcast and the number of the delivery that a tracking id of ours names; None for any other."""
    found = _TRACKING.fullmatch(tracking)
    return (int(found[1]), int(found[2])) if found else None


def personal(message: Message, merged: Mapping[str, Any] | None) -> Message:
    """Fill the merge fields with one recipient's values; a field without a value becomes nothing.

    Returns the very same object when there is nothing to fill.
    """
    parameters = message.parameters
    named = "{{" in message.text or "{{" in message.title or any("{{" in value for value in parameters.values())
    if not named:
        return message
    values = merged or {}
    return replace(
        message,
        text=fill(message.text, values),
        title=fill(message.title, values),
        parameters={name: fill(value, values) for name, value in parameters.items()} if parameters else parameters,
    )


def tracking_id(broadcast_id: int, n: int) -> str:
    """Name one delivery to a provider that tells its receipts by such a name; at most 48 characters."""
    return f"b{broadcast_id}-{n}"
