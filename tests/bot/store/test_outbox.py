"""The outbox hands each message out once, most urgent first, in order per person."""

import asyncio
from datetime import timedelta

from bot.store import accounts, outbox
from bot.store.database import Database
from bot.store.outbox import OutboxRow
from tests.bot.store.seed import NOW, account_and_contacts, message


async def put(database: Database, *rows: OutboxRow) -> None:
    async with database.writing() as session:
        session.add_all(rows)
        await session.commit()


async def claimed(database: Database, lease: str = "lease", later: float = 0) -> list[str]:
    async with database.writing() as session:
        rows = await outbox.claim(session, lease, NOW + timedelta(seconds=later), 60, 10)
        await session.commit()
        return [row.text for row in rows]


async def test_lanes_come_in_their_order(database: Database) -> None:
    _, people = await account_and_contacts(database, 3)
    await put(
        database,
        message(people[0], "broadcast", lane=2),
        message(people[1], "notice", lane=1),
        message(people[2], "answer"),
    )
    assert await claimed(database) == ["answer", "notice", "broadcast"]


async def test_one_message_per_person_at_a_time(database: Database) -> None:
    _, people = await account_and_contacts(database)
    first = message(people[0], "first")
    await put(database, first, message(people[0], "second"), message(people[1], "other"))
    assert await claimed(database, "x") == ["first", "other"]
    assert await claimed(database) == []
    async with database.writing() as session:
        assert await outbox.record(session, first.id, "x", state="sent", provider_id="p1")
        await session.commit()
    assert await claimed(database) == ["second"]


async def test_a_message_kept_back_for_undo_does_not_hold_up_others(database: Database) -> None:
    _, people = await account_and_contacts(database)
    later = message(people[0], "answer", next_attempt_at=NOW + timedelta(seconds=10))
    await put(database, later, message(people[0], "menu"))
    assert await claimed(database) == ["menu"]


async def test_a_message_that_is_retried_holds_up_the_next(database: Database) -> None:
    _, people = await account_and_contacts(database)
    retried = message(people[0], "part 1", attempts=1, next_attempt_at=NOW + timedelta(seconds=2))
    await put(database, retried, message(people[0], "part 2"))
    assert await claimed(database) == []
    assert await claimed(database, later=3) == ["part 1"]


async def test_nothing_leaves_through_a_stopped_account(database: Database) -> None:
    account, people = await account_and_contacts(database)
    await put(database, message(people[0], "x"))
    async with database.writing() as session:
        assert await accounts.stop(session, account.id, "token_dead", "", NOW, asked_at=NOW)
        await session.commit()
    assert await claimed(database) == []


async def test_what_was_being_sent_when_the_process_died_is_in_doubt(database: Database) -> None:
    _, people = await account_and_contacts(database)
    row = message(people[0], "x")
    await put(database, row)
    await claimed(database, "dead")
    async with database.writing() as session:
        assert await outbox.doubt_expired(session, NOW + timedelta(seconds=30)) == 0
        assert await outbox.doubt_expired(session, NOW + timedelta(seconds=61)) == 1
        await session.commit()
    async with database.writing() as session:
        assert not await outbox.record(session, row.id, "dead", state="sent")
        [found] = await outbox.unknown(session)
        assert found.id == row.id
        assert await outbox.settle_unknown(session, found, state="sent")
        assert not await outbox.settle_unknown(session, found, state="queued")
        await session.commit()


async def test_only_what_has_not_been_tried_can_be_cancelled(database: Database) -> None:
    _, people = await account_and_contacts(database)
    waiting, tried = message(people[0], "a"), message(people[1], "b", attempts=1)
    await put(database, waiting, tried)
    async with database.writing() as session:
        assert not await outbox.cancel(session, [waiting.id, tried.id], "undo")
        await session.rollback()
    async with database.writing() as session:
        assert await outbox.cancel(session, [waiting.id], "undo")
        await session.commit()
    assert await claimed(database) == ["b"]


async def test_workers_that_claim_at_once_share_without_overlap(database: Database) -> None:
    _, people = await account_and_contacts(database, 30)
    await put(database, *(message(p, p.id) for p in people))
    shares = await asyncio.gather(*(claimed(database, f"lease{n}") for n in range(4)))
    everything = [text for share in shares for text in share]
    assert len(everything) == len(set(everything)) == 30
