"""Speak to SQLite with one visit to the connection's thread for each statement, instead of four.

SQLAlchemy's own way makes a cursor, executes, fetches and closes in four hand-overs between threads. Each costs more
than a small statement itself, and an update is some ten statements.
"""

import sqlite3
from collections import deque
from typing import Any

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
    SQLiteDialect_aiosqlite,
)
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler

NAME = "sqlite+onevisit"
"""How an engine's address begins that uses this driver."""


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """Hold what one statement brought; nothing is left open on the connection."""

    __slots__ = ("_brought",)

    def __init__(self, adapt_connection: Any) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection  # noqa: SLF001 - the adapter's own kin
        self._rows = deque()
        self._brought: tuple[Any, int, int | None] = (None, -1, None)

    @property
    def description(self) -> Any:
        """The columns, or None when the statement gives no rows."""
        return self._brought[0]

    @property
    def rowcount(self) -> int:
        """How many rows the statement changed."""
        return self._brought[1]

    @property
    def lastrowid(self) -> int:
        """The id of the row inserted last."""
        return self._brought[2] or 0

    async def _execute_async(self, operation: Any, parameters: Any) -> Any:
        await self._visit(_execute, operation, () if parameters is None else parameters)

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> Any:
        await self._visit(_execute_many, operation, seq_of_parameters)

    async def _visit(self, act: Any, operation: Any, parameters: Any) -> None:
        connection: Any = self._connection
        async with self._adapt_connection._execute_mutex:  # noqa: SLF001 - the adapter's own kin
            *brought, rows = await connection._execute(act, connection, operation, parameters)  # noqa: SLF001 - aiosqlite has no public way to run a function in its thread
        self._brought = (brought[0], brought[1], brought[2])
        self._rows = deque(rows)

    async def _async_soft_close(self) -> None:
        """Nothing is open."""

    def close(self) -> None:
        """Forget the rows."""
        self._rows.clear()


def _execute(connection: Any, operation: str, parameters: Any) -> tuple[Any, int, int | None, list[Any]]:
    cursor: sqlite3.Cursor = connection._conn.cursor()  # noqa: SLF001 - the connection that the thread owns
    try:
        cursor.execute(operation, parameters)
        rows = cursor.fetchall() if cursor.description else []
        return cursor.description, cursor.rowcount, cursor.lastrowid, rows
    finally:
        cursor.close()


def _execute_many(connection: Any, operation: str, parameters: Any) -> tuple[Any, int, int | None, list[Any]]:
    cursor: sqlite3.Cursor = connection._conn.cursor()  # noqa: SLF001 - the connection that the thread owns
    try:
        cursor.executemany(operation, parameters)
        return cursor.description, cursor.rowcount, cursor.lastrowid, []
    finally:
        cursor.close()


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()
    _cursor_cls = _Cursor


class _Driver(AsyncAdapt_aiosqlite_dbapi):
    def connect(self, *arg: Any, **kw: Any) -> AsyncAdapt_aiosqlite_connection:
        connection: Any = super().connect(*arg, **kw)
        return _Connection(self, connection._connection)  # noqa: SLF001 - wrapped anew with the cursor above


class _Compiler(SQLiteCompiler):
    """Pass on which index a table is to be read by: SQLite guesses without having counted what tables hold."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        return text


class OneVisitDialect(SQLiteDialect_aiosqlite):
    """SQLAlchemy's dialect for aiosqlite with the cursor above."""

    driver = "onevisit"
    statement_compiler = _Compiler
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> AsyncAdapt_aiosqlite_dbapi:
        """Return the driver."""
        import aiosqlite

        return _Driver(aiosqlite, sqlite3)


registry.register("sqlite.onevisit", __name__, "OneVisitDialect")
