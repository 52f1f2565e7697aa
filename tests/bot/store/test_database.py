"""What the database layer promises to whoever opens it."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot.store.database import Database


async def test_an_error_does_not_carry_what_citizens_wrote(database: Database) -> None:
    async def break_it() -> None:
        async with database.writing() as session:
            connection = await session.connection()
            await connection.execute(text("INSERT INTO nowhere VALUES (:words)"), {"words": "Tên tôi là bí mật"})

    with pytest.raises(SQLAlchemyError) as caught:
        await break_it()
    assert "bí mật" not in str(caught.value)
