"""Turn what Telegram sends into updates: one table from kind to reader, pure, without ever raising."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiogram import types
from pydantic import ValidationError

from bot.channels.telegram.ids import message_id
from bot.channels.telegram.messages import edited, received, sent_by
from bot.channels.telegram.payload import integer_of, object_of, read_object
from bot.channels.telegram.webhook import event_of, kind_of
from bot.domain.text import clean
from bot.domain.update import UNKNOWN_EVENT, AccountNews, ButtonPressed, Followed, Unfollowed, Unrecognised, Update

UNKNOWN_TIME = datetime.fromtimestamp(0, UTC)
"""Stands where an update names no time; intake's own `occurred_at` is then the one to use."""

_TRIES = 3
_SIDES = ("old_chat_member", "new_chat_member")
_NEEDED = frozenset({"message_id", "chat", "date", "from", "id", "message", "data", *_SIDES})
_AWAY = frozenset({"left", "kicked"})
_MAX_TITLE = 200


def parse_update(raw: bytes) -> list[Update]:
    """Return what one update says, always exactly one.

    A body that is no JSON object, a kind that nobody asked for and one whose shape is not the documented one become
    Unrecognised. The bot itself is not named in it, so `account` stays empty.
    """
    try:
        data = read_object(raw)
    except ValueError:
        return [_odd({}, raw, "not a JSON object")]
    kind = kind_of(data)
    reader = _READERS.get(kind)
    if integer_of(data.get("update_id")) is None:
        return [_odd(data, raw, "no update_id")]
    if reader is None:
        return [_odd(data, raw, UNKNOWN_EVENT if kind else "no kind of update")]
    try:
        return [reader(_validated(data["update_id"], kind, data[kind]))]
    except ValidationError as error:
        first = _problems(error)[0]
        where = ".".join(str(part) for part in first["loc"])
        return [_odd(data, raw, f"{where[:100]}: {first['type']}")]


def _validated(number: int, kind: str, content: dict[str, Any]) -> types.Update:
    """Read an update by aiogram's types, as much of it as has their shape.

    One odd part must not cost the words beside it: it is left out, unless nothing can be understood without it. Raises
    ValidationError.
    """
    if kind == "my_chat_member":
        content = {**content, **{side: _membership_only(content.get(side)) for side in _SIDES}}
    for _ in range(_TRIES):
        try:
            return types.Update.model_validate({"update_id": number, kind: content})
        except ValidationError as error:
            odd = {str(problem["loc"][1]) for problem in _problems(error) if len(problem["loc"]) > 1}
            if not odd or odd & _NEEDED:
                raise
            content = {name: value for name, value in content.items() if name not in odd}
    return types.Update.model_validate({"update_id": number, kind: content})


def _problems(error: ValidationError) -> list[Any]:
    return list(error.errors(include_input=False, include_url=False, include_context=False))


def _membership_only(side: Any) -> dict[str, Any]:
    """Leave of a membership whether the bot is in the chat: rights, of which every year brings more, are not asked."""
    known = object_of(side)
    return {"user": known.get("user"), "status": "left" if known.get("status") in _AWAY else "member"}


def _odd(data: dict[str, Any], raw: bytes, why: str) -> Unrecognised:
    event = event_of(data, raw, "", UNKNOWN_TIME)
    return Unrecognised(
        account="",
        external_id=event.key,
        sender="",
        occurred_at=event.occurred_at,
        name=clean(event.event),
        why=clean(why),
    )


def _message(update: types.Update) -> Update:
    assert update.message is not None
    return received(update.message, str(update.update_id))


def _edited(update: types.Update) -> Update:
    assert update.edited_message is not None
    return edited(update.edited_message, str(update.update_id))


def _pressed(update: types.Update) -> Update:
    query = update.callback_query
    assert query is not None
    chat = query.message.chat if query.message else None
    in_group = chat is not None and chat.type != "private"
    return ButtonPressed(
        account="",
        external_id=str(update.update_id),
        sender=sent_by(query.from_user),
        occurred_at=UNKNOWN_TIME,
        chat=str(chat.id) if chat is not None and in_group else "",
        message_id=message_id(chat.id, query.message.message_id) if chat and query.message else "",
        payload=query.data or "",
        tap_id=query.id,
    )


def _membership(update: types.Update) -> Update:
    """Tell what became of the bot in a chat: blocked or not by a person, taken into a group or out of it."""
    change = update.my_chat_member
    assert change is not None
    chat = change.chat
    facts: dict[str, Any] = {
        "account": "",
        "external_id": str(update.update_id),
        "sender": sent_by(change.from_user),
        "occurred_at": change.date,
    }
    was, now = change.old_chat_member.status in _AWAY, change.new_chat_member.status in _AWAY
    if chat.type == "private":
        return Unfollowed(**facts, blocked=True) if now else Followed(**facts, how="unblocked")
    if chat.type == "channel":
        return AccountNews(**facts, chat=str(chat.id), what="channel")
    what = "left_group" if now else "joined_group" if was else "rights_in_group"
    details = {"title": clean(chat.title or "")[:_MAX_TITLE]}
    return AccountNews(**facts, chat=str(chat.id), what=what, details=details)


_READERS: dict[str, Callable[[types.Update], Update]] = {
    "message": _message,
    "edited_message": _edited,
    "callback_query": _pressed,
    "my_chat_member": _membership,
}
"""Kind of update → how to read it; webhook.KINDS is what we ask for."""
