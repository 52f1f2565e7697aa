"""May this bot write into this chat now, and to which message: what the real one refuses."""

from .errors import RefusalError, bad, forbidden
from .gateway import ApiCall
from .model import OUT, Bot, Chat, Json, Message
from .world import World


def open_chat(call: ApiCall, name: str = "chat_id", *, writes: bool = True) -> Chat:
    """Return the chat that a call names and may write into, or only look at. Raises RefusalError."""
    world, bot = call.telegram.world, call.bot
    chat_id = call.params.whole(name)
    if not chat_id:
        raise bad("chat_id is empty")
    chat = world.chats.get(str(chat_id) if chat_id < 0 else f"{bot.bot_id}:{chat_id}")
    if chat is None:
        raise bad("chat not found")
    if refusal := _refusal(world, bot, chat):
        raise refusal
    if writes and chat.members.get(bot.bot_id) == "restricted":
        raise bad("not enough rights to send text messages to the chat")
    return chat


def _refusal(world: World, bot: Bot, chat: Chat) -> RefusalError | None:
    if chat.type == "private":
        if world.people[chat.chat_id].deactivated:
            return forbidden("user is deactivated")
        if chat.blocked:
            return forbidden("bot was blocked by the user")
        return None if chat.started else bad("chat not found")
    if chat.migrated_to:
        return bad("group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.migrated_to)
    status = chat.members.get(bot.bot_id, "")
    if status == "kicked":
        return forbidden(f"bot was kicked from the {chat.type} chat")
    return forbidden(f"bot is not a member of the {chat.type} chat") if status in OUT else None


def replied(call: ApiCall, chat: Chat) -> int:
    """Return the message that the new one answers, 0 for none. Raises RefusalError when it is not there."""
    wanted = call.params.table("reply_parameters")
    message_id = int(wanted.get("message_id") or call.params.whole("reply_to_message_id"))
    if not message_id:
        return 0
    if call.telegram.world.message(chat, message_id):
        return message_id
    if wanted.get("allow_sending_without_reply") or call.params.flag("allow_sending_without_reply"):
        return 0
    raise bad("message to be replied not found")


def own_message(call: ApiCall, chat: Chat, what: str = "edit") -> Message:
    """Return the message of this bot that a call names. Raises RefusalError."""
    message = call.telegram.world.message(chat, call.params.whole("message_id"))
    if message is None:
        raise bad(f"message to {what} not found")
    if message.sender != call.bot.bot_id:
        raise bad(f"message can't be {what}ed" if what == "edit" else "message can't be deleted")
    return message


def same(old: Message, text: str, entities: list[Json], markup: Json) -> bool:
    """Whether an edit changes nothing."""
    keyboard = {"inline_keyboard": markup["inline_keyboard"]} if markup.get("inline_keyboard") else {}
    return (old.text, old.entities, old.markup) == (text, entities, keyboard)
