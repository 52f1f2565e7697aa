"""The chats of a small commune's officials, on both databases."""

import pytest

from bot.runtime import Runtime
from tests.handlers.official.pocket import Pocket
from tests.runtime_fixtures import Clock


@pytest.fixture
async def pocket(runtime: Runtime, clock: Clock) -> Pocket:
    made = Pocket(runtime, clock)
    await made.build()
    return made
