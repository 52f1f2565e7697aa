"""Write very many rows of dossiers at once, and look for what is known of them while none has been counted yet."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from operator import itemgetter
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


class Gathered:
    """New rows of one table, each turned at once into what the database keeps, so that writing them takes little.

    An import writes hundreds of thousands of them while people wait for answers: both ways take a third of the time
    that SQLAlchemy's own take. Each has the same columns, all that have no default among them.
    """

    def __init__(self, table: type[SQLModel], *, sqlite: bool) -> None:
        self._table, self._sqlite = str(table.__tablename__), sqlite
        self._form_of = (_KEPT if sqlite else _COPIED).get
        self._columns: tuple[str, ...] = ()
        self._rows: list[tuple[Any, ...]] = []

    def add(self, row: Mapping[str, Any]) -> None:
        """Take a row."""
        if not self._columns:
            self._columns = tuple(row)
            self._values = itemgetter(*self._columns)
        of = self._form_of
        self._rows.append(tuple([form(value) if (form := of(type(value))) else value for value in self._values(row)]))

    async def write(self, session: AsyncSession) -> None:
        """Write them."""
        connection = await session.connection()
        if not self._sqlite and self._rows:
            await _copied(connection, self._table, list(self._columns), self._rows)
            return
        whole = len(self._rows) - len(self._rows) % _BLOCK
        blocks = [tuple(chain.from_iterable(self._rows[at : at + _BLOCK])) for at in range(0, whole, _BLOCK)]
        for number, rows in ((_BLOCK, blocks), (1, self._rows[whole:])):
            if rows:
                await connection.exec_driver_sql(_insert(self._table, self._columns, number), rows)


async def is_sqlite(session: AsyncSession) -> bool:
    """Say for which database rows are gathered."""
    return (await session.connection()).dialect.name == "sqlite"


async def add(session: AsyncSession, table: type[SQLModel], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write many new rows of one table at once."""
    gathered = Gathered(table, sqlite=await is_sqlite(session))
    for row in rows:
        gathered.add(row)
    await gathered.write(session)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


_BLOCK = 125
"""Rows that one statement of SQLite takes: it is kept, and of no other size but one."""
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
    """Return SQLite's statement for so many rows: it takes them in one step, during which the loop goes on."""
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
