"""Whose turn it is: in order per contact, nobody kept waiting behind somebody else's many, and always quickly."""

from datetime import timedelta

from sqlalchemy import text

from bot.store import arrivals as store
from bot.store import inbox, turns
from bot.store.database import Database
from bot.store.turns import PATIENT_TRIES, Turns, next_ids
from tests.bot.store.seed import NOW
from tests.bot.store.test_inbox import arrival, put


async def claimed(database: Database, turn: Turns, number: int = 10, later: float = 0) -> list[str]:
    async with database.writing() as session:
        rows = await inbox.claim(session, "x", NOW + timedelta(seconds=later), 60, number, turn)
        await session.commit()
    return [row.key for row in rows]


async def finish(database: Database) -> None:
    async with database.writing() as session:
        await session.exec(text("UPDATE inbox SET state = 'handled', lease = NULL WHERE state = 'handling'"))  # type: ignore[call-overload] # plain SQL
        await session.commit()


async def test_one_contact_with_very_many_updates_has_one_turn_like_everybody(database: Database) -> None:
    many = [arrival(f"many{n}", "1") for n in range(500)]
    await put(database, *many, *(arrival(f"few{n}", f"2{n}") for n in range(5)))
    assert set(await claimed(database, Turns(), 10)) == {"many0", *(f"few{n}" for n in range(5))}


async def test_one_account_with_very_many_contacts_shares_with_the_others(database: Database) -> None:
    many = [arrival(f"many{n}", f"1{n}", account="111") for n in range(500)]
    few = [arrival(f"few{n}", f"2{n}", account=account) for account in ("222", "333") for n in range(3)]
    await put(database, *many, *few)
    taken = await claimed(database, Turns(), 12)
    assert len(taken) == 12
    assert len([key for key in taken if key.startswith("few")]) == 6


async def test_over_several_claims_every_contact_has_its_turn_before_anybody_has_a_second(database: Database) -> None:
    await put(database, *(arrival(f"{contact}-{n}", f"c{contact:02}") for n in range(3) for contact in range(25)))
    turn = Turns()
    rounds: list[str] = []
    for _ in range(15):
        rounds += await claimed(database, turn, 5)
        await finish(database)
    assert len(rounds) == len(set(rounds)) == 75
    for start in (0, 25, 50):
        assert {key.split("-")[1] for key in rounds[start : start + 25]} == {str(start // 25)}


async def test_a_claim_that_begins_in_the_middle_still_finds_everybody(database: Database) -> None:
    await put(database, *(arrival(f"k{n}", f"c{n}") for n in range(8)))
    assert len(await claimed(database, Turns({"222": "c5"}, "222"), 20)) == 8
    assert await claimed(database, Turns({"222": "c5"}, "222"), 20) == []


async def test_no_contact_has_two_updates_in_hand_even_if_a_person_retries_an_older_one(database: Database) -> None:
    await put(database, arrival("old", "A"), arrival("new", "A"))
    turn = Turns()
    assert await claimed(database, turn) == ["old"]
    async with database.writing() as session:
        await inbox.fail(session, 1, "x", "broken", None)
        await session.commit()
    assert await claimed(database, turn) == ["new"]
    async with database.writing() as session:
        assert await inbox.retry_parked(session, 1, NOW)
        await session.commit()
    assert await claimed(database, turn) == []
    await finish(database)
    assert await claimed(database, turn) == ["old"]


async def test_order_is_kept_over_a_short_failure_and_not_over_a_long_one(database: Database) -> None:
    await put(database, arrival("first", "A"), arrival("second", "A"), arrival("third", "A"))
    turn, later = Turns(), 0.0
    for _ in range(PATIENT_TRIES):
        assert await claimed(database, turn, later=later) == ["first"]
        async with database.writing() as session:
            await inbox.fail(session, 1, "x", "broken", NOW + timedelta(seconds=later + 10))
            await session.commit()
        later += 10
    assert await claimed(database, turn, later=later - 5) == ["second"], "the first waits for its third try"
    await finish(database)
    assert await claimed(database, turn, later=later + 1) == ["first"], "its time has come: it is the oldest"
    assert await claimed(database, turn, later=later + 1) == [], "one of a contact at a time"


async def test_what_was_given_back_counts_no_try_and_what_was_extended_is_not_taken(database: Database) -> None:
    await put(database, arrival("a", "A"), arrival("b", "B"))
    await claimed(database, Turns())
    async with database.writing() as session:
        assert await inbox.extend(session, [1, 2], "other", NOW, 600) == set()
        assert await inbox.extend(session, [1], "x", NOW, 600) == {1}
        assert await inbox.release_leases(session, NOW + timedelta(seconds=300)) == 1
        assert await inbox.give_back(session, [1, 2], "other") == 0
        assert await inbox.give_back(session, [1, 2], "x") == 1
        await session.commit()
    async with database.reading() as session:
        first, second = await inbox.update_row(session, 1), await inbox.update_row(session, 2)
    assert first is not None
    assert second is not None
    assert (first.state, first.attempts) == ("new", 0)
    assert (second.state, second.attempts) == ("new", 1)


async def test_choosing_reads_the_index_of_open_updates_and_never_the_table(database: Database) -> None:
    """With a table of millions of handled updates, reading it once would take longer than handling a thousand."""
    await put(database, *(arrival(f"k{n}", f"c{n % 40}") for n in range(4000)))
    async with database.connection() as connection:
        await connection.execute(text("UPDATE inbox SET state = 'handled' WHERE id <= 3500"))
        await connection.execute(text("ANALYZE inbox"))
    now = NOW.replace(tzinfo=None) if database.is_sqlite else NOW
    values = {"account": "222", "after": "", "most": 20, "patience": 2, "now": now}
    async with database.connection() as connection:
        for statement, given in ((turns._ACCOUNTS, {}), (turns._HEADS, values)):
            explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
            plain = text(explain + statement.text).bindparams(**given)
            plan = "\n".join(str(row[-1]) for row in (await connection.execute(plain)).all())
            assert "ix_inbox_open" in plan, plan
            assert "SCAN inbox\n" not in f"{plan}\n", plan
            assert "Seq Scan on inbox" not in plan, plan
        assert "ix_inbox_leased" in plan or not database.is_sqlite, plan


async def test_arrivals_of_an_account_that_is_not_set_up_have_no_turn(database: Database) -> None:
    await store.store_arrivals(database, [arrival("a", known=False)])
    async with database.reading() as session:
        assert await next_ids(session, NOW, 10, Turns()) == []
