"""An HTTP server that answers what a test tells it and remembers what it was asked."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    query: dict[str, str]
    body: bytes
    content_type: str

    @property
    def json(self) -> Any:
        """Return the body, parsed."""
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        """Return the query parameter `data`, parsed."""
        return json.loads(self.query["data"])


@dataclass(slots=True)
class Answer:
    """What to answer: `body` as JSON or bytes; `hang_up` closes the connection, `wait` holds the answer until set."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False
    wait: asyncio.Event | None = None


Script = Callable[[Asked], Answer]


class ScriptedServer:
    """Answers every path by a function of the request, which tests may exchange."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[Asked] = []
        self.url = ""

    def paths(self) -> list[str]:
        """Return the paths that were asked for, in order."""
        return [asked.path for asked in self.asked]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["ScriptedServer"]:
        """Listen on a free local port."""
        app = web.Application(client_max_size=16 * 1024**2)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(
            request.method,
            request.path,
            {name.lower(): value for name, value in request.headers.items()},
            dict(request.query),
            await request.read(),
            request.content_type,
        )
        self.asked.append(asked)
        answer = self.script(asked)
        if answer.wait is not None:
            await answer.wait.wait()
        if answer.hang_up:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        kind = "text/html" if isinstance(answer.body, bytes) else "application/json"
        return web.Response(body=body, status=answer.status, headers=answer.headers, content_type=kind)
