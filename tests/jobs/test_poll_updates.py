"""An office without a public address fetches its updates: each once, none lost, by one process at a time."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.actions import accounts
from bot.config import Settings
from bot.runtime import Runtime, opened
from bot.store import accounts as rows
from bot.store import tallies
from bot.store.inbox import InboxRow
from bot.store.receptions import ReceptionRow
from jobs.poll_updates import poll_updates
from tests.live import BOT, BOT_SECRET, BOT_TOKEN, Live, connect_bot, running
from tests.simulator.simulator import Simulator
from tests.simulator.telegram.phone import TelegramPhone


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as it:
        yield it


@pytest.fixture
async def live(settings: Settings, simulator: Simulator) -> AsyncIterator[Live]:
    """Run the service without a bot, then connect one that is polled."""
    async with running(settings, simulator) as it:
        await connect_bot(it.runtime, simulator, polling=True)
        yield it


async def citizen(live: Live) -> TelegramPhone:
    phone = await live.telegram_phone()
    await phone.follow()
    await phone.wait_for("Xin chào", timeout=40)  # aiogram is brought in first, which takes seconds
    return phone


async def reception(live: Live) -> ReceptionRow | None:
    found = await live.rows(ReceptionRow)
    return found[0] if found else None


async def test_a_bot_added_while_the_service_runs_answers_soon(live: Live) -> None:
    phone = await citizen(live)
    await phone.say("phản ánh")
    await phone.wait_for("về việc gì")
    row = await reception(live)
    assert row is not None
    assert (row.error, row.lease is not None) == ("", True)
    stored = await live.rows(InboxRow)
    assert row.next_number == max(int(each.key) for each in stored) + 1
    assert {each.contact for each in stored} == {str(phone.user_id)}


async def test_what_came_while_nobody_polled_is_fetched_later(settings: Settings, simulator: Simulator) -> None:
    async with running(settings, simulator) as first:
        await connect_bot(first.runtime, simulator, polling=True)
        phone = await citizen(first)
    await phone.say("phản ánh")
    async with running(settings, simulator, seeded=True):
        await phone.wait_for("về việc gì", timeout=20)
    assert len([m for m in phone.inbox if "về việc gì" in m.text]) == 1


async def test_what_is_fetched_twice_is_stored_once(live: Live) -> None:
    """A process that ends between storing updates and noting how far it came fetches them again."""
    phone = await citizen(live)
    async with live.runtime.units_of_work() as uow:
        row = await uow.session.get(ReceptionRow, (await live.rows(ReceptionRow))[0].account_id)
        assert row is not None
        row.next_number, row.lease, row.leased_until = None, "of one that died", uow.now
    updates = live.simulator.telegram.updates
    again = list(updates.log)
    updates._pending[int(BOT)] = again
    await phone.say("phản ánh")
    await phone.wait_for("về việc gì", timeout=30)
    await live.simulator.wait(lambda: not updates.pending(live.simulator.telegram.world.bot(BOT)), 60)
    keys = [each.key for each in await live.rows(InboxRow)]
    assert sorted(keys) == sorted({str(update.update_id) for update in updates.log})
    assert len([m for m in phone.inbox if "Xin chào" in m.text]) == 1


ODD: dict[str, tuple[str, dict[str, Any]]] = {
    "a lone surrogate": ("message", {"text": "\ud83d"}),
    "a number beyond 64 bits": ("message", {"date": 2**70}),
    "too deep": ("message", {"text": json.loads("[" * 300 + "]" * 300)}),
    "no kind that PostgreSQL can hold": ("odd\0kind", {}),
}


@pytest.mark.parametrize("odd", ODD)
async def test_an_odd_update_stops_nothing(live: Live, odd: str) -> None:
    phone = await citizen(live)
    telegram = live.simulator.telegram
    kind, content = ODD[odd]
    put = await telegram.updates.put(telegram.world.bot(BOT), "message", content, "odd")
    assert put is not None
    put.kind = kind
    await phone.say("phản ánh")
    await phone.wait_for("về việc gì", timeout=20)
    stored = {each.key for each in await live.rows(InboxRow)}
    spool = live.runtime.intake.spool
    if "PostgreSQL" in odd and not live.runtime.database.is_sqlite:
        [aside] = spool.folder.glob("*.broken")
        assert [each.key for each in spool.read(aside)] == [str(put.update_id)]
        async with live.runtime.database.reading() as session:
            assert ("aside", 1) in [(kind, n) for (_, kind), n in (await tallies.totals(session)).items()]
    else:
        assert str(put.update_id) in stored
    row = await reception(live)
    assert row is not None
    assert row.error == ""


async def test_a_webhook_set_elsewhere_is_told_and_taken_away(live: Live) -> None:
    phone = await citizen(live)
    bot = live.simulator.telegram.world.bot(BOT)
    bot.webhook_url = "http://127.0.0.1:9/elsewhere"
    live.simulator.telegram.changed(bot)
    await phone.say("chào")

    async def told() -> bool:
        row = await reception(live)
        return row is not None and row.error == "webhook_elsewhere"

    await live.until(told, 40)
    await phone.say("phản ánh")
    await phone.wait_for("về việc gì", timeout=30)
    row = await reception(live)
    assert row is not None
    assert row.error == ""
    assert bot.webhook_url == ""


async def test_a_token_that_is_revoked_stops_the_account(live: Live) -> None:
    await citizen(live)
    await live.simulator.telegram_verbs.fault(kind="revoked")
    phone = await live.telegram_phone()
    await phone.follow()

    async def stopped() -> bool:
        async with live.runtime.database.reading() as session:
            row = await rows.by_external_id(session, "telegram", BOT)
        return row is not None and row.stopped_reason == "bot_token_refused"

    await live.until(stopped, 40)
    await live.simulator.telegram_verbs.clear_faults()
    async with live.runtime.units_of_work() as uow:
        row = await rows.by_external_id(uow.session, "telegram", BOT)
        assert row is not None
        await accounts.renew_bot(
            uow, live.runtime.box, row.id, BOT, accounts.Secrets(BOT_TOKEN, webhook_key=BOT_SECRET)
        )
    await phone.wait_for("Xin chào", timeout=30)


async def test_from_polling_to_a_webhook_and_back(live: Live) -> None:
    phone = await citizen(live)
    bot = live.simulator.telegram.world.bot(BOT)
    for polling in (False, True):
        async with live.runtime.units_of_work() as uow:
            await accounts.add_bot(
                uow, live.runtime.box, provider="telegram", external_id=BOT, name="UBND xã Thanh Oai",
                unit_code="10183", polling=polling, secrets=accounts.Secrets(BOT_TOKEN, webhook_key=BOT_SECRET),
            )  # fmt: skip
        await live.simulator.wait(lambda on=not polling: bool(bot.webhook_url) == on, 40)  # type: ignore[misc] # a default binds
        before = len(phone.inbox)
        await phone.say("liên hệ")
        await live.simulator.wait(lambda before=before: len(phone.inbox) > before, 30)  # type: ignore[misc] # a default binds


@contextlib.asynccontextmanager
async def two_workers(settings: Settings, simulator: Simulator) -> AsyncIterator[list[Runtime]]:
    """Open two processes' worth of runtime on one database, with a bot that is polled."""
    mine = replace(settings, telegram=replace(settings.telegram, api_url=simulator.url))
    async with running(settings, simulator) as first:
        pass
    del first
    async with opened(mine) as one, opened(mine) as two:
        await connect_bot(one, simulator, polling=True)
        yield [one, two]


async def test_one_process_polls_and_the_other_takes_over(settings: Settings, simulator: Simulator) -> None:
    async with two_workers(settings, simulator) as workers:
        telegram = simulator.telegram
        runs = [asyncio.create_task(poll_updates(workers[0]))]
        phone = await simulator.telegram_phone(BOT)
        bot = telegram.world.bot(BOT)
        await simulator.wait(lambda: telegram.updates.polled(int(BOT)), 30)
        runs.append(asyncio.create_task(poll_updates(workers[1])))
        for worker, run in zip(workers, runs, strict=True):
            await phone.say("phản ánh")
            await simulator.wait(lambda: not telegram.updates.pending(bot), 30)
            worker.stopping.set()
            async with asyncio.timeout(15):  # far less than a call that waits for updates takes
                await run
        assert [run.result() for run in runs] == [1, 1]
        assert 409 not in {call.status for call in telegram.journal.calls}
