"""Write webhooks down, all that wait in one durable transaction, on a connection of their own without the ORM.

Every webhook passes here, so the statements are plain SQL with parameters and the rows plain tuples.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache
from queue import SimpleQueue
from typing import Any, NamedTuple, Protocol

import asyncpg

from bot.clock import to_local
from bot.store.database import DATABASE_ERRORS, Database, sqlite_time

WRITE_ERRORS = (*DATABASE_ERRORS, sqlite3.OperationalError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What is raised when the database refuses, cannot be reached, or is busy for too long."""
CONTENT_ERRORS = (ValueError, OverflowError, asyncpg.DataError, sqlite3.DataError, sqlite3.InterfaceError)
"""What is raised when the database cannot hold what a webhook says; such a webhook must not stop the others."""

_TRIES = 5
_BUSY_SECONDS = 1.0
_CACHE = "cache_size=-32768"  # 32 MiB: the ends of three indexes stay in memory
_CONNECT_SECONDS = 2.0
_ROWS = 64
"""How many rows one statement of SQLite takes at most; each smaller number has a statement of its own."""
_NO_SETTINGS = {"prepared_statement_cache_size", "prepared_statement_name_func", "async_fallback", "async_creator_fn"}

_SQLITE_COLUMNS = (
    "provider, account, event, key, contact, raw, state, next_attempt_at, occurred_at, received_at, attempts, error"
)
_SQLITE_TALLY = (
    "INSERT INTO tallies (day, kind, source, number) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (day, kind, source) DO UPDATE SET number = number + excluded.number"
)
_POSTGRES = """
WITH stored AS (
  INSERT INTO inbox (provider, account, event, key, contact, raw, state, attempts, error,
                     next_attempt_at, occurred_at, received_at)
  SELECT provider, account, event, key, contact, raw, state, 0, '', received_at, occurred_at, received_at
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::text[],
              $8::timestamptz[], $9::timestamptz[])
       AS a (provider, account, event, key, contact, raw, state, occurred_at, received_at)
  ON CONFLICT DO NOTHING
  RETURNING 1
), counted AS (
  SELECT count(*) AS fresh FROM stored
), tallied AS (
  INSERT INTO tallies (day, kind, source, number)
  SELECT $10::date, kind, $11::text, number
  FROM counted, LATERAL (VALUES ('stored', fresh), ('duplicate', $12::bigint - fresh)) AS t (kind, number)
  WHERE number > 0
  ON CONFLICT (day, kind, source) DO UPDATE SET number = tallies.number + excluded.number
)
SELECT fresh FROM counted
"""


class Arrival(NamedTuple):
    """One verified webhook on its way into the table; `known` is False when its account is not set up."""

    provider: str
    account: str
    event: str
    key: str
    contact: str
    raw: bytes
    occurred_at: datetime
    received_at: datetime
    known: bool


class ArrivalWriter(Protocol):
    """Write arrivals; those stored already (same provider, account and key) are skipped and counted as duplicates."""

    async def write(self, arrivals: Sequence[Arrival]) -> int:
        """Return how many were new, once all are durable; raises WRITE_ERRORS or CONTENT_ERRORS.

        Cancelling may leave them written or not: whoever cancels keeps them elsewhere and writes them again.
        """

    async def close(self) -> None:
        """Close the connection."""


def writer(database: Database, source: str) -> ArrivalWriter:
    """Return the writer for a database; `source` names this process in the day's tallies."""
    return SQLiteWriter(database, source) if database.is_sqlite else PostgresWriter(database, source)


async def store_arrivals(database: Database, arrivals: Sequence[Arrival], source: str = "import") -> int:
    """Write arrivals over a connection opened for them alone; returns how many were new."""
    it = writer(database, source)
    try:
        return await it.write(arrivals)
    finally:
        await it.close()


def _by_day(arrivals: Sequence[Arrival]) -> Iterator[tuple[date, Sequence[Arrival]]]:
    """Split what came on both sides of a Vietnamese midnight: each day has a tally of its own."""
    first = to_local(min(a.received_at for a in arrivals)).date()
    if first == to_local(max(a.received_at for a in arrivals)).date():
        yield first, arrivals
        return
    days: dict[date, list[Arrival]] = {}
    for arrival in arrivals:
        days.setdefault(to_local(arrival.received_at).date(), []).append(arrival)
    yield from days.items()


