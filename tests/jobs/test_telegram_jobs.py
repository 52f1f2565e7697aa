"""What jobs do for bots: files by reference, taps answered, outcomes that nobody can tell, chats that move."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select, update

from bot.actions.contacts import met
from bot.actions.messages import say
from bot.config import Settings
from bot.domain.delivery import UNTOLD_PATIENCE
from bot.domain.message import Message
from bot.runtime import opened
from bot.store import accounts, contacts
from bot.store.accounts import AccountRow
from bot.store.contacts import ContactRow
from bot.store.files import FileRow
from bot.store.messages import AttachmentRow
from bot.store.outbox import OutboxRow
from jobs.deliver_messages import deliver_messages
from tests import commune
from tests.live import BOT, BOT_TOKEN, Live, running
from tests.runtime_fixtures import Clock
from tests.simulator.simulator import Simulator
from tests.simulator.telegram.phone import TelegramPhone


async def test_a_channel_that_is_switched_off_keeps_its_messages_and_holds_up_nobody(
    settings: Settings, clock: Clock
) -> None:
    off = replace(settings, telegram=replace(settings.telegram, api_url=""))
    async with opened(off, clock) as runtime:
        async with runtime.units_of_work() as uow:
            made = await commune.build(uow)
            bot = AccountRow(
                id="bot", provider="telegram", external_id=BOT, name="Bot", unit_id=made.account.unit_id,
                created_at=uow.now,
            )  # fmt: skip
            uow.session.add(bot)
            await uow.session.flush()
            for account in (bot, made.account):
                person = await met(uow, account, "777", interacts=True)
                await say(uow, account, person, Message(text="Dạ"), purpose="answer")
        await deliver_messages(runtime)
        async with runtime.database.reading() as session:
            rows = {row.account_id: row for row in (await session.exec(select(OutboxRow))).all()}
    assert (rows["bot"].state, rows["bot"].reason) == ("queued", "channel_off")
    assert rows["account"].reason not in {"", "channel_off"}, "the other account's was tried"


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[Live]:
    async with Simulator() as simulator, running(settings, simulator, telegram=True) as it:
        yield it


async def citizen(live: Live) -> TelegramPhone:
    phone = await live.telegram_phone()
    await phone.follow()
    await phone.wait_for("Xin chào", timeout=30)
    return phone


async def attachments(live: Live) -> list[AttachmentRow]:
    async def settled() -> list[AttachmentRow] | None:
        rows = await live.rows(AttachmentRow)
        return rows if rows and all(row.state != "pending" or row.failure for row in rows) else None

    rows: list[AttachmentRow] = await live.until(settled, 30)
    return rows


async def tell(live: Live, phone: TelegramPhone, text: str, purpose: str = "answer") -> str:
    """Queue a message to a citizen and return its row."""
    async with live.runtime.units_of_work() as uow:
        account = await accounts.by_external_id(uow.session, "telegram", BOT)
        assert account is not None
        person = await contacts.by_external_id(uow.session, account.id, str(phone.user_id))
        assert person is not None
        (row_id,) = await say(uow, account, person, Message(text=text), purpose=purpose)
    return row_id


async def outbox(live: Live, row_id: str) -> OutboxRow:
    async with live.runtime.database.reading() as session:
        return (await session.exec(select(OutboxRow).where(OutboxRow.id == row_id))).one()


async def test_photos_and_files_are_kept_and_no_address_with_a_token(live: Live) -> None:
    phone = await citizen(live)
    await phone.album(count=3)
    await phone.document()
    rows = await attachments(live)
    assert {row.state for row in rows} == {"stored"}
    assert all(row.url.startswith("telegram:") and BOT_TOKEN not in row.url for row in rows)
    assert len(await live.rows(FileRow)) == len(rows) == 4


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "files_404"}, "gone"),
        ({"kind": "error_any", "code": 400, "description": "Bad Request: file is too big"}, "too_large"),
        ({"kind": "down", "mode": "502", "count": 1}, "not_reachable"),
    ],
    ids=str,
)
async def test_a_file_that_cannot_be_had_leaves_a_reason(live: Live, fault: dict[str, Any], reason: str) -> None:
    phone = await citizen(live)
    await live.simulator.telegram_verbs.fault(**fault)
    await phone.photo()
    rows = await attachments(live)
    assert {row.failure for row in rows} == {reason}


async def test_a_tap_is_answered_after_it_was_handled(live: Live) -> None:
    phone = await citizen(live)
    await phone.tap(label="Phản ánh")
    await phone.wait_for("về việc gì")
    await live.simulator.wait(lambda: all(tap.answered for tap in phone._taps()))


async def test_a_tap_that_cannot_be_answered_is_handled_all_the_same(live: Live) -> None:
    phone = await citizen(live)
    await phone.tap(label="Phản ánh")
    for tap in phone._taps():
        tap.at_s = 0
    await phone.wait_for("về việc gì")


async def test_an_outcome_that_nobody_can_tell_is_tried_once_more_and_then_told(live: Live) -> None:
    phone = await citizen(live)
    await live.simulator.telegram_verbs.fault(kind="drop_after_accept")
    row_id = await tell(live, phone, "Dạ, đã sửa xong")

    async def stands(*states: str) -> bool:
        return (await outbox(live, row_id)).state in states

    await live.until(lambda: stands("unknown"))
    assert (await outbox(live, row_id)).repeated == 0
    for _ in range(2):
        await live.until(lambda: stands("unknown", "failed"))
        async with live.runtime.units_of_work() as uow:
            long_ago = uow.now - UNTOLD_PATIENCE - timedelta(seconds=1)
            waiting = update(OutboxRow).where(col(OutboxRow.id) == row_id, col(OutboxRow.state) == "unknown")
            await uow.session.exec(waiting.values(sending_at=long_ago))
            uow.after_commit("settle_messages")
        await live.until(lambda: stands("queued", "sending", "failed"), 30)
    await live.until(lambda: stands("failed"), 30)
    row = await outbox(live, row_id)
    assert (row.reason, row.repeated) == ("outcome_unknown", 1)
    assert len([m for m in phone.inbox if "đã sửa xong" in m.text]) == 2


async def test_an_outage_that_says_so_loses_and_repeats_nothing(live: Live) -> None:
    phone = await citizen(live)
    await live.simulator.telegram_verbs.fault(kind="down", mode="502", count=1)
    await tell(live, phone, "Dạ, đã sửa xong")
    await phone.wait_for("đã sửa xong", timeout=30)
    assert len([m for m in phone.inbox if "đã sửa xong" in m.text]) == 1


async def test_somebody_who_blocked_the_bot_is_gone_and_comes_back(live: Live) -> None:
    phone = await citizen(live)
    await phone.block()
    row_id = await tell(live, phone, "Dạ, đã sửa xong")

    async def failed() -> bool:
        return (await outbox(live, row_id)).state == "failed"

    await live.until(failed, 30)
    assert (await outbox(live, row_id)).reason in {"bot_blocked", "recipient_blocked"}

    async def reachable() -> bool:
        return not [row for row in await live.rows(ContactRow) if row.gone]

    await phone.block(blocked=False)
    await live.until(reachable, 30)
    await tell(live, phone, "Dạ, lần nữa")
    await phone.wait_for("lần nữa", timeout=30)


async def test_a_message_to_a_group_that_moved_follows_it(live: Live) -> None:
    phone = await citizen(live)
    group = await live.simulator.telegram_group(BOT, phone)
    await group.add_bot()

    async def met() -> ContactRow | None:
        return next((row for row in await live.rows(ContactRow) if row.external_id == group.chat_id), None)

    chat = await live.until(met, 30)
    moved = await group.migrate()

    async def followed() -> bool:
        found = {row.id: row.external_id for row in await live.rows(ContactRow)}
        return found[chat.id] == moved.chat_id or moved.chat_id in found.values()

    await live.until(followed, 30)
