"""Stories run on the whole service, on both databases, against the simulator."""

from collections.abc import AsyncIterator

import pytest

from bot.config import Settings
from tests.live import Live, running
from tests.simulator.simulator import Simulator


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(time_scale=100) as it:
        yield it


@pytest.fixture
async def live(settings: Settings, simulator: Simulator) -> AsyncIterator[Live]:
    async with running(settings, simulator, telegram=True) as it:
        yield it
