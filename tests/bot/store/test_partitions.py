"""The SQL of docs/operate divides inbox and outbox by time, and everything goes on as before."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlmodel import select

from bot.clock import first_id, new_id
from bot.reconcile import reconcile
from bot.store import inbox, outbox
from bot.store.arrivals import store_arrivals
from bot.store.database import Database
from bot.store.inbox import InboxRow
from bot.store.messages import MessageRow
from tests.bot.store.seed import NOW, account_and_contacts, message
from tests.bot.store.test_inbox import arrival

FOLDER = Path(__file__).parents[3] / "docs" / "operate"
NEXT = datetime(2026, 12, 5, tzinfo=UTC)
UNTIL = {"until": "'2026-12-01'"}
MONTH = {"month": "inbox_2026_12", "since": "'2026-12-01'", "until": "'2027-01-01'", "name": "'inbox_2026_12'"}


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    if not database_url.startswith("postgres"):
        pytest.skip("only PostgreSQL has partitions")
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def run(connection: asyncpg.Connection, file: str, values: dict[str, str]) -> None:
    """Run one of the files as psql does, its variables filled in."""
    text = (FOLDER / file).read_text(encoding="utf-8")
    text = re.sub(r"^ *--.*$", "", text, flags=re.MULTILINE)
    await connection.execute(re.sub(r"(?<!:):(\w+)", lambda found: values[found[1]], text))


async def indexes(connection: asyncpg.Connection, table: str) -> dict[str, str]:
    rows = await connection.fetch("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = $1", table)
    return {row["indexname"]: re.sub(r" ON (ONLY )?\S+ ", " ON ", row["indexdef"]) for row in rows}


async def handle_all(database: Database) -> int:
    async with database.writing() as session:
        rows = await inbox.claim(session, "lease", NEXT + timedelta(days=1), 60, 100)
        for row in rows:
            assert row.id is not None
            assert await inbox.finish(session, row.id, "lease", NEXT)
        await session.commit()
    return len(rows)


async def test_a_divided_inbox_takes_hands_out_and_forgets_as_before(
    connection: asyncpg.Connection, database: Database
) -> None:
    await store_arrivals(database, [arrival("a"), arrival("b")])
    before = await indexes(connection, "inbox")
    await run(connection, "partition_inbox.sql", UNTIL)
    await run(connection, "partition_inbox_month.sql", MONTH)
    after = await indexes(connection, "inbox")
    assert set(after) == set(before)
    assert len(await indexes(connection, "inbox_before")) == len(before), "one of each, none of them twice"

    late = {"occurred_at": NEXT, "received_at": NEXT}
    odd = {"occurred_at": datetime(2040, 1, 1, tzinfo=UTC), "received_at": NEXT}
    assert await store_arrivals(database, [arrival("a"), arrival("c", "44", **late), arrival("d", "55", **odd)]) == 2
    assert await store_arrivals(database, [arrival("c", "44", **late), arrival("b")]) == 0
    places = await connection.fetch("SELECT key, tableoid::regclass::text AS place FROM inbox ORDER BY key")
    rest = [("c", "inbox_2026_12"), ("d", "inbox_rest")]
    assert [tuple(row) for row in places] == [("a", "inbox_before"), ("b", "inbox_before"), *rest]
    assert await handle_all(database) + await handle_all(database) == 4
    days = [NOW.date(), NEXT.date()]
    assert (await reconcile(database, days, NEXT)).add_up

    async with database.writing() as session:
        assert await inbox.forget_handled(session, NEXT + timedelta(days=2), limit=1) == 1
        await session.commit()
    assert (await reconcile(database, days, NEXT)).add_up


async def test_a_month_is_let_go_of_at_once_and_booked(connection: asyncpg.Connection, database: Database) -> None:
    await run(connection, "partition_inbox.sql", UNTIL)
    await run(connection, "partition_inbox_month.sql", MONTH)
    await store_arrivals(database, [arrival(str(n), str(n), occurred_at=NEXT, received_at=NEXT) for n in range(5)])
    with pytest.raises(asyncpg.DivisionByZeroError):
        await run(connection, "forget_inbox_month.sql", MONTH)
    await connection.execute("ROLLBACK")
    assert await handle_all(database) == 5
    await run(connection, "forget_inbox_month.sql", MONTH)
    async with database.reading() as session:
        assert (await session.exec(select(InboxRow))).all() == []
    found = await reconcile(database, [NEXT.date()], NEXT)
    assert found.add_up
    assert found.accounts[0].parts["forgotten"] == 5


async def test_a_divided_outbox_sends_as_before(connection: asyncpg.Connection, database: Database) -> None:
    _, [one, other] = await account_and_contacts(database, 2)
    old, new = first_id(NOW)[:10] + new_id()[10:], first_id(NEXT)[:10] + new_id()[10:]
    async with database.writing() as session:
        session.add(message(one, "x", id=old))
        await session.commit()
    before = await indexes(connection, "outbox")
    bound = first_id(datetime(2026, 12, 1, tzinfo=UTC))
    await run(connection, "partition_outbox.sql", {"until": f"'{bound}'"})
    assert set(await indexes(connection, "outbox")) == set(before)
    async with database.writing() as session:
        session.add(message(other, "y", id=new))
        for row_id, contact in ((old, one), (new, other)):
            fields: dict[str, Any] = {
                "account_id": "account",
                "contact_id": contact.id,
                "direction": "out",
                "author": "bot",
            }
            session.add(MessageRow(id=row_id, occurred_at=NOW, **fields))
        await session.commit()
    async with database.writing() as session:
        assert {row.id for row in await outbox.claim(session, "l", NEXT, 60, 10)} == {old, new}
        assert await outbox.record(session, new, "l", state="sent")
        await session.commit()
    places = await connection.fetch("SELECT tableoid::regclass::text AS place FROM outbox ORDER BY id")
    assert [row["place"] for row in places] == ["outbox_before", "outbox_rest"]
    assert (await reconcile(database, [NOW.date(), NEXT.date()], NEXT)).add_up
