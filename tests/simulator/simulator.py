"""The simulator in one process: start it, act through phones, look at what they show."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from . import conversation_api, quota_api, send_api, template_api, upload_api, user_api
from .control import Control
from .model import Json, Message
from .provider import Provider
from .telegram.phone import TelegramGroup, TelegramPhone
from .telegram.provider import Telegram
from .telegram.verbs import TelegramVerbs
from .verbs import Verbs

STATIC = Path(__file__).parent / "static"
MAX_BODY = 52 * 1024 * 1024  # a bot may upload 50 MB
PAGE_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
UNKNOWN_PATH = "empty or invalid API"


class Simulator:
    """A running simulator: `async with Simulator() as sim`; `sim.url` serves the API, the phones and the control.

    With a `seed`, what happens by chance (faults, ids) is the same each time; the last `keep` calls and webhooks are
    kept, None keeps all.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        time_scale: float = 1.0,
        state: Path | None = None,
        seed: int | None = None,
        keep: int | None = 5000,
    ) -> None:
        self.provider = Provider(time_scale=time_scale, state=state, seed=seed, keep=keep)
        self.verbs = Verbs(self.provider)
        self.telegram_verbs = TelegramVerbs(self.provider.telegram)
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://{self._host}:{port}"
        self.provider.media.url = self.url
        await self.provider.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.provider.close()
        if self._runner:
            await self._runner.cleanup()

    @property
    def telegram(self) -> Telegram:
        """The fake Telegram in this simulator."""
        return self.provider.telegram

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY, middlewares=[_unknown_path])
        for room in (send_api, template_api, upload_api, user_api, quota_api, conversation_api):
            for route in room.ROUTES:
                app.router.add_route(route.method, route.path, self.provider.gateway.handler(route))
        app.router.add_post("/v4/oa/access_token", self.provider.oauth.access_token)
        app.router.add_get("/v4/oa/permission", self.provider.oauth.permission)
        app.router.add_get("/media/{name}", self.provider.media.serve)
        app.router.add_routes(Control(self.verbs, self.telegram_verbs).routes())
        app.router.add_routes(self.telegram.routes())
        app.router.add_get("/favicon.ico", _nothing)
        app.router.add_get("/", _page)
        app.router.add_get("/telegram", _telegram_page)
        app.router.add_static("/static", STATIC)
        return app

    async def add_oa(self, oa_id: str, name: str, type: str = "state", **settings: Any) -> Json:  # noqa: A002 - the field's name
        """Add an OA."""
        return await self.verbs.add_oa(oa_id=oa_id, name=name, type=type, **settings)

    async def phone(self, oa_id: str, name: str = "Công dân Thử Nghiệm", user_id: str = "") -> "Phone":
        """Make a phone that talks with one OA."""
        person = await self.verbs.phone(name=name, user_id=user_id)
        return Phone(self, oa_id, person["user_id"])

    async def add_bot(self, token: str, name: str = "Trợ lý thử nghiệm", **settings: Any) -> Json:
        """Make a Telegram bot."""
        return await self.telegram_verbs.add_bot_account(token=token, name=name, **settings)

    async def telegram_phone(
        self, bot_id: int | str, user_id: int | str = "", name: str = "Công dân Thử Nghiệm", phone: str = ""
    ) -> TelegramPhone:
        """Make somebody with Telegram on the phone who talks with one bot."""
        person = await self.telegram_verbs.person(name=name, user_id=user_id, phone=phone)
        return TelegramPhone(self, int(bot_id), int(person["user_id"]))

    async def telegram_group(
        self, bot_id: int | str, *people: TelegramPhone, title: str = "Tổ thử nghiệm", supergroup: bool = False
    ) -> TelegramGroup:
        """Make a group of these people, the first its owner; the bot is put in with `add_bot` of the group."""
        members: list[int | str] = [person.user_id for person in people]
        made = await self.telegram_verbs.group(title=title, members=members, supergroup=supergroup)
        return TelegramGroup(self, int(bot_id), made["chat_id"])

    async def fault(self, kind: str, **settings: Any) -> Json:
        """Switch a fault on."""
        return await self.verbs.fault(kind=kind, **settings)

    async def clear_faults(self) -> None:
        """Switch every fault off."""
        await self.verbs.clear_faults()

    async def wait(self, condition: Callable[[], Any], timeout: float = 10.0) -> Any:  # noqa: ASYNC109 - a test's limit
        """Return what the condition returns once it is true; raises TimeoutError after so many seconds."""
        async with asyncio.timeout(timeout):
            while not (found := condition()):
                await self.provider.world.next_change()
            return found


@dataclass(slots=True)
class Phone:
    """One citizen's phone, talking with one OA; every verb of Verbs that takes both ids can be called on it."""

    simulator: Simulator
    oa_id: str
    user_id: str

    def __getattr__(self, name: str) -> Callable[..., Any]:
        verb = getattr(self.simulator.verbs, name)

        def call(**arguments: Any) -> Any:
            return verb(oa_id=self.oa_id, user_id=self.user_id, **arguments)

        return call

    async def say(self, text: str, quote: str = "") -> Json:
        """Type something."""
        return await self.simulator.verbs.text(oa_id=self.oa_id, user_id=self.user_id, text=text, quote_msg_id=quote)

    @property
    def inbox(self) -> list[Message]:
        """What the OA has written, oldest first."""
        return [m for m in self.simulator.provider.world.thread(self.oa_id, self.user_id) if m.from_oa and not m.hidden]

    async def wait_for(self, wanted: str, *, after: int = 0, timeout: float = 10.0) -> Message:  # noqa: ASYNC109 - a test's limit
        """Return the first message beyond the first `after` whose text holds `wanted`."""

        def found() -> Message | None:
            return next((m for m in self.inbox[after:] if wanted in m.text), None)

        try:
            message = await self.simulator.wait(found, timeout)
        except TimeoutError:
            told = [m.text or m.kind for m in self.inbox]
            raise AssertionError(f"nothing with {wanted!r} in {told}") from None
        assert isinstance(message, Message)
        return message


@web.middleware
async def _unknown_path(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answer an unknown path of the API as the provider does (api.md section 3.1)."""
    try:
        answer: web.StreamResponse = await handler(request)
    except web.HTTPNotFound:
        return web.json_response({"error": 404, "message": UNKNOWN_PATH}, status=404)
    return answer


async def _nothing(_request: web.Request) -> web.Response:
    return web.Response(status=204)


async def _page(_request: web.Request) -> web.FileResponse:
    return _file("page.html")


async def _telegram_page(_request: web.Request) -> web.FileResponse:
    return _file("telegram.html")


def _file(name: str) -> web.FileResponse:
    headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-cache"}
    return web.FileResponse(STATIC / name, headers=headers)
