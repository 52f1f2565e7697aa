"""Measure the way out: a broadcast planned, sent to a provider that answers at once, and every outcome recorded."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from sqlalchemy import insert
from sqlmodel import col, func, select

from bot import config
from bot.runtime import Runtime, opened
from bot.store import accounts
from bot.store.announcements import AnnouncementRow
from bot.store.broadcasts import BroadcastRow, DeliveryRow
from bot.store.contacts import ContactRow
from bot.store.database import Database
from bot.store.staff import StaffRow
from jobs.plan_announcements import plan_announcements
from tests.bench import service
from tests.bench.harness import Figure, Options, Run, UnavailableError, VoidError, benchmark, median

SENDS = 100_000
MANY = 1_000_000
LOOP_SENDS = 100_000
_LIMIT_SECONDS = 600
_MEGABYTE = 1024
TEXT = "UBND xã thông báo: 14 giờ chiều mai họp thôn tại nhà văn hoá, mời bà con đến dự đông đủ. "


@dataclass
class Fake:
    """The provider that answers at once, in a process of its own on the load's core."""

    process: asyncio.subprocess.Process
    url: str

    async def count(self) -> tuple[int, int]:
        """Return how many messages were taken, and how many of them went to somebody a second time."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/count") as answer:
            found = await answer.json(content_type=None)
        return int(found["taken"]), int(found["doubles"])


@contextlib.asynccontextmanager
async def fake_zalo() -> AsyncIterator[Fake]:
    """Start the fake provider."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.fake_zalo", stdout=asyncio.subprocess.PIPE
    )
    _, core = service.cores()
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    assert process.stdout is not None
    try:
        port = int(await process.stdout.readline())
        yield Fake(process, f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        await process.wait()


async def people(runtime: Runtime, number: int) -> str:
    """Make contacts of the one Official Account, its rate limit lifted; returns the account's id."""
    now = datetime.now(UTC)
    async with runtime.units_of_work() as uow:
        account = next(row for row in await accounts.all_accounts(uow.session) if row.provider == "zalo")
        account.learnt = {**account.learnt, "per_minute": "0"}
        for first in range(0, number, 10_000):
            rows = [
                {"id": f"C{n:025d}", "account_id": account.id, "external_id": f"{4_000_000_000_000 + n}"}
                for n in range(first, min(first + 10_000, number))
            ]
            same = {
                "name": "Công dân", "following": True, "anonymous": False, "gone": "", "created_at": now,
                "last_interaction_at": now,
            }  # fmt: skip
            await uow.session.exec(insert(ContactRow).values(**same), params=rows)
        return account.id


async def begun(runtime: Runtime, account_id: str) -> tuple[int, float]:
    """Announce to everybody; returns the number of the broadcast and how long the planning took, in seconds.

    A warning, so that the hour of the night does not keep it back.
    """
    async with runtime.units_of_work() as uow:
        account = await accounts.account(uow.session, account_id)
        assert account is not None
        staff_id = (await uow.session.exec(select(StaffRow.id).limit(1))).one()
        row = AnnouncementRow(
            id=uow.new_id(), unit_id=account.unit_id, kind="emergency", state="approved", text=TEXT,
            created_by=staff_id, created_at=uow.now, updated_at=uow.now, approved_at=uow.now,
        )  # fmt: skip
        uow.session.add(row)
    started = time.perf_counter()
    await plan_announcements(runtime)
    planned = time.perf_counter() - started
    async with runtime.database.reading() as session:
        number = (await session.exec(select(BroadcastRow.id).where(BroadcastRow.state == "running"))).one()
    assert number is not None
    return number, planned


async def finished(database: Database, number: int) -> BroadcastRow:
    """Wait until a broadcast is through."""
    async with asyncio.timeout(_LIMIT_SECONDS):
        while True:
            async with database.reading() as session:
                row = await session.get(BroadcastRow, number)
            if row is not None and row.finished_at is not None:
                return row
            await asyncio.sleep(0.25)


async def rate(database: Database, number: int, fake: Fake, total: int) -> float:
    """Return sends a second from the first to the last; raises VoidError unless rows and provider agree exactly."""
    async with database.reading() as session:
        query = select(func.min(DeliveryRow.sending_at), func.max(DeliveryRow.sent_at), func.count()).where(
            DeliveryRow.broadcast_id == number, DeliveryRow.state == "sent", col(DeliveryRow.provider_id).is_not(None)
        )
        first, last, sent = (await session.exec(query)).one()
    taken, doubles = await fake.count()
    if not sent == taken == total or doubles or first is None or last is None:
        raise VoidError(f"{total} planned, {sent} rows sent, {taken} taken by the provider, {doubles} doubles")
    return sent / (last - first).total_seconds()


def peak_mb(pid: int) -> float:
    """Return the largest memory a process has had resident, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / _MEGABYTE for line in lines if line.startswith("VmHWM"))


async def _once(kind: str, options: Options, total: int) -> Run:
    async with fake_zalo() as fake:
        configuration, port, url = await service.prepared(kind, options, fake.url, embedded=kind == "sqlite")
        text = configuration.read_text()
        configuration.write_text(text.replace("[zalo]", "[zalo]\napp_per_minute = 0"))
        async with opened(config.load(configuration)) as runtime:
            number, planned = await begun(runtime, await people(runtime, total))
        database = Database(url)
        server = await service.launch(["bot", "serve"], configuration, port, url)
        try:
            await finished(database, number)
            memory, cpu = peak_mb(server.process.pid), server.cpu_seconds()
            per_second = await rate(database, number, fake, total)
        finally:
            await server.stop()
            await database.close()
    detail = {
        "sends": total, "plan_s": round(planned, 2), "peak_mb": round(memory),
        "cpu_us_per_send": round(cpu / total * 1e6, 1),
    }  # fmt: skip
    return Run(per_second, detail)


@benchmark("send.sqlite.per_s")
async def sqlite(options: Options) -> list[Figure]:
    """Send on SQLite, web and worker in one process."""
    total = options.scaled(SENDS)
    return [await median("send.sqlite.per_s", "1/s", options, lambda _: _once("sqlite", options, total))]


@benchmark("send.postgres.per_s")
async def postgres(options: Options) -> list[Figure]:
    """Send on PostgreSQL with Redis, web and worker in one process."""
    total = options.scaled(SENDS)
    return [await median("send.postgres.per_s", "1/s", options, lambda _: _once("postgres", options, total))]


@benchmark("send.rss_mb")
async def million(options: Options) -> list[Figure]:
    """Plan and send a million messages once on each kind of database; memory is the process' peak."""
    total = options.scaled(MANY)
    figures = []
    for kind in ("sqlite", "postgres"):
        run = await _once(kind, options, total)
        per_second = round(run.value, 1)
        detail = {"database": kind, "sends": total, "per_s": per_second, "plan_s": run.detail["plan_s"]}
        figures.append(Figure(f"send.{kind}.rss_mb", run.detail["peak_mb"], "MiB", 1, detail))
    worst = max((f for f in figures if f.name.endswith("rss_mb")), key=lambda f: f.value)
    return [*figures, Figure("send.rss_mb", worst.value, "MiB", 2, worst.detail)]


@benchmark("send.loop.per_s")
async def loop(options: Options) -> list[Figure]:
    """Send without any state: the bare HTTP loop with the same library, the ceiling."""
    total = options.scaled(LOOP_SENDS)

    async def once(_: int) -> Run:
        async with fake_zalo() as fake:
            core, _other = service.cores()
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.bench.bare_sends", fake.url, str(total), stdout=asyncio.subprocess.PIPE
            )
            if core is not None:
                os.sched_setaffinity(process.pid, {core})
            out, _err = await process.communicate()
            if process.returncode:
                raise UnavailableError("the bare loop ended with an error")
            taken, doubles = await fake.count()
            if taken != total or doubles:
                raise VoidError(f"{taken} of {total} taken, {doubles} doubles")
            return Run(total / float(out), {"sends": total, "connections": 32})

    return [await median("send.loop.per_s", "1/s", options, once)]
