"""The fixtures that hand real servers to tests."""

import itertools
import os
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.servers import postgres_server, redis_server
from tests.servers.postgres_server import PostgresServer, TemplateFill
from tests.servers.redis_server import RedisServer

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server_of_run() -> PostgresServer:
    """Return the PostgreSQL that all workers of this run share."""
    return postgres_server.running()


@pytest.fixture
def postgres_template() -> TemplateFill | None:
    """Override to fill the database that `postgres_url` copies: a function (sync or async) of its address.

    It must be a function with a name: what it filled is kept under that name for the whole run.
    """
    return None


@pytest.fixture
async def postgres_url(
    postgres_server_of_run: PostgresServer, postgres_template: TemplateFill | None
) -> AsyncIterator[str]:
    """Give the test a PostgreSQL database of its own: a copy of the filled template, or empty without one."""
    server = postgres_server_of_run
    template = "template0" if postgres_template is None else await server.template(postgres_template)
    database = _database_name()
    yield await server.create(database, template)
    await server.drop(database)


@pytest.fixture
async def postgres_empty_url(postgres_server_of_run: PostgresServer) -> AsyncIterator[str]:
    """Give the test an empty PostgreSQL database of its own."""
    database = _database_name()
    yield await postgres_server_of_run.create(database, "template0")
    await postgres_server_of_run.drop(database)


@pytest.fixture(scope="session")
def redis_server_of_run() -> RedisServer:
    """Return the Redis that all workers of this run share."""
    return redis_server.running()


@pytest.fixture
def redis_url(redis_server_of_run: RedisServer) -> Iterator[str]:
    """Give the test an empty Redis database that no other worker uses."""
    database = redis_server.worker_database()
    redis_server_of_run.flush(database)
    yield redis_server_of_run.url(database)
    redis_server_of_run.flush(database)


def _database_name() -> str:
    return f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}_{next(_numbers)}"
