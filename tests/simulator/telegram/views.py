"""Things as a bot sees them: the objects of the Bot API, with the fields and types of its documentation."""

from .model import Bot, Chat, Json, Message, Person, StoredFile, Tap
from .world import World

SIDE_SMALL = 320


def person(someone: Person) -> Json:
    """Make a User of a person."""
    first, _, last = someone.name.partition(" ")
    shown: Json = {"id": someone.user_id, "is_bot": False, "first_name": first, "language_code": "vi"}
    return shown | ({"last_name": last} if last else {}) | ({"username": someone.username} if someone.username else {})


def bot(some_bot: Bot) -> Json:
    """Make a User of a bot."""
    return {"id": some_bot.bot_id, "is_bot": True, "first_name": some_bot.name, "username": some_bot.username}


def user(world: World, user_id: int) -> Json:
    """Make the User of a person or a bot."""
    return bot(world.bots[user_id]) if user_id in world.bots else person(world.people[user_id])


def chat(world: World, some_chat: Chat) -> Json:
    """Make a Chat."""
    shown: Json = {"id": some_chat.chat_id, "type": some_chat.type}
    if some_chat.type != "private":
        return shown | {"title": some_chat.title}
    named = person(world.people[some_chat.chat_id])
    return shown | {key: named[key] for key in ("first_name", "last_name", "username") if key in named}


def message(world: World, some: Message, for_bot: int, *, deep: bool = True) -> Json:
    """Make a Message; `deep` with what it replies to."""
    some_chat = world.chats[some.chat]
    shown: Json = {
        "message_id": some.message_id,
        "from": user(world, some.sender),
        "chat": chat(world, some_chat),
        "date": some.at_s,
    }
    if some.edited_s:
        shown["edit_date"] = some.edited_s
    quoted = world.message(some_chat, some.reply_to) if some.reply_to and deep else None
    if quoted:
        shown["reply_to_message"] = message(world, quoted, for_bot, deep=False)
    if some.album:
        shown["media_group_id"] = some.album
    shown |= some.details
    if some.file:
        shown |= _file(world.files[some.file], for_bot)
    if some.text:
        caption = bool(some.file)
        shown["caption" if caption else "text"] = some.text
        if some.entities:
            shown["caption_entities" if caption else "entities"] = some.entities
    if "inline_keyboard" in some.markup:
        shown["reply_markup"] = {"inline_keyboard": some.markup["inline_keyboard"]}
    return shown


def file_ids(file: StoredFile, for_bot: int, size: str = "") -> Json:
    """Make the two ids of a file: the first is this bot's own, the second the same for all."""
    return {"file_id": f"F{for_bot}-{file.key}{size}", "file_unique_id": f"U{file.key}{size}"}


def _file(file: StoredFile, for_bot: int) -> Json:
    ids = file_ids(file, for_bot)
    size: Json = {"file_size": file.size}
    if file.kind == "photo":
        shrink = min(1.0, SIDE_SMALL / max(file.width, file.height, 1))
        small = {"width": max(1, int(file.width * shrink)), "height": max(1, int(file.height * shrink))}
        full = ids | size | {"width": file.width, "height": file.height}
        return {"photo": [file_ids(file, for_bot, "s") | small, full]}
    if file.kind == "voice":
        return {"voice": ids | size | {"duration": file.duration, "mime_type": file.mime}}
    if file.kind == "video":
        details = {"width": file.width, "height": file.height, "duration": file.duration, "mime_type": file.mime}
        return {"video": ids | size | details | {"file_name": file.name}}
    if file.kind == "sticker":
        details = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
        return {"sticker": ids | size | details | {"emoji": "\N{SMILING FACE WITH OPEN MOUTH}"}}
    document = {"document": ids | size | {"file_name": file.name, "mime_type": file.mime}}
    if file.kind == "animation":
        details = {"width": file.width, "height": file.height, "duration": file.duration}
        return document | {"animation": document["document"] | details}
    return document


def callback(world: World, tap: Tap) -> Json:
    """Make a CallbackQuery."""
    some_chat = world.chats[tap.chat]
    shown: Json = {
        "id": tap.tap_id,
        "from": person(world.people[tap.user_id]),
        "chat_instance": str(some_chat.chat_id * 7919),
        "data": tap.data,
    }
    under = world.message(some_chat, tap.message_id)
    if under:
        return shown | {"message": message(world, under, tap.bot_id)}
    return shown | {"message": {"chat": chat(world, some_chat), "message_id": tap.message_id, "date": 0}}


_RIGHTS = (
    "can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos", "can_send_videos",
    "can_send_video_notes", "can_send_voice_notes", "can_send_polls", "can_send_other_messages",
    "can_add_web_page_previews", "can_react_to_messages", "can_edit_tag", "can_change_info", "can_invite_users",
    "can_pin_messages", "can_manage_topics",
)  # fmt: skip


def member(world: World, user_id: int, status: str) -> Json:
    """Make a ChatMember."""
    shown: Json = {"user": user(world, user_id), "status": status}
    if status == "creator":
        shown["is_anonymous"] = False
    if status == "kicked":
        shown["until_date"] = 0
    if status == "restricted":
        shown |= {"is_member": True, "until_date": 0} | dict.fromkeys(_RIGHTS, False)
    if status == "administrator":
        rights = (
            "can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages", "can_manage_video_chats",
            "can_restrict_members", "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories",
            "can_edit_stories", "can_delete_stories", "can_send_welcome_messages",
        )  # fmt: skip
        shown |= {right: right in {"can_manage_chat", "can_delete_messages"} for right in rights}
    return shown


def membership(world: World, some_chat: Chat, by: int, bot_id: int, old: str, new: str) -> Json:
    """Make the ChatMemberUpdated of `my_chat_member`."""
    return {
        "chat": chat(world, some_chat),
        "from": user(world, by),
        "date": world.now_s(),
        "old_chat_member": member(world, bot_id, old),
        "new_chat_member": member(world, bot_id, new),
    }
