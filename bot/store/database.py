"""Open the database: SQLite with one writer and many readers, or PostgreSQL, behind the same two doors."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.util import await_only
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.store import sqlite_driver

Session = AsyncSession
"""What readers and unit of work hand out; rooms above the store name it so, without knowing SQLModel."""
Connection = AsyncConnection
"""A bare connection inside a transaction, named so for rooms above the store."""
DATABASE_ERRORS = (SQLAlchemyError, OSError, TimeoutError)
"""What is raised when the database refuses or cannot be reached."""

_CLOSING_SECONDS = 5.0
_open_transactions: ContextVar[int] = ContextVar("open_transactions", default=0)


def in_transaction() -> bool:
    """Say whether the running task holds a transaction: then it must not use the network (reliability R19)."""
    return _open_transactions.get() > 0


def sqlite_time(moment: datetime) -> str:
    """Return a time as SQLAlchemy keeps it in SQLite: UTC without an offset, always with microseconds."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(" ", "microseconds")[:26]


class Database:
    """Hold the engines of one process.

    SQLite allows one writer at a time: all writing goes through an engine with a single connection, so that tasks
    queue in the process instead of colliding in the file, and each transaction takes the write lock at its start
    (BEGIN IMMEDIATE) instead of failing half-way. With `bulk` the writer keeps more of the file in memory, and
    leaves it to `checkpoint` to bring what it has written from SQLite's log into its file.
    """

    def __init__(self, url: str, *, pool_size: int = 20, bulk: bool = False) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.turn = asyncio.Lock()
        """Held by whoever writes to SQLite in this process, first come, first served; PostgreSQL needs none."""
        self._writer = _sqlite_engine(url, bulk=bulk) if self.is_sqlite else _postgres_engine(url, pool_size)
        self._reader = _sqlite_engine(url, 4) if self.is_sqlite else self._writer
        if self.is_sqlite:
            _take_turns(self._writer, self.turn)
            _begin_with(self._reader, "BEGIN")
        self._users = 0
        self._unused = asyncio.Event()
        self._unused.set()

    @property
    def engine(self) -> AsyncEngine:
        """The engine that may write."""
        return self._writer

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """Give a session whose transaction is committed by whoever opened it; rolled back when left by an error."""
        with self._in_use():
            async with AsyncSession(self._writer, expire_on_commit=False) as session:
                yield session

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Give a session for reading only; nothing done in it is kept."""
        with self._in_use():
            async with AsyncSession(self._reader, expire_on_commit=False) as session:
                yield session

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """Give a bare connection inside a transaction, for multi-row statements; committed when left without error."""
        with self._in_use():
            async with self._writer.begin() as connection:
                yield connection

    async def checkpoint(self) -> None:
        """Bring what SQLite has in its log into its file, as far as nobody is held up; elsewhere nothing is to do."""
        if self.is_sqlite:
            await asyncio.to_thread(_checkpoint, self.url.split("///", 1)[-1])

    @contextlib.contextmanager
    def _in_use(self) -> Iterator[None]:
        token = _open_transactions.set(_open_transactions.get() + 1)
        self._users += 1
        self._unused.clear()
        try:
            yield
        finally:
            _open_transactions.reset(token)
            self._users -= 1
            if not self._users:
                self._unused.set()

    async def close(self) -> None:
        """Close every connection, once those in use are back; whoever keeps one for seconds is not waited for.

        A connection that comes back to an engine already closed is closed by nobody.
        """
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._unused.wait(), _CLOSING_SECONDS)
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()


_BULK = ("cache_size=-32768", "wal_autocheckpoint=0")
"""For who writes very much: 32 MiB of what its rows lie all over, and no other work while it holds the lock."""


def _sqlite_engine(url: str, size: int = 1, *, bulk: bool = False) -> AsyncEngine:
    path = url.split("///", 1)[-1]
    if path and ":memory:" not in path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        f"{sqlite_driver.NAME}:///{path}",
        poolclass=AsyncAdaptedQueuePool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=60,
        connect_args={"timeout": 30},
        hide_parameters=True,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        usual = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000")
        for pragma in (*usual, *(_BULK if bulk else ())):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def _checkpoint(path: str) -> None:
    # Whoever is at it already does it.
    with contextlib.closing(sqlite3.connect(path, timeout=0)) as connection, contextlib.suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _begin_with(engine: AsyncEngine, statement: str) -> None:
    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(statement)


def _take_turns(engine: AsyncEngine, turn: asyncio.Lock) -> None:
    """Hold the turn from the start of a transaction until its connection, the only one, is back in the pool."""
    held = False

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        nonlocal held
        if not held:
            await_only(turn.acquire())
            held = True
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine.sync_engine, "checkin")
    def _back(_connection: Any, _record: Any) -> None:
        nonlocal held
        if held:
            held = False
            turn.release()


_IDLE = {"idle_in_transaction_session_timeout": "60000"}
"""Milliseconds after which PostgreSQL ends what a process that stands still holds, or its locks would hold up all."""


def _postgres_engine(url: str, pool_size: int) -> AsyncEngine:
    rest = url.split("://", 1)[1]
    return create_async_engine(
        f"postgresql+asyncpg://{rest}",
        pool_size=pool_size,
        max_overflow=0,  # an overflowing connection is closed on return, and who is cancelled meanwhile leaves it open
        pool_timeout=30,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"server_settings": {"timezone": "UTC", "application_name": "loa", **_IDLE}},
    )
