"""The inbox hands each update out once, in order per contact, and never loses one."""

import asyncio
from datetime import timedelta

from bot.store import arrivals as store
from bot.store import inbox
from bot.store.arrivals import Arrival
from bot.store.database import Database
from tests.bot.store.seed import NOW


def arrival(key: str, contact: str = "33", **values: object) -> Arrival:
    fields: dict[str, object] = {
        "provider": "zalo",
        "account": "222",
        "event": "user_send_text",
        "key": key,
        "contact": contact,
        "raw": b"{}",
        "occurred_at": NOW,
        "received_at": NOW,
        "known": True,
        **values,
    }
    return Arrival(**fields)  # type: ignore[arg-type] # a test's shorthand


async def put(database: Database, *arrivals: Arrival) -> None:
    await store.store_arrivals(database, arrivals)


async def claimed(database: Database, lease: str = "lease", later: float = 0) -> list[str]:
    async with database.writing() as session:
        rows = await inbox.claim(session, lease, NOW + timedelta(seconds=later), 60, 10)
        await session.commit()
        return [row.key for row in rows]


async def test_a_repeated_webhook_is_stored_once(database: Database) -> None:
    await put(database, arrival("a"), arrival("b"), arrival("a"))
    await put(database, arrival("a"))
    async with database.reading() as session:
        assert await inbox.counts(session) == {"new": 2}


async def test_two_accounts_may_use_the_same_key(database: Database) -> None:
    await put(database, arrival("a"), arrival("a", account="333"))
    async with database.reading() as session:
        assert await inbox.counts(session) == {"new": 2}


async def test_one_update_per_contact_is_handed_out_oldest_first(database: Database) -> None:
    await put(database, arrival("a1", "A"), arrival("a2", "A"), arrival("b1", "B"))
    assert await claimed(database) == ["a1", "b1"]
    assert await claimed(database) == []


async def test_the_next_update_of_a_contact_comes_after_the_first_is_finished(database: Database) -> None:
    await put(database, arrival("a1", "A"), arrival("a2", "A"))
    await claimed(database, "x")
    async with database.writing() as session:
        assert await inbox.finish(session, 1, "x", NOW)
        await session.commit()
    assert await claimed(database) == ["a2"]


async def test_only_the_holder_of_the_lease_may_finish(database: Database) -> None:
    await put(database, arrival("a1"))
    await claimed(database, "x")
    async with database.writing() as session:
        assert await inbox.release_leases(session, NOW + timedelta(minutes=2)) == 1
        await session.commit()
    assert await claimed(database, "y", later=120) == ["a1"]
    async with database.writing() as session:
        assert not await inbox.finish(session, 1, "x", NOW)
        assert await inbox.finish(session, 1, "y", NOW)
        await session.commit()


async def test_a_lease_that_runs_is_left_alone(database: Database) -> None:
    await put(database, arrival("a1"))
    await claimed(database)
    async with database.writing() as session:
        assert await inbox.release_leases(session, NOW + timedelta(seconds=30)) == 0


async def test_a_failed_update_waits_and_holds_back_its_contact_only(database: Database) -> None:
    await put(database, arrival("a1", "A"), arrival("a2", "A"), arrival("b1", "B"))
    await claimed(database, "x")
    async with database.writing() as session:
        await inbox.fail(session, 1, "x", "broken", NOW + timedelta(seconds=10))
        await inbox.finish(session, 3, "x", NOW)
        await session.commit()
    assert await claimed(database) == []
    assert await claimed(database, later=11) == ["a1"]


async def test_a_parked_update_lets_later_ones_pass_and_can_be_retried(database: Database) -> None:
    await put(database, arrival("a1", "A"), arrival("a2", "A"))
    await claimed(database, "x")
    async with database.writing() as session:
        await inbox.fail(session, 1, "x", "broken", None)
        await session.commit()
    assert await claimed(database) == ["a2"]
    async with database.writing() as session:
        assert [row.error for row in await inbox.parked(session)] == ["broken"]
        assert await inbox.retry_parked(session, 1, NOW)
        assert not await inbox.retry_parked(session, 1, NOW)
        await session.commit()


async def test_an_account_not_set_up_is_kept_apart_and_replayed(database: Database) -> None:
    await put(database, arrival("a1", account="999", known=False))
    assert await claimed(database) == []
    async with database.writing() as session:
        assert [(a, n) for a, n, _ in await inbox.unknown_accounts(session)] == [("999", 1)]
        assert await inbox.replay_account(session, "zalo", "999", NOW) == 1
        await session.commit()
    assert await claimed(database) == ["a1"]


async def test_workers_that_claim_at_once_share_without_overlap(database: Database) -> None:
    await put(database, *(arrival(f"k{n}", f"contact{n}") for n in range(40)))
    shares = await asyncio.gather(*(claimed(database, f"lease{n}") for n in range(4)))
    everything = [key for share in shares for key in share]
    while more := await claimed(database, "rest"):  # who meets others too often takes less than it might
        everything += more
    assert len(everything) == len(set(everything)) == 40


async def test_an_update_that_workers_die_of_waits_for_a_person(database: Database) -> None:
    await put(database, arrival("a1", "A"))
    for _ in range(inbox.MOST_STALLS):
        assert await claimed(database, "dead") == ["a1"]
        async with database.writing() as session:
            await inbox.release_leases(session, None)
            await session.commit()
    assert await claimed(database) == []
    async with database.reading() as session:
        assert len(await inbox.parked(session)) == 1
