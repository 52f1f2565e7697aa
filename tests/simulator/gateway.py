"""The door of the fake API: token, rate window, faults, journal and the JSON envelope around every endpoint."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .errors import ApiError
from .journal import Call
from .model import Json, OfficialAccount

if TYPE_CHECKING:
    from .provider import Provider

RATE_LIMITED = -32
TOKEN_WRONG, TOKEN_EXPIRED, TOKEN_WRONG_ZNS = -216, -220, -124


@dataclass(slots=True)
class ApiCall:
    """What an endpoint gets: the provider, the OA that calls, its arguments, the request and the journal's entry."""

    provider: "Provider"
    oa: OfficialAccount
    params: Json
    request: web.Request
    note: Call

    def delivered_to(self, user_id: str, msg_id: str) -> None:
        """Note in the journal that the message reached the phone."""
        self.note.user_id, self.note.msg_id, self.note.delivered = user_id, msg_id, True


Endpoint = Callable[[ApiCall], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Route:
    """One path of the API.

    `sends`: the send faults apply; `zns`: the phone channel with its own codes, outside the OA's rate window (api.md
    section 3.1); `reads_body`: arguments are JSON in the body, else in the query's `data`.
    """

    method: str
    path: str
    endpoint: Endpoint
    sends: bool = False
    zns: bool = False
    reads_body: bool = True


class Gateway:
    """Serves the routes of the fake API."""

    def __init__(self, provider: "Provider") -> None:
        self._provider = provider
        self._windows: dict[str, tuple[int, int]] = {}

    def clear(self) -> None:
        """Forget the rate windows."""
        self._windows.clear()

    def handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return the aiohttp handler of a route."""

        async def handle(request: web.Request) -> web.StreamResponse:
            provider = self._provider
            note = provider.journal.open(provider.clock.now_ms(), request.method, request.path)
            try:
                return await self._serve(route, request, note)
            finally:
                provider.journal.close(note)
                provider.world.touch("call")

        return handle

    async def _serve(self, route: Route, request: web.Request, note: Call) -> web.StreamResponse:
        faults = self._provider.faults
        oa = self._provider.world.oa_by_token(request.headers.get("access_token", ""))
        note.oa_id = oa_id = oa.oa_id if oa else ""
        broken = await broken_line(self._provider, request, note, oa_id)
        if broken:
            return broken
        headers: dict[str, str] = {}
        try:
            call = await self._admit(route, request, note, oa, headers)
            data = await route.endpoint(call)
        except ApiError as refusal:
            return self._answer(note, {"error": refusal.code, "message": str(refusal)}, headers)
        if route.sends and faults.take("drop_after_accept", oa_id):
            return hang_up(request, note, "drop_after_accept")
        if route.sends and (late := faults.take("error_after_accept", oa_id)):
            note.faults.append(late.kind)
            return self._answer(note, {"error": late.code, "message": str(ApiError(late.code))}, headers)
        return self._answer(note, {"data": data, "error": 0, "message": "Success"}, headers)

    async def _admit(
        self, route: Route, request: web.Request, note: Call, oa: OfficialAccount | None, headers: dict[str, str]
    ) -> ApiCall:
        faults = self._provider.faults
        if oa is None:
            raise ApiError(TOKEN_WRONG_ZNS if route.zns else TOKEN_WRONG)
        expired = oa.access_expires_ms <= self._provider.clock.now_ms()
        if faults.take("token_expired", oa.oa_id):
            note.faults.append("token_expired")
            expired = True
        if expired:
            raise ApiError(TOKEN_WRONG_ZNS if route.zns else TOKEN_EXPIRED)
        if not route.zns:
            self._count(oa, headers)
        self._strike(route, note, oa.oa_id)
        note.params = await _arguments(route, request)
        return ApiCall(self._provider, oa, note.params, request, note)

    def _strike(self, route: Route, note: Call, oa_id: str) -> None:
        faults = self._provider.faults
        if faults.take("rate_limited", oa_id):
            note.faults.append("rate_limited")
            raise ApiError(RATE_LIMITED)
        fault = faults.take("error_any", oa_id) or (faults.take("error", oa_id) if route.sends else None)
        if fault:
            note.faults.append(fault.kind)
            raise ApiError(fault.code)

    def _count(self, oa: OfficialAccount, headers: dict[str, str]) -> None:
        minute = self._provider.clock.now_ms() // 60_000
        current, used = self._windows.get(oa.oa_id, (minute, 0))
        used = used + 1 if current == minute else 1
        self._windows[oa.oa_id] = (minute, used)
        headers["X-RateLimit-Limit"] = str(oa.rate_limit)
        headers["X-RateLimit-Remain"] = str(max(0, oa.rate_limit - used))
        if used > oa.rate_limit:
            raise ApiError(RATE_LIMITED)

    def _answer(self, note: Call, body: Json, headers: dict[str, str]) -> web.Response:
        note.status, note.error, note.message = 200, body["error"], body["message"]
        text = json.dumps(body, ensure_ascii=False)
        return web.Response(text=text, content_type="application/json", headers=headers)


async def _arguments(route: Route, request: web.Request) -> Json:
    if not route.reads_body:
        text = request.query.get("data", "{}" if not route.zns else json.dumps(dict(request.query)))
    elif request.content_type == "application/json":
        text = (await request.read()).decode("utf-8", "replace")
    else:
        return {}
    try:
        arguments = json.loads(text or "{}")
    except ValueError:
        raise ApiError(-122 if route.zns else -201, "not JSON") from None
    if not isinstance(arguments, dict):
        raise ApiError(-122 if route.zns else -201, "not an object")
    return arguments


async def broken_line(provider: "Provider", request: web.Request, note: Call, oa_id: str) -> web.Response | None:
    """Apply the faults `slow` and `down`; return the broken answer if the line is down."""
    if slow := provider.faults.take("slow", oa_id):
        note.faults.append("slow")
        await asyncio.sleep(slow.ms / 1000)
    down = provider.faults.take("down", oa_id)
    if not down:
        return None
    if down.mode == "close":
        return hang_up(request, note, "down")
    note.faults.append("down")
    note.status = 502
    return web.Response(status=502, text="<html><body>502 Bad Gateway</body></html>", content_type="text/html")


def hang_up(request: web.Request, note: Call, fault: str) -> web.Response:
    """Close the TCP connection without an answer."""
    note.faults.append(fault)
    note.status = 0
    if request.transport:
        request.transport.abort()
    return web.Response()
