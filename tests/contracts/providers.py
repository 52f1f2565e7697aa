"""The same small world at either provider: one account, one citizen with a phone, and whoever takes the webhooks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from bot.channels.channel import AccountRef, Channel, FileContent, Recipient, SetsWebhook
from bot.channels.local_budget import LocalBudget
from bot.channels.rate_limit import RateBudget
from bot.channels.telegram.bots import TelegramBots
from bot.channels.zalo.oa import ZaloOA
from bot.domain.update import Update
from bot.errors import NotFoundError
from tests.fakes.scripted_server import Answer, Asked, ScriptedServer
from tests.fakes.vault import MemoryVault
from tests.simulator.pictures import scene
from tests.simulator.samples import gif, pdf
from tests.simulator.simulator import Phone, Simulator
from tests.simulator.telegram.phone import TelegramPhone

OA, BOT = "2222333344445555666", "7000000009"
TOKEN = f"{BOT}:contract-not-a-real-token"
SECRET = "contract-secret"
FILES = {
    "photo": (scene("bai-rac"), "image/png"),
    "moving": (gif(), "image/gif"),
    "paper": (pdf(), "application/pdf"),
}


async def load_file(file_id: str) -> FileContent:
    if file_id not in FILES:
        raise NotFoundError(file_id)
    data, media_type = FILES[file_id]
    return FileContent(file_id, media_type, data)


async def _learn(_account: str, _key: str, _value: str) -> None:
    return None


@dataclass(frozen=True)
class Shown:
    """One message as the citizen sees it; buttons as (words, what a tap brings back)."""

    text: str
    kind: str
    buttons: tuple[tuple[str, Any], ...]


class Tokens:
    """Keeps tokens that do not age, in memory."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}

    async def access_token(self, account_id: str) -> str | None:
        return self.held.get(account_id)


@dataclass
class World:
    """What tests of any channel use."""

    simulator: Simulator
    session: aiohttp.ClientSession
    account: AccountRef
    channel: Channel
    phone: Any
    service: ScriptedServer

    @property
    def citizen(self) -> Recipient:
        return Recipient(str(self.phone.user_id))

    @property
    def telegram(self) -> bool:
        return isinstance(self.phone, TelegramPhone)

    @property
    def shown(self) -> list[Shown]:
        """What the citizen's phone shows of the office, oldest first."""
        return [Shown(m.text, m.kind, tuple(_button(b) for b in m.buttons)) for m in self.phone.inbox]

    async def fault(self, kind: str, **settings: Any) -> None:
        verbs: Any = self.simulator.telegram_verbs if self.telegram else self.simulator.verbs
        await verbs.fault(kind=kind, **settings)

    async def clear_faults(self) -> None:
        await self.simulator.telegram_verbs.clear_faults()
        await self.simulator.clear_faults()

    async def revoke(self) -> None:
        """Let the provider refuse the account's tokens for good."""
        if self.telegram:
            await self.fault("revoked")
        else:
            await self.fault("token_expired")
            await self.fault("oauth_error", code=-14014)

    async def block(self) -> None:
        """Let the citizen shut the door."""
        if self.telegram:
            await self.phone.block()
        else:
            await self.fault("error", code=-213)

    def verified(self, asked: Asked) -> list[Update]:
        """Return the updates of one webhook that came."""
        event = self.channel.verify(asked.headers, asked.body, self.account.external_id)
        return self.channel.parse(asked.body) if event is not None else []

    async def heard(self, number: int) -> list[Update]:
        """Return the updates of so many webhooks, once they have come."""
        await self.simulator.wait(lambda: len(self.service.asked) >= number)
        return [update for asked in self.service.asked for update in self.verified(asked)]


def _button(button: Mapping[str, Any]) -> tuple[str, Any]:
    words = button.get("text") or button.get("title") or ""
    payload = button.get("payload")
    if isinstance(payload, dict):
        payload = payload.get("url")
    return words, button.get("callback_data") or button.get("url") or payload


@contextlib.asynccontextmanager
async def world(provider: str, *, budget: RateBudget | None = None) -> AsyncIterator[World]:
    """Open the world of a provider: "zalo" (a state agency's account) or "telegram"."""
    async with (
        Simulator() as simulator,
        aiohttp.ClientSession() as session,
        ScriptedServer(lambda _: Answer({})).running() as service,
    ):
        open_it = _telegram if provider == "telegram" else _zalo
        made = await open_it(simulator, session, service, budget or LocalBudget())
        await made.phone.follow()
        await made.simulator.wait(lambda: service.asked)
        await asyncio.sleep(0)
        service.asked.clear()
        yield made


async def _zalo(
    simulator: Simulator, session: aiohttp.ClientSession, service: ScriptedServer, budget: RateBudget
) -> World:
    def now() -> datetime:
        return datetime.fromtimestamp(simulator.provider.clock.now(), UTC)

    vault = MemoryVault(now)
    vault.put("account-row", f"access-{OA}", f"refresh-{OA}", now() + timedelta(hours=20))
    made = await simulator.add_oa(OA, "UBND xã Bình Minh", "state", webhook_url=f"{service.url}/webhooks/zalo")
    del made
    channel = ZaloOA(
        session, app_id="1111222233334444555", app_secret="demo-app-secret", api_url=simulator.url,
        oauth_url=simulator.url, default_secret_key="",
        secret_keys=lambda: {oa.oa_id: oa.oa_secret_key for oa in simulator.provider.world.oas.values()},
        vault=vault, load_file=load_file, learn=_learn, now=now, timeout=3.0, budget=budget,
    )  # fmt: skip
    phone: Phone = await simulator.phone(OA, "Nguyễn <b>An</b>")
    return World(simulator, session, AccountRef("account-row", OA, "state"), channel, phone, service)


async def _telegram(
    simulator: Simulator, session: aiohttp.ClientSession, service: ScriptedServer, budget: RateBudget
) -> World:
    tokens = Tokens()
    tokens.held["account-row"] = TOKEN
    await simulator.add_bot(TOKEN, "UBND xã Bình Minh")
    channel = TelegramBots(
        session, waiting=session, api_url=simulator.url, secret_keys=lambda: {BOT: SECRET}, tokens=tokens,
        load_file=load_file, now=lambda: datetime.now(UTC), budget=budget,
    )  # fmt: skip
    account = AccountRef("account-row", BOT, "")
    assert isinstance(channel, SetsWebhook)
    await channel.keep_webhook(account, f"{service.url}/webhooks/telegram/{BOT}", anew=True)
    phone = await simulator.telegram_phone(BOT, name="Nguyễn <b>An</b>")
    return World(simulator, session, account, channel, phone, service)
