"""Measure a turn of the conversation on Telegram, and what memory one more bot costs."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from bot import config
from bot.runtime import opened
from tests.bench import service
from tests.bench.harness import Figure, Options, Run, VoidError, benchmark, median
from tests.bench.service import KEY, Service, bot_of
from tests.bench.turn import TURNS, WORDS, listening, one_turn, summed_up

MORE = 20
"""Bots that are added to one; how much each of them takes is seen above the noise."""
_PAUSE = 0.15
"""Seconds between turns: a bot may make 30 calls a second, and a turn is some of them."""
_READY_SECONDS = 30
_SETTLED_SECONDS = 3.0
_NO_GIFTS = dict.fromkeys(
    ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False
)


class BotApi:
    """Say yes to every call at once, and remember when the first message for each person came."""

    def __init__(self) -> None:
        self.url = ""
        self.webhooks: dict[str, str] = {}
        self._reached: dict[str, asyncio.Future[float]] = {}
        self._number = 0

    def reached(self, person: str) -> asyncio.Future[float]:
        """Return the moment at which the first message for somebody comes."""
        return self._reached.setdefault(person, asyncio.get_running_loop().create_future())

    async def answer(self, asked: web.Request) -> web.Response:
        """Answer one call of any bot."""
        now = time.perf_counter()
        if not asked.path.startswith("/bot"):
            raise web.HTTPNotFound  # the account of Zalo beside the bots asks for its templates
        _, token, method = asked.path.split("/", 2)
        bot = int(token.removeprefix("bot").partition(":")[0])
        result = self._result(bot, method.lower(), dict(await asked.post()), now)
        return web.json_response({"ok": True, "result": result})

    def _result(self, bot: int, method: str, given: dict[str, Any], now: float) -> Any:
        chat = str(given.get("chat_id", ""))
        who = {"id": bot, "is_bot": True, "first_name": "Bot", "username": f"bench_{bot}_bot"}
        if method == "getme":
            return who
        if method == "setwebhook":
            self.webhooks[str(bot)] = str(given["url"])
        if method == "getwebhookinfo":
            url = self.webhooks.get(str(bot), "")
            return {"url": url, "has_custom_certificate": False, "pending_update_count": 0}
        private = {"id": int(chat or 0), "type": "private", "first_name": "A"}
        if method == "getchat":
            return private | {"max_reaction_count": 11, "accent_color_id": 0, "accepted_gift_types": _NO_GIFTS}
        if method == "sendmessage":
            self._number += 1
            if not self.reached(chat).done():
                self.reached(chat).set_result(now)
            return {"message_id": self._number, "date": int(time.time()), "chat": private, "from": who, "text": "a"}
        return True


@contextlib.asynccontextmanager
async def bot_api() -> AsyncIterator[BotApi]:
    """Run the Bot API in this process."""
    it = BotApi()
    async with listening(it.answer) as it.url:
        yield it


async def turn_of(http: aiohttp.ClientSession, it: Service, api: BotApi, bot: str, person: int) -> float:
    """Let somebody write to a bot for the first time; returns the seconds until the reply."""
    user = {"id": person, "is_bot": False, "first_name": "A", "language_code": "vi"}
    chat = {"id": person, "type": "private", "first_name": "A"}
    message = {"message_id": 1, "from": user, "chat": chat, "date": int(time.time()), "text": WORDS}
    body = orjson.dumps({"update_id": person, "message": message})
    headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": KEY}
    return await one_turn(http, f"{it.url}/webhooks/telegram/{bot}", body, headers, api.reached(str(person)))


async def _turns(it: Service, api: BotApi, bot: str, first: int, number: int) -> list[float]:
    """Let so many people, one after the other, write for the first time."""
    taken = []
    async with aiohttp.ClientSession() as http:
        for n in range(number):
            taken.append(await turn_of(http, it, api, bot, first + n))
            await asyncio.sleep(_PAUSE)
    return taken


async def connected(api: BotApi, number: int) -> None:
    """Wait until the webhooks of so many bots are set."""
    deadline = time.monotonic() + _READY_SECONDS
    while len(api.webhooks) < number:
        if time.monotonic() > deadline:
            raise VoidError(f"{len(api.webhooks)} of {number} webhooks are set after {_READY_SECONDS} s")
        await asyncio.sleep(0.05)


async def _idle(it: Service, api: BotApi, options: Options, run: int) -> Run:
    cpu = it.cpu_seconds()
    taken = await _turns(it, api, bot_of(0), (run + 1) * 1_000_000, options.scaled(TURNS))
    return summed_up(it, taken, cpu)


@benchmark("turn.telegram.p95_ms")
async def turn(options: Options) -> list[Figure]:
    """Let people write to a bot of an idle `loa serve` on SQLite."""
    async with bot_api() as api, service.serve("sqlite", options, api.url, bots=1) as it:
        await connected(api, 1)
        await _turns(it, api, bot_of(0), 1, 5)
        return [await median("turn.telegram.p95_ms", "ms", options, lambda run: _idle(it, api, options, run))]


async def _without(options: Options) -> float:
    """Return the memory in MiB of a service that has no bot, soon after its start."""
    async with bot_api() as api, service.serve("sqlite", options, api.url) as it:
        await asyncio.sleep(_SETTLED_SECONDS)
        return it.resident_mb()


async def _account(options: Options) -> Run:
    none = await _without(options)
    async with bot_api() as api, service.serve("sqlite", options, api.url, bots=1) as it:
        await connected(api, 1)
        await asyncio.sleep(_SETTLED_SECONDS)
        first = it.resident_mb() - none
        await _turns(it, api, bot_of(0), 1, 2 * MORE)  # what turns themselves leave behind is there before
        before = it.resident_mb()
        async with opened(config.load(it.config)) as runtime:
            for number in range(1, MORE + 1):
                await service.add_bot(runtime, number)
        for number in range(1, MORE + 1):
            await _turns(it, api, bot_of(number), number * 1_000_000, 2)
        grown = it.resident_mb() - before
        return Run(
            max(grown, 0.0) / MORE,
            {"bots": MORE, "first_mb": round(first, 1), "resident_mb": round(it.resident_mb(), 1)},
        )


@benchmark("telegram.account_mb")
async def account(options: Options) -> list[Figure]:
    """Add bots to a `loa serve` that has one, and let people write to each; `first_mb` is what the first took."""
    return [await median("telegram.account_mb", "MB", options, lambda _: _account(options))]
