"""Measure how many bytes a row takes with its indexes, and how long the books of a million rows take to check."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text
from sqlmodel import SQLModel

from bot.clock import first_id, new_id, to_local
from bot.reconcile import reconcile
from bot.store import tallies
from bot.store.broadcasts import DeliveryRow
from bot.store.database import Database
from bot.store.inbox import InboxRow
from bot.store.messages import MessageRow
from bot.store.outbox import OutboxRow
from tests.bench import service
from tests.bench.harness import Figure, Options, Run, VoidError, benchmark, median
from tests.bot.store.seed import NOW, account_and_contacts

_ROWS = 50_000
_BOOKS = 1_000_000
_BATCH = 10_000
_EVENT = Path(__file__).parents[1] / "payloads" / "zalo" / "events" / "user_send_text.json"
_WORDS = "Phản ánh của ông/bà đã được tiếp nhận, mã 7K3M-92. Xin cảm ơn, chúng tôi sẽ trả lời trong 3 ngày làm việc. "
Vary = Callable[[int], dict[str, Any]]


def _update(n: int) -> dict[str, Any]:
    return {"id": n + 1, "key": f"user_send_text:{n:032x}", "contact": f"{3333444455556666777 + n % 5000}"}


def _message(n: int) -> dict[str, Any]:
    return {"id": f"{first_id(NOW)[:10]}{n:016d}", "provider_id": f"{n:032x}"}


def _delivery(n: int) -> dict[str, Any]:
    return {
        "n": n, "recipient": new_id(), "address": f"{3333444455556666777 + n}", "provider_id": f"{n:032x}",
    }  # fmt: skip


_SENT: dict[str, Any] = {"sending_at": NOW, "sent_at": NOW, "delivered_at": NOW}
_KINDS: dict[str, tuple[SQLModel, Vary]] = {
    "inbox": (
        InboxRow(
            provider="zalo", account="2222333344445555666", event="user_send_text", key="", contact="",
            raw=_EVENT.read_bytes(), state="handled", attempts=1, next_attempt_at=NOW, occurred_at=NOW,
            received_at=NOW, handled_at=NOW,
        ),
        _update,
    ),
    "outbox": (
        OutboxRow(
            id="", account_id="account", contact_id="contact0", purpose="report_received", lane=0,
            body={"text": _WORDS, "buttons": [], "media": None}, text=_WORDS, state="delivered", attempts=1,
            next_attempt_at=NOW, created_at=NOW, **_SENT,
        ),
        _message,
    ),
    "messages": (
        MessageRow(
            id="", account_id="account", contact_id="contact0", direction="out", author="bot", text=_WORDS,
            occurred_at=NOW,
        ),
        _message,
    ),
    "deliveries": (
        DeliveryRow(broadcast_id=1, n=0, recipient="", address="", state="delivered", attempts=1, part=1, **_SENT),
        _delivery,
    ),
}  # fmt: skip


async def _fill(database: Database, table: str, number: int) -> None:
    row, vary = _KINDS[table]
    same = row.model_dump()
    for start in range(0, number, _BATCH):
        rows = [same | vary(n) for n in range(start, min(start + _BATCH, number))]
        async with database.connection() as connection:
            await connection.execute(insert(type(row)), rows)


async def _bytes(database: Database, table: str) -> int:
    """Return what a table and its indexes take on PostgreSQL, or the whole file on SQLite."""
    size = f"SELECT pg_total_relation_size('{table}')"
    if database.is_sqlite:
        size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    async with database.connection() as connection:
        return int((await connection.execute(text(size))).scalar_one())


async def _row_sizes(kind: str, options: Options) -> list[Figure]:
    number, figures = options.scaled(_ROWS), []
    for table in _KINDS:
        folder = options.folder / f"size-{kind}-{table}"
        folder.mkdir()
        database = Database(await service.database_of(kind, folder))
        try:
            await account_and_contacts(database)
            before = await _bytes(database, table)
            await _fill(database, table, number)
            grown = await _bytes(database, table) - before
        finally:
            await database.close()
        figures.append(Figure(f"size.{kind}.{table}.bytes", round(grown / number), "B/row", 1, {"rows": number}))
    return figures


@benchmark(*(f"size.{kind}.{table}.bytes" for kind in ("sqlite", "postgres") for table in _KINDS))
async def sizes(options: Options) -> list[Figure]:
    """Fill each large table with rows like real ones in their final state, and divide its growth by their number."""
    return [*await _row_sizes("sqlite", options), *await _row_sizes("postgres", options)]


async def _books(kind: str, options: Options, number: int) -> Run:
    folder = options.folder / f"books-{kind}-{number}"
    folder.mkdir()
    database = Database(await service.database_of(kind, folder))
    rows = options.scaled(_BOOKS)
    try:
        await account_and_contacts(database)
        for table in ("inbox", "outbox", "messages"):
            await _fill(database, table, rows)
        async with database.connection() as connection:
            await tallies.add(connection, "stored", NOW, "bench", rows)
        day = to_local(NOW).date()
        begun = time.perf_counter()
        found = await reconcile(database, [day - timedelta(days=1), day], datetime.now(UTC))
        seconds = time.perf_counter() - begun
    finally:
        await database.close()
    if not found.add_up or [line.total for line in found.accounts] != [rows, rows]:
        raise VoidError("the books do not hold what was put into them")
    return Run(seconds, {"updates": rows, "messages": rows})


@benchmark("reconcile.sqlite.s", "reconcile.postgres.s")
async def books(options: Options) -> list[Figure]:
    """Check the books of two days, one of them with a million updates and a million messages."""
    return [
        await median(f"reconcile.{kind}.s", "s", options, lambda number, kind=kind: _books(kind, options, number))  # type: ignore[misc] # a default keeps the loop's value
        for kind in ("sqlite", "postgres")
    ]
