"""A template to a phone leaves by phone, is settled by its receipt, and stands for nobody who can be addressed."""

from dataclasses import replace

import pytest
from sqlmodel import select

from bot.actions import contacts as contact_actions
from bot.actions.phone_messages import to_phone
from bot.domain.message import Lane
from bot.domain.update import Receipt, ReceiptKind
from bot.runtime import Runtime
from bot.store import contacts, outbox
from bot.store.accounts import AccountRow
from bot.store.contacts import ContactRow
from bot.store.outbox import OutboxRow
from bot.store.unit_of_work import UnitOfWork
from handlers.dispatch import Desk, dispatch
from jobs.forget import forget
from jobs.settle_messages import settle_messages
from tests import commune
from tests.runtime_fixtures import Clock

PHONE = "84900000001"


@pytest.fixture
async def office(runtime: Runtime) -> Runtime:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
    return runtime


async def account_of(uow: UnitOfWork) -> AccountRow:
    found = await uow.session.get(AccountRow, "account")
    assert found is not None
    return found


async def queued(office: Runtime, phone: str = PHONE) -> OutboxRow:
    async with office.units_of_work() as uow:
        account = await account_of(uow)
        row_id = await to_phone(
            uow, office.box, account, phone, "7", {"ma": "0001"}, purpose="code", unit_id="economy", lane=Lane.ANSWER
        )
    return await now(office, row_id)


async def now(office: Runtime, row_id: str) -> OutboxRow:
    async with office.database.reading() as session:
        found = await outbox.row(session, row_id)
    assert found is not None
    return found


async def test_a_phone_is_one_contact_that_is_no_person(office: Runtime) -> None:
    one, two = await queued(office), await queued(office)
    assert one.contact_id == two.contact_id
    assert (one.way, one.lane, one.unit_id, one.body) == (
        "template_phone",
        0,
        "economy",
        {"template_id": "7", "parameters": {"ma": "0001"}},
    )
    async with office.database.reading() as session:
        row = (await session.exec(select(ContactRow))).one()
        assert await contacts.unnamed(session, office.now(), 10) == []
    assert (row.kind, row.phone_hash, row.person_id) == ("phone", None, None)
    assert PHONE not in row.external_id
    assert office.box.open(row.phone or b"") == PHONE


@pytest.mark.parametrize("state", ["sending", "unknown", "failed", "sent"])
async def test_a_receipt_finds_it_by_its_tracking_id(office: Runtime, clock: Clock, state: str) -> None:
    row = await queued(office)
    async with office.units_of_work() as uow:
        kept = await outbox.row(uow.session, row.id)
        assert kept is not None
        kept.state, kept.sending_at, kept.reason = state, uow.now, "outcome_unknown" if state == "failed" else ""
        kept.provider_id = "z1" if state == "sent" else None
    clock.forward(seconds=5)
    update = Receipt(
        account=commune.OA,
        external_id="r",
        sender="",
        occurred_at=clock.now,
        message_ids=("z1",),
        kind=ReceiptKind.DELIVERED,
        tracking_id=row.id,
    )
    async with office.units_of_work() as uow:
        account = await account_of(uow)
        desk = Desk(office.settings.conversation, office.box)
        await dispatch(desk, uow, account, replace(update, tracking_id="b1-1"), 0)
        await dispatch(desk, uow, account, update, 0)
    after = await now(office, row.id)
    assert (after.state, after.provider_id, after.reason) == ("delivered", "z1", "")


async def test_what_is_in_doubt_is_repeated_once_and_the_chat_is_not_asked(office: Runtime, clock: Clock) -> None:
    row = await queued(office)
    for state in ("queued", "failed"):
        async with office.units_of_work() as uow:
            kept = await outbox.row(uow.session, row.id)
            assert kept is not None
            kept.state, kept.sending_at = "unknown", uow.now
        clock.forward(seconds=5)
        await settle_messages(office)
        assert (await now(office, row.id)).state == "unknown"
        clock.forward(minutes=2)
        await settle_messages(office)
        assert (await now(office, row.id)).state == state


async def test_who_is_forgotten_is_forgotten_by_phone_too(office: Runtime) -> None:
    row = await queued(office)
    other = await queued(office, "84900000002")
    async with office.units_of_work() as uow:
        person = await contact_actions.met(uow, await account_of(uow), "user-1", interacts=True)
        await contact_actions.share_phone(uow, person, PHONE, "Nguyễn Văn Mẫu", "", office.box)
        await contact_actions.erase(uow, person, 0)
    after = await now(office, row.id)
    assert (after.state, after.body) == ("cancelled", {})
    assert (await now(office, other.id)).state == "queued"
    async with office.database.reading() as session:
        gone = await contacts.contact(session, row.contact_id)
    assert gone is not None
    assert (gone.phone, gone.gone) == (None, "erased")
    again = await queued(office)
    assert again.contact_id != row.contact_id


async def test_phones_that_are_not_written_to_any_more_are_forgotten(office: Runtime, clock: Clock) -> None:
    row = await queued(office)
    clock.forward(days=60)
    assert await forget(office) == 0
    other = await queued(office, "84900000002")
    clock.forward(days=40)
    assert await forget(office) == 1
    async with office.database.reading() as session:
        kept = await contacts.contacts(session, [row.contact_id, other.contact_id])
    assert kept[row.contact_id].phone is None
    assert "phone:" not in kept[row.contact_id].external_id
    assert kept[other.contact_id].phone is not None
