"""A small web server that takes webhooks, remembers them and answers as a test tells it to."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web


@dataclass(frozen=True)
class Hook:
    """One webhook as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The parsed body."""
        return dict(json.loads(self.body))

    @property
    def name(self) -> str:
        """The event's name; empty for the probe."""
        return str(self.event.get("event_name", ""))


class Receiver:
    """Take webhooks at `url`; `answer` maps each hook to the HTTP status it gets."""

    def __init__(self) -> None:
        self.hooks: list[Hook] = []
        self.answer: Callable[[Hook], int] = lambda _hook: 200
        self.url = ""
        self._came = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/webhooks/zalo", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/webhooks/zalo"
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        hook = Hook({key.lower(): value for key, value in request.headers.items()}, await request.read())
        self.hooks.append(hook)
        came, self._came = self._came, asyncio.Event()
        came.set()
        return web.Response(status=self.answer(hook))

    def named(self, name: str) -> list[Hook]:
        """Return the hooks of this event."""
        return [hook for hook in self.hooks if hook.name == name]

    async def wait_for(self, name: str, count: int = 1) -> list[Hook]:
        """Return the hooks of this event once there are so many; raises TimeoutError after 10 s."""
        async with asyncio.timeout(10):
            while len(self.named(name)) < count:
                await self._came.wait()
        return self.named(name)
