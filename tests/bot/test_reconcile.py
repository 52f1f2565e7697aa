"""The books: what came in and what was made, against what became of it; every kind of loss is found and named."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.__main__ import main
from bot.clock import first_id, new_id, to_local, utc_now
from bot.reconcile import Books, last_days, reconcile, usual_days
from bot.runtime import Runtime
from bot.store import books, inbox, tallies
from bot.store.broadcasts import BroadcastRow, ChunkRow, DeliveryRow
from bot.store.contacts import ContactRow
from bot.store.database import Database
from bot.store.inbox import InboxRow
from bot.store.messages import MessageRow
from jobs.reconcile import reconcile as reconcile_job
from tests.bot.store.seed import NOW, account_and_contacts, message
from tests.runtime_fixtures import Clock

DAY = date(2026, 11, 23)


def update(key: str, state: str, **values: Any) -> InboxRow:
    made: dict[str, Any] = {
        "provider": "zalo", "account": "222", "event": "user_send_text", "key": key, "contact": "33", "raw": b"{}",
        "state": state, "next_attempt_at": NOW, "occurred_at": NOW, "received_at": NOW,
    }  # fmt: skip
    return InboxRow(**(made | values))


async def save(database: Database, *rows: Any) -> None:
    async with database.writing() as session:
        for row in rows:
            session.add(row)
            await session.flush()
        await session.commit()


async def run(database: Database, statement: str) -> None:
    async with database.connection() as connection:
        await connection.execute(text(statement))


async def tally(database: Database, kind: str, number: int, at: datetime = NOW) -> None:
    async with database.connection() as connection:
        await tallies.add(connection, kind, at, "test", number)


async def look(database: Database, *days: date) -> Books:
    return await reconcile(database, days or [DAY], NOW)


def wrong(found: Books) -> list[tuple[str, int, int]]:
    return [(one.what, one.expected, one.found) for one in found.differences]


async def test_empty_books_add_up(database: Database) -> None:
    found = await look(database, DAY)
    assert found.add_up
    assert found.accounts == []


async def test_whatever_came_in_has_an_end_or_waits(database: Database) -> None:
    states = ["new", "handling", "handled", "parked", "no_account"]
    await save(database, *(update(state, state) for state in states))
    for kind, number in (("stored", 9), ("duplicate", 4), ("forgotten", 3), ("erased", 1), ("aside", 2)):
        await tally(database, kind, number)
    found = await look(database)
    assert found.add_up
    [line] = found.accounts
    parts = {"handled": 1, "parked": 1, "refused": 1, "waiting": 2, "forgotten": 3, "erased": 1}
    assert (line.total, line.parts, line.duplicates, line.aside) == (9, parts, 4, 2)


@pytest.mark.parametrize(("stored", "kept"), [(3, 2), (2, 3)])
async def test_a_row_too_few_or_too_many_is_found(database: Database, stored: int, kept: int) -> None:
    await save(database, *(update(str(n), "handled") for n in range(kept)))
    await tally(database, "stored", stored)
    assert wrong(await look(database)) == [("inbox_sum", stored, kept)]


async def test_days_are_vietnamese_days(database: Database) -> None:
    late = datetime(2026, 11, 23, 16, 59, tzinfo=UTC)
    next_day = late + timedelta(minutes=1)
    await save(database, update("a", "new", received_at=late), update("b", "new", received_at=next_day))
    await tally(database, "stored", 1, late)
    await tally(database, "stored", 1, next_day)
    found = await look(database, DAY, DAY + timedelta(days=1), DAY + timedelta(days=2))
    assert found.add_up
    assert [(one.subject, one.total) for one in found.accounts] == [("2026-11-23", 1), ("2026-11-24", 1)]


async def test_a_state_that_does_not_exist_is_named(database: Database) -> None:
    row = update("a", "lost")
    await save(database, row)
    await tally(database, "stored", 1)
    found = await look(database)
    assert wrong(found) == [("inbox_sum", 1, 0), ("inbox_state", 0, 1)]
    assert found.differences[1].ids == (str(row.id),)


async def test_forgetting_and_erasing_leave_the_books_in_order(database: Database) -> None:
    rows = [update(str(n), "handled", contact=str(n % 2), handled_at=NOW) for n in range(6)]
    yesterday = update("y", "handled", contact="0", handled_at=NOW, received_at=NOW - timedelta(days=1))
    await save(database, *rows, yesterday)
    await tally(database, "stored", 6)
    await tally(database, "stored", 1, NOW - timedelta(days=1))
    async with database.writing() as session:
        assert await inbox.erase_contact(session, "0", 0) == 4
        await session.commit()
    async with database.writing() as session:
        assert await inbox.forget_handled(session, NOW + timedelta(days=1), limit=2) == 2
        assert await inbox.forget_handled(session, NOW + timedelta(days=1), limit=2) == 1
        assert await inbox.forget_handled(session, NOW + timedelta(days=1), limit=2) == 0
        await session.commit()
    found = await look(database, DAY - timedelta(days=1), DAY)
    assert found.add_up
    assert [one.parts["erased"] for one in found.accounts] == [1, 3]


def made_at(moment: datetime) -> str:
    return first_id(moment)[:10] + new_id()[10:]


def words_of(contact: ContactRow, row_id: str, **values: Any) -> MessageRow:
    fields: dict[str, Any] = {"direction": "out", "author": "bot", "occurred_at": NOW} | values
    return MessageRow(id=row_id, account_id="account", contact_id=contact.id, **fields)


async def make_messages(database: Database, *states: str) -> tuple[ContactRow, list[str]]:
    _, [contact] = await account_and_contacts(database, 1)
    ids = [made_at(NOW) for _ in states]
    for row_id, state in zip(ids, states, strict=True):
        await save(database, message(contact, "x", id=row_id, state=state), words_of(contact, row_id))
    return contact, ids


ALL = ("queued", "sending", "sent", "delivered", "seen", "failed", "expired", "cancelled", "unknown")


async def test_whatever_was_made_has_an_end_or_waits(database: Database) -> None:
    contact, _ = await make_messages(database, *ALL)
    await save(
        database,
        words_of(contact, made_at(NOW), author="oa_tool"),
        words_of(contact, made_at(NOW), direction="in", author="citizen"),
    )
    found = await look(database)
    assert found.add_up
    [line] = found.accounts
    assert (line.total, line.parts) == (9, {"delivered": 3, "failed": 3, "unknown": 1, "waiting": 2})
    assert (await look(database, DAY - timedelta(days=1), DAY + timedelta(days=1))).accounts == []


async def test_a_message_lost_on_its_way_out_is_named(database: Database) -> None:
    _, ids = await make_messages(database, "sent", "queued")
    await run(database, f"DELETE FROM outbox WHERE id = '{ids[1]}'")
    found = await look(database)
    assert wrong(found) == [("outbox_sum", 2, 1), ("not_made", 0, 1)]
    assert found.differences[1].ids == (ids[1],)


async def test_a_message_that_nobody_said_is_named(database: Database) -> None:
    contact, _ = await make_messages(database, "sent")
    extra = [made_at(NOW) for _ in range(25)]
    await save(database, *(message(contact, "x", id=row_id) for row_id in extra))
    found = await look(database)
    assert wrong(found) == [("outbox_sum", 1, 26), ("not_said", 0, 25)]
    assert found.differences[1].ids == tuple(sorted(extra)[:20])


async def test_a_message_in_a_state_that_does_not_exist_is_named(database: Database) -> None:
    _, ids = await make_messages(database, "sent", "nowhere")
    found = await look(database)
    assert wrong(found) == [("outbox_sum", 2, 1), ("outbox_state", 0, 1)]
    assert found.differences[1].ids == (ids[1],)


async def make_broadcast(
    database: Database, states: list[str], ranges: list[tuple[int, int]], **values: Any
) -> BroadcastRow:
    await account_and_contacts(database, 0)
    fields: dict[str, Any] = {"state": "running", "total": len(states), "created_at": NOW} | values
    row = BroadcastRow(account_id="account", unit_id="unit", message={"text": "x"}, **fields)
    await save(database, row)
    assert row.id is not None
    people = [
        DeliveryRow(broadcast_id=row.id, n=n, recipient=str(n), address=str(n), state=state)
        for n, state in enumerate(states, 1)
    ]
    await save(database, *people, *(ChunkRow(broadcast_id=row.id, first=a, last=b) for a, b in ranges))
    return row


async def test_a_broadcast_that_adds_up(database: Database) -> None:
    await make_broadcast(database, list(ALL), [(1, 4), (5, 9)])
    found = await look(database)
    assert found.add_up
    [line] = found.accounts
    assert (line.book, line.total, line.parts["waiting"]) == ("broadcast", 9, 2)


@pytest.mark.parametrize(
    ("states", "ranges", "values", "what"),
    [
        (["sent"] * 3, [(1, 3)], {"total": 4}, [("broadcast_sum", 4, 3), ("broadcast_ranges", 0, 1)]),
        (["sent"] * 4, [(1, 2), (4, 4)], {}, [("broadcast_ranges", 0, 1)]),
        (["sent"] * 4, [(1, 3), (3, 4)], {}, [("broadcast_ranges", 0, 1)]),
        (["sent"] * 4, [(2, 3)], {}, [("broadcast_ranges", 0, 2)]),
        (["sent", "odd"], [(1, 2)], {}, [("broadcast_sum", 2, 1), ("broadcast_state", 0, 1)]),
        (["sent", "queued", "unknown"], [(1, 3)], {"state": "finished"}, [("broadcast_open", 0, 2)]),
        (["sent", "sending"], [(1, 2)], {"state": "stopped", "finished_at": NOW}, [("broadcast_open", 0, 1)]),
    ],
)
async def test_a_broadcast_that_does_not_add_up(
    database: Database, states: list[str], ranges: list[tuple[int, int]], values: dict[str, Any], what: list[Any]
) -> None:
    await make_broadcast(database, states, ranges, **values)
    assert wrong(await look(database)) == what


async def test_a_broadcast_still_being_planned_or_long_over_is_left_alone(database: Database) -> None:
    await make_broadcast(database, ["queued"], [], state="planning", total=0)
    long_ago = NOW - timedelta(days=90)
    old = BroadcastRow(
        account_id="account", unit_id="unit", message={}, state="finished", total=7, created_at=long_ago,
        finished_at=long_ago,
    )  # fmt: skip
    await save(database, old)
    assert (await look(database)).accounts == []


async def test_the_books_add_up_while_rows_arrive_and_go(database: Database) -> None:
    """What arrives in the middle of the check is in all of its numbers or in none."""
    stop = asyncio.Event()

    async def arrive() -> None:
        for n in range(10_000):
            if stop.is_set():
                return
            async with database.writing() as session:
                session.add(update(str(n), "handled", handled_at=NOW))
                await session.flush()
                await tallies.add(await session.connection(), "stored", NOW, "web", 1)
                if n % 3 == 0:
                    await inbox.forget_handled(session, NOW + timedelta(days=1), limit=2)
                await session.commit()

    arriving = asyncio.create_task(arrive())
    try:
        found = [await look(database) for _ in range(15)]
    finally:
        stop.set()
        await arriving
    assert [one.differences for one in found if not one.add_up] == []
    assert found[-1].accounts[0].total > 0


async def test_the_daily_check_keeps_what_it_found(runtime: Runtime) -> None:
    assert await reconcile_job(runtime) == 0
    await save(runtime.database, update("a", "handled"))
    assert await reconcile_job(runtime) == 1
    async with runtime.database.reading() as session:
        kept = await books.last_result(session, "books")
    assert kept is not None
    assert [(one["what"], one["subject"], one["found"]) for one in kept.found] == [("inbox_sum", "2026-11-23", 1)]


def test_the_usual_days_are_the_last_ones_and_those_that_are_being_forgotten(clock: Clock) -> None:
    assert last_days(clock.now, 2) == [date(2026, 11, 22), DAY]
    found = usual_days(clock.now, 90)
    assert found[:3] == [date(2026, 8, 23), date(2026, 8, 24), date(2026, 8, 25)]
    assert found[3:] == last_days(clock.now, 8)
    assert usual_days(clock.now, 0) == last_days(clock.now, 8)
    assert usual_days(clock.now, 3) == last_days(clock.now, 8)


@pytest.fixture
def config(tmp_path: Path, database_url: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(f'[database]\nurl = "{database_url}"\n[security]\nsecret_key = "{"k" * 40}"\n')
    return path


def today() -> date:
    return to_local(utc_now()).date()


def test_the_command_says_that_all_adds_up(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reconcile", "--config", str(config)]) == 0
    assert capsys.readouterr().out == "nothing on the books in this time\nthe books add up\n"


def test_the_command_names_what_differs_and_by_how_much(
    config: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def lose() -> None:
        database = Database(database_url)
        await save(database, update("a", "handled", received_at=utc_now()))
        await tally(database, "stored", 3, utc_now())
        await tally(database, "duplicate", 2, utc_now())
        await tally(database, "aside", 1, utc_now())
        _, [contact] = await account_and_contacts(database, 1)
        await save(database, words_of(contact, "0" * 26), message(contact, "x", id=new_id()))
        await database.close()

    asyncio.run(lose())
    for arguments in (["--days", "1"], ["--day", today().isoformat()]):
        assert main(["reconcile", *arguments, "--config", str(config)]) == 1
        said = capsys.readouterr().out
        assert "3 stored = 1 handled; 2 came more than once; 1 could not be stored and were set aside" in said
        assert (
            "3 were stored, but handled, parked, refused, waiting, forgotten and erased together are 1: 2 too few"
            in said
        )
        assert "1 messages were put on their way and stand in no conversation: 1 too many (for example " in said
        assert "the books do not add up, 3 line(s) differ" in said
    assert main(["reconcile", "--json", "--config", str(config)]) == 1
    read = json.loads(capsys.readouterr().out)
    assert read["add_up"] is False
    assert read["differences"][0]["what"] == "inbox_sum"
    assert main(["reconcile", "--day", "2020-01-01", "--config", str(config)]) == 0


@pytest.mark.parametrize(
    "arguments", [["--day", "yesterday"], ["--days", "0"], ["--days", "x"], ["--days", "2", "--day", "2026-01-01"]]
)
def test_the_command_refuses_days_that_are_none(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["reconcile", *arguments])
    assert stopped.value.code == 2
