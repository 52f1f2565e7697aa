"""Methods about the bot itself: who it is, how it gets its updates, its commands."""

import re
from typing import Any

from . import views
from .errors import bad
from .gateway import ApiCall, Method
from .model import Json
from .params import Params

SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
POLL_LIMIT, CONNECTIONS_MAX = 100, 100


async def get_me(call: ApiCall) -> Json:
    """Return the bot."""
    reads_all = not call.bot.privacy
    rights = {"can_join_groups": True, "can_read_all_group_messages": reads_all, "supports_inline_queries": False}
    return views.bot(call.bot) | rights


async def set_webhook(call: ApiCall) -> Any:
    """Have updates carried to an address; an empty one ends it."""
    bot, params = call.bot, call.params
    url, secret = params.text("url"), params.text("secret_token")
    if not url:
        return await delete_webhook(call)
    if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    if secret and not SECRET.fullmatch(secret):
        raise bad("secret token contains unallowed characters")
    if params.flag("drop_pending_updates"):
        call.telegram.updates.drop(bot)
    bot.webhook_url, bot.secret_token = url, secret
    bot.max_connections = min(CONNECTIONS_MAX, params.whole("max_connections") or 40)
    _take_allowed(call)
    bot.last_error_s, bot.last_error = 0, ""
    call.telegram.updates.start(bot)
    call.telegram.changed(bot)
    return True


def _take_allowed(call: ApiCall) -> None:
    # Left out keeps the former choice; an empty list means all but those that must be asked for by name.
    if "allowed_updates" in call.params.values:
        call.bot.allowed_updates = [str(kind) for kind in call.params.rows("allowed_updates")]


async def delete_webhook(call: ApiCall) -> Any:
    """End the carrying; what was not carried waits for getUpdates."""
    call.bot.webhook_url = call.bot.secret_token = ""
    if call.params.flag("drop_pending_updates"):
        call.telegram.updates.drop(call.bot)
    call.telegram.changed(call.bot)
    return True


async def get_webhook_info(call: ApiCall) -> Json:
    """Return the webhook's state."""
    bot = call.bot
    info: Json = {
        "url": bot.webhook_url,
        "has_custom_certificate": False,
        "pending_update_count": len(call.telegram.updates.pending(bot)),
    }
    if bot.webhook_url:
        info |= {"max_connections": bot.max_connections, "ip_address": "127.0.0.1"}
    if bot.last_error_s:
        info |= {"last_error_date": bot.last_error_s, "last_error_message": bot.last_error}
    return info | ({"allowed_updates": bot.allowed_updates} if bot.allowed_updates else {})


async def get_updates(call: ApiCall) -> list[Json]:
    """Return the next updates, waiting up to `timeout` seconds for the first."""
    params = call.params
    limit = max(1, min(POLL_LIMIT, params.whole("limit", POLL_LIMIT)))
    _take_allowed(call)
    return await call.telegram.updates.fetch(call.bot, params.whole("offset"), limit, params.whole("timeout"))


async def set_my_commands(call: ApiCall) -> Any:
    """Keep the commands that clients offer."""
    commands = call.params.rows("commands")
    for command in commands:
        if not re.fullmatch(r"[a-z0-9_]{1,32}", str(Params(command).text("command"))):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    call.bot.commands = commands
    return True


async def get_my_commands(call: ApiCall) -> Any:
    """Return the commands."""
    return call.bot.commands


METHODS = [
    Method("getMe", get_me),
    Method("setWebhook", set_webhook),
    Method("deleteWebhook", delete_webhook),
    Method("getWebhookInfo", get_webhook_info),
    Method("getUpdates", get_updates),
    Method("setMyCommands", set_my_commands),
    Method("getMyCommands", get_my_commands),
]
