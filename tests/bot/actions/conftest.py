"""A citizen's chat with a small commune, on both databases, for actions that several people take part in."""

import pytest

from bot.runtime import Runtime
from tests import commune
from tests.runtime_fixtures import Clock
from tests.talk import Talk


@pytest.fixture
async def talk(runtime: Runtime, clock: Clock) -> Talk:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
    return Talk(runtime, clock)
