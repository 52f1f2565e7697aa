"""The whole service in this process against the simulator: web, jobs, and citizens' phones."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web
from sqlmodel import col, select

from bot.actions import accounts
from bot.config import Settings
from bot.runtime import Runtime, opened
from bot.store.cases import CaseRow
from handlers.app import build_app
from jobs.worker import working
from tests import commune
from tests.servers.run import free_port
from tests.simulator.simulator import Phone, Simulator
from tests.simulator.telegram.phone import TelegramPhone

STATE_OA = commune.OA
BOT = commune.BOT
BOT_TOKEN = f"{BOT}:demo-not-a-real-token"
BOT_SECRET = "demo-webhook-secret"
BUSINESS_OA = "2222333344445555777"
SECRETS = {STATE_OA: "demo-oa-secret-state", BUSINESS_OA: "demo-oa-secret-business"}


@dataclass
class Live:
    """A running service and the world around it."""

    runtime: Runtime
    simulator: Simulator
    url: str

    async def phone(self, oa_id: str = STATE_OA, user_id: str = "") -> Phone:
        return await self.simulator.phone(oa_id, user_id=user_id)

    async def telegram_phone(self, user_id: str = "") -> TelegramPhone:
        return await self.simulator.telegram_phone(BOT, user_id)

    async def citizen(self, account: str) -> Phone | TelegramPhone:
        """Return a phone that talks with one of the accounts; both kinds are used alike."""
        return await (self.telegram_phone() if account == BOT else self.phone(account))

    async def cases(self) -> list[CaseRow]:
        async with self.runtime.database.reading() as session:
            return list((await session.exec(select(CaseRow).order_by(col(CaseRow.created_at)))).all())

    async def until(self, condition: Callable[[], Awaitable[Any]], seconds: float = 15) -> Any:
        """Ask again and again until the answer is true, at most for so long."""
        async with asyncio.timeout(seconds):
            while not (found := await condition()):  # noqa: ASYNC110 - polling with a limit is the rule of these tests
                await asyncio.sleep(0.02)
            return found

    async def rows(self, table: Any) -> list[Any]:
        async with self.runtime.database.reading() as session:
            return list((await session.exec(select(table))).all())


@contextlib.asynccontextmanager
async def running(
    settings: Settings, simulator: Simulator, *, seeded: bool = False, telegram: bool = False
) -> AsyncIterator[Live]:
    """Start the service on the settings' database; the commune of tests/commune.py is made unless seeded already.

    With `telegram` the commune has a bot as well.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    zalo = replace(
        settings.zalo, api_url=simulator.url, template_url=simulator.url, oauth_url=simulator.url,
    )  # fmt: skip
    bot_api = replace(settings.telegram, api_url=simulator.url)
    mine = replace(settings, zalo=zalo, telegram=bot_api, server=replace(settings.server, port=port, public_url=url))
    async with contextlib.AsyncExitStack() as stack:
        runtime = await stack.enter_async_context(opened(mine))
        if not seeded:
            await seed(runtime, simulator, telegram=telegram)
        for oa in simulator.provider.world.oas.values():
            oa.webhook_url = f"{url}/webhooks/zalo"
        await stack.enter_async_context(working(runtime, alone=True))
        runtime.intake.start()
        stack.push_async_callback(runtime.intake.stop)
        runner = web.AppRunner(build_app(runtime), access_log=None, shutdown_timeout=1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", port).start()
        if telegram:
            await simulator.wait(lambda: simulator.telegram.world.bot(BOT).webhook_url, 30)  # set by the service itself
        yield Live(runtime, simulator, url)


async def seed(runtime: Runtime, simulator: Simulator, *, telegram: bool = False) -> None:
    """Make the commune and connect its accounts, in the service and in the simulator."""
    async with runtime.units_of_work() as uow:
        made = await commune.build(uow)
        await uow.session.delete(made.account)
    for oa_id, kind in ((STATE_OA, "state"), (BUSINESS_OA, "business")):
        tokens = {"access_token": f"access-{oa_id}", "refresh_token": f"refresh-{oa_id}"}
        await simulator.add_oa(oa_id, f"OA {kind}", kind, oa_secret_key=SECRETS[oa_id], **tokens)
        async with runtime.units_of_work() as uow:
            await accounts.add_account(
                uow, runtime.box, oa_id=oa_id, name=f"OA {kind}", unit_code="10183", kind=kind,
                secrets=accounts.Secrets(**tokens, webhook_key=SECRETS[oa_id], expires_at=None),
            )  # fmt: skip
    if telegram:
        await connect_bot(runtime, simulator)


async def connect_bot(runtime: Runtime, simulator: Simulator, *, polling: bool = False) -> None:
    """Make a Telegram bot in the simulator, without its limits on haste, and connect it to the commune."""
    await simulator.add_bot(BOT_TOKEN, "UBND xã Thanh Oai", per_second=0, group_per_minute=0, chat_burst=0)
    async with runtime.units_of_work() as uow:
        await accounts.add_bot(
            uow, runtime.box, provider="telegram", external_id=BOT, name="UBND xã Thanh Oai", unit_code="10183",
            polling=polling, secrets=accounts.Secrets(BOT_TOKEN, webhook_key=BOT_SECRET),
        )  # fmt: skip
