"""Broadcasts by template against the fake Zalo: phones and user ids, receipts by tracking id, templates that end."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlmodel import select

from bot.config import Settings
from bot.store import accounts, broadcasts
from bot.store.broadcasts import BroadcastRow, DeliveryRow
from bot.store.contacts import ContactRow
from bot.store.messages import MessageRow
from bot.store.outbox import OutboxRow
from jobs.fetch_templates import fetch_templates
from tests.live import STATE_OA, Live, running
from tests.simulator.simulator import Phone, Simulator

RESULT: dict[str, Any] = {
    "template_id": "312396",
    "name": "Giấy mời",
    "text": "Kính mời <ten> đến nhận giấy hẹn <ma>.",
    "params": {"ten": 30, "ma": 30},
}
MESSAGE = {"template_id": "312396", "parameters": {"ten": "{{Họ tên}}", "ma": "HS-{{số}}"}}


@pytest.fixture
async def live(settings: Settings) -> AsyncIterator[Live]:
    async with Simulator() as simulator, running(settings, simulator) as it:
        await simulator.verbs.add_template(oa_id=STATE_OA, **RESULT)
        await fetch_templates(it.runtime)
        yield it


async def people(live: Live, number: int) -> list[Phone]:
    found = [await live.phone() for _ in range(number)]
    for phone in found:
        await phone.say("alo")
    return found


def number_of(live: Live, phone: Phone) -> str:
    return live.simulator.provider.world.people[phone.user_id].phone


async def begun(live: Live, phones: list[Phone], way: str, recipients: list[str] | None = None) -> int:
    """Begin a broadcast to these people by one way; each has values of their own."""
    async with live.runtime.units_of_work() as uow:
        account = await accounts.by_external_id(uow.session, "zalo", STATE_OA)
        assert account is not None
        row = BroadcastRow(
            account_id=account.id, unit_id="commune", way=way, state="running", message=MESSAGE, total=len(phones),
            created_at=uow.now, started_at=uow.now,
        )  # fmt: skip
        uow.session.add(row)
        await uow.session.flush()
        assert row.id is not None
        for n, phone in enumerate(phones, 1):
            sealed = live.runtime.box.seal(number_of(live, phone)).hex()
            uow.session.add(
                DeliveryRow(
                    broadcast_id=row.id, n=n, merged={"Họ tên": f"bà {n}", "số": n},
                    recipient=recipients[n - 1] if recipients else f"phone:{n}",
                    address=sealed if way == "template_phone" else phone.user_id,
                )
            )  # fmt: skip
        await uow.session.flush()
        await broadcasts.cut(uow.session, row)
        uow.after_commit("send_broadcasts")
        return row.id


async def states(live: Live) -> Counter[str]:
    async with live.runtime.database.reading() as session:
        return Counter((await session.exec(select(DeliveryRow.state))).all())


async def all_are(live: Live, state: str, number: int) -> bool:
    return await states(live) == {state: number}


def shown(phones: list[Phone]) -> list[list[str]]:
    """Return what each phone shows of templates."""
    return [[m.attachments[0]["payload"]["text"] for m in p.inbox if m.kind == "template"] for p in phones]


async def test_by_phone_each_gets_their_own_once_and_the_receipt_says_so(live: Live) -> None:
    phones = await people(live, 3)
    await begun(live, phones, "template_phone")
    await live.until(lambda: all_are(live, "delivered", 3))
    assert shown(phones) == [[f"Kính mời bà {n} đến nhận giấy hẹn HS-{n}."] for n in (1, 2, 3)]


async def test_a_lost_answer_is_settled_by_the_receipt_and_nothing_is_sent_twice(live: Live) -> None:
    phones = await people(live, 2)
    await live.until(lambda: _answered(live, 2))
    await live.simulator.verbs.fault(kind="drop_after_accept", count=2)
    await begun(live, phones, "template_phone")
    await live.until(lambda: all_are(live, "delivered", 2))
    assert [len(texts) for texts in shown(phones)] == [1, 1]


async def test_by_user_id(live: Live) -> None:
    phones = await people(live, 2)
    await begun(live, phones, "template_user")
    await live.until(lambda: all_are(live, "sent", 2))
    assert shown(phones) == [[f"Kính mời bà {n} đến nhận giấy hẹn HS-{n}."] for n in (1, 2)]


async def test_a_lost_answer_by_user_id_is_settled_by_the_echo_or_the_chat(live: Live) -> None:
    phones = await people(live, 2)
    await live.until(lambda: _answered(live, 2))
    await live.simulator.verbs.fault(kind="drop_after_accept", count=2)
    await begun(live, phones, "template_user", recipients=await contact_ids(live, phones))
    await live.until(lambda: _arrived(live, 2))
    assert [len(texts) for texts in shown(phones)] == [1, 1]
    async with live.runtime.database.reading() as session:
        written = (await session.exec(select(MessageRow).where(MessageRow.author == "oa_tool"))).all()
    assert list(written) == [], "nothing of it was taken for words of the office's own tool"


async def _answered(live: Live, number: int) -> bool:
    """Say whether everybody who wrote has their answer, so that what goes wrong from now on is the broadcast's."""
    rows = await live.rows(OutboxRow)
    return len({row.contact_id for row in rows}) == number and all(row.state == "delivered" for row in rows)


async def _arrived(live: Live, number: int) -> bool:
    found = await states(live)
    return found["sent"] + found["delivered"] == number


async def contact_ids(live: Live, phones: list[Phone]) -> list[str]:
    async with live.runtime.database.reading() as session:
        rows = (await session.exec(select(ContactRow))).all()
    known = {row.external_id: row.id for row in rows}
    return [known[phone.user_id] for phone in phones]


async def test_a_disabled_template_fails_nobody(live: Live) -> None:
    """Zalo refuses before its news has come: the broadcast rests, and goes on once the template may be sent again."""
    phones = await people(live, 2)
    change: dict[str, Any] = {"oa_id": STATE_OA, "template_id": "312396", "tell": False}
    await live.simulator.verbs.set_template(**change, status="DISABLE")
    number = await begun(live, phones, "template_phone")
    await live.until(lambda: _is(live, number, "paused"))
    assert await states(live) == {"queued": 2}
    await live.simulator.verbs.set_template(**change, status="ENABLE")
    async with live.runtime.units_of_work() as uow:
        row = await broadcasts.broadcast(uow.session, number)
        assert row is not None
        assert row.paused_reason in {"template_disabled", "template_not_approved"}
        row.state, row.paused_reason = "running", ""
        uow.after_commit("send_broadcasts")
    await live.until(lambda: all_are(live, "delivered", 2))
    assert [len(texts) for texts in shown(phones)] == [1, 1]


async def _is(live: Live, number: int, state: str) -> bool:
    async with live.runtime.database.reading() as session:
        row = await session.get(BroadcastRow, number)
    return row is not None and row.state == state
