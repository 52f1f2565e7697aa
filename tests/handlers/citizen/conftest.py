"""A citizen's chat with a small commune, on both databases and by every provider."""

import pytest

from bot.runtime import Runtime
from tests import commune
from tests.runtime_fixtures import Clock
from tests.talk import Talk


@pytest.fixture(params=sorted(commune.ACCOUNTS))
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def talk(runtime: Runtime, clock: Clock, provider: str) -> Talk:
    async with runtime.units_of_work() as uow:
        await commune.build(uow, provider=provider)
    return Talk(runtime, clock, provider=provider, account=commune.ACCOUNTS[provider])
