"""The schema is what the rows say, and an old one is refused in words."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from bot.errors import SchemaOutdatedError
from bot.store.database import Database
from bot.store.schema import METADATA, migrate, require_current


async def test_migrations_make_exactly_the_tables_of_the_rows(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, METADATA))

    async with database.connection() as connection:
        assert await connection.run_sync(differences) == []


async def test_an_empty_database_is_refused_with_the_command_to_run(tmp_path: object) -> None:
    database = Database(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(SchemaOutdatedError, match="loa migrate"):
        await require_current(database)
    assert await migrate(database)
    await require_current(database)
    assert await migrate(database), "a second run changes nothing"
    await database.close()
