"""A job runs once at a time in a process, and once more when it is woken meanwhile; no wake-up is lost."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from bot.queue import BY_NAME, FORGET, HANDLE_UPDATES, Queue
from bot.store import database
from jobs.runner import Runner


class Job:
    """A job that waits until it is let go, and counts its runs and how many there are at once."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.begun = asyncio.Event()
        self.runs = self.at_once = self.most = 0
        self.error: Exception | None = None
        self.in_transaction = False

    async def __call__(self, _name: str) -> int:
        self.in_transaction = database.in_transaction()
        self.runs += 1
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        self.begun.set()
        try:
            await self.go.wait()
        finally:
            self.at_once -= 1
        if self.error is not None:
            raise self.error
        return 1


@pytest.fixture
def job() -> Job:
    return Job()


@pytest.fixture
def runner(job: Job) -> Runner:
    return Runner(Queue(None), job)


async def quiet(runner: Runner) -> None:
    async with asyncio.timeout(5):
        while runner._running:  # noqa: ASYNC110 - polling with a limit is the rule of these tests
            await asyncio.sleep(0.001)


async def test_many_wake_ups_while_it_runs_are_one_more_run(runner: Runner, job: Job) -> None:
    for _ in range(20):
        runner.ring("forget")
    await asyncio.wait_for(job.begun.wait(), 5)
    for _ in range(50):
        runner.ring("forget")
    job.go.set()
    await quiet(runner)
    assert (job.runs, job.most) == (2, 1)


async def test_what_was_committed_after_the_last_look_is_looked_for_again(runner: Runner, job: Job) -> None:
    job.go.set()
    work: Counter[str] = Counter()

    async def look(_name: str) -> int:
        found, work["waiting"] = work["waiting"], 0
        await asyncio.sleep(0)
        work["done"] += found
        return found

    runner._run = look
    for _ in range(200):
        work["waiting"] += 1
        runner.ring("forget")
        await asyncio.sleep(0)
    await quiet(runner)
    assert work == {"waiting": 0, "done": 200}


async def test_a_run_that_breaks_neither_ends_the_runner_nor_is_hidden_from_its_sweeper(
    runner: Runner, job: Job
) -> None:
    job.go.set()
    job.error = OSError("disk on fire")
    runner.ring("forget")
    await quiet(runner)
    with pytest.raises(OSError, match="disk on fire"):
        await runner.sweep("forget")
    job.error = None
    assert await runner.sweep("forget")


async def test_a_job_does_not_inherit_the_transaction_of_whoever_woke_it(runner: Runner, job: Job) -> None:
    token = database._open_transactions.set(1)
    runner.ring("forget")
    database._open_transactions.reset(token)
    await asyncio.wait_for(job.begun.wait(), 5)
    assert not job.in_transaction
    job.go.set()
    await quiet(runner)


async def test_a_run_that_takes_too_long_is_ended(runner: Runner, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BY_NAME, "forget", replace(FORGET, limit=0))
    with pytest.raises(TimeoutError):
        await runner.sweep("forget")
    assert job.at_once == 0


async def test_a_sweep_need_not_wait_for_the_end_of_a_job_that_goes_on_while_there_is_work(
    runner: Runner, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs import runner as module

    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.01)
    assert HANDLE_UPDATES.limit is None
    assert await asyncio.wait_for(runner.sweep("handle_updates"), 5), "it has begun to look"
    later = asyncio.create_task(runner.sweep("handle_updates"))
    await asyncio.wait([later], timeout=0.05)
    assert not later.done(), "it has not looked since it was rung: it may hang"
    runner._queue.bell("handle_updates").clear()
    assert await asyncio.wait_for(later, 5)
    job.go.set()
    await quiet(runner)


async def test_the_end_waits_for_what_runs_and_begins_nothing_more(runner: Runner, job: Job) -> None:
    runner.ring("forget")
    await asyncio.wait_for(job.begun.wait(), 5)
    ending = asyncio.create_task(runner.end(60, asyncio.Event()))
    await asyncio.wait([ending], timeout=0.01)
    runner.ring("forget")
    runner.ring("reconcile")
    job.go.set()
    await asyncio.wait_for(ending, 5)
    assert (job.runs, job.at_once) == (1, 0)
    assert not await runner.sweep("forget")


@pytest.mark.parametrize("hurried", [False, True])
async def test_what_does_not_end_in_time_or_when_hurried_is_cancelled(
    runner: Runner, job: Job, *, hurried: bool
) -> None:
    runner.ring("forget")
    await asyncio.wait_for(job.begun.wait(), 5)
    sweeping = asyncio.create_task(runner.sweep("forget"))
    hurry = asyncio.Event()
    ending = asyncio.create_task(runner.end(60 if hurried else 0.01, hurry))
    if hurried:
        hurry.set()
    await asyncio.wait_for(ending, 5)
    assert job.at_once == 0
    assert not await asyncio.wait_for(sweeping, 5), "it did not come to its end"
