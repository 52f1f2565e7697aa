"""Write very many rows of dossiers at once, and look for what is known of them while none has been counted yet."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any

import orjson
from sqlalchemy import bindparam, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store.database import sqlite_time

_WRITERS = 0x105D055
"""The number by which writers of dossiers know each other in PostgreSQL."""


async def one_writer(session: AsyncSession) -> None:
    """Let nobody else write dossiers until this transaction ends, so that no code is made twice.

    SQLite has one writer anyway.
    """
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _WRITERS})


async def by_keys(session: AsyncSession) -> None:
    """Have PostgreSQL find dossiers and their events by their keys until this transaction ends.

    In the middle of a first import it has not counted yet what the tables hold, and would read all of it each time.
    """
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        await connection.execute(_BY_KEYS)


_BY_KEYS = text("SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)")
"""Whatever reads a whole table all the same must not be compiled first because that looks dear now."""


async def add(session: AsyncSession, table: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
    """Write many new rows of one table at once; each has the same columns, all that have no default among them.

    An import writes hundreds of thousands of them while people wait for answers: both ways take a third of the time
    that SQLAlchemy's own take.
    """
    if not rows:
        return
    connection = await session.connection()
    name, columns = str(table.__tablename__), list(rows[0])
    sqlite = connection.dialect.name == "sqlite"
    forms = _KEPT if sqlite else _COPIED
    kept = [
        tuple([forms[type(value)](value) if type(value) in forms else value for value in [row[c] for c in columns]])
        for row in rows
    ]
    if not sqlite:
        await _copied(connection, name, columns, kept)
        return
    for start in range(0, len(kept), _BLOCK):
        block = kept[start : start + _BLOCK]
        await connection.exec_driver_sql(_insert(name, tuple(columns), len(block)), tuple(chain.from_iterable(block)))


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


_BLOCK = 250
"""Rows that one statement of SQLite takes."""
_KEPT: dict[type, Callable[[Any], Any]] = {datetime: sqlite_time, dict: _json, list: _json}
"""How values are kept in SQLite."""
_COPIED: dict[type, Callable[[Any], Any]] = {dict: _json, list: _json}
"""How they are handed to PostgreSQL."""


async def _copied(connection: AsyncConnection, table: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    """Have PostgreSQL copy rows in, as a part of this transaction."""
    import asyncpg

    driver: Any = (await connection.get_raw_connection()).driver_connection
    if not driver.is_in_transaction():  # SQLAlchemy begins it with the first statement of its own
        await connection.execute(text("SELECT 1"))
    try:
        await driver.copy_records_to_table(table, records=rows, columns=columns)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DBAPIError(f"COPY {table}", None, error, hide_parameters=True) from error


@lru_cache(16)
def _insert(table: str, columns: tuple[str, ...], rows: int) -> str:
    """Return SQLite's statement for so many rows: one step for all of them, during which the loop goes on."""
    places = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([places] * rows)}"  # noqa: S608 - our own names


async def change(session: AsyncSession, table: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
    """Change many rows of one table at once, each named by its `id`; each has the same columns."""
    if not rows:
        return
    columns = [name for name in rows[0] if name != "id"]
    table_ = table.metadata.tables[str(table.__tablename__)]
    statement = update(table_).where(table_.c.id == bindparam("row_id"))
    statement = statement.values({name: bindparam(name) for name in columns})
    connection = await session.connection()
    await connection.execute(statement, [{**{n: row[n] for n in columns}, "row_id": row["id"]} for row in rows])
