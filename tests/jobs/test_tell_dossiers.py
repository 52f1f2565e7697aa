"""Notices of dossiers against the fake Zalo and the fake Telegram: the first way that the provider lets in."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from bot.actions import contacts, dossier_settings, outgoing
from bot.actions.dossiers import News, take_in
from bot.config import Settings
from bot.domain.dossier import Kind, Status
from bot.runtime import Runtime, opened
from bot.store import accounts
from bot.store.dossier_notices import DossierNoticeRow
from bot.store.outbox import OutboxRow
from jobs.deliver_messages import deliver_messages
from jobs.fetch_templates import fetch_templates
from jobs.settle_messages import settle_messages
from jobs.tell_dossiers import tell_dossiers
from tests.live import BOT, STATE_OA, seed
from tests.runtime_fixtures import Clock
from tests.simulator.simulator import Phone, Simulator
from tests.simulator.telegram.phone import TelegramPhone

CODE = "000.00.01.H26-261120-0012"
TEMPLATE: dict[str, Any] = {
    "template_id": "312396",
    "name": "Báo hồ sơ",
    "text": "Hồ sơ <ma>: <tt>.",
    "params": {"ma": 30, "tt": 30},
}


class Town:
    """The service's jobs run by hand, at nine in the morning, against people's phones."""

    def __init__(self, runtime: Runtime, simulator: Simulator, clock: Clock) -> None:
        self.runtime, self.simulator, self.clock = runtime, simulator, clock

    async def seed(self, *, by_user: bool = True) -> None:
        await seed(self.runtime, self.simulator, telegram=True)
        await self.runtime.refresh_accounts()
        await self.runtime.load_channels()
        await self.simulator.verbs.add_template(oa_id=STATE_OA, **TEMPLATE, by_uid=by_user)
        await fetch_templates(self.runtime)
        async with self.runtime.units_of_work() as uow:
            account = await accounts.by_external_id(uow.session, "zalo", STATE_OA)
            assert account is not None
            given = {"template_id": "312396", "parameters": {"ma": "{{mã hồ sơ}}", "tt": "{{tình trạng}}"}}
            await dossier_settings.choose_templates(uow, "commune", Kind.ACCEPTED, {account.id: given})

    async def person(self, provider: str, user: str, phone: str, days: float) -> None:
        async with self.runtime.units_of_work() as uow:
            account = await accounts.by_external_id(uow.session, provider, STATE_OA if provider == "zalo" else BOT)
            assert account is not None
            at = uow.now - timedelta(days=days)
            row = await contacts.met(uow, account, user, interacts=True, at=at)
            await contacts.share_phone(uow, row, phone, "", "", self.runtime.box)

    async def tell(self, phone: str) -> None:
        """Report that a dossier was accepted, and run what follows until all is quiet."""
        news = News(CODE, Status.ACCEPTED, self.clock.now, "economy", "/commune/economy/", {}, "", phone)
        async with self.runtime.units_of_work() as uow:
            await take_in(uow, self.runtime.box, [news], "import:1")
        while await tell_dossiers(self.runtime) + await deliver_messages(self.runtime):
            pass

    async def ways(self) -> list[tuple[str, str]]:
        async with self.runtime.database.reading() as session:
            rows = (await session.exec(select(OutboxRow).where(OutboxRow.purpose == "dossier"))).all()
        return [(row.way, row.state) for row in sorted(rows, key=lambda row: row.id)]

    async def notice(self) -> tuple[str, str, str]:
        async with self.runtime.database.reading() as session:
            row = (await session.exec(select(DossierNoticeRow))).one()
        return row.state, row.way, row.reason


@pytest.fixture
async def town(settings: Settings, clock: Clock) -> AsyncIterator[Town]:
    async with Simulator() as simulator:
        zalo = replace(settings.zalo, api_url=simulator.url, template_url=simulator.url, oauth_url=simulator.url)
        mine = replace(settings, zalo=zalo, telegram=replace(settings.telegram, api_url=simulator.url))
        clock.now = datetime.now(UTC).replace(hour=2, minute=0)
        async with opened(mine, clock) as runtime:
            yield Town(runtime, simulator, clock)


async def zalo_phone(town: Town, days_ago: float = 0) -> tuple[Phone, str]:
    phone = await town.simulator.phone(STATE_OA)
    await phone.follow()
    if days_ago:
        await town.simulator.verbs.advance(seconds=days_ago * 86400)
    return phone, str(town.simulator.provider.world.people[phone.user_id].phone)


async def test_a_window_that_is_closed_after_all_leads_on_to_the_template(town: Town) -> None:
    await town.seed()
    phone, number = await zalo_phone(town, 8)
    await town.person("zalo", phone.user_id, number, 1)
    await town.tell(number)
    assert await town.ways() == [("chat", "cancelled"), ("template_user", "sent")]
    assert [message.template_id for message in phone.inbox] == ["312396"]
    assert await town.notice() == ("told", "template_user", "")


async def test_who_is_known_by_phone_alone_gets_the_template_there(town: Town) -> None:
    await town.seed()
    phone, number = await zalo_phone(town)
    await town.tell(number)
    assert await town.ways() == [("template_phone", "sent")]
    [message] = phone.inbox
    assert CODE in str(message.attachments)
    assert message.tracking_id
    assert await town.notice() == ("told", "template_phone", "")


async def test_where_zalo_does_not_know_the_phone_telegram_tells(town: Town) -> None:
    await town.seed()
    phone: TelegramPhone = await town.simulator.telegram_phone(BOT)
    await phone.follow()
    await town.person("telegram", str(phone.user_id), "84900000009", 1)
    await town.tell("84900000009")
    assert await town.ways() == [("template_phone", "cancelled"), ("chat", "sent")]
    assert any(CODE in message.text for message in phone.inbox)
    assert (await town.notice())[:2] == ("told", "telegram")


async def test_a_template_that_is_refused_leads_on_and_at_the_end_the_reason_stands(town: Town) -> None:
    await town.seed()
    phone, number = await zalo_phone(town, 8)
    await town.simulator.verbs.set_template(oa_id=STATE_OA, template_id="312396", status="DISABLE", tell=False)
    await town.person("zalo", phone.user_id, number, 8)
    await town.tell(number)
    assert [way for way, state in await town.ways() if state == "cancelled"] == ["template_user", "template_phone"]
    assert phone.inbox == []
    state, _, reason = await town.notice()
    assert state == "unreached"
    assert reason.startswith("template_")


async def test_a_template_by_phone_whose_answer_was_lost_is_not_repeated_and_a_late_receipt_tells(town: Town) -> None:
    await town.seed()
    phone, number = await zalo_phone(town)
    await town.simulator.fault("drop_after_accept", count=1)
    await town.tell(number)
    town.clock.forward(seconds=30)
    assert await settle_messages(town.runtime) == 0, "its receipt has its time"
    town.clock.forward(minutes=2)
    assert await settle_messages(town.runtime) == 1
    assert await deliver_messages(town.runtime) == 0
    assert await town.ways() == [("template_phone", "failed")]
    assert await town.notice() == ("unreached", "template_phone", "outcome_unknown")
    assert len(phone.inbox) == 1
    async with town.runtime.units_of_work() as uow:
        row = (await uow.session.exec(select(OutboxRow))).one()
        await outgoing.late(uow, row, "z1")
    assert (await town.notice())[0] == "told"
