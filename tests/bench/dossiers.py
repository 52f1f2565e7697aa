"""Measure an import of 200 000 dossiers while people write to the service, the same file again, and look-ups."""

import asyncio
import re
import time
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median as middle

import aiohttp
from sqlalchemy import text
from sqlmodel import col, select

from bot import config
from bot.domain.dossier_code import squeezed
from bot.passwords import hash_password
from bot.runtime import Runtime, opened
from bot.sheets.streaming import Streaming
from bot.store import dossier_lookup
from bot.store.contacts import ContactRow
from bot.store.database import Database, Session
from bot.store.dossier_imports import DossierImportRow
from bot.store.staff import StaffRoleRow, StaffRow
from tests.bench import send, service, turn
from tests.bench.harness import Figure, Options, VoidError, benchmark
from tests.bench.service import Service
from tests.console_client import Console

ROWS = 200_000
MANY = 2_000_000
_HOME = "/dossiers/imports"
_PASSWORD = "loa-bench-2026"
_WORKER = "head"
_TURNS = 5
_LIMIT = 300
_LOOKS = 200
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_HEADER = (
    "STT", "Mã hồ sơ", "Mã thủ tục", "Tên thủ tục", "Lĩnh vực", "Chủ hồ sơ", "Số điện thoại", "Địa chỉ",
    "Ngày tiếp nhận", "Ngày hẹn trả", "Ngày có kết quả", "Ngày trả kết quả", "Trạng thái", "Ngày cập nhật",
    "Hình thức nộp", "Cơ quan", "Mã đơn vị", "Lệ phí", "Người xử lý", "Ghi chú",
)  # fmt: skip


def export(rows: int, other: str = "") -> bytes:
    """Return an export of twenty columns and so many dossiers; `other` is the fee of the last of them, where given."""
    book, began = Streaming("Hồ sơ", _HEADER), datetime(2026, 1, 1, 8)  # noqa: DTZ001 - as a one-stop system writes it
    return book.add([_row(n, began, other if n == rows - 1 else "") for n in range(rows)]) + book.close()


def _row(n: int, began: datetime, note: str) -> list[str]:
    at = began + timedelta(minutes=2 * n)
    day = [(at + timedelta(days=days)).strftime("%d/%m/%Y %H:%M") for days in range(8)]
    status = ("Đang xử lý", "Đã xử lý xong", "Đã trả kết quả", "Đã trả kết quả")[n % 4]
    finished, returned = day[5] if n % 4 else "", day[6] if n % 4 > 1 else ""
    return [
        str(n + 1), f"000.00.01.H26-{at:%y%m%d}-{n:06d}", f"1.{n % 300:06d}", f"Thủ tục số {n % 300}",
        f"Lĩnh vực {n % 20}", f"Nguyễn Văn Mẫu {n}", f"09{n:08d}", f"Thôn {n % 30}", day[0], day[7], finished, returned,
        status, returned or finished or day[1], ("Trực tuyến", "Trực tiếp")[n % 2], "UBND xã Thanh Oai", "10183",
        note or "15.000", "Cán bộ Mẫu", "",
    ]  # fmt: skip


async def _let_work(database: Database) -> None:
    async with database.writing() as session:
        person = (await session.exec(select(StaffRow).where(col(StaffRow.id) == _WORKER))).one()
        person.password = await hash_password(_PASSWORD)
        session.add(StaffRoleRow(staff_id=_WORKER, role="official", unit_id="commune"))
        await session.commit()


class _Memory:
    """Watch how much memory the service and the processes that it starts take at most, in MiB.

    `service` is what it has resident. Of all together, and of the others, it is the share of each page that is theirs:
    three interpreters of one program have their libraries once.
    """

    def __init__(self, it: Service) -> None:
        self._it = it
        self.service = self.others = self.all = 0.0

    async def watch(self) -> None:
        """Look several times a second until cancelled."""
        while True:
            others = sum(map(_share_mb, _children(self._it.process.pid)))
            self.service, self.others = max(self.service, self._it.resident_mb()), max(self.others, others)
            self.all = max(self.all, _share_mb(self._it.process.pid) + others)
            await asyncio.sleep(0.2)


def _share_mb(process: int) -> float:
    with suppress(OSError):
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)
    return 0.0


def _children(parent: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError, ValueError, IndexError):
            if folder.name.isdigit() and int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(folder.name))
    return found


