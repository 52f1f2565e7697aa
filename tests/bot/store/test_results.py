"""What became of a run, counted from its rows; who was not reached, page by page; what came because of it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.clock import new_id
from bot.store import replies, result_rows, results
from bot.store.announcements import AnnouncementRow, RunRow
from bot.store.broadcasts import BroadcastRow, DeliveryRow
from bot.store.contacts import ContactRow
from bot.store.database import Database
from bot.store.marks import MarkRow
from bot.store.messages import MessageRow
from bot.store.result_rows import Which
from bot.store.results import Tally
from bot.store.staff import StaffRow
from bot.store.units import AreaRow
from tests.bot.store.seed import NOW, account_and_contacts

AREAS = ("cat-dong", "kim-lam")


async def sent_run(database: Database, rows: list[dict[str, Any]], way: str = "chat", people: int = 0) -> int:
    """Make a run with one broadcast whose deliveries have these values, to contact0, contact1 and so on."""
    await account_and_contacts(database, max(len(rows), people))
    async with database.writing() as session:
        session.add(StaffRow(id="s", email="s@xa.example", name="Cán bộ", password="-", created_at=NOW))
        for position, area in enumerate(AREAS):
            session.add(AreaRow(id=area, unit_id="unit", name=area, aliases=[], position=position))
        await session.flush()
        session.add(
            AnnouncementRow(id="a", unit_id="unit", title="Họp", created_by="s", created_at=NOW, updated_at=NOW)
        )
        await session.flush()
        run = RunRow(id="run", announcement_id="a", number=1, due_at=NOW, created_at=NOW, progress_at=NOW)
        run.started_at = NOW
        session.add(run)
        number = await add_broadcast(session, rows, way)
        await session.commit()
    return number


async def add_broadcast(session: Any, rows: list[dict[str, Any]], way: str = "chat", run_id: str = "run") -> int:
    row = BroadcastRow(
        account_id="account", unit_id="unit", run_id=run_id, way=way, message={"text": "Họp"}, total=len(rows),
        created_at=NOW,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    assert row.id is not None
    for n, values in enumerate(rows, start=1):
        fields = {"recipient": f"contact{n - 1}", "address": f"33{n - 1}", **values}
        session.add(DeliveryRow(broadcast_id=row.id, n=n, **fields))
    await session.flush()
    return row.id


async def mark(database: Database, contact: str, area: str, at: datetime = NOW, *, chosen: bool = True) -> None:
    async with database.writing() as session:
        session.add(MarkRow(kind="area", value=area, contact_id=contact, chosen=chosen, at=at))
        await session.commit()


async def test_recipients_are_counted_by_state_and_reason_and_those_sent_lately_apart(database: Database) -> None:
    number = await sent_run(
        database,
        [
            {"state": "sent", "sent_at": NOW - timedelta(minutes=10)},
            {"state": "sent", "sent_at": NOW - timedelta(minutes=1)},
            {"state": "seen", "sent_at": NOW - timedelta(minutes=1)},
            {"state": "failed", "reason": "gone"},
            {"state": "failed", "reason": "gone"},
            {"state": "queued"},
        ],
    )
    async with database.reading() as session:
        found = await results.tallies(session, [number], NOW - timedelta(minutes=5))
        assert await results.tallies(session, [number + 1], NOW) == []
    assert sorted(found) == [
        Tally(number, "failed", "gone", 2, 0), Tally(number, "queued", "", 1, 0), Tally(number, "seen", "", 1, 1),
        Tally(number, "sent", "", 2, 1),
    ]  # fmt: skip


async def test_villages_add_up_and_of_several_the_last_chosen_counts(database: Database) -> None:
    number = await sent_run(
        database,
        [
            {"state": "sent"}, {"state": "failed", "reason": "gone"}, {"state": "failed", "reason": "gone"},
            {"state": "cancelled", "reason": "opted_out"}, {"state": "failed", "recipient": "phone:abc"},
        ],
    )  # fmt: skip
    await mark(database, "contact0", "kim-lam")
    await mark(database, "contact1", "kim-lam")
    await mark(database, "contact1", "cat-dong", NOW + timedelta(days=1))
    await mark(database, "contact2", "kim-lam", chosen=False)
    await mark(database, "contact3", "cat-dong")
    async with database.reading() as session:
        found = await results.by_village(session, [number])
        named = await results.areas(session, ["kim-lam", "cat-dong"])
    assert sorted(each[:4] for each in found) == [
        ("", "failed", False, 2), ("cat-dong", "cancelled", True, 1), ("cat-dong", "failed", False, 1),
        ("kim-lam", "sent", False, 1),
    ]  # fmt: skip
    assert [area.id for area in named] == ["cat-dong", "kim-lam"]


async def test_who_was_not_reached_is_read_in_pages_by_kind_and_by_village(database: Database) -> None:
    failed = {"state": "failed", "reason": "gone"}
    number = await sent_run(
        database,
        [
            failed, {"state": "unknown"}, {"state": "sent"}, {"state": "cancelled", "reason": "stopped"},
            {"state": "cancelled", "reason": "opted_out"}, {**failed, "recipient": "phone:abc", "address": "00"},
        ],
    )  # fmt: skip
    await mark(database, "contact0", "kim-lam")
    await mark(database, "contact1", "kim-lam")
    await mark(database, "contact1", "cat-dong", NOW + timedelta(days=1))

    async def read(which: Which, **more: Any) -> list[int]:
        async with database.reading() as session:
            return [row.n for row in await result_rows.unreached(session, [number], which, **more)]

    assert await read(Which.MISSED) == [1, 2, 6]
    assert await read(Which.MISSED, limit=2) == [1, 2]
    assert await read(Which.MISSED, after=(number, 2)) == [6]
    assert await read(Which.MISSED, village="kim-lam") == [1]
    assert await read(Which.MISSED, village="cat-dong") == [2]
    assert await read(Which.MISSED, village="") == [6]
    assert await read(Which.CANCELLED) == [4]
    assert await read(Which.DECIDED) == [5]


async def test_all_recipients_are_read_in_pages_with_what_is_known_of_them(database: Database) -> None:
    number = await sent_run(database, [{"state": "sent"}, {"state": "sent"}, {"state": "sent"}])
    async with database.writing() as session:
        first = await session.get(ContactRow, "contact0")
        second = await session.get(ContactRow, "contact1")
        assert first is not None
        assert second is not None
        first.name, first.phone = "Nguyễn Văn A", b"sealed"
        second.name, second.erased_at = "Đã xoá", NOW
        await session.commit()
    await mark(database, "contact0", "kim-lam")
    await mark(database, "contact0", "cat-dong", NOW + timedelta(days=1))
    async with database.reading() as session:
        page = await result_rows.page(session, number, 0, 2)
        rest = await result_rows.page(session, number, 2, 2)
        homes = await result_rows.villages(session, [row.recipient for row in page])
    assert [(row.n, row.name, row.phone) for row in page] == [(1, "Nguyễn Văn A", b"sealed"), (2, None, None)]
    assert [row.n for row in rest] == [3]
    assert homes == {"contact0": "cat-dong"}


async def said(
    database: Database, contact: str, hours: float, *, direction: str = "in", quotes: str | None = None
) -> str:
    row = MessageRow(
        id=new_id(), account_id="account", contact_id=contact, direction=direction, author="citizen", text="vâng",
        quotes=quotes, occurred_at=NOW + timedelta(hours=hours),
    )  # fmt: skip
    async with database.writing() as session:
        session.add(row)
        await session.commit()
    return row.id


async def came(database: Database, number: int) -> dict[str, bool]:
    async with database.reading() as session:
        return {each.message_id: each.quoted for each in await replies.replies(session, [number], NOW)}


LEFT = {"state": "sent", "sending_at": NOW, "sent_at": NOW + timedelta(seconds=40)}


async def test_the_first_words_within_three_days_are_an_answer_and_later_ones_only_when_they_quote(
    database: Database,
) -> None:
    number = await sent_run(database, [{**LEFT, "provider_id": f"m{n}"} for n in range(4)])
    quick = await said(database, "contact0", 0.005)  # before the outcome was written
    await said(database, "contact0", 1)
    quoting = await said(database, "contact0", 200, quotes="m0")
    await said(database, "contact1", 73)
    await said(database, "contact2", -1)
    after = await said(database, "contact2", 71)
    await said(database, "contact3", 2, quotes="m0")  # somebody else's message: it is an answer as first words only
    assert (await came(database, number)).items() >= {quick: False, quoting: True, after: False}.items()
    assert len(await came(database, number)) == 4


async def test_words_after_something_else_was_sent_are_no_answer(database: Database) -> None:
    number = await sent_run(database, [LEFT, LEFT, {"state": "failed", "sending_at": NOW}, LEFT])
    await said(database, "contact0", 1, direction="out")
    await said(database, "contact0", 2)
    async with database.writing() as session:
        later = {"state": "sent", "sending_at": NOW + timedelta(hours=1), "recipient": "contact1"}
        other = await add_broadcast(session, [later], run_id="")
        await session.commit()
    second = await said(database, "contact1", 2)
    await said(database, "contact2", 1)
    before = await said(database, "contact3", 0.5)
    assert await came(database, number) == {before: False}
    assert await came(database, other) == {second: False}


async def test_a_run_is_found_with_what_it_belongs_to(database: Database) -> None:
    number = await sent_run(database, [LEFT])
    async with database.reading() as session:
        found = await results.seen(session, "a", "run")
        assert found is not None
        assert (found.announcement.title, found.unit.path, found.run.number) == ("Họp", "/unit/", 1)
        assert await results.seen(session, "other", "run") is None
        assert await results.path_of_broadcast(session, str(number)) == "/unit/"
        assert await results.belongings(session, ["run", "no"]) == {"run": ("a", "Họp", NOW)}
        [(row, account)] = await results.broadcasts_of(session, ["run"])
        assert (row.id, account.id) == (number, "account")


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30, "٣"])
async def test_a_number_that_is_none_names_no_broadcast(database: Database, number: str) -> None:
    async with database.reading() as session:
        assert await results.path_of_broadcast(session, number) is None
