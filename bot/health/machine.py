"""Look at what the service stands on: queue, disk, spool, clock, processes, periodic jobs, and the books."""

import asyncio
import contextlib
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from bot.health.line import Light, Line
from bot.queue import JOBS, QUEUE_ERRORS, Job
from bot.runtime import Runtime
from bot.spool import Spool
from bot.store import books, processes
from bot.store.database import Session
from bot.store.health import JobRunRow

LOW_DISK = 2 * 1024**3
NO_DISK = 512 * 1024**2
MANY_SPOOLED = 1000
WRONG_CLOCK = timedelta(seconds=5)
VERY_WRONG_CLOCK = timedelta(minutes=1)
SILENT_PROCESS = timedelta(seconds=90)
OLD_BOOKS = timedelta(hours=50)
PING_SECONDS = 3
_PATIENCE_SECONDS = 60


async def machine_lines(runtime: Runtime) -> list[Line]:
    """Look at this machine: its queue, disks, spool and clock."""
    return [
        await _queue(runtime),
        *await asyncio.to_thread(lambda: list(_disks(runtime))),
        *await _spool(runtime),
        *_clock(runtime),
    ]


async def _queue(runtime: Runtime) -> Line:
    try:
        async with asyncio.timeout(PING_SECONDS):
            await runtime.queue.ping()
    except (*QUEUE_ERRORS, TimeoutError) as error:
        return Line("queue", Light.WARN, values={"error": type(error).__name__, "embedded": runtime.queue.embedded})
    return Line("queue", Light.OK, values={"embedded": runtime.queue.embedded})


def _disks(runtime: Runtime) -> Iterator[Line]:
    seen: set[int] = set()
    for folder in _folders(runtime):
        place = next(p for p in (folder, *folder.parents) if p.exists())
        device = place.stat().st_dev
        if device not in seen:
            seen.add(device)
            usage = shutil.disk_usage(place)
            light = Light.BAD if usage.free < NO_DISK else Light.WARN if usage.free < LOW_DISK else Light.OK
            yield Line("disk", light, str(place), {"free": usage.free, "total": usage.total})


def _folders(runtime: Runtime) -> list[Path]:
    settings = runtime.settings
    folders = [Path(settings.security.spool).absolute()]
    if runtime.database.is_sqlite:
        folders.append(Path(settings.database.url.split("///", 1)[-1]).absolute().parent)
    if settings.files.url.startswith("file://"):
        folders.append(Path(settings.files.url.removeprefix("file://")))
    return folders


def spooled_bytes(spool: Spool) -> int:
    """Return how many bytes of webhooks are kept on disk; what is drained meanwhile counts as none."""
    size = 0
    for path in spool.files():
        with contextlib.suppress(FileNotFoundError):
            size += path.stat().st_size
    return size


async def _spool(runtime: Runtime) -> list[Line]:
    spool = runtime.intake.spool
    number = await asyncio.to_thread(spool.waiting)
    size = await asyncio.to_thread(spooled_bytes, spool) if number else 0
    light = Light.BAD if number > MANY_SPOOLED else Light.WARN if number else Light.OK
    lines = [Line("spool", light, values={"number": number, "size": size})]
    aside = await asyncio.to_thread(lambda: len(list(spool.folder.glob("*.broken"))))
    if aside:
        lines.append(Line("aside", Light.WARN, str(spool.folder), {"number": aside}))
    return lines


def _clock(runtime: Runtime) -> list[Line]:
    """Name a clock that is wrong: the service corrects its own times, but nothing else on the machine does."""
    offset = runtime.clock_offset()
    if abs(offset) <= WRONG_CLOCK:
        return []
    light = Light.BAD if abs(offset) > VERY_WRONG_CLOCK else Light.WARN
    values = {"seconds": int(abs(offset).total_seconds()), "behind": offset > timedelta(0)}
    return [Line("clock", light, values=values)]


async def process_lines(session: Session, now: datetime) -> list[Line]:
    """Look at which processes are there; red when none is left that does the work."""
    found = await processes.processes(session)
    alive = [row for row in found if now - row.seen_at < SILENT_PROCESS]
    kinds = {kind: sum(row.kind == kind for row in alive) for kind in ("web", "worker", "serve")}
    able = kinds["worker"] + kinds["serve"]
    lines = [Line("processes", Light.OK if able else Light.BAD, values={**kinds, "working": able})]
    for row in found:
        if row not in alive:
            values = {"kind": row.kind, "pid": row.pid, "seen_at": row.seen_at}
            lines.append(Line("vanished", Light.WARN, row.host, values))
    return lines


async def books_line(session: Session, now: datetime) -> Line:
    """Say whether all that came in and went out added up when it was checked last."""
    last = await books.last_result(session, "books")
    if last is None:
        return Line("books", Light.WARN, values={"at": None, "differences": []})
    light = Light.BAD if last.found else Light.WARN if now - last.at > OLD_BOOKS else Light.OK
    return Line("books", light, values={"at": last.at, "differences": last.found})


def job_lines(runs: dict[str, JobRunRow], now: datetime) -> list[Line]:
    """Look at the last run of every periodic job."""
    return [_job(job, runs.get(job.name), now) for job in JOBS if job.every is not None]


def _job(job: Job, run: JobRunRow | None, now: datetime) -> Line:
    assert job.every is not None
    well = run.finished_at if run else None
    patience = timedelta(seconds=3 * job.every + _PATIENCE_SECONDS)
    error = run.error if run else ""
    overdue = well is None or now - well > patience
    if run is None:
        light = Light.WARN
    else:
        light = Light.BAD if overdue and now - run.started_at > patience else Light.WARN if error else Light.OK
    values = {"every": job.every, "finished_at": well, "error": error, "failed_at": run.failed_at if run else None}
    return Line("job", light, job.name, values)