async def _upload(console: Console, data: bytes) -> str:
    csrf = _CSRF.search(await console.get(_HOME))
    assert csrf
    form = aiohttp.FormData({"csrf": csrf.group(1), "unit_id": "commune"})
    form.add_field("file", data, filename="xuat.xlsx", content_type="application/octet-stream")
    async with console.http.post(f"{console.url}{_HOME}", data=form, headers={"Origin": console.url}) as answer:
        if answer.status != 200:
            raise VoidError(f"the upload was answered {answer.status}")
        return answer.url.name


async def _confirm(console: Console, import_id: str) -> None:
    csrf = _CSRF.search(await console.get(f"{_HOME}/{import_id}"))
    assert csrf
    form = {"csrf": csrf.group(1), "nonetheless": "yes"}
    address = f"{console.url}{_HOME}/{import_id}/confirm"
    async with console.http.post(address, data=form, headers={"Origin": console.url}) as answer:
        if answer.status != 200:
            raise VoidError(f"the confirmation was answered {answer.status}")


async def _until(database: Database, import_id: str, *states: str) -> DossierImportRow:
    async with asyncio.timeout(_LIMIT):
        while True:
            async with database.reading() as session:
                row = await session.get(DossierImportRow, import_id)
            if row is not None and row.state in states:
                return row
            await asyncio.sleep(0.05)


async def _imported(console: Console, database: Database, data: bytes) -> tuple[float, DossierImportRow]:
    """Upload a file and confirm it at once; returns the seconds from the upload to its end."""
    begun = time.perf_counter()
    import_id = await _upload(console, data)
    row = await _until(database, import_id, "ready", "applied", "refused")
    if row.state == "ready":
        await _confirm(console, import_id)
        row = await _until(database, import_id, "applied", "refused")
    if row.state != "applied":
        raise VoidError(f"the import is {row.state}: {row.problems}")
    return time.perf_counter() - begun, row


@benchmark(
    "dossier.import.sqlite.s", "dossier.import.postgres.s", "dossier.reimport.sqlite.s", "dossier.reimport.postgres.s"
)
async def bring_in(options: Options) -> list[Figure]:
    """Upload an export to `loa serve` and confirm it while people write to its account, then upload it again."""
    rows = options.scaled(ROWS)
    data, other = await asyncio.to_thread(export, rows), await asyncio.to_thread(export, rows, "16.000")
    return [each for kind in ("sqlite", "postgres") for each in await _brought(kind, options, rows, data, other)]


