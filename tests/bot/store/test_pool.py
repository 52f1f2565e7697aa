"""However many tasks want a connection at once, none is opened that would have to be closed on its return."""

import asyncio
import gc

from sqlalchemy import event, text

from bot.store.database import Database


async def test_a_connection_given_back_is_kept_whoever_is_cancelled_meanwhile(database_url: str) -> None:
    database = Database(database_url, pool_size=2)
    opened, closed = [], []
    engine = database.engine.sync_engine
    event.listen(engine, "connect", lambda connection, _record: opened.append(connection))
    event.listen(engine, "close", lambda connection, _record: closed.append(connection))

    async def visit() -> None:
        async with database.writing() as session:
            await session.exec(text("SELECT 1"))  # type: ignore[call-overload] # plain SQL
            await session.commit()

    try:
        await asyncio.gather(*(visit() for _ in range(12)))
        assert len(opened) == (1 if database.is_sqlite else 2)
        assert closed == []
    finally:
        await database.close()


async def test_whoever_is_cancelled_while_a_connection_opens_leaves_none_behind(database_url: str) -> None:
    """Neither open, which would warn, nor stopped before it was closed, which would wait for ever."""
    for moment in range(60):
        database = Database(database_url)
        visit = asyncio.create_task(_look(database))
        await asyncio.wait([visit], timeout=moment / 10_000)
        visit.cancel()
        await asyncio.gather(visit, return_exceptions=True)
        await database.close()
    gc.collect()  # a connection left open warns when it is collected, and a warning fails the test


async def _look(database: Database) -> None:
    async with database.reading() as session:
        await session.exec(text("SELECT 1"))  # type: ignore[call-overload] # plain SQL


async def test_closing_waits_for_connections_in_use(database_url: str) -> None:
    """One that came back afterwards would be closed by nobody, and warn when it is collected."""
    database, began = Database(database_url), asyncio.Event()

    async def visit() -> None:
        async with database.reading() as session:
            await session.exec(text("SELECT 1"))  # type: ignore[call-overload] # plain SQL
            began.set()
            await asyncio.sleep(0.05)

    visiting = asyncio.create_task(visit())
    await began.wait()
    await database.close()
    assert visiting.done()
    gc.collect()
