"""Scenes for tests of the channel."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.bot.channels.zalo.fake_oas import FakeOAs, Scene
from tests.fakes.scripted_server import ScriptedServer


@pytest.fixture
async def oas() -> AsyncIterator[Scene]:
    """Return two accounts behind a running server."""
    zalo = FakeOAs()
    async with ScriptedServer(zalo).running() as server, aiohttp.ClientSession() as session:
        yield Scene(server, zalo, session)
