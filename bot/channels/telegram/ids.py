"""Name messages so that they cannot be confused: Telegram numbers them anew in every chat."""

_MARK = ":"


def message_id(chat: int | str, number: int) -> str:
    """Return the id by which the service knows a message of a chat."""
    return f"{chat}{_MARK}{number}"


def number_in(chat: str, known: str | None) -> int | None:
    """Return the number that a message has in `chat`; None for one of another chat, or what is no id of ours."""
    where, _, number = (known or "").rpartition(_MARK)
    return int(number) if where == chat and number.isascii() and number.isdigit() else None


def is_group(chat: str) -> bool:
    """Say whether a chat is a group: their ids are negative (core.telegram.org/bots/api#chat)."""
    return chat.startswith("-")
