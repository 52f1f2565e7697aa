"""The control API: POST /sim/do/<verb> with JSON arguments, GET /sim/get/<view>, and a stream of changes."""

import asyncio
import contextlib
import inspect
import json
from typing import Any

from aiohttp import web

from .errors import VerbError
from .faults import KINDS
from .model import Json
from .telegram.faults import KINDS as TELEGRAM_KINDS
from .telegram.verbs import TelegramVerbs
from .verbs import Verbs

HEARTBEAT_S = 10.0


class Control:
    """Serves the control API over the verbs; those of the fake Telegram are under /sim/telegram."""

    def __init__(self, verbs: Verbs, telegram: TelegramVerbs) -> None:
        self._verbs, self._telegram = verbs, telegram
        self._streams: set[asyncio.Queue[Json]] = set()
        verbs.provider.world.listeners.append(self._spread)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the control API."""
        return [
            web.get("/sim/health", self.health),
            web.get("/sim/events", self.stream),
            web.get("/sim/faults", self.faults),
            web.get("/sim/get/{name}", self.view),
            web.post("/sim/do/{name}", self.do),
            web.get("/sim/telegram/faults", self.telegram_faults),
            web.get("/sim/{world:telegram}/get/{name}", self.view),
            web.post("/sim/{world:telegram}/do/{name}", self.do),
        ]

    async def health(self, _request: web.Request) -> web.Response:
        """Say that the simulator runs."""
        return _json({"status": "ok"})

    async def faults(self, _request: web.Request) -> web.Response:
        """Return the faults there are, with what each does."""
        return _json(KINDS)

    async def telegram_faults(self, _request: web.Request) -> web.Response:
        """Return the faults of the fake Telegram, with what each does."""
        return _json(TELEGRAM_KINDS)

    async def do(self, request: web.Request) -> web.Response:
        """Carry out one verb."""
        try:
            arguments = _arguments(await request.text())
            method = self._method(request)
            result = method(**arguments)
            return _json(await result if inspect.isawaitable(result) else result)
        except (VerbError, TypeError, ValueError) as wrong:
            return _json({"error": str(wrong)}, status=400)

    async def view(self, request: web.Request) -> web.Response:
        """Return one view; the query holds its arguments."""
        try:
            method = self._method(request, acting=False)
            return _json(method(**dict(request.query)))
        except (VerbError, TypeError, ValueError) as wrong:
            return _json({"error": str(wrong)}, status=400)

    def _method(self, request: web.Request, *, acting: bool = True) -> Any:
        name = request.match_info["name"]
        verbs = self._telegram if "world" in request.match_info else self._verbs
        method = getattr(verbs, name, None)
        if name.startswith("_") or not inspect.ismethod(method):
            raise VerbError(f"no verb {name}")
        if inspect.iscoroutinefunction(method) and not acting:
            raise VerbError(f"{name} is carried out by POST /sim/do/{name}")
        return method

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Send each change as a server-sent event until the page leaves."""
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await answer.prepare(request)
        mine: asyncio.Queue[Json] = asyncio.Queue(maxsize=1000)
        self._streams.add(mine)
        with contextlib.suppress(ConnectionResetError):
            try:
                while True:
                    try:
                        async with asyncio.timeout(HEARTBEAT_S):
                            change = await mine.get()
                        await answer.write(f"data: {json.dumps(change)}\n\n".encode())
                    except TimeoutError:
                        await answer.write(b": still here\n\n")
            finally:
                self._streams.discard(mine)
        return answer

    def _spread(self, change: Json) -> None:
        for stream in self._streams:
            if not stream.full():
                stream.put_nowait(change)


def _arguments(body: str) -> Json:
    arguments = json.loads(body or "{}")
    if not isinstance(arguments, dict):
        raise VerbError("the body must be an object of arguments")
    return arguments


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(body, ensure_ascii=False), content_type="application/json", status=status)
