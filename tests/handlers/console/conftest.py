"""The office that the console's tests work in."""

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.runtime import Runtime
from handlers.app import build_app
from tests import commune
from tests.handlers.console.visitor import Office
from tests.runtime_fixtures import Clock


@pytest.fixture
async def office(runtime: Runtime, clock: Clock) -> AsyncIterator[Office]:
    """Run the console on a database with the test commune."""
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
    async with TestClient(TestServer(build_app(runtime))) as client:
        yield Office(runtime, client, clock)
