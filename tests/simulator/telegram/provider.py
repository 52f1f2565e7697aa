"""The fake Telegram as a whole: holds its parts and carries what several of them do together."""

import hmac
import random
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from tests.simulator.journal import Journal
from tests.simulator.media import Media

from . import bot_api, chat_api, edit_api, files, markup, send_api
from .faults import Faults
from .gateway import Gateway
from .limits import Limits
from .model import Bot, Chat, Json
from .updates import Updates
from .world import World

if TYPE_CHECKING:
    from tests.simulator.world import World as Platform

FETCH_DEADLINE_S = 10
METHODS = bot_api.METHODS + send_api.METHODS + edit_api.METHODS + chat_api.METHODS + files.METHODS


class Telegram:
    """State, faults, updates and API of the fake Telegram."""

    def __init__(
        self,
        platform: "Platform",
        media: Media,
        rng: random.Random,
        *,
        time_scale: float = 1.0,
        keep: int | None = 5000,
    ) -> None:
        self.media = media
        self.world = World(platform.clock, rng, platform)
        self.faults = Faults(rng)
        self.journal = Journal(keep)
        self.limits = Limits(platform.clock)
        self.updates = Updates(self.world, self.faults, rng=rng, time_scale=time_scale, keep=keep)
        self._gateway = Gateway(self, METHODS)
        self._http: aiohttp.ClientSession | None = None

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the Bot API."""
        path = r"/bot{token:\d+:[^/]+}/{method}"
        return [
            web.post(path, self._gateway.handle),
            web.get(path, self._gateway.handle),
            web.get(r"/file/bot{token:\d+:[^/]+}/{path:.+}", self._download),
        ]

    @property
    def http(self) -> aiohttp.ClientSession:
        """The session that fetches the files which bots name by address."""
        assert self._http, "the simulator runs"
        return self._http

    async def open(self) -> None:
        """Start."""
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=FETCH_DEADLINE_S))
        await self.updates.open()

    async def close(self) -> None:
        """Stop everything."""
        await self.updates.close()
        if self._http:
            await self._http.close()

    async def reset(self) -> None:
        """Forget everything."""
        await self.updates.forget()
        self.world.clear()
        self.journal.clear()
        self.limits.clear()
        self.faults.clear()

    def dump(self) -> Json:
        """Return what survives a restart."""
        return {"world": self.world.dump(), "updates": self.updates.dump()}

    def load(self, state: Json) -> None:
        """Take over what `dump` once returned; what no bot has taken yet is carried on."""
        self.world.load(state["world"])
        self.updates.load(state["updates"])

    def bot_by_token(self, token: str) -> Bot | None:
        """Return the bot with this token."""
        number = token.partition(":")[0]
        bot = self.world.bots.get(int(number)) if number.isdigit() else None
        return bot if bot and hmac.compare_digest(bot.token.encode(), token.encode()) else None

    def keyboard(self, chat: Chat) -> list[Json]:
        """Return the keys that stand in the place of the keyboard in a chat."""
        return markup.keyboard(self.world.thread(chat))

    def changed(self, bot: Bot) -> None:
        """Tell the watchers that a bot's settings are others now."""
        self.world.touch("bots", bot_id=bot.bot_id)

    def tell(self, bot: Bot, kind: str, payload: Json, lane: str) -> None:
        """Queue an update in the background."""

        async def put() -> None:
            await self.updates.put(bot, kind, payload, lane)

        self.updates.run(put())

    async def _download(self, request: web.Request) -> web.StreamResponse:
        return await files.download(self, request)
