"""Whoever asks to be forgotten is: nothing that announcements and lists of the office know of them stays readable."""

from sqlmodel import col, select

from bot.actions import contacts
from bot.domain.message import Message
from bot.store import result_rows
from bot.store.broadcasts import BroadcastRow, DeliveryRow
from bot.store.recipients import ListedRow, RecipientListRow
from handlers.console.announcement_unreached import name_of, phone_of
from tests.talk import Talk

VALUES = {"Họ tên": "Nguyễn Văn Ví Dụ"}


async def test_erasing_a_person_blanks_deliveries_and_takes_their_lines_out_of_lists(talk: Talk) -> None:
    await talk.share_phone("0900000001")
    contact, box = await talk.contact(), talk.runtime.box
    phone, user = f"phone:{contact.phone_hash}", f"user:{contact.external_id}"
    sealed = box.seal("84900000001").hex()
    async with talk.runtime.units_of_work() as uow:
        message = Message("Mời họp").to_json()
        broadcast = BroadcastRow(
            account_id="account", unit_id="commune", way="template_phone", message=message, created_at=uow.now
        )
        lists = [
            RecipientListRow(
                id=each, unit_id="commune", name="ds", file_name="ds.csv", state="ready", good=2, made_by="official",
                created_at=uow.now,
            )
            for each in ("one", "two")
        ]  # fmt: skip
        uow.session.add_all([broadcast, *lists])
        await uow.session.flush()
        number = broadcast.id
        assert number is not None
        states = ((contact.id, "sent"), (phone, "queued"), (user, "failed"), ("phone:other", "queued"))
        for n, (recipient, state) in enumerate(states, 1):
            uow.session.add(
                DeliveryRow(
                    broadcast_id=number, n=n, recipient=recipient, address=sealed, merged=VALUES, state=state
                )
            )  # fmt: skip
        for list_id, n, recipient in (("one", 2, phone), ("one", 3, "phone:other"), ("two", 2, user)):
            uow.session.add(ListedRow(list_id=list_id, n=n, recipient=recipient, address=sealed, merged=VALUES))
    async with talk.runtime.units_of_work() as uow:
        row = await uow.session.get(type(contact), contact.id)
        assert row is not None
        await contacts.erase(uow, row, 0)
    async with talk.runtime.database.reading() as session:
        told = await result_rows.page(session, number, 0)
        left = (await session.exec(select(ListedRow))).all()
        good = list((await session.exec(select(RecipientListRow.good).order_by(col(RecipientListRow.id)))).all())
    assert [row.state for row in told] == ["sent", "cancelled", "failed", "queued"]
    *mine, other = told
    assert {(row.address, row.merged, name_of(row), phone_of(box, row, full=True)) for row in mine} == {
        ("", None, "", "")
    }
    assert (name_of(other), phone_of(box, other, full=True)) == ("Nguyễn Văn Ví Dụ", "0900000001")
    assert [line.recipient for line in left] == ["phone:other"]
    assert good == [1, 1]
