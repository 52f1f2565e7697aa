"""The door of the fake Bot API: token, limits, faults, journal and the envelope around every method."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.simulator.journal import Call

from .errors import RefusalError, flood, forbidden
from .model import Bot, Chat, Json
from .params import Params

if TYPE_CHECKING:
    from .provider import Telegram


@dataclass(slots=True)
class ApiCall:
    """What a method gets: the fake Telegram, the bot that calls, its arguments and the journal's entry."""

    telegram: "Telegram"
    bot: Bot
    params: Params
    note: Call

    def delivered(self, chat: Chat, message_id: int) -> None:
        """Note in the journal that the message stands in the chat now."""
        self.note.user_id, self.note.msg_id, self.note.delivered = str(chat.chat_id), str(message_id), True


@dataclass(frozen=True, slots=True)
class Method:
    """One method; `sends`: limits and the faults of sends apply."""

    name: str
    endpoint: Callable[[ApiCall], Awaitable[Any]]
    sends: bool = False


class Gateway:
    """Serves the methods."""

    def __init__(self, telegram: "Telegram", methods: list[Method]) -> None:
        self._telegram = telegram
        self._methods = {method.name.lower(): method for method in methods}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer /bot<token>/<method>."""
        telegram = self._telegram
        method = self._methods.get(request.match_info["method"].lower())
        path = "/" + (method.name if method else "unknown")  # no token, and nothing a stranger may have typed
        note = telegram.journal.open(telegram.world.clock.now_ms(), request.method, path)
        try:
            return await self._serve(method, request, note)
        finally:
            telegram.journal.close(note)
            telegram.world.touch("call")

    async def _serve(self, method: Method | None, request: web.Request, note: Call) -> web.StreamResponse:
        faults = self._telegram.faults
        bot = self._telegram.bot_by_token(request.match_info["token"])
        bot_id = bot.bot_id if bot else 0
        note.oa_id = str(bot_id or "")
        broken = await self._broken_line(request, note, bot_id)
        if broken is not None:
            return broken
        try:
            call = await self._admit(method, request, note, bot)
            assert method
            result = await method.endpoint(call)
        except RefusalError as refusal:
            note.status, note.error, note.message = refusal.code, refusal.code, refusal.description
            return _json(refusal.body(), refusal.code)
        if method.sends and faults.take("drop_after_accept", bot_id, _chat_id(call.params)):
            return hang_up(request, note, "drop_after_accept")
        note.status, note.error = 200, 0
        return _json({"ok": True, "result": result})

    async def _admit(self, method: Method | None, request: web.Request, note: Call, bot: Bot | None) -> ApiCall:
        faults = self._telegram.faults
        if bot is None or faults.take("revoked", bot.bot_id):
            raise RefusalError(401, "Unauthorized")
        if method is None:
            raise RefusalError(404, "Not Found: method not found")
        params = await Params.read(request)
        note.params = params.shown()
        if error := faults.take("error_any", bot.bot_id):
            note.faults.append("error_any")
            raise RefusalError(error.code, error.description)
        if method.sends:
            self._strike(note, bot, _chat_id(params))
            self._telegram.limits.spend(bot, _chat_id(params))
        return ApiCall(self._telegram, bot, params, note)

    def _strike(self, note: Call, bot: Bot, chat_id: int) -> None:
        faults = self._telegram.faults
        if limited := faults.take("rate_limited", bot.bot_id, chat_id):
            note.faults.append("rate_limited")
            raise flood(limited.retry_after)
        if faults.take("blocked", bot.bot_id, chat_id):
            note.faults.append("blocked")
            raise forbidden("bot was blocked by the user")
        if error := faults.take("error", bot.bot_id, chat_id):
            note.faults.append("error")
            raise RefusalError(error.code, error.description)

    async def _broken_line(self, request: web.Request, note: Call, bot_id: int) -> web.Response | None:
        if slow := self._telegram.faults.take("slow", bot_id):
            note.faults.append("slow")
            await asyncio.sleep(slow.ms / 1000)
        down = self._telegram.faults.take("down", bot_id)
        if down is None:
            return None
        if down.mode == "close":
            return hang_up(request, note, "down")
        note.faults.append("down")
        note.status = 502
        return web.Response(status=502, text="<html><body>502 Bad Gateway</body></html>", content_type="text/html")


def _chat_id(params: Params) -> int:
    value = str(params.values.get("chat_id", ""))
    return int(value) if value.lstrip("-").isdigit() else 0


def _json(body: Json, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(body), content_type="application/json", status=status)


def hang_up(request: web.Request, note: Call, fault: str) -> web.Response:
    """Close the TCP connection without an answer."""
    note.faults.append(fault)
    note.status = 0
    if request.transport:
        request.transport.abort()
    return web.Response()
