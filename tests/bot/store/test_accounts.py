"""What is learnt of an account is kept, whoever learns something else of it at the same moment."""

import asyncio

from bot.store import accounts
from bot.store.database import Database
from tests.bot.store.seed import account_and_contacts


async def test_what_several_learn_at_once_is_all_kept(database: Database) -> None:
    await account_and_contacts(database)
    all_have_looked = asyncio.Barrier(1 if database.is_sqlite else 3)  # SQLite lets one write at a time anyway

    async def learn(key: str) -> None:
        async with database.writing() as session:
            await accounts.account(session, "account")
            await all_have_looked.wait()
            await accounts.learn(session, "account", key, "1")
            await accounts.note_quota(session, "account", {key: {"remaining": 1}})
            await session.commit()

    async with asyncio.timeout(20):
        await asyncio.gather(*map(learn, "abc"))
    async with database.reading() as session:
        row = await accounts.account(session, "account")
    assert row is not None
    assert set(row.learnt) == set(row.quota) == set("abc")
