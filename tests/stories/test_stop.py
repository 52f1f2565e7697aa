"""Stop, pause and hurry real processes: they end in time with exit code 0, give back what they held, lose nothing."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import select

from bot import config
from bot.clock import utc_now
from bot.config import Settings
from bot.store import arrivals
from bot.store.arrivals import Arrival
from bot.store.database import Database
from bot.store.inbox import InboxRow
from tests.chaos.cluster import Cluster, Member, cluster
from tests.process import ServiceProcess, command

pytestmark = pytest.mark.processes
NOWHERE = "http://127.0.0.1:1"
PAYLOAD = Path(__file__).parents[1] / "payloads" / "zalo" / "events" / "user_send_text.json"
STATE_OA = "2222333344445555666"
WAIT = 40


@pytest.fixture
async def service(database_url: str, settings: Settings, tmp_path: Path) -> AsyncIterator[Cluster]:
    """Give one process on SQLite, or two workers on PostgreSQL and Redis, none started, with an office set up."""
    roles = ("serve",) if settings.queue.url == "embedded" else ("worker", "worker")
    bends = () if settings.queue.url == "embedded" else ("--lease", "3", "--sweep", "1")
    url, queue_url = database_url, settings.queue.url
    async with cluster(tmp_path, url, queue_url, NOWHERE, roles=roles, bends=bends, telegram=False) as it:
        await command(ServiceProcess(it.members[0].config, it.members[0].port), "demo")
        yield it


async def write(database: Database, people: int, each: int = 1) -> None:
    """Let people write to the office."""
    data, made = json.loads(PAYLOAD.read_text()), []
    for number in range(people * each):
        who, key = str(10**17 + number % people), f"m{number}"
        data["sender"]["id"], data["recipient"]["id"], data["message"]["msg_id"] = who, STATE_OA, key
        at = utc_now()
        raw = json.dumps(data).encode()
        made.append(Arrival("zalo", STATE_OA, "user_send_text", key, who, raw, at, at, known=True))
    await arrivals.store_arrivals(database, made)


async def updates(database: Database) -> list[InboxRow]:
    async with database.reading() as session:
        query = select(InboxRow).where(InboxRow.event == "user_send_text", InboxRow.account == STATE_OA)
        return [row for row in (await session.exec(query)).all() if row.key.startswith("m")]


async def handled(database: Database, number: int) -> None:
    async with asyncio.timeout(WAIT):
        while sum(row.state == "handled" for row in await updates(database)) < number:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def answers(database: Database) -> Counter[str]:
    """Return how many messages were made for each person who wrote here."""
    async with database.reading() as session:
        found = await session.exec(
            text(  # type: ignore[call-overload] # plain SQL
                "SELECT c.external_id, count(*) FROM outbox o JOIN contacts c ON c.id = o.contact_id "
                "WHERE c.external_id LIKE '100000000000%' GROUP BY c.external_id"
            )
        )
        return Counter({who: int(n) for who, n in found.all()})


@pytest.mark.timeout(300)
async def test_sigterm_under_load_ends_well_gives_back_and_can_be_repeated(
    service: Cluster, database: Database
) -> None:
    await write(database, people=40, each=6)
    for round_ in range(3):
        await service.heal()
        await handled(database, 15 * (round_ + 1))
        async with asyncio.timeout(30):
            assert await asyncio.gather(*(member.stop() for member in service.members)) == [0] * len(service.members)
        left = await updates(database)
        assert "handling" not in {row.state for row in left}
        assert {row.attempts for row in left if row.state == "new"} <= {0}, "a stop is no failure"
        assert all(row.lease is None for row in left)
    await service.heal()
    await handled(database, 240)
    assert await asyncio.gather(*(member.stop() for member in service.members)) == [0] * len(service.members)


async def stuck(database: Database, member: Member) -> None:
    """Wait until the process has an update in hand."""
    async with asyncio.timeout(WAIT):
        while not any(row.state == "handling" for row in await updates(database)):
            assert member.alive, member.tail()
            await asyncio.sleep(0.05)


@pytest.mark.timeout(200)
async def test_a_second_signal_hurries_a_stop_that_waits_for_a_job(service: Cluster, database: Database) -> None:
    if database.is_sqlite:
        return  # there a lock held elsewhere keeps everything from being written, the claim first of all
    worker = service.members[0]
    await worker.start()
    await worker.ready()
    async with database.connection() as connection:
        await connection.execute(text("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE"))
        await write(database, people=1)
        await stuck(database, worker)
        assert worker.process is not None
        worker.process.terminate()
        await asyncio.wait([asyncio.create_task(worker.process.wait())], timeout=1)
        assert worker.alive, "it waits for what it has begun"
        worker.process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(worker.process.wait(), 20) == 0, "though the lock is still held"
        [row] = await updates(database)
        assert (row.state, row.attempts, row.lease) == ("new", 0, None)


@pytest.mark.timeout(200)
async def test_a_worker_paused_past_its_lease_is_replaced_and_does_nothing_twice(
    service: Cluster, database: Database
) -> None:
    if database.is_sqlite:
        return  # one process alone
    paused, other = service.members
    await paused.start()
    await paused.ready()
    async with database.connection() as connection:
        await connection.execute(text("LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE"))
        await write(database, people=1)
        await stuck(database, paused)
        paused.pause()
    await other.start()
    await other.ready()
    await handled(database, 1)
    [row] = await updates(database)
    assert row.attempts == 2, "the first worker had it, the second took over"
    made = await answers(database)
    paused.resume()
    async with asyncio.timeout(WAIT):
        while "lease lost" not in paused.log.read_text():
            assert paused.alive, paused.tail()
            await asyncio.sleep(0.05)
    assert [(row.state, row.attempts) for row in await updates(database)] == [("handled", 2)]
    assert await answers(database) == made
    assert [await paused.stop(), await other.stop()] == [0, 0]


def test_a_process_that_hangs_is_ended_hard() -> None:
    """Whatever hangs: here the event loop itself, which then can hear nothing."""
    program = (
        "import asyncio, time\n"
        "from bot.cli.serve import Stop\n"
        "async def main():\n"
        "    stop = Stop(hard_exit_seconds=0.2)\n"
        "    stop.listen()\n"
        "    stop.heard()\n"
        "    time.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=55, check=False)
    assert done.returncode == os.EX_SOFTWARE
    assert "ended hard" in done.stderr


def test_the_hard_end_comes_after_the_polite_one_has_had_its_time() -> None:
    from bot.cli import serve
    from jobs import worker

    assert worker._STOP_SECONDS + 2 * worker._END_SECONDS <= 30
    assert serve._HARD_EXIT_SECONDS == 90
    assert config.Settings().queue.url == "embedded"
