"""Bring the database's schema up to date, or say that it is not."""

from functools import cache
from importlib import resources
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlmodel import SQLModel

from bot.errors import SchemaOutdatedError
from bot.store import (
    accounts,
    announcements,
    api_keys,
    audit,
    books,
    broadcasts,
    cards,
    cases,
    contacts,
    credentials,
    desk_drafts,
    dossier_imports,
    dossier_notices,
    dossiers,
    files,
    follower_imports,
    health,
    inbox,
    joins,
    links,
    marks,
    messages,
    outbox,
    plans,
    procedures,
    processes,
    provider_templates,
    receptions,
    recipients,
    staff,
    tallies,
    units,
)
from bot.store.database import Database

TABLES = (
    accounts,
    announcements,
    api_keys,
    audit,
    books,
    broadcasts,
    cards,
    cases,
    contacts,
    credentials,
    desk_drafts,
    dossier_imports,
    dossier_notices,
    dossiers,
    files,
    follower_imports,
    health,
    inbox,
    joins,
    links,
    marks,
    messages,
    outbox,
    plans,
    procedures,
    processes,
    provider_templates,
    receptions,
    recipients,
    staff,
    tallies,
    units,
)
"""Every module that defines rows; importing them fills SQLModel.metadata."""
METADATA = SQLModel.metadata


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(str(resources.files("bot.store"))) / "migrations"))
    config.attributes["connection"] = connection
    return config


async def migrate(database: Database) -> str:
    """Apply every migration that is missing, in one transaction; returns the revision reached."""

    def upgrade(connection: Connection) -> str:
        command.upgrade(_config(connection), "head")
        return MigrationContext.configure(connection).get_current_revision() or ""

    async with database.connection() as connection:
        return await connection.run_sync(upgrade)


@cache
def newest() -> str | None:
    """Return the revision of this version's schema; the migrations are read once a process."""
    return ScriptDirectory.from_config(_config()).get_current_head()


async def require_current(database: Database) -> None:
    """Raise SchemaOutdatedError unless the database has the schema of this version."""
    wanted = newest()

    def current(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    async with database.connection() as connection:
        found = await connection.run_sync(current)
    if found != wanted:
        raise SchemaOutdatedError(
            f"database schema is {found or 'empty'}, this version needs {wanted}: run `loa migrate`"
        )
