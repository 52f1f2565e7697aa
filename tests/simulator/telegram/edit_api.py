"""Methods on messages that are there: edits, deletion, and answers to taps."""

from typing import Any

from . import formatting, keyboards, reach, views
from .errors import bad
from .formatting import CAPTION_MAX, TEXT_MAX
from .gateway import ApiCall, Method
from .model import Chat, Json, Message

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)
TAP_LIFE_S = 60
TOAST_MAX = 200


async def edit_message_text(call: ApiCall) -> Json:
    """Give a text message other words; buttons that are not given again go."""
    chat = reach.open_chat(call)
    message = reach.own_message(call, chat)
    if message.file or not message.text:
        raise bad("there is no text in the message to edit")
    text, entities = formatting.read(call.params, "text", TEXT_MAX)
    if not text.strip():
        raise bad("message text is empty")
    return _edit(call, chat, message, text, entities)


async def edit_message_caption(call: ApiCall) -> Json:
    """Give a file other words beside it."""
    chat = reach.open_chat(call)
    message = reach.own_message(call, chat)
    if not message.file:
        raise bad("there is no caption in the message to edit")
    text, entities = formatting.read(call.params, "caption", CAPTION_MAX)
    return _edit(call, chat, message, text, entities)


async def edit_message_reply_markup(call: ApiCall) -> Json:
    """Give a message other buttons, or none."""
    chat = reach.open_chat(call)
    message = reach.own_message(call, chat)
    return _edit(call, chat, message, message.text, message.entities)


def _edit(call: ApiCall, chat: Chat, message: Message, text: str, entities: list[Json]) -> Json:
    world = call.telegram.world
    markup = keyboards.read(call.params, private=chat.type == "private")
    if markup and "inline_keyboard" not in markup:
        raise bad("inline keyboard expected")
    if reach.same(message, text, entities, markup):
        raise bad(NOT_MODIFIED)
    message.versions.append(message.text)
    message.text, message.entities, message.markup = text, entities, markup if markup.get("inline_keyboard") else {}
    message.edited_s = world.now_s()
    world.changed(chat)
    call.delivered(chat, message.message_id)
    return views.message(world, message, call.bot.bot_id)


async def delete_message(call: ApiCall) -> Any:
    """Take a message away, for both sides; own ones, and in groups others' when the bot is an administrator."""
    chat = reach.open_chat(call)
    world = call.telegram.world
    message = world.message(chat, call.params.whole("message_id"))
    administers = chat.members.get(call.bot.bot_id) == "administrator"
    if message is None or not administers:
        message = reach.own_message(call, chat, "delete")
    message.deleted = True
    world.changed(chat)
    return True


async def answer_callback_query(call: ApiCall) -> Any:
    """Take a tap's waiting sign off the button, with words shown over the chat or without."""
    world = call.telegram.world
    tap = world.taps.get(call.params.text("callback_query_id"))
    if tap is None or tap.bot_id != call.bot.bot_id or world.clock.now() - tap.at_s > TAP_LIFE_S:
        raise bad("query is too old and response timeout expired or query ID is invalid")
    text = call.params.text("text")
    if len(text) > TOAST_MAX:
        raise bad("MESSAGE_TOO_LONG")
    tap.answered, tap.text, tap.alert = True, text, call.params.flag("show_alert")
    world.touch("tap", chat=tap.chat, user_id=tap.user_id)
    return True


METHODS = [
    Method("editMessageText", edit_message_text, sends=True),
    Method("editMessageCaption", edit_message_caption, sends=True),
    Method("editMessageReplyMarkup", edit_message_reply_markup, sends=True),
    Method("deleteMessage", delete_message),
    Method("answerCallbackQuery", answer_callback_query),
]
