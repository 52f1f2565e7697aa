"""Updates on their way to a bot: numbered, kept until taken, fetched by getUpdates or carried to the webhook."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Coroutine
from typing import Any

import aiohttp

from .errors import RefusalError
from .faults import Faults
from .model import Bot, Json, Update
from .world import World

DEADLINE_S = 60.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
HOLD_S = 1.0  # how long an update that is to be late waits for a successor
KEPT_S = 86_400.0  # https://core.telegram.org/bots/api#getting-updates
UNASKED = {"chat_member", "message_reaction", "message_reaction_count"}  # come only when asked for by name


class Updates:
    """The queues of all bots; `time_scale` divides the pauses between repeats.

    Updates of one chat come to a webhook one after the other, and those of different chats at the same time.
    """

    def __init__(
        self, world: World, faults: Faults, *, rng: random.Random, time_scale: float = 1.0, keep: int | None = 5000
    ) -> None:
        self._world, self._faults, self._rng = world, faults, rng
        self.time_scale = time_scale
        self.log: deque[Update] = deque(maxlen=keep)
        self._pending: dict[int, list[Update]] = {}
        self._tried: dict[tuple[int, int], asyncio.Event] = {}
        self._lanes: dict[tuple[int, str], asyncio.Task[None]] = {}
        self._places: dict[int, asyncio.Semaphore] = {}
        self._released: dict[int, asyncio.Event] = {}
        self._pollers: dict[int, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._http: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Start to be able to send."""
        timeout = aiohttp.ClientTimeout(total=DEADLINE_S)
        self._http = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))

    async def close(self) -> None:
        """Stop all deliveries under way."""
        await self._stop()
        if self._http:
            await self._http.close()

    async def forget(self) -> None:
        """Drop what is under way and the log."""
        await self._stop()
        self._pending.clear()
        self._tried.clear()
        self._released.clear()
        self.log.clear()

    async def _stop(self) -> None:
        for event in (*self._pollers.values(), *self._tried.values()):
            event.set()
        self._world.touch("poll")
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._lanes.clear()

    def pending(self, bot: Bot) -> list[Update]:
        """Return what the bot has not taken yet, oldest first; what is a day old is gone."""
        fresh = self._world.clock.now() - KEPT_S
        kept = [update for update in self._pending.get(bot.bot_id, []) if update.at_s > fresh]
        self._pending[bot.bot_id] = kept
        return kept

    def polled(self, bot_id: int) -> bool:
        """Whether a getUpdates of this bot waits now."""
        return bot_id in self._pollers

    def dump(self) -> list[Json]:
        """Return what no bot has taken yet, as JSON values."""
        kept = (update for updates in self._pending.values() for update in updates)
        return [
            {name: item for name, item in update.view().items() if name not in {"status", "body"}} for update in kept
        ]

    def load(self, kept: list[Json]) -> None:
        """Go on with what an earlier run of the simulator had not brought to its bots."""
        for item in kept:
            update = Update(**(item | {"state": "waiting"}))
            self.log.append(update)
            self._pending.setdefault(update.bot_id, []).append(update)
        for bot in self._world.bots.values():
            self.start(bot)

    async def put(self, bot: Bot, kind: str, payload: Json, lane: str) -> Update | None:
        """Queue an update and return after its first attempt; None when the bot did not ask for this kind."""
        if (bot.allowed_updates and kind not in bot.allowed_updates) or (not bot.allowed_updates and kind in UNASKED):
            return None
        update = Update(bot.next_update, bot.bot_id, kind, payload, lane, self._world.clock.now())
        bot.next_update += 1
        self.log.append(update)
        self._pending.setdefault(bot.bot_id, []).append(update)
        tried = self._tried[bot.bot_id, update.update_id] = asyncio.Event()
        if bot.webhook_url:
            self._start_lane(bot, lane)
            await tried.wait()
        self._tried.pop((bot.bot_id, update.update_id), None)
        self._world.touch("update", bot_id=bot.bot_id)
        return update

    def start(self, bot: Bot) -> None:
        """Carry what waits to the bot's webhook, if it has one."""
        if bot.webhook_url:
            self._places[bot.bot_id] = asyncio.Semaphore(bot.max_connections)
            for lane in {update.lane for update in self.pending(bot)}:
                self._start_lane(bot, lane)

    def drop(self, bot: Bot) -> None:
        """Forget what the bot has not taken."""
        for update in self._pending.pop(bot.bot_id, []):
            update.state = "dropped"
            self._note_try(update)

    def run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something in the background until it ends or the simulator stops."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _note_try(self, update: Update) -> None:
        tried = self._tried.get((update.bot_id, update.update_id))
        if tried:
            tried.set()

    def _note_tries(self, bot: Bot, lane: str) -> None:
        for update in self.pending(bot):
            if update.lane == lane:
                self._note_try(update)

    def _start_lane(self, bot: Bot, lane: str) -> None:
        running = self._lanes.get((bot.bot_id, lane))
        if running is None or running.done():
            self._lanes[bot.bot_id, lane] = self.run(self._carry(bot, lane))

    def _next(self, bot: Bot, lane: str) -> Update | None:
        return next((it for it in self.pending(bot) if it.lane == lane and it.state == "waiting"), None)

    async def _carry(self, bot: Bot, lane: str) -> None:
        pause = FIRST_PAUSE_S
        while bot.webhook_url and (update := self._next(bot, lane)):
            if bot.bot_id not in self._released and self._faults.take("out_of_order_updates", bot.bot_id):
                self._hold(bot, update)
                continue
            if await self._deliver(bot, update):
                pause = FIRST_PAUSE_S
                continue
            self._note_tries(bot, lane)
            await self._world.clock.sleep_until(self._world.clock.now() + pause / self.time_scale)
            pause = min(LONGEST_PAUSE_S, pause * 2)
        self._note_tries(bot, lane)
        # Whoever queues one while this lane ends finds it done or starts it anew: nothing is awaited in between.
        self._lanes.pop((bot.bot_id, lane), None)

    def _hold(self, bot: Bot, update: Update) -> None:
        update.state = "held"
        released = self._released.setdefault(bot.bot_id, asyncio.Event())
        self._note_try(update)

        async def deliver_late() -> None:
            try:
                async with asyncio.timeout(HOLD_S):
                    await released.wait()
            except TimeoutError:
                self._released.pop(bot.bot_id, None)
            if not await self._deliver(bot, update):
                self._start_lane(bot, update.lane)

        self.run(deliver_late())

    async def _deliver(self, bot: Bot, update: Update) -> bool:
        """Attempt once, with the copies that a fault asks for; whether the bot took it."""
        update.state = "sending"
        duplicate = self._faults.take("duplicate_updates", bot.bot_id)
        places = self._places.setdefault(bot.bot_id, asyncio.Semaphore(bot.max_connections))
        async with places:
            copies = [self._attempt(bot, update) for _ in range(1 + (duplicate.copies if duplicate else 0))]
            taken = any(await asyncio.gather(*copies))
        update.state = "delivered" if taken else "waiting"
        if taken:
            self._take(bot, update)
            released = self._released.pop(bot.bot_id, None)
            self._note_try(update)
            if released:
                released.set()
        self._world.touch("update", bot_id=bot.bot_id)
        return taken

    def _take(self, bot: Bot, update: Update) -> None:
        waiting = self._pending.get(bot.bot_id, [])
        if update in waiting:
            waiting.remove(update)

    async def _attempt(self, bot: Bot, update: Update) -> bool:
        headers = {"Content-Type": "application/json"}
        if bot.secret_token:
            wrong = self._faults.take("wrong_secret", bot.bot_id)
            headers["X-Telegram-Bot-Api-Secret-Token"] = ("not-" if wrong else "") + bot.secret_token
        attempt: Json = {"at_ms": self._world.clock.now_ms(), "status": 0, "error": ""}
        update.attempts.append(attempt)
        started = time.perf_counter()
        assert self._http, "the simulator runs"
        try:
            address = self._rng.choice((bot.behind or bot.webhook_url).split())
            async with self._http.post(address, data=update.raw(), headers=headers) as answer:
                await answer.read()
                attempt["status"] = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, IndexError) as failure:
            attempt["error"] = type(failure).__name__
        attempt["took_ms"] = round((time.perf_counter() - started) * 1000, 1)
        if 200 <= attempt["status"] <= 299:
            return True
        bot.last_error_s = self._world.now_s()
        bot.last_error = _complaint(attempt)
        return False

    async def fetch(self, bot: Bot, offset: int, limit: int, timeout_s: float) -> list[Json]:
        """Do what getUpdates does: forget those before `offset`, wait for the next ones. Raises RefusalError 409."""
        if bot.webhook_url:
            raise RefusalError(
                409,
                "Conflict: can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first",
            )
        older = self._pollers.get(bot.bot_id)
        if older:
            older.set()
        mine = self._pollers[bot.bot_id] = asyncio.Event()
        self._world.touch("poll", bot_id=bot.bot_id)
        try:
            self._confirm(bot, offset)
            return await self._wait_for_some(bot, limit, timeout_s, mine)
        finally:
            if self._pollers.get(bot.bot_id) is mine:
                del self._pollers[bot.bot_id]

    def _confirm(self, bot: Bot, offset: int) -> None:
        waiting = self.pending(bot)
        if offset < 0:
            offset = waiting[offset].update_id if len(waiting) >= -offset else 0
        for update in [update for update in waiting if update.update_id < offset]:
            update.state = "delivered"
            self._take(bot, update)
            self._world.touch("update", bot_id=bot.bot_id)

    async def _wait_for_some(self, bot: Bot, limit: int, timeout_s: float, mine: asyncio.Event) -> list[Json]:
        try:
            async with asyncio.timeout(timeout_s / self.time_scale):
                while not self.pending(bot) and not mine.is_set():
                    await self._world.next_change()
        except TimeoutError:
            return []
        if mine.is_set():
            raise RefusalError(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
            )
        bodies = []
        for update in self.pending(bot)[:limit]:
            duplicate = self._faults.take("duplicate_updates", bot.bot_id)
            update.attempts.append({"at_ms": self._world.clock.now_ms(), "status": 200, "error": "", "took_ms": 0})
            bodies += [update.body()] * (1 + (duplicate.copies if duplicate else 0))
        if len(bodies) > 1 and self._faults.take("out_of_order_updates", bot.bot_id):
            bodies.reverse()
        return bodies


def _complaint(attempt: Json) -> str:
    if attempt["status"]:
        return f"Wrong response from the webhook: {attempt['status']}"
    return "Connection timed out" if attempt["error"] == "TimeoutError" else "Connection refused"
