"""The town of a chaos run: a commune whose officials may sign in, its accounts and bot, and the fake providers."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlmodel import col, select

from bot.actions import accounts
from bot.config import Settings
from bot.passwords import hash_password
from bot.runtime import Runtime, opened
from bot.store.accounts import AccountRow
from bot.store.announcements import AnnouncementRow
from bot.store.database import Database
from bot.store.schema import migrate
from bot.store.staff import StaffRow
from tests import commune
from tests.simulator.simulator import Simulator

PASSWORD = "loa-demo-2026"
PER_MINUTE = 2000


@dataclass(frozen=True)
class Oa:
    """One account, in the service and at the provider."""

    oa_id: str
    kind: str
    provider: str = "zalo"

    @property
    def webhook_key(self) -> str:
        return f"webhook-key-{self.oa_id}"


OAS = (Oa("2222333344445555666", "state"), Oa("2222333344445555777", "business"), Oa("2222333344445555888", "state"))
BOT = Oa(commune.BOT, "", "telegram")
ACCOUNTS = (*OAS, BOT)
BOT_TOKEN = f"{BOT.oa_id}:demo-not-a-real-token"


async def prepare(database_url: str) -> None:
    """Bring an empty database to the current schema."""
    database = Database(database_url)
    await migrate(database)
    await database.close()


async def found(settings: Settings, simulator: Simulator) -> None:
    """Make the commune in the service's database, and its accounts there and at the provider."""
    async with opened(settings) as runtime:
        hashed = await hash_password(PASSWORD)
        async with runtime.units_of_work() as uow:
            made = await commune.build(uow)
            await uow.session.delete(made.account)
            await uow.session.exec(update(StaffRow).values(password=hashed))
        for oa in OAS:
            tokens = {"access_token": f"access-{oa.oa_id}", "refresh_token": f"refresh-{oa.oa_id}"}
            await simulator.add_oa(
                oa.oa_id, f"OA {oa.oa_id}", oa.kind, oa_secret_key=oa.webhook_key, rate_limit=PER_MINUTE, **tokens
            )
            async with runtime.units_of_work() as uow:
                row = await accounts.add_account(
                    uow, runtime.box, oa_id=oa.oa_id, name=f"OA {oa.oa_id}", unit_code="10183", kind=oa.kind,
                    secrets=accounts.Secrets(**tokens, webhook_key=oa.webhook_key, expires_at=None),
                )  # fmt: skip
                row.learnt = {"per_minute": str(PER_MINUTE)}
        await simulator.add_bot(BOT_TOKEN, "UBND xã Thanh Oai")
        async with runtime.units_of_work() as uow:
            await accounts.add_bot(
                uow, runtime.box, provider=BOT.provider, external_id=BOT.oa_id, name="UBND xã Thanh Oai",
                unit_code="10183", polling=False, secrets=_bot_secrets(BOT_TOKEN),
            )  # fmt: skip


def _bot_secrets(token: str) -> accounts.Secrets:
    return accounts.Secrets(token, webhook_key=BOT.webhook_key)


async def announce(settings: Settings, text: str) -> None:
    """Announce to everybody who has written to any account: a warning, which no hour of the night keeps back."""
    async with opened(settings) as runtime, runtime.units_of_work() as uow:
        uow.session.add(
            AnnouncementRow(
                id=uow.new_id(),
                unit_id="commune",
                kind="emergency",
                state="approved",
                text=text,
                created_by=(await uow.session.exec(select(StaffRow.id).limit(1))).one(),
                created_at=uow.now,
                updated_at=uow.now,
                approved_at=uow.now,
            )
        )
        uow.after_commit("plan_announcements")


async def reconnect(settings: Settings, simulator: Simulator, number: int) -> list[str]:
    """Do what an administrator does with accounts that stand still: grant anew; returns which were stopped."""
    again = []
    async with opened(settings) as runtime:
        async with runtime.database.reading() as session:
            stopped: list[Any] = list(
                (await session.exec(select(AccountRow).where(col(AccountRow.state) != "active"))).all()
            )
        for row in stopped:
            again.append(row.stopped_reason)
            if row.provider == BOT.provider:
                await _renew_bot(runtime, simulator, row)
                continue
            granted = accounts.Secrets(f"a{number}-{row.external_id}", f"r{number}-{row.external_id}")
            await simulator.verbs.set_oa(
                oa_id=row.external_id, access_token=granted.access_token, refresh_token=granted.refresh_token
            )
            async with runtime.units_of_work() as uow:
                await accounts.reconnect(uow, runtime.box, row.id, granted)
    return again


async def _renew_bot(runtime: Runtime, simulator: Simulator, row: AccountRow) -> None:
    """Give the service the token that @BotFather has now."""
    token = simulator.telegram.world.bot(row.external_id).token
    async with runtime.units_of_work() as uow:
        await accounts.renew_bot(uow, runtime.box, row.id, row.external_id, _bot_secrets(token))
