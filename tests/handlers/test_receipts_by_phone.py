"""Receipts of templates by phone name no user: the tracking id finds the delivery, and settles what was in doubt."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.channels.zalo.events import parse_event
from bot.runtime import Runtime
from bot.store.accounts import AccountRow
from bot.store.broadcasts import BroadcastRow, ChunkRow, DeliveryRow
from bot.store.unit_of_work import UnitOfWork
from handlers.dispatch import Desk, dispatch
from tests import commune
from tests.runtime_fixtures import Clock

Tell = Callable[..., Awaitable[DeliveryRow]]


@pytest.fixture
async def tell(runtime: Runtime, clock: Clock) -> Tell:
    """Return a function that makes a broadcast with one delivery, takes in a receipt, and returns the delivery."""
    async with runtime.units_of_work() as uow:
        await commune.build(uow)

    async def made(uow: UnitOfWork, way: str, row: dict[str, Any]) -> int:
        broadcast = BroadcastRow(
            account_id="account", unit_id="commune", way=way, state="running", message={"template_id": "7"}, total=1,
            created_at=uow.now,
        )  # fmt: skip
        uow.session.add(broadcast)
        await uow.session.flush()
        assert broadcast.id is not None
        known: dict[str, Any] = {
            "recipient": f"phone:{broadcast.id}",
            "address": "sealed",
            "sending_at": uow.now,
            "attempts": 1,
        }
        uow.session.add(ChunkRow(broadcast_id=broadcast.id, first=1, last=1, state="done", doubtful=True))
        uow.session.add(DeliveryRow(broadcast_id=broadcast.id, n=1, **known | row))
        return broadcast.id

    async def told(
        *, way: str = "template_phone", tracking: str = "b{}-1", message_id: str = "z1", event: str = "", **row: Any
    ) -> DeliveryRow:
        async with runtime.units_of_work() as uow:
            number = await made(uow, way, row)
        clock.forward(seconds=5)
        body = (
            f'{{"sender": {{"id": "{commune.OA}"}}, "recipient": {{"id": "84900000001"}}, '
            f'"event_name": "{event or "user_received_message"}", "app_id": "1", "timestamp": "1795421011477", '
            f'"message": {{"delivery_time": "1795421011432", "msg_id": "{message_id}", '
            f'"tracking_id": "{tracking.format(number)}"}}}}'
        )
        async with runtime.units_of_work() as uow:
            account = await uow.session.get(AccountRow, "account")
            assert account is not None
            for update in parse_event(body.encode()):
                await dispatch(Desk(runtime.settings.conversation, runtime.box), uow, account, update, 0)
        async with runtime.database.reading() as session:
            found = await session.get(DeliveryRow, (number, 1))
        assert found is not None
        return found

    return told


@pytest.mark.parametrize("state", ["queued", "sending", "unknown", "sent"])
async def test_a_delivery_that_has_arrived_has_arrived(tell: Tell, state: str) -> None:
    row = await tell(state=state, provider_id="z1" if state == "sent" else None)
    assert (row.state, row.provider_id, row.reason, row.failed_at) == ("delivered", "z1", "", None)
    assert row.delivered_at is not None
    assert row.sent_at is not None


async def test_what_was_given_up_as_unknown_is_known_after_all(tell: Tell, clock: Clock) -> None:
    row = await tell(state="failed", reason="outcome_unknown", failed_at=clock.now)
    assert (row.state, row.reason, row.failed_at) == ("delivered", "", None)


@pytest.mark.parametrize(
    ("state", "reason"), [("failed", "recipient_not_found"), ("cancelled", "stopped"), ("seen", "")]
)
async def test_other_ends_stay(tell: Tell, state: str, reason: str) -> None:
    row = await tell(state=state, reason=reason)
    assert (row.state, row.reason) == (state, reason)


async def test_seen_comes_after_delivered_and_never_back(tell: Tell) -> None:
    row = await tell(state="sent", provider_id="z1", event="user_seen_message")
    assert row.state == "seen"
    assert row.seen_at is not None
    assert row.delivered_at is not None


@pytest.mark.parametrize("tracking", ["b{}-2", "hs-251104-0021-ketqua", "b999999-1", "b{}-1x", "b{}"])
async def test_a_tracking_id_of_something_else_moves_nothing(tell: Tell, tracking: str) -> None:
    assert (await tell(state="unknown", tracking=tracking)).state == "unknown"


async def test_another_message_of_the_same_tracking_id_moves_nothing(tell: Tell) -> None:
    row = await tell(state="sent", provider_id="other")
    assert (row.state, row.provider_id) == ("sent", "other")


async def test_the_tracking_id_of_a_chat_broadcast_is_somebody_elses(tell: Tell) -> None:
    assert (await tell(state="unknown", way="chat")).state == "unknown"
