"""Methods about chats: who is in them, and leaving."""

from typing import Any

from . import reach, views
from .errors import bad
from .gateway import ApiCall, Method
from .model import Json


async def get_chat(call: ApiCall) -> Json:
    """Return a chat in full."""
    world = call.telegram.world
    chat = reach.open_chat(call, writes=False)
    limits = {"max_reaction_count": 11, "accent_color_id": 0}
    gifts = dict.fromkeys(
        ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False
    )
    return views.chat(world, chat) | limits | {"accepted_gift_types": gifts}


async def get_chat_member(call: ApiCall) -> Json:
    """Return what somebody is in a group."""
    world = call.telegram.world
    chat = reach.open_chat(call, writes=False)
    user_id = call.params.whole("user_id")
    if user_id not in world.people and user_id not in world.bots:
        raise bad("invalid user_id specified")
    status = "member" if chat.type == "private" else chat.members.get(user_id) or "left"
    return views.member(world, user_id, status)


async def leave_chat(call: ApiCall) -> Any:
    """Leave a group."""
    world = call.telegram.world
    chat = reach.open_chat(call, writes=False)
    if chat.type == "private":
        raise bad("chat member status can't be changed in private chats")
    old, chat.members[call.bot.bot_id] = chat.members[call.bot.bot_id], "left"
    world.changed(chat)
    payload = views.membership(world, chat, call.bot.bot_id, call.bot.bot_id, old, "left")
    call.telegram.tell(call.bot, "my_chat_member", payload, chat.key)
    return True


METHODS = [
    Method("getChat", get_chat),
    Method("getChatMember", get_chat_member),
    Method("leaveChat", leave_chat),
]
