"""What was noted to be told is left unsaid once more is known that speaks against it, as long as it has not left."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from bot.actions import dossiers
from bot.actions.dossiers import News
from bot.domain.dossier import Status
from bot.runtime import Runtime
from bot.store.dossier_notices import DossierNoticeRow
from tests.commune import build
from tests.runtime_fixtures import Clock

pytestmark = pytest.mark.usefixtures("commune")


@pytest.fixture
async def commune(runtime: Runtime) -> None:
    async with runtime.units_of_work() as uow:
        await build(uow)


async def hear(runtime: Runtime, at: datetime, status: int, **told: Any) -> None:
    """Take in one status, and show that it is taken in once."""
    news = News("000.00.01.H26-260930-0012", Status(status), at, "economy", "/commune/economy/", told)
    for _ in range(2):
        async with runtime.units_of_work() as uow:
            await dossiers.take_in(uow, runtime.box, [news], "api:test")


async def noted(runtime: Runtime) -> list[str]:
    async with runtime.database.reading() as session:
        return sorted(row.kind for row in (await session.exec(select(DossierNoticeRow))).all())


async def leave(runtime: Runtime) -> None:
    """Send all that is noted on its way."""
    async with runtime.units_of_work() as uow:
        for row in (await uow.session.exec(select(DossierNoticeRow))).all():
            row.state = "leaving"


@pytest.mark.parametrize("left", [False, True])
async def test_a_status_that_turns_out_to_be_of_long_ago_is_left_unsaid_unless_it_has_left(
    runtime: Runtime, clock: Clock, left: bool
) -> None:
    await hear(runtime, clock() - timedelta(hours=1), 1)
    assert await noted(runtime) == ["registered"]
    if left:
        await leave(runtime)
    await hear(runtime, clock() - timedelta(days=10), 1)
    assert await noted(runtime) == (["registered"] if left else [])


async def test_what_was_left_unsaid_is_told_once_it_turns_out_to_be_a_run_of_its_own(
    runtime: Runtime, clock: Clock
) -> None:
    await hear(runtime, clock() - timedelta(hours=1), 5)
    await hear(runtime, clock() - timedelta(days=10), 5)
    assert await noted(runtime) == []
    await hear(runtime, clock() - timedelta(days=9), 4)
    assert await noted(runtime) == ["supplement"]


@pytest.mark.parametrize("left", [False, True])
async def test_an_apology_that_a_pause_explains_which_is_told_only_afterwards_is_left_unsaid_unless_it_has_left(
    runtime: Runtime, clock: Clock, left: bool
) -> None:
    now = clock()
    await hear(runtime, now - timedelta(hours=30), 2, due_at=now + timedelta(days=2))
    await hear(runtime, now - timedelta(hours=10), 4, due_at=now + timedelta(days=4))
    assert await noted(runtime) == ["accepted", "late"]
    if left:
        await leave(runtime)
    await hear(runtime, now - timedelta(hours=20), 5)
    assert await noted(runtime) == (["accepted", "late", "supplement"] if left else ["accepted", "supplement"])


async def test_what_waits_while_days_go_by_stays_noted(runtime: Runtime, clock: Clock) -> None:
    await hear(runtime, clock() - timedelta(days=6), 2)
    clock.now += timedelta(days=2)
    await hear(runtime, clock(), 4)
    assert await noted(runtime) == ["accepted"]
