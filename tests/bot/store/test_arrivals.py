"""The plain way into the inbox writes what the rows read back, once, with the day's tallies in the same transaction."""

import asyncio
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlmodel import col, select

from bot.store import arrivals, tallies
from bot.store.arrivals import Arrival, store_arrivals
from bot.store.database import Database
from bot.store.inbox import InboxRow
from tests.bot.store.seed import NOW
from tests.bot.store.test_inbox import arrival


async def rows(database: Database) -> list[InboxRow]:
    async with database.reading() as session:
        return list((await session.exec(select(InboxRow).order_by(col(InboxRow.id)))).all())


async def tallied(database: Database) -> dict[tuple[date, str], int]:
    async with database.reading() as session:
        return await tallies.totals(session)


@pytest.mark.parametrize(
    "moment",
    [
        NOW,
        datetime(2026, 11, 23, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 1, 2, 3, 4, 5, 10, tzinfo=timezone(timedelta(hours=7))),
    ],
)
async def test_a_row_reads_back_as_it_was_given(database: Database, moment: datetime) -> None:
    raw = bytes(range(256))
    given = arrival("khoá-🙂", "người", raw=raw, occurred_at=moment, received_at=moment)
    assert await store_arrivals(database, [given, arrival("other", known=False)]) == 2
    first, second = await rows(database)
    fields = ("provider", "account", "event", "key", "contact", "raw", "occurred_at", "received_at")
    assert tuple(getattr(first, name) for name in fields) == given[:8]
    assert first.received_at.tzinfo is UTC
    assert (first.state, first.attempts, first.error, first.lease) == ("new", 0, "", None)
    assert first.next_attempt_at == moment
    assert first.handled_at is None
    assert second.state == "no_account"


async def test_a_row_written_plainly_compares_with_one_written_by_the_orm(database: Database) -> None:
    await store_arrivals(database, [arrival("plain")])
    async with database.writing() as session:
        values = arrival("orm")._asdict()
        del values["known"]
        session.add(InboxRow(**values, next_attempt_at=NOW))
        await session.commit()
    async with database.reading() as session:
        same = select(InboxRow.key).where(col(InboxRow.received_at) == NOW).order_by(col(InboxRow.id))
        assert list((await session.exec(same)).all()) == ["plain", "orm"]


@pytest.mark.parametrize("number", [1, 2, 3, 255, 256, 257, 700])
async def test_any_number_goes_in_order(database: Database, number: int) -> None:
    given = [arrival(f"k{n}") for n in range(number)]
    assert await store_arrivals(database, given) == number
    assert await store_arrivals(database, given) == 0
    assert [row.key for row in await rows(database)] == [a.key for a in given]


async def test_nothing_is_nothing(database: Database) -> None:
    assert await store_arrivals(database, []) == 0
    assert await tallied(database) == {}


async def test_new_ones_and_repeats_are_tallied_by_vietnamese_day(database: Database) -> None:
    late = datetime(2026, 11, 23, 16, 59, tzinfo=UTC)
    early = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
    await store_arrivals(database, [arrival("a", received_at=late), arrival("b", received_at=early)])
    await store_arrivals(database, [arrival("a", received_at=late), arrival("c", received_at=early)])
    assert await tallied(database) == {
        (date(2026, 11, 23), "stored"): 1,
        (date(2026, 11, 23), "duplicate"): 1,
        (date(2026, 11, 24), "stored"): 2,
    }


async def test_what_cannot_be_held_leaves_nothing_behind_and_the_next_goes_in(database: Database) -> None:
    writer = arrivals.writer(database, "test")
    with pytest.raises(arrivals.CONTENT_ERRORS):
        await writer.write([arrival("good"), arrival("bad", contact="\ud800")])
    assert await rows(database) == []
    assert await writer.write([arrival("good")]) == 1
    await writer.close()
    assert list((await tallied(database)).values()) == [1]


async def test_two_writers_with_the_same_repeats_in_opposite_order_both_come_through(database: Database) -> None:
    one, two = arrivals.writer(database, "one"), arrivals.writer(database, "two")
    given = [arrival(f"k{n}") for n in range(200)]
    for _ in range(5):
        await asyncio.gather(one.write(given), two.write(given[::-1]))
    await one.close()
    await two.close()
    assert len(await rows(database)) == 200
    assert sum((await tallied(database)).values()) == 2000


async def test_transactions_and_arrivals_take_turns(database: Database) -> None:
    """Neither the writer of webhooks nor the units of work wait in SQLite's busy loop while the other goes on."""
    writer = arrivals.writer(database, "test")
    going = True
    written = 0

    async def write_for_ever() -> None:
        nonlocal written
        while going:
            await writer.write([arrival(f"k{written}")])
            written += 1

    writing = asyncio.create_task(write_for_ever())
    async with asyncio.timeout(20):
        while not written:  # noqa: ASYNC110 - polling with a limit; a connection of its own is opened first
            await asyncio.sleep(0.001)
    for number in range(30):
        async with asyncio.timeout(5), database.writing() as session:
            session.add(InboxRow(**_row(f"u{number}")))
            await session.commit()
    going = False
    await writing
    await writer.close()
    assert written >= 15
    assert len(await rows(database)) == written + 30


def _row(key: str) -> dict[str, Any]:
    values = arrival(key)._asdict()
    del values["known"]
    return {**values, "next_attempt_at": NOW}


async def _broken_off(database: Database, error: type[BaseException]) -> None:
    async with database.writing() as session:
        session.add(InboxRow(**_row("lost")))
        await session.flush()
        raise error


async def test_a_transaction_that_failed_or_was_cancelled_gives_its_turn_back(database: Database) -> None:
    for error in (ValueError, asyncio.CancelledError):
        with pytest.raises(error):
            await _broken_off(database, error)
    assert not database.turn.locked()
    async with asyncio.timeout(5):
        assert await store_arrivals(database, [Arrival(*arrival("a"))]) == 1
