"""Measure how long a list of 100 000 recipients takes to be checked, and turns of the conversation meanwhile."""

import asyncio
import re
import time

import aiohttp
from sqlmodel import col, select

from bot import config
from bot.passwords import hash_password
from bot.runtime import opened
from bot.store.database import Database
from bot.store.recipients import RecipientListRow
from bot.store.staff import StaffRoleRow, StaffRow
from tests.bench import service, turn
from tests.bench.harness import Figure, Options, Run, VoidError, benchmark, median
from tests.bench.service import Service
from tests.bot.sheets.files import large
from tests.console_client import Console

LINES = 100_000
_PASSWORD = "loa-bench-2026"
_WRITER = "head"
_TURNS = 10
_LIMIT = 120
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


async def _let_write(database: Database) -> None:
    """Give somebody a password and the right to upload lists."""
    async with database.writing() as session:
        person = (await session.exec(select(StaffRow).where(col(StaffRow.id) == _WRITER))).one()
        person.password = await hash_password(_PASSWORD)
        session.add(StaffRoleRow(staff_id=_WRITER, role="broadcaster", unit_id="commune"))
        await session.commit()


async def _upload(console: Console, data: bytes) -> str:
    """Upload a list as a browser does; returns its id."""
    csrf = _CSRF.search(await console.get("/announcements/lists"))
    assert csrf
    form = aiohttp.FormData({"csrf": csrf.group(1), "unit_id": "commune", "name": "Danh sách"})
    form.add_field("file", data, filename="ds.xlsx", content_type="application/octet-stream")
    address = f"{console.url}/announcements/lists"
    async with console.http.post(address, data=form, headers={"Origin": console.url}) as answer:
        if answer.status != 200:
            raise VoidError(f"the upload was answered {answer.status}")
        return answer.url.name


async def _settled(database: Database, list_id: str) -> RecipientListRow:
    async with asyncio.timeout(_LIMIT):
        while True:
            async with database.reading() as session:
                row = await session.get(RecipientListRow, list_id)
            if row is not None and row.state != "checking":
                return row
            await asyncio.sleep(0.05)


async def _once(it: Service, zalo: turn.Provider, database: Database, data: bytes, lines: int, run: int) -> Run:
    async with Console(it.url, f"{_WRITER}@thanhoai.example", _PASSWORD) as console:
        begun = time.perf_counter()
        list_id = await _upload(console, data)
        waiting = asyncio.create_task(_settled(database, list_id))
        taken: list[float] = []
        while not waiting.done():
            taken += await turn.turns(it, zalo, f"l{run}x{len(taken)}n", _TURNS)
        row = await waiting
        # The row tells when it was through: turns that were still under way then do not count as time of the check.
        assert row.checked_at is not None
        seconds = (row.checked_at - row.created_at).total_seconds()
    if (row.state, row.good) != ("ready", lines):
        raise VoidError(f"the list is {row.state}, {row.good} of {lines} lines are good")
    taken.sort()
    p95 = taken[len(taken) * 95 // 100]
    detail = {
        "lines": lines, "kilobytes": len(data) // 1000, "turns": len(taken),
        "turn_p50_ms": round(taken[len(taken) // 2] * 1e3, 1), "turn_p95_ms": round(p95 * 1e3, 1),
        "turn_worst_ms": round(taken[-1] * 1e3, 1), "with_upload_s": round(time.perf_counter() - begun, 2),
        "resident_mb": round(it.resident_mb()),
    }  # fmt: skip
    return Run(seconds, detail)


@benchmark("list.check.s")
async def check(options: Options) -> list[Figure]:
    """Upload lists to `loa serve` on SQLite while people write to its Official Account."""
    lines = options.scaled(LINES)
    data = await asyncio.to_thread(large, lines)
    async with turn.provider() as zalo:
        configuration, port, url = await service.prepared("sqlite", options, zalo.url, embedded=True)
        text = configuration.read_text()
        configuration.write_text(text.replace("[zalo]", "[zalo]\napp_per_minute = 0\noa_per_minute = 0"))
        async with opened(config.load(configuration)) as runtime:
            await _let_write(runtime.database)
        it, database = await service.launch(["bot", "serve"], configuration, port, url, all_cores=True), Database(url)
        try:
            await it.ready()
            await turn.turns(it, zalo, "w", 5)
            return [await median("list.check.s", "s", options, lambda n: _once(it, zalo, database, data, lines, n))]
        finally:
            await it.stop()
            await database.close()
