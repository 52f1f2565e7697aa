"""A process that stands still in the middle of a transaction does not hold up the others for ever."""

import pytest
from sqlalchemy import text

from bot.store import database as module
from bot.store.database import DATABASE_ERRORS, Database


async def test_postgresql_ends_a_transaction_in_which_nothing_happens(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database_url.startswith("sqlite"):
        return  # a process that stands still there has no other beside it
    monkeypatch.setitem(module._IDLE, "idle_in_transaction_session_timeout", "50")
    idle, other = Database(database_url), Database(database_url)
    try:
        async with idle.writing() as session, other.writing() as second:
            await session.exec(text("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE"))  # type: ignore[call-overload] # plain SQL
            await second.exec(text("SELECT count(*) FROM inbox"))  # type: ignore[call-overload] # plain SQL
            with pytest.raises(DATABASE_ERRORS):
                await session.exec(text("SELECT 1"))  # type: ignore[call-overload] # plain SQL
    finally:
        await idle.close()
        await other.close()
