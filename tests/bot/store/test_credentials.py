"""The right to renew a token belongs to one holder at a time."""

from datetime import timedelta

from bot.store import credentials
from bot.store.database import Database
from tests.bot.store.seed import NOW, account_and_contacts


async def test_one_holder_until_the_lease_ends(database: Database) -> None:
    await account_and_contacts(database)
    async with database.writing() as session:
        assert await credentials.acquire(session, "account", "one", NOW, 60)
        assert not await credentials.acquire(session, "account", "two", NOW + timedelta(seconds=59), 60)
        assert await credentials.acquire(session, "account", "two", NOW + timedelta(seconds=61), 60)
        await session.commit()


async def test_who_lost_the_lease_cannot_store(database: Database) -> None:
    await account_and_contacts(database)
    new = {"access_token": b"a2", "refresh_token": b"r2", "expires_at": NOW, "now": NOW}
    async with database.writing() as session:
        await credentials.acquire(session, "account", "one", NOW, 60)
        await credentials.acquire(session, "account", "two", NOW + timedelta(seconds=61), 60)
        assert not await credentials.replace_pair(session, "account", "one", **new)  # type: ignore[arg-type] # shorthand
        assert await credentials.replace_pair(session, "account", "two", **new)  # type: ignore[arg-type] # shorthand
        await session.commit()
    async with database.reading() as session:
        row = await credentials.credential(session, "account")
    assert row is not None
    assert (row.access_token, row.previous_access_token) == (b"a2", b"a")


async def test_the_old_pair_is_kept_until_the_new_one_has_worked(database: Database) -> None:
    await account_and_contacts(database)
    async with database.writing() as session:
        await credentials.acquire(session, "account", "one", NOW, 60)
        await credentials.replace_pair(
            session, "account", "one", access_token=b"a2", refresh_token=b"r2", expires_at=NOW, now=NOW
        )
        await credentials.release(session, "account", "one", None)
        await credentials.forget_previous(session, "account")
        await session.commit()
    async with database.reading() as session:
        row = await credentials.credential(session, "account")
    assert row is not None
    assert (row.previous_access_token, row.holder) == (None, None)
