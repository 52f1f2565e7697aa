"""The fake platform as a whole: holds its parts and carries what several of them do together."""

import random
from pathlib import Path

import aiohttp

from . import events
from .clock import Clock
from .faults import Faults
from .gateway import Gateway
from .journal import Journal
from .media import Media
from .model import Json, Message, OfficialAccount, Person
from .oauth import OAuth
from .store import Store
from .telegram.provider import Telegram
from .webhooks import Webhooks
from .world import World

FETCH_DEADLINE_S = 10


class Provider:
    """Clock, state, faults, webhooks and API of one simulator."""

    def __init__(
        self,
        *,
        time_scale: float = 1.0,
        state: Path | None = None,
        seed: int | None = None,
        keep: int | None = 5000,
    ) -> None:
        rng = random.SystemRandom() if seed is None else random.Random(seed)
        self.clock = Clock()
        self.world = World(self.clock, rng)
        self.faults = Faults(rng)
        self.journal = Journal(keep)
        self.media = Media(self.world, self.faults, state.with_name(state.name + ".media") if state else None)
        self.webhooks = Webhooks(self.world, self.clock, self.faults, rng=rng, time_scale=time_scale, keep=keep)
        self.gateway = Gateway(self)
        self.oauth = OAuth(self)
        self.telegram = Telegram(self.world, self.media, rng, time_scale=time_scale, keep=keep)
        self.store = Store(self, state) if state else None
        self._http: aiohttp.ClientSession | None = None

    @property
    def http(self) -> aiohttp.ClientSession:
        """The session that fetches the pictures which services name by url."""
        assert self._http, "the simulator runs"
        return self._http

    async def open(self) -> None:
        """Start; what the state file holds is taken over and its pending repeats go on."""
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=FETCH_DEADLINE_S))
        await self.webhooks.open()
        await self.telegram.open()
        if self.store:
            self.store.load()
            self.store.open()

    async def close(self) -> None:
        """Stop everything and write the state file a last time."""
        if self.store:
            await self.store.close()
        await self.webhooks.close()
        await self.telegram.close()
        if self._http:
            await self._http.close()

    def save_now(self) -> None:
        """Write the state file before going on (no file: nothing to do)."""
        if self.store:
            self.store.save()

    def deliver(self, oa: OfficialAccount, person: Person, message: Message) -> None:
        """Put an OA's message on the phone; echo and receipt follow in the background."""
        self.world.add_message(message)
        self.webhooks.run(self._follow_up(oa, person, message))

    async def _follow_up(self, oa: OfficialAccount, person: Person, message: Message) -> None:
        if oa.echo and message.via != "zns":
            await self.webhooks.send(oa, events.oa_message(oa, person, message, self.clock.now_ms()))
        if person.online:
            await self.receive(oa, person, message)

    async def receive(self, oa: OfficialAccount, person: Person, message: Message) -> None:
        """Let the phone take the message, and tell the OA of it."""
        message.received_ms = self.clock.now_ms()
        self.world.touch("message", oa_id=oa.oa_id, user_id=person.user_id)
        if oa.receipts:
            server = "ZNS" if message.via == "zns" else "OA OpenAPI"
            await self.webhooks.send(oa, events.received(oa, person, message, message.received_ms), server=server)

    def oa_reacted(self, oa: OfficialAccount, person: Person, message: Message, icon: str) -> None:
        """Show the OA's reaction on the phone and echo it."""
        self.world.touch("message", oa_id=oa.oa_id, user_id=person.user_id)
        self.tell(oa, events.oa_reacted(oa, person, message.msg_id, icon, self.clock.now_ms()))

    def tell(self, oa: OfficialAccount, payload: Json, server: str = "OA OpenAPI") -> None:
        """Send an event in the background."""

        async def send() -> None:
            await self.webhooks.send(oa, payload, server=server)

        self.webhooks.run(send())
