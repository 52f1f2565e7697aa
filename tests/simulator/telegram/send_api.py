"""Methods that send: text, photo, document, voice, video, album, place, contact."""

from typing import Any

from . import formatting, keyboards, reach, views
from .errors import bad
from .files import take_file
from .formatting import CAPTION_MAX, TEXT_MAX
from .gateway import ApiCall, Method
from .model import Chat, Json, Message
from .params import Params

ALBUM_MIN, ALBUM_MAX = 2, 10
ALBUM_KINDS = {"photo", "video", "document", "audio"}


def _new(call: ApiCall, chat: Chat, kind: str) -> Message:
    return Message(0, chat.key, call.bot.bot_id, from_bot=True, kind=kind, at_s=call.telegram.world.now_s())


def _deliver(call: ApiCall, chat: Chat, message: Message) -> Json:
    world = call.telegram.world
    world.add_message(message)
    call.delivered(chat, message.message_id)
    return views.message(world, message, call.bot.bot_id)


async def send_message(call: ApiCall) -> Json:
    """Send a text (1 to 4096 characters)."""
    chat = reach.open_chat(call)
    message = _new(call, chat, "text")
    message.text, message.entities = formatting.read(call.params, "text", TEXT_MAX)
    if not message.text.strip():
        raise bad("message text is empty")
    return _finish(call, chat, message)


def _finish(call: ApiCall, chat: Chat, message: Message) -> Json:
    message.markup = keyboards.read(call.params, private=chat.type == "private")
    message.reply_to = reach.replied(call, chat)
    return _deliver(call, chat, message)


async def _send_file(call: ApiCall, kind: str) -> Json:
    chat = reach.open_chat(call)
    message = _new(call, chat, kind)
    message.file = await take_file(call, kind, call.params.text(kind), call.params.parts.get(kind))
    message.text, message.entities = formatting.read(call.params, "caption", CAPTION_MAX)
    return _finish(call, chat, message)


async def send_photo(call: ApiCall) -> Json:
    """Send a photo: uploaded, by file id, or by address."""
    return await _send_file(call, "photo")


async def send_document(call: ApiCall) -> Json:
    """Send a document."""
    return await _send_file(call, "document")


async def send_voice(call: ApiCall) -> Json:
    """Send a voice message."""
    return await _send_file(call, "voice")


async def send_video(call: ApiCall) -> Json:
    """Send a clip."""
    return await _send_file(call, "video")


async def send_sticker(call: ApiCall) -> Json:
    """Send a sticker."""
    return await _send_file(call, "sticker")


async def send_media_group(call: ApiCall) -> list[Json]:
    """Send an album of 2 to 10; documents go only with documents."""
    chat = reach.open_chat(call)
    items = call.params.rows("media")
    if not ALBUM_MIN <= len(items) <= ALBUM_MAX:
        raise bad(f"album must have {ALBUM_MIN} to {ALBUM_MAX} items")
    kinds = {item.get("type") for item in items if isinstance(item, dict)}
    if not kinds or not kinds <= ALBUM_KINDS or ("document" in kinds and len(kinds) > 1):
        raise bad("can't use the media of the specified types in one album")
    album = str(call.telegram.world.rng.randrange(10**16, 10**17))
    reply_to = reach.replied(call, chat)
    messages = [await _album_item(call, chat, item) for item in items]
    for message in messages:
        message.album, message.reply_to = album, reply_to
    return [_deliver(call, chat, message) for message in messages]


async def _album_item(call: ApiCall, chat: Chat, item: Json) -> Message:
    message = _new(call, chat, item["type"])
    message.file = await take_file(call, item["type"], str(item.get("media", "")))
    own = Params(item)
    message.text, message.entities = formatting.read(own, "caption", CAPTION_MAX)
    return message


async def send_location(call: ApiCall) -> Json:
    """Send a place."""
    chat = reach.open_chat(call)
    message = _new(call, chat, "location")
    message.details = {"location": {name: _float(call.params, name) for name in ("latitude", "longitude")}}
    return _finish(call, chat, message)


def _float(params: Params, name: str) -> float:
    try:
        return float(params.text(name))
    except ValueError:
        raise bad(f"{name} must be a number") from None


async def send_contact(call: ApiCall) -> Json:
    """Send a contact."""
    chat = reach.open_chat(call)
    message = _new(call, chat, "contact")
    message.details = {"contact": {name: call.params.text(name) for name in ("phone_number", "first_name")}}
    return _finish(call, chat, message)


async def send_chat_action(call: ApiCall) -> Any:
    """Show that the bot is typing."""
    reach.open_chat(call)
    if not call.params.text("action"):
        raise bad("wrong parameter action in request")
    return True


METHODS = [
    Method("sendMessage", send_message, sends=True),
    Method("sendPhoto", send_photo, sends=True),
    Method("sendDocument", send_document, sends=True),
    Method("sendVoice", send_voice, sends=True),
    Method("sendVideo", send_video, sends=True),
    Method("sendSticker", send_sticker, sends=True),
    Method("sendMediaGroup", send_media_group, sends=True),
    Method("sendLocation", send_location, sends=True),
    Method("sendContact", send_contact, sends=True),
    Method("sendChatAction", send_chat_action),
]
