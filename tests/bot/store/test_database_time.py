"""Machines whose clocks disagree agree on the database's."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot import clock
from bot.config import Settings
from bot.runtime import opened
from bot.store import database_time
from bot.store.database import Database
from tests.runtime_fixtures import Clock

HOUR = timedelta(hours=1)
NEAR = timedelta(seconds=1)


def wrong() -> datetime:
    return clock.utc_now() - HOUR


async def test_a_clock_that_is_an_hour_slow_is_corrected(database: Database) -> None:
    found = await database_time.ahead(database, wrong)
    if database.is_sqlite:
        assert found == timedelta(0), "SQLite has no clock of its own: its only machine is right by definition"
    else:
        assert abs(found - HOUR) < NEAR


async def test_two_runtimes_an_hour_apart_tell_the_same_time(settings: Settings) -> None:
    async with opened(settings, wrong, follow=True) as slow, opened(settings) as right:
        assert abs(right.clock_offset()) < NEAR
        if right.database.is_sqlite:
            return
        assert abs(slow.now() - right.now()) < NEAR
        assert abs(slow.clock_offset() - HOUR) < NEAR
        async with slow.units_of_work() as uow:
            assert abs(uow.now - clock.utc_now()) < NEAR


async def test_a_clock_given_by_a_test_is_left_alone(settings: Settings) -> None:
    given = Clock()
    async with opened(settings, given) as runtime:
        assert runtime.now is given
        assert runtime.clock_offset() == timedelta(0)


async def test_a_clock_that_is_put_right_meanwhile_is_noticed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.is_sqlite:
        return
    monkeypatch.setattr(database_time, "_EVERY_SECONDS", 0.01)
    lag = [HOUR]
    async with database_time.followed(database, lambda: clock.utc_now() - lag[0]) as following:
        assert abs(following.offset - HOUR) < NEAR
        lag[0] = timedelta(0)
        async with asyncio.timeout(5):
            while abs(following.offset) > NEAR:  # noqa: ASYNC110 - polling with a limit is the rule of these tests
                await asyncio.sleep(0.01)
        assert abs(following() - datetime.now(UTC)) < NEAR


def test_ids_of_machines_an_hour_apart_sort_by_when_they_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_ids", clock._Ids())
    before = clock.new_id()
    clock.correct_ids(HOUR)
    assert clock.new_id() > clock.first_id(clock.utc_now() + HOUR - NEAR) > before
