"""Fixtures that hand tests a migrated database of either kind, and the service's runtime on it."""

import itertools
import os
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.config import (
    ConversationSettings,
    DatabaseSettings,
    FilesSettings,
    QueueSettings,
    SecuritySettings,
    Settings,
    TelegramSettings,
    ZaloSettings,
)
from bot.store.database import Database
from bot.store.schema import migrate
from tests.servers import postgres_server, redis_server, run

if TYPE_CHECKING:
    from bot.runtime import Runtime

_numbers = itertools.count(1)
APP_ID = "1111222233334444555"


class Clock:
    """A clock that tests move by hand; it starts on Monday 2026-11-23 at 09:00 in Viet Nam."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def forward(self, **amount: float) -> None:
        self.now += timedelta(**amount)


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def migrated(url: str) -> None:
    """Bring an empty database to the current schema."""
    database = Database(url)
    await migrate(database)
    await database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], str]:
    """Return a function that puts a migrated SQLite file at a path; migrating is done once a worker.

    Where there is room the file itself lies in memory and the path leads there, so that no commit waits for a disk:
    what PostgreSQL's tests do without, too.
    """
    import asyncio

    folder = tmp_path_factory.mktemp("sqlite-template")
    asyncio.run(migrated(f"sqlite:///{folder}/template.db"))

    return lambda to: _placed(folder / "template.db", to)


def _placed(source: Path, to: Path) -> str:
    """Copy a SQLite file to where `sqlite_template` says, and return its address."""
    if memory := run.in_memory():
        to.symlink_to(memory / f"{os.getpid()}-{next(_numbers)}.db")
    shutil.copy(source, to)
    return f"sqlite:///{to}"


@pytest.fixture(scope="session")
def sqlite_demo(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Callable[[Path], str]
) -> Callable[[Path], str]:
    """Return a function that puts a SQLite file with the demo, and its pictures, into a test's folder.

    Loading it takes seconds of a core and is done once a worker; `settings` find the pictures.
    """
    import asyncio

    from bot.demo.load import load
    from bot.runtime import opened

    folder = tmp_path_factory.mktemp("sqlite-demo")

    async def filled() -> None:
        async with opened(settings_of(sqlite_template(folder / "loa.db"), "embedded", folder)) as runtime:
            await load(runtime)

    asyncio.run(filled())
    database = (folder / "loa.db").resolve()
    assert not database.with_name(f"{database.name}-wal").exists(), "what is copied is all there is"

    def copy(to: Path) -> str:
        shutil.copytree(folder / "files", to / "files")
        return _placed(database, to / "loa.db")

    return copy


@pytest.fixture(params=["sqlite", "postgres"])
async def database_url(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Callable[[Path], str]
) -> AsyncIterator[str]:
    """Give the address of a migrated database of the test's own, of each kind in turn."""
    if request.param == "sqlite":
        file = tmp_path / "loa.db"
        yield sqlite_template(file)
        if file.is_symlink():
            _remove(file.resolve())
        return
    server = postgres_server.running()
    name = f"loa_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}_{next(_numbers)}"
    template = await server.template(migrated)
    yield await server.create(name, template)
    await server.drop(name)


def _remove(file: Path) -> None:
    """Give the memory back that a database took, with what SQLite keeps beside it."""
    for beside in ("", "-wal", "-shm"):
        file.with_name(file.name + beside).unlink(missing_ok=True)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened_database = Database(database_url, pool_size=10)
    yield opened_database
    await opened_database.close()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Give the settings of one process: embedded queue with SQLite, real Redis with PostgreSQL."""
    queue = "embedded"
    if database_url.startswith("postgres"):
        server, number = redis_server.running(), redis_server.worker_database()
        server.flush(number)
        queue = server.url(number)
    return settings_of(database_url, queue, tmp_path)


def settings_of(database_url: str, queue: str, folder: Path) -> Settings:
    """Return the settings of a process that keeps its files in a folder and reaches no provider."""
    return Settings(
        database=DatabaseSettings(url=database_url, pool_size=10),
        queue=QueueSettings(url=queue),
        security=SecuritySettings(secret_key="t" * 40, spool=str(folder / "spool")),
        zalo=ZaloSettings(
            app_id=APP_ID,
            app_secret="demo-app-secret",
            api_url="http://127.0.0.1:1",
            template_url="http://127.0.0.1:1",
            oauth_url="http://127.0.0.1:1",
            media_hosts=("127.0.0.1",),
        ),
        telegram=TelegramSettings(api_url="http://127.0.0.1:1"),
        files=FilesSettings(url=f"file://{folder}/files"),
        conversation=ConversationSettings(quiet_seconds=0.3, undo_seconds=0),
    )


@pytest.fixture
async def runtime(settings: Settings, clock: Clock) -> AsyncIterator["Runtime"]:
    """Open the service's runtime with a clock that the test moves."""
    from bot.runtime import opened

    async with opened(settings, clock) as it:
        yield it


def with_zalo(settings: Settings, url: str) -> Settings:
    """Point settings at a simulator."""
    return replace(settings, zalo=replace(settings.zalo, api_url=url, template_url=url, oauth_url=url))
