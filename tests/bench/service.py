"""Bring up what a benchmark measures: the real service on one core, on a database that keeps what it commits."""

import asyncio
import contextlib
import itertools
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp

from bot import config
from bot.actions import accounts
from bot.runtime import Runtime, opened
from bot.store.database import Database
from bot.store.schema import migrate
from tests import commune
from tests.bench.harness import Options, UnavailableError, VoidError
from tests.bench.load import Load, Seen
from tests.process import write_config
from tests.servers import postgres_server, redis_server, run

APP_ID, OA, KEY = "1111222233334444555", commune.OA, "bench-oa-secret"
SERVER_CORE, LOAD_CORE = 0, 1
READY_SECONDS = 60
_TICKS = os.sysconf("SC_CLK_TCK")
_numbers = itertools.count(1)


def cores() -> tuple[int | None, int | None]:
    """Return the cores of server and load; None on a machine with one core, where nothing can be kept apart."""
    return (SERVER_CORE, LOAD_CORE) if len(os.sched_getaffinity(0)) > 1 else (None, None)


@dataclass
class Service:
    """A running process of the service."""

    process: asyncio.subprocess.Process
    port: int
    config: Path
    database_url: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """Return the processor time that the process and its threads have used."""
        values = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(values[11]) + int(values[12])) / _TICKS

    def resident_mb(self) -> float:
        """Return the memory that the process has resident now, in MiB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))

    async def answers(self, http: aiohttp.ClientSession, path: str = "/healthz") -> bool:
        """Say whether a page answers 200."""
        try:
            async with http.get(self.url + path) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def ready(self, path: str = "/healthz") -> None:
        """Wait until the service answers."""
        async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as http:
            while not await self.answers(http, path):
                if self.process.returncode is not None:
                    raise UnavailableError(self.config.with_suffix(".log").read_text()[-2000:])
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """End it politely, at last by force."""
        if self.process.returncode is None:
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), 40)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


async def database_of(kind: str, folder: Path) -> str:
    """Make an empty migrated database, `sqlite` or `postgres`, and return its address."""
    if kind == "sqlite":
        url = f"sqlite:///{folder}/loa.db"
    else:
        url = await postgres_server.durable().create(f"bench_{os.getpid()}_{next(_numbers)}", "template0")
    database = Database(url)
    await migrate(database)
    await database.close()
    return url


async def seed(runtime: Runtime, bots: int = 0) -> None:
    """Make a commune with one Official Account and so many Telegram bots."""
    async with runtime.units_of_work() as uow:
        made = await commune.build(uow)
        await uow.session.delete(made.account)
    async with runtime.units_of_work() as uow:
        secrets = accounts.Secrets("access", "refresh", KEY, datetime.now(UTC) + timedelta(hours=25))
        await accounts.add_account(
            uow, runtime.box, oa_id=OA, name="OA", unit_code="10183", kind="state", secrets=secrets
        )
    for number in range(bots):
        await add_bot(runtime, number)


def bot_of(number: int) -> str:
    """Return the id of the bot with this number, from 0."""
    return str(int(commune.BOT) + number)


async def add_bot(runtime: Runtime, number: int) -> None:
    """Connect one more Telegram bot."""
    bot = bot_of(number)
    async with runtime.units_of_work() as uow:
        await accounts.add_bot(
            uow, runtime.box, provider="telegram", external_id=bot, name="Bot", unit_code="10183", polling=False,
            secrets=accounts.Secrets(f"{bot}:bench-not-a-real-token", webhook_key=KEY),
        )  # fmt: skip


async def prepared(
    kind: str, options: Options, zalo_url: str, *, embedded: bool, bots: int = 0
) -> tuple[Path, int, str]:
    """Make a folder with configuration and seeded database; returns configuration, port and database address."""
    folder = options.folder / f"{kind}{next(_numbers)}"
    folder.mkdir()
    url = await database_of(kind, folder)
    queue = "embedded"
    if not embedded:
        server, number = redis_server.running(), next(_numbers) % redis_server.DATABASES
        server.flush(number)
        queue = server.url(number)
    written = write_config(folder, url, queue, zalo_url)
    async with opened(config.load(written.config)) as runtime:
        await seed(runtime, bots)
    return written.config, written.port, url


async def launch(arguments: list[str], configuration: Path, port: int, url: str, *, all_cores: bool = False) -> Service:
    """Start `python -m …` pinned to the server's core; its log is kept beside the configuration.

    With `all_cores` it is not pinned: the processes that it starts for large files are to have a core of their own, as
    they have on any machine with two.
    """
    with configuration.with_suffix(".log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *arguments, "--config", str(configuration), stdout=log, stderr=log
        )
    core, _ = cores()
    if core is not None and not all_cores:
        os.sched_setaffinity(process.pid, {core})
    return Service(process, port, configuration, url)


@contextlib.asynccontextmanager
async def web(kind: str, options: Options, *, bare: bool = False) -> AsyncIterator[Service]:
    """Run `loa web` alone, with a real Redis; `bare` runs it with an intake that keeps nothing (bare.py)."""
    configuration, port, url = await prepared(kind, options, "http://127.0.0.1:1", embedded=False)
    service = await launch(["tests.bench.bare"] if bare else ["bot", "web"], configuration, port, url)
    try:
        await service.ready()
        yield service
    finally:
        await service.stop()


@contextlib.asynccontextmanager
async def serve(kind: str, options: Options, zalo_url: str, *, bots: int = 0) -> AsyncIterator[Service]:
    """Run `loa serve`, web and jobs in one process without a Redis, against a provider at `zalo_url`.

    With `bots` it has so many Telegram bots besides.

    The provider's limits are lifted: they would say how fast an office may write, not how fast the service is.
    """
    configuration, port, url = await prepared(kind, options, zalo_url, embedded=True, bots=bots)
    text = configuration.read_text()
    configuration.write_text(text.replace("[zalo]", "[zalo]\napp_per_minute = 0\noa_per_minute = 0"))
    service = await launch(["bot", "serve"], configuration, port, url)
    try:
        await service.ready()
        yield service
    finally:
        await service.stop()


async def offer(service: Service, **what: object) -> Seen:
    """Run the load generator against a service; raises VoidError when not every request was acknowledged."""
    number = next(_numbers)
    load = Load(port=service.port, run=f"{number:x}g", app_id=APP_ID, oa_id=OA, key=KEY, core=cores()[1], **what)  # type: ignore[arg-type] # counts and rates by name
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.load", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    out, _ = await process.communicate(json.dumps(asdict(load)).encode())
    seen = Seen(**json.loads(out))
    if seen.acknowledged != load.count or seen.broken:
        raise VoidError(f"{seen.acknowledged} of {load.count} acknowledged: {seen.statuses}, {seen.broken} broken")
    return seen


async def rows(service: Service) -> int:
    """Count the stored webhooks."""
    from bot.store import inbox

    database = Database(service.database_url)
    try:
        async with database.reading() as session:
            return sum((await inbox.counts(session)).values())
    finally:
        await database.close()


def begin() -> None:
    """Open the run whose PostgreSQL and Redis the benchmarks share."""
    run.begin()


def end() -> None:
    """Stop its servers."""
    run.end()