class SQLiteWriter:
    """A thread with a connection: the loop goes on while the disk syncs.

    It takes the same turns as every other writer of this process, so that neither waits in SQLite's busy loop, where
    the luckier one starves the other.
    """

    def __init__(self, database: Database, source: str) -> None:
        self._database = database
        self._source = source
        self._work: SimpleQueue[tuple[Sequence[Arrival], asyncio.Future[int]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def write(self, arrivals: Sequence[Arrival]) -> int:
        """See ArrivalWriter."""
        if not arrivals:
            return 0
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="arrivals", daemon=True)
            self._thread.start()
        async with self._database.turn:
            done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            self._work.put((arrivals, done))
            return await done

    async def close(self) -> None:
        """See ArrivalWriter."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._work.put(None)
            await asyncio.to_thread(thread.join)

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        while (work := self._work.get()) is not None:
            arrivals, done = work
            if done.cancelled():
                continue
            try:
                connection = connection or self._connect()
                number = sum(self._insert(connection, day, part) for day, part in _by_day(arrivals))
            except Exception as error:  # noqa: BLE001 - it belongs to whoever waits, and the next must find a fresh connection
                if connection is not None:
                    with contextlib.suppress(sqlite3.Error):
                        connection.close()
                connection = None
                _hand_over(done, _failed, error)
            else:
                _hand_over(done, _succeeded, number)
        if connection is not None:
            connection.close()

    def _connect(self) -> sqlite3.Connection:
        path = self._database.url.split("///", 1)[-1]
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, cached_statements=2 * _ROWS)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", _CACHE):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _insert(self, connection: sqlite3.Connection, day: date, arrivals: Sequence[Arrival]) -> int:
        connection.execute("BEGIN IMMEDIATE")
        fresh = 0
        for start in range(0, len(arrivals), _ROWS):
            part = arrivals[start : start + _ROWS]
            values: list[object] = []
            for a in part:
                received = sqlite_time(a.received_at)
                state = "new" if a.known else "no_account"
                values += a[:6]
                values += (state, received, sqlite_time(a.occurred_at), received)
            fresh += connection.execute(_sqlite_insert(len(part)), values).rowcount
        for kind, number in (("stored", fresh), ("duplicate", len(arrivals) - fresh)):
            if number:
                connection.execute(_SQLITE_TALLY, (day.isoformat(), kind, self._source, number))
        connection.execute("COMMIT")
        return fresh


@lru_cache(_ROWS)
def _sqlite_insert(size: int) -> str:
    """Return the statement for so many rows: one step of the database for all, which also lets the loop run once."""
    rows = ",".join(["(?,?,?,?,?,?,?,?,?,?,0,'')"] * size)
    return f"INSERT INTO inbox ({_SQLITE_COLUMNS}) VALUES {rows} ON CONFLICT DO NOTHING"  # noqa: S608 - constants and question marks only


def _hand_over(done: asyncio.Future[int], tell: Callable[[Any, Any], None], outcome: Any) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
        done.get_loop().call_soon_threadsafe(tell, done, outcome)


def _succeeded(done: asyncio.Future[int], number: int) -> None:
    if not done.done():
        done.set_result(number)


def _failed(done: asyncio.Future[int], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)


class PostgresWriter:
    """One connection outside the pool; each batch is one statement and one round trip."""

    def __init__(self, database: Database, source: str) -> None:
        self._database = database
        self._source = source
        self._connection: Any = None

    async def write(self, arrivals: Sequence[Arrival]) -> int:
        """See ArrivalWriter."""
        return sum([await self._insert(day, part) for day, part in _by_day(arrivals)]) if arrivals else 0

    async def close(self) -> None:
        """See ArrivalWriter."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            try:
                await connection.close(timeout=_CONNECT_SECONDS)
            except (*WRITE_ERRORS, asyncio.CancelledError):
                connection.terminate()

    async def _insert(self, day: date, arrivals: Sequence[Arrival]) -> int:
        provider, account, event, key, contact, raw, occurred, received, known = zip(*arrivals, strict=True)
        state = ["new" if it else "no_account" for it in known]
        values = (provider, account, event, key, contact, raw, state, occurred, received)
        for tries in range(1, _TRIES + 1):
            try:
                return await self._fetch(_POSTGRES, *values, day, self._source, len(arrivals))
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                # Two processes hold the same repeats in different order; the other one has them now.
                if tries == _TRIES:
                    raise
        raise AssertionError

    async def _fetch(self, *what: Any) -> int:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
        try:
            return int(await self._connection.fetchval(*what))
        except (asyncpg.DataError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            raise
        except BaseException:
            # Cancelled, cut off or refused: what comes next must not wait for this connection to recover.
            self._connection.terminate()
            self._connection = None
            raise

    async def _connect(self) -> Any:
        engine = self._database.engine
        _, settings = engine.dialect.create_connect_args(engine.url)
        return await asyncpg.connect(
            **{name: value for name, value in settings.items() if name not in _NO_SETTINGS},
            timeout=_CONNECT_SECONDS,
            server_settings={"timezone": "UTC", "application_name": "loa arrivals"},
        )