async def _brought(kind: str, options: Options, rows: int, data: bytes, other: bytes) -> list[Figure]:
    async with turn.provider() as zalo:
        configuration, port, url = await service.prepared(kind, options, zalo.url, embedded=True)
        words = configuration.read_text()
        configuration.write_text(words.replace("[zalo]", "[zalo]\napp_per_minute = 0\noa_per_minute = 0"))
        async with opened(config.load(configuration)) as runtime:
            await _let_work(runtime.database)
        it, database = await service.launch(["bot", "serve"], configuration, port, url, all_cores=True), Database(url)
        memory = _Memory(it)
        try:
            await it.ready()
            await turn.turns(it, zalo, "w", 5)
            watching = asyncio.create_task(memory.watch())
            async with Console(it.url, f"{_WORKER}@thanhoai.example", _PASSWORD) as console:
                bringing = asyncio.create_task(_imported(console, database, data))
                taken: list[float] = []
                while not bringing.done():
                    taken += await turn.turns(it, zalo, f"d{len(taken)}n", _TURNS)
                seconds, row = await bringing
                if row.figures["done_new"] != rows:
                    raise VoidError(f"{row.figures['done_new']} of {rows} are in")
                again, _ = await _imported(console, database, data)
                touched, changed = await _imported(console, database, other)
            watching.cancel()
        finally:
            await it.stop()
            await database.close()
    taken.sort()
    assert row.read_at is not None
    assert row.applied_at is not None
    detail = {
        "rows": rows, "kilobytes": len(data) // 1000,
        "compared_s": round((row.read_at - row.created_at).total_seconds(), 1),
        "applied_s": round((row.applied_at - row.read_at).total_seconds(), 1), "turns": len(taken),
        "turn_p50_ms": round(taken[len(taken) // 2] * 1e3, 1),
        "turn_p95_ms": round(taken[len(taken) * 95 // 100] * 1e3, 1), "turn_worst_ms": round(taken[-1] * 1e3, 1),
        "service_mb": round(memory.service), "others_mb": round(memory.others), "all_mb": round(memory.all),
    }  # fmt: skip
    one_more = {"one_row_other_s": round(touched, 2), "changed": changed.figures["done_changed"]}
    return [
        Figure(f"dossier.import.{kind}.s", round(seconds, 2), "s", 1, detail),
        Figure(f"dossier.reimport.{kind}.s", round(again, 2), "s", 1, {"rows": rows, **one_more}),
    ]


@benchmark(
    "dossier.lookup.sqlite_ms", "dossier.lookup.postgres_ms", "dossier.mine.sqlite_ms", "dossier.mine.postgres_ms"
)
async def look_up(options: Options) -> list[Figure]:
    """Look dossiers up by code in every form, and those of a person, among two million."""
    return [each for kind in ("sqlite", "postgres") for each in await _looked_up(kind, options)]


_PEOPLE = 400_000
_MANY_ROWS = """
INSERT INTO dossiers (id, code, squeezed, tail, unit_id, path, procedure_code, procedure_name, field, status, status_at,
  received_at, due_at, first_due_at, finished_at, outcome, facts, pauses, odd, phone_hash, person_key, rating_remark,
  late_cause, source, created_at, updated_at)
WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {most})
SELECT 'D' || {n10}, '000.00.01.H26-260101-' || {n7}, '0000001H26260101' || {n7}, CAST(n AS TEXT), 'commune',
  '/commune/', '1.000001', 'Thủ tục', 'Lĩnh vực', 10, {at}, {at}, {at}, {at}, {at}, 'on_time', '{{}}', '[]', '[]',
  'H' || {phone}, '', '', '', 'import:bench', {at}, {at} FROM numbers
"""


def _statement(kind: str, most: int) -> str:
    if kind == "sqlite":
        at = "strftime('%Y-%m-%d %H:%M:%f000', '2026-01-01', '+' || (n % 500000) || ' minutes')"
        padded = {"n10": "printf('%010d', n)", "n7": "printf('%07d', n)", "phone": f"(n % {_PEOPLE})"}
    else:
        at = "timestamptz '2026-01-01 00:00+00' + (n % 500000) * interval '1 minute'"
        padded = {"n10": "lpad(n::text, 10, '0')", "n7": "lpad(n::text, 7, '0')", "phone": f"(n % {_PEOPLE})"}
    return _MANY_ROWS.format(most=most, at=at, **padded)


async def _looked_up(kind: str, options: Options) -> list[Figure]:
    most = options.scaled(MANY)
    configuration, _, _ = await service.prepared(kind, options, "http://127.0.0.1:9", embedded=True)
    async with opened(config.load(configuration)) as runtime:
        await send.people(runtime, 10)
        async with runtime.units_of_work() as uow:
            await uow.session.exec(text(_statement(kind, most)))  # type: ignore[call-overload] # plain SQL
            contact = (await uow.session.exec(select(ContactRow).limit(1))).one()
            contact.phone_hash = "H77"
        async with runtime.database.connection() as connection:
            await connection.exec_driver_sql("ANALYZE")
        return await _timed(runtime, kind, most, contact)


async def _timed(runtime: Runtime, kind: str, most: int, contact: ContactRow) -> list[Figure]:
    numbers = [7919 * n % most for n in range(1, _LOOKS + 1)]
    codes = [f"000.00.01.H26-260101-{n:07d}" for n in numbers]
    async with runtime.database.reading() as session:
        code = [await _seconds(dossier_lookup.by_code(session, each, "/commune/")) for each in codes]
        bare = [await _seconds(dossier_lookup.by_squeezed(session, [squeezed(each)], "/commune/")) for each in codes]
        tail = [await _seconds(dossier_lookup.by_tail(session, str(n), "/commune/", 5)) for n in numbers]
        mine = [await _seconds(_mine(session, contact)) for _ in codes]
    detail = {
        "dossiers": most, "squeezed_ms": round(middle(bare) * 1e3, 2), "tail_ms": round(middle(tail) * 1e3, 2),
        "worst_ms": round(max(*code, *bare, *tail) * 1e3, 2),
    }  # fmt: skip
    return [
        Figure(f"dossier.lookup.{kind}_ms", round(middle(code) * 1e3, 2), "ms", _LOOKS, detail),
        Figure(f"dossier.mine.{kind}_ms", round(middle(mine) * 1e3, 2), "ms", _LOOKS, {"worst_ms": max(mine) * 1e3}),
    ]


async def _mine(session: Session, contact: ContactRow) -> object:
    found = await dossier_lookup.of_contact(session, contact, 10)
    if not found:
        raise VoidError("nobody's dossiers")
    return found


async def _seconds(looking: object) -> float:
    begun = time.perf_counter()
    found = await looking  # type: ignore[misc] # a coroutine of any kind
    if not found:
        raise VoidError("not found")
    return time.perf_counter() - begun
