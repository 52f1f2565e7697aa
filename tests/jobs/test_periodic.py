"""A periodic job runs in one process of all, at its interval, and moves to another process when its holder dies."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest

from bot.config import Settings
from bot.queue import JOBS, Job
from bot.runtime import Runtime, opened
from bot.store import health
from bot.store.health import JobRunRow
from jobs import periodic, worker
from jobs.periodic import turn
from tests.runtime_fixtures import Clock

EVERY = timedelta(seconds=10)


@pytest.fixture
async def other(settings: Settings, clock: Clock) -> AsyncIterator[Runtime]:
    """Give a second process on the same database."""
    async with opened(settings, clock) as it:
        yield it


async def row(runtime: Runtime) -> JobRunRow:
    async with runtime.database.reading() as session:
        return (await health.job_runs(session))["forget"]


class Sweep:
    """Count runs; each waits while `hold` is set."""

    def __init__(self) -> None:
        self.runs = 0
        self.cancelled = 0
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, _name: str) -> bool:
        self.runs += 1
        self.begun.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return True


async def test_of_processes_that_want_to_run_it_at_once_one_does(runtime: Runtime, other: Runtime) -> None:
    sweep = Sweep()
    await asyncio.gather(*(turn(r, "forget", EVERY, sweep) for r in (runtime, other) for _ in range(3)))
    assert sweep.runs == 1


async def test_the_interval_counts_from_the_last_start_whoever_made_it(
    runtime: Runtime, other: Runtime, clock: Clock
) -> None:
    sweep = Sweep()
    began = clock.now
    await turn(runtime, "forget", EVERY, sweep)
    clock.forward(seconds=9)
    due = await turn(other, "forget", EVERY, sweep)
    assert sweep.runs == 1
    assert abs(due - (began + EVERY)) < timedelta(seconds=1)
    clock.forward(seconds=1)
    await turn(other, "forget", EVERY, sweep)
    assert sweep.runs == 2


async def test_a_holder_that_died_is_replaced_after_its_lease(runtime: Runtime, other: Runtime, clock: Clock) -> None:
    async with runtime.units_of_work() as uow:
        assert await health.job_started(uow.session, "forget", uow.now, "dead", EVERY, periodic.LEASE_SECONDS)
    sweep = Sweep()
    clock.forward(seconds=periodic.LEASE_SECONDS - 1)
    await turn(other, "forget", timedelta(days=1), sweep)
    assert sweep.runs == 0
    clock.forward(seconds=2)
    await turn(other, "forget", timedelta(days=1), sweep)
    assert sweep.runs == 1, "at once, not a day after the start of whoever died over it"


async def test_a_lone_process_that_starts_need_not_wait_for_leases_of_the_dead(runtime: Runtime) -> None:
    async with runtime.units_of_work() as uow:
        await health.job_started(uow.session, "forget", uow.now, "dead", EVERY, periodic.LEASE_SECONDS)
    async with runtime.units_of_work() as uow:
        await health.release_jobs(uow.session)
    sweep = Sweep()
    await turn(runtime, "forget", timedelta(days=1), sweep)
    assert sweep.runs == 1


async def test_a_holder_that_was_paused_past_its_lease_notes_nothing(
    runtime: Runtime, other: Runtime, clock: Clock
) -> None:
    paused, second = Sweep(), Sweep()
    paused.go.clear()
    first = asyncio.create_task(turn(runtime, "forget", EVERY, paused))
    await asyncio.wait_for(paused.begun.wait(), 5)
    clock.forward(seconds=periodic.LEASE_SECONDS + 1)
    second.go.clear()
    taken = asyncio.create_task(turn(other, "forget", EVERY, second))
    await asyncio.wait_for(second.begun.wait(), 5)
    paused.go.set()
    await asyncio.wait_for(first, 5)
    assert (await row(runtime)).finished_at is None, "only the holder may say that it ended"
    second.go.set()
    await asyncio.wait_for(taken, 5)
    assert (await row(runtime)).finished_at is not None


async def test_a_long_run_keeps_its_lease_and_is_ended_when_that_is_lost(
    runtime: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periodic, "LEASE_SECONDS", 0.03)
    sweep = Sweep()
    sweep.go.clear()
    running = asyncio.create_task(turn(runtime, "forget", EVERY, sweep))
    await asyncio.wait_for(sweep.begun.wait(), 5)
    first = (await row(runtime)).leased_until
    assert first is not None
    clock.forward(seconds=1)
    async with asyncio.timeout(5):
        while (await row(runtime)).leased_until == first:  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.01)
    clock.forward(seconds=60)
    async with runtime.units_of_work() as uow:
        taken = await health.job_started(uow.session, "forget", uow.now, "other", EVERY, 60)
    if taken:
        await asyncio.wait_for(running, 5)
        assert sweep.cancelled == 1
        assert (await row(runtime)).lease == "other"
    else:  # a heartbeat came first
        sweep.go.set()
        await asyncio.wait_for(running, 5)


async def test_a_run_that_was_stopped_half_way_is_begun_again_at_once(runtime: Runtime, other: Runtime) -> None:
    async def stopped(_name: str) -> bool:
        return False

    await turn(runtime, "forget", timedelta(days=1), stopped)
    assert (await row(runtime)).finished_at is None
    sweep = Sweep()
    await turn(other, "forget", timedelta(days=1), sweep)
    assert sweep.runs == 1


async def test_every_periodic_job_runs_by_itself_while_the_process_works(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periodic, "_FIRST_SECONDS", 0.0)
    async with worker.working(runtime, alone=True), asyncio.timeout(30):
        wanted = {job.name for job in JOBS if job.every is not None}
        while True:
            async with runtime.database.reading() as session:
                ran = {name for name, run in (await health.job_runs(session)).items() if run.finished_at is not None}
            if ran == wanted:
                break
            await asyncio.sleep(0.02)


def test_no_periodic_job_has_a_time_of_day() -> None:
    """Only an interval is never skipped or doubled by a clock change; a time of day would need a zone and a rule."""
    assert {field.name for field in fields(Job)} == {"name", "every", "sweeps", "limit"}
    for job in JOBS:
        assert job.every is not None, f"{job.name} has no sweeper"
        assert 10 <= job.every <= 86400


@pytest.mark.parametrize("change", ["2026-03-08T07:00:00", "2026-11-01T06:00:00"], ids=["forward", "back"])
async def test_every_periodic_job_keeps_its_interval_over_a_change_of_the_servers_clock(
    runtime: Runtime, clock: Clock, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Walk all jobs through both changes of a zone that has them, as a server elsewhere would."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        for job in JOBS:
            assert job.every is not None
            every, ran = timedelta(seconds=job.every), []
            for part in (0.0, 0.5, 1.1, 1.6, 2.2):  # intervals after the first start; the change is at a half
                sweep = Sweep()
                clock.now = datetime.fromisoformat(change).replace(tzinfo=UTC) - every / 2 + every * part
                await turn(runtime, job.name, every, sweep)
                ran.append(sweep.runs)
            assert ran == [1, 0, 1, 0, 1], job.name
    finally:
        monkeypatch.undo()
        time.tzset()
