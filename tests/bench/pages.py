"""Measure the console's pages with 100 000 cases and 1 000 000 messages kept: one reader, one page after another."""

import contextlib
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from sqlalchemy import insert
from sqlmodel import col, select

from bot import config
from bot.domain.case import CODE_ALPHABET, CODE_LENGTH, CODE_PREFIX
from bot.passwords import hash_password
from bot.runtime import opened
from bot.store.accounts import AccountRow
from bot.store.cases import CaseRow
from bot.store.contacts import ContactRow
from bot.store.database import Database
from bot.store.messages import MessageRow
from bot.store.staff import StaffRow
from tests.bench import service
from tests.bench.harness import Figure, Options, Run, VoidError, benchmark, median
from tests.bench.service import Service
from tests.bot.store.seed import NOW
from tests.console_client import Console

_CASES, _MESSAGES_EACH, _CONTACTS, _OPEN_EVERY = 100_000, 10, 20_000, 40
_REQUESTS, _BATCH = 60, 10_000
_PASSWORD = "loa-bench-2026"
_READER = "head"
_WORDS = ("Đèn đường hỏng", "Rác chưa thu gom", "Mất nước sạch", "Ổ gà trước trường học", "Loa phát thanh quá to")
_PAGES = {
    "inbox": "/",
    "all": "/?view=all",
    "search": "/?view=all&q=den+duong+kim+lam",
    "rare": "/?view=all&q=so+{last}",
    "code": "/?view=all&q={code}",
    "case": "/cases/{case}",
    "health": "/health",
}


def _code(n: int) -> str:
    """Return the public code with this number."""
    signs = len(CODE_ALPHABET)
    return CODE_PREFIX + "".join(CODE_ALPHABET[n // signs**power % signs] for power in reversed(range(CODE_LENGTH)))


def _case(n: int) -> dict[str, Any]:
    is_open, words = n % _OPEN_EVERY == 0, f"{_WORDS[n % len(_WORDS)]} gần nhà văn hoá thôn Kim Lâm, số {n}"
    opened_at = NOW - timedelta(minutes=20 * n)
    return {
        "id": f"B{n:025d}", "code": _code(n), "contact_id": f"C{n % _CONTACTS:025d}", "text": words,
        "text_hash": f"{n:064x}", "search": f"den duong hong kim lam so {n}" if n % 5 == 0 else f"so {n}",
        "state": "in_progress" if is_open else "closed", "created_at": opened_at, "opened_at": opened_at,
        "clock_from": opened_at, "due_at": opened_at + timedelta(days=7), "updated_at": opened_at,
        "closed_at": None if is_open else opened_at + timedelta(days=3),
    }  # fmt: skip


def _message(n: int) -> dict[str, Any]:
    case = n // _MESSAGES_EACH
    return {
        "id": f"M{n:025d}", "contact_id": f"C{case % _CONTACTS:025d}", "case_id": f"B{case:025d}",
        "direction": "in" if n % 2 else "out", "author": "citizen" if n % 2 else "bot", "provider_id": f"{n:032x}",
        "occurred_at": NOW - timedelta(minutes=20 * case - n % _MESSAGES_EACH),
    }  # fmt: skip


async def _insert(database: Database, table: Any, same: dict[str, Any], rows: range, vary: Any) -> None:
    for first in range(rows.start, rows.stop, _BATCH):
        batch = [same | vary(n) for n in range(first, min(first + _BATCH, rows.stop))]
        async with database.connection() as connection:
            await connection.execute(insert(table), batch)


async def _fill(database: Database, cases: int) -> None:
    """Put in contacts, cases and messages, as a large commune has them after years: one case in 40 is open."""
    async with database.writing() as session:
        account = (await session.exec(select(AccountRow).where(AccountRow.provider == "zalo"))).one()
        reader = (await session.exec(select(StaffRow).where(col(StaffRow.id) == _READER))).one()
        reader.password = await hash_password(_PASSWORD)
        await session.commit()
    contact = ContactRow(id="", account_id=account.id, external_id="", name="Công dân", created_at=NOW).model_dump()
    case = CaseRow(
        id="", code="", account_id=account.id, contact_id="", unit_id="economy", path="/commune/economy/",
        category_id="dien-nuoc", text="", text_hash="", created_at=NOW, opened_at=NOW, clock_from=NOW, budget=144_000,
        updated_at=NOW,
    ).model_dump()  # fmt: skip
    message = MessageRow(
        id="", account_id=account.id, contact_id="", direction="in", author="citizen", occurred_at=NOW,
        text="Phản ánh của ông/bà đã được tiếp nhận, xin cảm ơn.",
    ).model_dump()  # fmt: skip
    named = lambda n: {"id": f"C{n:025d}", "external_id": f"{4_000_000_000_000 + n}"}  # noqa: E731 - a row, by its number
    await _insert(database, ContactRow, contact, range(_CONTACTS), named)
    await _insert(database, CaseRow, case, range(cases), _case)
    await _insert(database, MessageRow, message, range(cases * _MESSAGES_EACH), _message)


@contextlib.asynccontextmanager
async def _filled(kind: str, options: Options, cases: int) -> AsyncIterator[Service]:
    configuration, port, url = await service.prepared(kind, options, "http://127.0.0.1:1", embedded=True)
    async with opened(config.load(configuration)) as runtime:
        await _fill(runtime.database, cases)
    it = await service.launch(["bot", "serve"], configuration, port, url)
    try:
        await it.ready()
        yield it
    finally:
        await it.stop()


async def _page(console: Console, path: str, requests: int, **kept: int) -> Run:
    taken = []
    for _ in range(requests):
        begun = time.perf_counter()
        async with console.http.get(f"{console.url}{path}") as answer:
            body = await answer.read()
        taken.append(time.perf_counter() - begun)
        if answer.status != 200:
            raise VoidError(f"{path} was answered {answer.status}")
    taken.sort()
    detail: dict[str, object] = {
        "requests": requests,
        "p50_ms": round(taken[requests // 2] * 1e3, 1),
        "kilobytes": len(body) // 1000,
        **kept,
    }
    return Run(taken[requests * 95 // 100] * 1e3, detail)


async def _measured(kind: str, options: Options) -> list[Figure]:
    cases, requests = options.scaled(_CASES), options.scaled(_REQUESTS, 10)
    kept, figures = {"cases": cases, "messages": cases * _MESSAGES_EACH}, []
    async with (
        _filled(kind, options, cases) as it,
        Console(it.url, f"{_READER}@thanhoai.example", _PASSWORD) as console,
    ):
        for name, form in _PAGES.items():
            path = form.format(last=cases - 1, code=_code(cases - 1), case=f"B{0:025d}")
            await _page(console, path, 5)
            figure = await median(
                f"page.{kind}.{name}.p95_ms", "ms", options, lambda _, path=path: _page(console, path, requests, **kept)  # type: ignore[misc] # a default keeps the loop's value
            )  # fmt: skip
            figures.append(figure)
    return figures


@benchmark(*(f"page.sqlite.{name}.p95_ms" for name in _PAGES))
async def sqlite(options: Options) -> list[Figure]:
    """Read the pages of `loa serve` on SQLite."""
    return await _measured("sqlite", options)


@benchmark(*(f"page.postgres.{name}.p95_ms" for name in _PAGES))
async def postgres(options: Options) -> list[Figure]:
    """Read the pages of `loa serve` on PostgreSQL."""
    return await _measured("postgres", options)
