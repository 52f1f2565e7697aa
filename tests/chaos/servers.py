"""A Redis and a PostgreSQL of one test's own, which it may stop and start; they end with the run at the latest."""

import itertools
import os
import secrets
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import redis

from tests.servers import postgres_server, redis_server, run

_numbers = itertools.count(1)
_LIMIT_SECONDS = 30.0


@dataclass
class OwnServer:
    """One server: `command(port)` starts it, `ready(port)` says whether it answers, `pid_file` is written by itself."""

    name: str
    command: Callable[[int], list[str]]
    ready: Callable[[int], bool]
    pid_file: Path
    user_id: int | None = None
    port: int = field(default=0, init=False)

    def start(self) -> None:
        """Start on a free port; again on the same one after a stop. Raises ServerStartError."""
        if not self.port:
            self.port = run.start_server(self.name, self.command, self.ready, self.user_id)
            return
        keeper = self._keeper
        keeper.touch()
        stale = self.pid_file.read_text() if self.pid_file.exists() else ""
        arguments = [run.directory() / "alive", keeper, "" if self.user_id is None else self.user_id]
        log = run.directory() / f"{self.name}.log"
        run._spawn([str(a) for a in [*arguments, *self.command(self.port)]], log)

        def up() -> bool:
            # After a power cut the file of the one that was cut off still says that it is ready.
            return self.pid_file.exists() and self.pid_file.read_text() != stale and self.ready(self.port)

        if not run._is_up(keeper, up):
            raise run.ServerStartError(f"{self.name} did not start again: {run._tail(log)}")

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it, by a power cut unless told otherwise, and wait until it is gone."""
        os.kill(int(self.pid_file.read_text().split()[0]), how)
        deadline = time.monotonic() + _LIMIT_SECONDS
        while self._keeper.exists():
            assert time.monotonic() < deadline, f"{self.name} does not end"
            time.sleep(0.02)

    @property
    def _keeper(self) -> Path:
        return run.directory() / f"{self.name}.pid"


class OwnRedis(OwnServer):
    """A Redis without a disk: what it held is gone after a stop."""

    def __init__(self) -> None:
        program = redis_server.program()
        assert program, "`make test` fetches a redis-server"
        self._password = secrets.token_hex(16)
        name = f"redis-{os.getpid()}-{next(_numbers)}"
        folder = run.data_directory(name)
        configuration = folder / "redis.conf"
        pid_file = folder / "pid"

        def command(port: int) -> list[str]:
            configuration.touch(mode=0o600)
            configuration.write_text(
                f'bind 127.0.0.1\nport {port}\nrequirepass {self._password}\nsave ""\nappendonly no\n'
                f"dir {folder}\npidfile {pid_file}\n"
            )
            return [program, str(configuration)]

        super().__init__(name, command, lambda port: redis_server._answers(port, self._password), pid_file)

    @property
    def url(self) -> str:
        """The address as config.toml takes it."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def flush(self) -> None:
        """Forget everything at once."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()


class OwnPostgres(OwnServer):
    """A PostgreSQL whose commits are durable, so that it may be stopped at any moment."""

    def __init__(self) -> None:
        name = f"postgres-{os.getpid()}-{next(_numbers)}"
        folder = run.data_directory(name)
        user_id = postgres_server._unprivileged_user_id()
        with run.exclusive("postgres"):  # the programs may have to be copied, once for all
            programs = postgres_server._programs(user_id)
        self._password = secrets.token_hex(16)
        password_file = folder / "password"
        password_file.write_text(self._password)
        if user_id is not None:
            os.chown(folder, user_id, user_id)
            os.chown(password_file, user_id, user_id)
        data = folder / "data"
        postgres_server._initialise(programs / "initdb", data, password_file, postgres_server.DURABLE, user_id)

        def command(port: int) -> list[str]:
            return [str(programs / "postgres"), "-D", str(data), "-p", str(port)]

        super().__init__(
            name, command, lambda port: postgres_server._is_ready(data, port), data / "postmaster.pid", user_id
        )

    def url(self, database: str) -> str:
        """Return the address of one of its databases as config.toml takes it."""
        return f"postgresql://postgres:{self._password}@127.0.0.1:{self.port}/{database}"

    async def create(self, database: str) -> str:
        """Make an empty database and return its address."""
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            await connection.execute(f'CREATE DATABASE "{database}" TEMPLATE template0')
        finally:
            await connection.close()
        return self.url(database)
