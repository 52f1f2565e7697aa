"""Look at everything that can be stuck and say of each thing whether it is well, so that a page can say what to do."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import metrics
from bot.queue import HANDLE_UPDATES, JOBS, Job
from bot.runtime import Runtime
from bot.store import accounts, credentials, health, inbox, outbox
from bot.store.accounts import AccountRow
from bot.store.credentials import CredentialRow
from bot.store.health import JobRunRow
from bot.store.outbox import LANES

SLOW_UPDATE = timedelta(minutes=1)
STUCK_UPDATE = timedelta(minutes=5)
LATE_MESSAGE = {"answer": timedelta(minutes=2), "notice": timedelta(minutes=10), "broadcast": timedelta(hours=2)}
STUCK_MESSAGE = {"answer": timedelta(minutes=15), "notice": timedelta(hours=1), "broadcast": timedelta(hours=24)}
FAILURES_SHOWN = timedelta(days=7)
REFUSALS_SHOWN = timedelta(hours=24)
REFUSALS_LOUD = timedelta(hours=2)
"""Zalo switches a webhook off about two hours after it began to be refused (contract §1.1)."""
TOKEN_SOON = timedelta(hours=3)
QUIET_ACCOUNT = timedelta(days=7)
LOW_DISK = 2 * 1024**3
NO_DISK = 512 * 1024**2
MANY_SPOOLED = 1000
_PATIENCE_SECONDS = 60
_PING_SECONDS = 3
_ERROR_TEXTS = frozenset({"error", "refresh_error"})
"""Values that quote what went wrong inside: for those who signed in, not for whoever asks."""


class Light(StrEnum):
    """How a thing stands: well, worth a look, or in need of a person."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing watched: `key` names the sentence that explains it, `subject` which of several it is about.

    `values` fill the sentence: times in UTC, ages in seconds, sizes in bytes.
    """

    key: str
    light: Light
    subject: str = ""
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def public_values(self) -> dict[str, Any]:
        """The values that anybody may read: ages, counts and names."""
        return {name: value for name, value in self.values.items() if name not in _ERROR_TEXTS}


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Everything looked at, at one moment."""

    at: datetime
    lines: tuple[Line, ...]

    @property
    def light(self) -> Light:
        """The worst light of all lines."""
        lights = {line.light for line in self.lines}
        return next((light for light in (Light.BAD, Light.WARN) if light in lights), Light.OK)

    @property
    def able_to_serve(self) -> bool:
        """Say whether pages and webhooks can be answered: the database does, and the disk takes more."""
        return all(line.light is not Light.BAD for line in self.lines if line.key in {"database", "disk"})

    def of(self, *keys: str) -> list[Line]:
        """Return the lines of these kinds."""
        return [line for line in self.lines if line.key in keys]

    @property
    def stuck(self) -> list[Line]:
        """The lines that are not well, the worst first."""
        return sorted((line for line in self.lines if line.light is not Light.OK), key=lambda line: line.light.value)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able summary: the light, and each line that is not well."""
        stuck = [
            {"what": line.key, "which": line.subject, "light": line.light.value, **_plain(line.values)}
            for line in self.stuck
        ]
        return {"light": self.light.value, "at": self.at.isoformat(), "stuck": stuck}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in values.items()}


async def report(runtime: Runtime) -> HealthReport:
    """Look at everything; never raises for something that is down, since saying so is its job."""
    now = runtime.now()
    lines = [await _queue_line(runtime), *await asyncio.to_thread(_disk_lines, runtime), await _spool_line(runtime)]
    try:
        async with asyncio.timeout(_PING_SECONDS * 3), runtime.database.reading() as session:
            lines += await _database_lines(session, now)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        lines.insert(0, Line("database", Light.BAD, values={"error": type(error).__name__}))
    return HealthReport(now, tuple(lines))


async def _database_lines(session: AsyncSession, now: datetime) -> list[Line]:
    runs = await health.job_runs(session)
    lines = [Line("database", Light.OK)]
    lines += await _inbox_lines(session, runs, now)
    lines += await _outbox_lines(session, now)
    lines += await _refusal_lines(session, now)
    lines += await _account_lines(session, now)
    lines += [_job_line(job, runs.get(job.name), now) for job in JOBS if job.every is not None]
    return lines


async def _queue_line(runtime: Runtime) -> Line:
    try:
        async with asyncio.timeout(_PING_SECONDS):
            await runtime.queue.ping()
    except (RedisError, OSError, TimeoutError) as error:
        return Line("queue", Light.WARN, values={"error": type(error).__name__, "embedded": runtime.queue.embedded})
    return Line("queue", Light.OK, values={"embedded": runtime.queue.embedded})


def _disk_lines(runtime: Runtime) -> Iterator[Line]:
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


async def _spool_line(runtime: Runtime) -> Line:
    number = len(await asyncio.to_thread(runtime.intake.spool.files))
    light = Light.BAD if number > MANY_SPOOLED else Light.WARN if number else Light.OK
    return Line("spool", light, values={"number": number})


async def _inbox_lines(session: AsyncSession, runs: dict[str, JobRunRow], now: datetime) -> list[Line]:
    counts = await inbox.open_counts(session)
    oldest = await inbox.oldest_open(session)
    age = (now - oldest) if oldest else timedelta(0)
    run = runs.get(HANDLE_UPDATES.name)
    # A long queue that is being worked off is no dead worker (reliability R13): red only when nobody works on it.
    working = run is not None and run.finished_at is not None and now - run.finished_at < STUCK_UPDATE
    light = Light.OK if age < SLOW_UPDATE else Light.WARN if age < STUCK_UPDATE or working else Light.BAD
    waiting = counts.get("new", 0) + counts.get("handling", 0)
    values = {"number": waiting, "oldest_at": oldest, "age": int(age.total_seconds())}
    parked = counts.get("parked", 0)
    lines = [
        Line("inbox", light, values=values),
        Line("parked", Light.BAD if parked else Light.OK, values={"number": parked}),
    ]
    for account, number, last_at in await inbox.unknown_accounts(session):
        lines.append(Line("unknown_account", Light.WARN, account, {"number": number, "last_at": last_at}))
    return lines


async def _outbox_lines(session: AsyncSession, now: datetime) -> list[Line]:
    counts = await outbox.open_counts(session)
    oldest = await outbox.oldest_due(session, now)
    lines = []
    for name, lane in LANES.items():
        age = (now - oldest[lane]) if lane in oldest else timedelta(0)
        light = Light.OK if age < LATE_MESSAGE[name] else Light.WARN if age < STUCK_MESSAGE[name] else Light.BAD
        waiting = sum(counts.get((lane, state), 0) for state in ("queued", "sending"))
        values = {
            "number": waiting,
            "unknown": counts.get((lane, "unknown"), 0),
            "oldest_at": oldest.get(lane),
            "age": int(age.total_seconds()),
        }
        lines.append(Line("lane", light, name, values))
    for reason, number, last_at in await outbox.failures(session, now - FAILURES_SHOWN):
        lines.append(Line("failures", Light.WARN, reason, {"number": number, "last_at": last_at}))
    return lines


async def _refusal_lines(session: AsyncSession, now: datetime) -> list[Line]:
    lines = []
    for provider, reason, number, last_at in await health.refusals(session, now - REFUSALS_SHOWN):
        forged = reason in {"bad_signature", "no_signature", "no_key"}
        light = Light.BAD if forged and now - last_at < REFUSALS_LOUD else Light.WARN
        lines.append(Line("refused", light, reason, {"provider": provider, "number": number, "last_at": last_at}))
    return lines


async def _account_lines(session: AsyncSession, now: datetime) -> list[Line]:
    secrets = {row.account_id: row for row in await credentials.all_credentials(session)}
    return [_account_line(row, secrets.get(row.id), now) for row in await accounts.all_accounts(session)]


def _account_line(row: AccountRow, secret: CredentialRow | None, now: datetime) -> Line:
    why, light = "", Light.OK
    expires = secret.expires_at if secret else None
    if row.state != "active":
        why, light = "stopped", Light.BAD
    elif secret is None or secret.access_token is None:
        why, light = "no_token", Light.BAD
    elif secret.error:
        why, light = "refresh_fails", Light.BAD if expires and expires < now else Light.WARN
    elif expires and expires < now + TOKEN_SOON:
        why, light = "token_soon", Light.WARN if expires > now else Light.BAD
    elif row.last_update_at is None:
        why, light = "never_heard", Light.WARN
    elif now - row.last_update_at > QUIET_ACCOUNT:
        why, light = "quiet", Light.WARN
    values = {
        "name": row.name,
        "external_id": row.external_id,
        "provider": row.provider,
        "why": why,
        "stopped_reason": row.stopped_reason if row.state != "active" else "",
        "stopped_at": row.stopped_at if row.state != "active" else None,
        "refresh_error": secret.error if secret else "",
        "expires_at": expires,
        "last_update_at": row.last_update_at,
        "last_test_at": row.last_test_at,
        "quota": row.quota,
    }
    return Line("account", light, row.id, values)


def _job_line(job: Job, run: JobRunRow | None, now: datetime) -> Line:
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


def set_gauges(found: HealthReport) -> None:
    """Hand the ages and backlogs of a report to /metrics."""
    for line in found.of("inbox", "lane"):
        name = line.subject or line.key
        metrics.queue_age.labels(name).set(line.values["age"])
        metrics.backlog.labels(name).set(line.values["number"])
    for line in found.of("job"):
        finished = line.values["finished_at"]
        if finished is not None:
            metrics.job_age.labels(line.subject).set((found.at - finished).total_seconds())
    for line in found.of("spool"):
        metrics.spool_files.set(line.values["number"])
