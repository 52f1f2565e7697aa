"""Read a message that somebody sent to a bot or in a group where the bot is."""

import re
from typing import Any

from aiogram import types

from bot.channels.telegram.attachments import attachments_of, content_of
from bot.channels.telegram.ids import message_id
from bot.domain.text import clean
from bot.domain.update import AccountNews, MessageReceived, PhoneShared, Update

_COMMAND_FOR = re.compile(r"^(/[A-Za-z0-9_]+)@[A-Za-z0-9_]+")
"""In groups Telegram's apps add the bot's name to a command that was tapped."""
_MAX_NAME = 200


def received(message: types.Message, external_id: str) -> Update:
    """Read a new message: words, what is attached, one's own phone, or what happened to the group."""
    facts = _facts(message, external_id)
    moved = _moved(message)
    if moved:
        return AccountNews(**facts, what="group_migrated", details=moved)
    if message.chat.type == "channel" or not facts["sender"]:
        return _of_nobody(message, facts)
    shared = message.contact
    if shared is not None and str(shared.user_id or "") == facts["sender"] and not facts["chat"]:
        return PhoneShared(**facts, phone=shared.phone_number, name=_name(shared.first_name, shared.last_name))
    attached = attachments_of(message)
    text = _words(message)
    if not text and not attached:
        return AccountNews(**facts, what=content_of(message))
    return MessageReceived(
        **facts,
        message_id=message_id(message.chat.id, message.message_id),
        text=text,
        attachments=attached,
        quotes=_quoted(message),
        album=message.media_group_id or "",
    )


def edited(message: types.Message, external_id: str) -> Update:
    """Read what an earlier message says now."""
    facts = _facts(message, external_id)
    if message.chat.type == "channel" or not facts["sender"]:
        return AccountNews(**facts, what="message_of_nobody")
    return MessageReceived(
        **facts,
        message_id=message_id(message.chat.id, message.message_id),
        text=_words(message),
        attachments=attachments_of(message),
        quotes=_quoted(message),
        album=message.media_group_id or "",
        edited=True,
    )


def _of_nobody(message: types.Message, facts: dict[str, Any]) -> Update:
    """Read what no person has written; of the words only a command that an administrator gives as the group itself."""
    text, author = _words(message), message.sender_chat
    if author is not None and author.id == message.chat.id and facts["chat"] and text.startswith("/"):
        return AccountNews(**facts, what="anonymous_command", details={"text": text})
    return AccountNews(**facts, what="message_of_nobody")


def sent_by(user: types.User | None) -> str:
    """Return a person's id; "" for a bot, which includes administrators who write as their group."""
    return "" if user is None or user.is_bot else str(user.id)


def _facts(message: types.Message, external_id: str) -> dict[str, Any]:
    return {
        "account": "",
        "external_id": external_id,
        "sender": sent_by(message.from_user),
        "occurred_at": message.date,
        "chat": "" if message.chat.type == "private" else str(message.chat.id),
    }


def _moved(message: types.Message) -> dict[str, str]:
    """Return from which id to which a group went when it became a supergroup; told in the old one and the new one."""
    here = str(message.chat.id)
    if message.migrate_to_chat_id is not None:
        return {"from": here, "to": str(message.migrate_to_chat_id)}
    if message.migrate_from_chat_id is not None:
        return {"from": str(message.migrate_from_chat_id), "to": here}
    return {}


def _words(message: types.Message) -> str:
    return _COMMAND_FOR.sub(r"\1", clean(message.text or message.caption or ""))


def _quoted(message: types.Message) -> str | None:
    replied = message.reply_to_message
    if replied is None or (message.is_topic_message and replied.message_id == message.message_thread_id):
        return None  # in a topic every message names the one that opened it
    return message_id(message.chat.id, replied.message_id)


def _name(first: str, last: str | None) -> str:
    return clean(f"{first} {last or ''}")[:_MAX_NAME]
