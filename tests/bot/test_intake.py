"""Intake: acknowledged means durable, together in one transaction, to disk when the database refuses or hangs."""

import asyncio
import contextlib
import errno
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from bot import intake as module
from bot.errors import NotKeptError
from bot.intake import Intake, Spool
from bot.reconcile import Account, last_days, reconcile
from bot.store import arrivals, health, inbox
from bot.store.arrivals import Arrival, ArrivalWriter
from bot.store.database import Database
from bot.store.inbox import InboxRow
from tests.bot.store.seed import NOW
from tests.bot.store.test_inbox import arrival


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look after the spool often, so that no test waits for it."""
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.02)


@pytest.fixture
async def intake(database: Database, tmp_path: Path) -> AsyncIterator[Intake]:
    made = Intake(database, Spool(tmp_path / "spool"), lambda: NOW)
    made.start()
    yield made
    await made.stop()


class Database503:
    """Stand in for a writer whose database is gone, or hangs; `works` lets it through to the real one again."""

    def __init__(self, intake: Intake, fail: Callable[[], Awaitable[int]]) -> None:
        self.real: ArrivalWriter = intake._writer
        self.fail = fail
        self.works = False
        self.asked = 0
        intake._writer = self

    async def write(self, arrivals: Sequence[Arrival]) -> int:
        self.asked += 1
        return await (self.real.write(arrivals) if self.works else self.fail())

    async def close(self) -> None:
        await self.real.close()


async def refuse() -> int:
    message = "database is gone"
    raise OSError(message)


async def hang() -> int:
    await asyncio.Event().wait()
    return 0


async def keys(database: Database) -> list[str]:
    async with database.reading() as session:
        return list((await session.exec(select(InboxRow.key).order_by(col(InboxRow.id)))).all())


async def until_stored(database: Database, wanted: list[str]) -> None:
    async with asyncio.timeout(30):
        while await keys(database) != wanted:  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.01)


async def test_many_at_once_are_each_stored_once(intake: Intake, database: Database) -> None:
    told = []

    async def callback() -> None:
        told.append(1)

    intake.on_stored(callback)
    await asyncio.gather(*(intake.submit(arrival(f"k{n % 100}"), None) for n in range(300)))
    assert len(await keys(database)) == 100
    async with asyncio.timeout(5):
        while not told:  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.01)
    assert len(told) <= 20, "written together, not one by one"


async def test_it_is_durable_before_submit_returns(intake: Intake, database: Database) -> None:
    await intake.submit(arrival("a"), None)
    assert await keys(database) == ["a"]


async def test_somebody_who_cannot_be_told_does_not_harm_the_webhook(intake: Intake, database: Database) -> None:
    told = asyncio.Event()

    async def broken() -> None:
        told.set()
        message = "queue is gone"
        raise RuntimeError(message)

    intake.on_stored(broken)
    for key in "ab":
        told.clear()
        await intake.submit(arrival(key), None)
        await asyncio.wait_for(told.wait(), 5)
    assert await keys(database) == ["a", "b"]


async def test_stopping_writes_what_waits(database: Database, tmp_path: Path) -> None:
    intake = Intake(database, Spool(tmp_path / "spool"), lambda: NOW)
    intake.start()
    waiting = [asyncio.create_task(intake.submit(arrival(f"k{n}"), None)) for n in range(20)]
    await asyncio.sleep(0)
    await intake.stop()
    await asyncio.wait_for(asyncio.gather(*waiting), 5)
    assert len(await keys(database)) == 20


@pytest.mark.parametrize("fail", [refuse, hang])
async def test_when_the_database_refuses_or_hangs_the_spool_keeps_and_drains_in_order(
    intake: Intake, database: Database, monkeypatch: pytest.MonkeyPatch, fail: Callable[[], Awaitable[int]]
) -> None:
    monkeypatch.setattr(module, "LIMIT_SECONDS", 0.05)
    monkeypatch.setattr(module, "_DRAIN_LIMIT_SECONDS", 0.05)
    gone = Database503(intake, fail)
    async with asyncio.timeout(10):
        for n in range(5):
            await intake.submit(arrival(f"k{n}"), None)
    assert intake.spool.waiting() == 5
    assert await keys(database) == []
    monkeypatch.setattr(module, "_DRAIN_LIMIT_SECONDS", 10)
    gone.works = True
    await intake.submit(arrival("k5"), None)
    await until_stored(database, [f"k{n}" for n in range(6)])
    async with asyncio.timeout(5):
        while intake.spool.files():  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.01)


async def test_under_load_nothing_is_lost_doubled_or_put_out_of_order_while_the_database_comes_and_goes(
    intake: Intake, database: Database
) -> None:
    gone = Database503(intake, refuse)
    gone.works = True
    number = 400

    async def contact(name: str) -> None:
        for n in range(number // 8):
            await intake.submit(arrival(f"{name}{n:03}", name), None)

    async def flicker() -> None:
        while True:
            gone.works = not gone.works
            await asyncio.sleep(0.02)

    flickering = asyncio.create_task(flicker())
    await asyncio.gather(*(contact(name) for name in "ABCDEFGH"))
    flickering.cancel()
    gone.works = True
    async with asyncio.timeout(20):
        while len(await keys(database)) < number:  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.02)
    stored = await keys(database)
    assert len(stored) == len(set(stored)) == number
    for name in "ABCDEFGH":
        assert (mine := [key for key in stored if key[0] == name]) == sorted(mine)


async def test_a_write_that_hung_but_went_through_is_not_doubled(
    intake: Intake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIMIT_SECONDS", 0.05)

    class Slow(Database503):
        """Its first write meets the limit and is stored all the same, however slow the machine is; then all is well."""

        async def write(self, arrivals: Sequence[Arrival]) -> int:
            if self.works:
                return await self.real.write(arrivals)
            self.works = True
            monkeypatch.setattr(module, "LIMIT_SECONDS", 10.0)
            through = asyncio.create_task(self.real.write(arrivals))
            try:
                return await hang()
            finally:
                await through

    Slow(intake, hang)
    await intake.submit(arrival("a"), None)
    assert await keys(database) == ["a"]
    await intake.submit(arrival("b"), None)
    await until_stored(database, ["a", "b"])


async def test_draining_twice_stores_once(intake: Intake, database: Database) -> None:
    intake.spool.write([arrival("a"), arrival("b")])
    await intake.submit(arrival("a"), None)
    await intake.drain()
    assert sorted(await keys(database)) == ["a", "b"]


async def test_refusals_are_counted_and_nothing_of_them_kept(intake: Intake, database: Database) -> None:
    for _ in range(3):
        intake.refuse("zalo", "bad_signature")
    await intake.stop()
    async with database.reading() as session:
        assert [(r, n) for _, r, n, _ in await health.refusals(session, NOW.replace(hour=0))] == [("bad_signature", 3)]
        assert await inbox.counts(session) == {}


async def test_counts_that_could_not_be_written_are_written_the_next_time(
    intake: Intake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake.refuse("zalo", "bad_signature")
    with monkeypatch.context() as broken:
        broken.setattr(database, "writing", lambda: (_ for _ in ()).throw(OSError))
        with pytest.raises(OSError):  # noqa: PT011 - the class is all there is
            await intake.note_counts()
    await intake.note_counts()
    async with database.reading() as session:
        assert [n for _, _, n, _ in await health.refusals(session, NOW.replace(hour=0))] == [1]


async def test_with_the_disk_full_too_the_request_fails_and_all_goes_on_when_there_is_room(
    intake: Intake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_arrivals: Sequence[Arrival]) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    gone = Database503(intake, refuse)
    with monkeypatch.context() as disk:
        disk.setattr(intake.spool, "write", full)
        for _ in range(3):
            with pytest.raises(NotKeptError):
                await intake.submit(arrival("a"), None)
    await intake.submit(arrival("b"), None)
    gone.works = True
    await until_stored(database, ["b"])
    await intake.submit(arrival("c"), None)
    await until_stored(database, ["b", "c"])


async def test_the_spool_of_a_killed_process_is_drained_before_anything_newer(
    database: Database, tmp_path: Path
) -> None:
    killed = Spool(tmp_path / "spool")
    killed.write([arrival("first")])
    killed.close()
    intake = Intake(database, Spool(tmp_path / "spool"), lambda: NOW)
    intake.start()
    await intake.submit(arrival("second"), None)
    await until_stored(database, ["first", "second"])
    await intake.stop()
    assert list((tmp_path / "spool").iterdir()) == []


async def test_two_processes_with_one_folder_lose_and_double_nothing(database: Database, tmp_path: Path) -> None:
    both = [Intake(database, Spool(tmp_path / "spool"), lambda: NOW) for _ in range(2)]
    gone = [Database503(it, refuse) for it in both]
    for it in both:
        it.start()
    await asyncio.gather(*(both[n % 2].submit(arrival(f"k{n:02}"), None) for n in range(40)))
    assert both[0].spool.waiting() == 40
    await both[0].stop()
    gone[1].works = True
    async with asyncio.timeout(10):
        while len(await keys(database)) < 40:  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.01)
    await both[1].stop()
    assert len(set(await keys(database))) == 40


async def test_what_no_database_can_hold_is_set_aside_and_the_others_of_its_batch_are_stored(
    intake: Intake, database: Database
) -> None:
    bad = arrival("bad", contact="\ud800")
    await asyncio.gather(*(intake.submit(it, None) for it in (arrival("a"), bad, arrival("b"))))
    assert await keys(database) == ["a", "b"]
    [aside] = intake.spool.folder.glob("*.broken")
    assert intake.spool.read(aside) == [bad]


async def test_what_is_set_aside_stands_in_the_books_once(intake: Intake, database: Database) -> None:
    bad = arrival("bad", contact="\ud800")
    for _ in range(2):  # as when a process ends between writing the file and answering
        await asyncio.gather(*(intake.submit(it, None) for it in (arrival("a"), bad)))
    async with intake._draining:
        intake.spool.write([arrival("b"), arrival("c")])
        [path] = intake.spool.mine()
        path.write_bytes(path.read_bytes().splitlines(keepends=True)[0] + b'{"half":\n')
    async with asyncio.timeout(10):
        while (found := await books_of(database)).aside < 2:  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.01)
    assert (found.total, found.duplicates, found.aside) == (2, 1, 2)


async def books_of(database: Database) -> Account:
    return (await reconcile(database, last_days(NOW, 1), NOW)).accounts[0]


async def test_a_file_of_the_spool_that_cannot_be_read_is_set_aside(intake: Intake, database: Database) -> None:
    (intake.spool.folder / "0.json").write_text("{")
    intake.spool.write([arrival("a")])
    await until_stored(database, ["a"])
    await intake.drain()
    assert [p.name for p in intake.spool.folder.glob("*.broken")] == ["0.broken"]
    assert intake.spool.files() == []


async def test_no_thread_is_left_behind(database: Database, tmp_path: Path) -> None:
    intake = Intake(database, Spool(tmp_path / "spool"), lambda: NOW)
    intake.start()
    await intake.submit(arrival("a"), None)
    await intake.stop()
    assert not [it for it in threading.enumerate() if it.name == "arrivals"]


class Watched:
    """Note when a call to the database by which the spool is drained, and which nobody waits for, begins and ends."""

    def __init__(self, intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
        self.real = intake._store
        self.events: list[str] = []
        monkeypatch.setattr(intake, "_store", self.store)

    async def store(self, arrivals: Sequence[Arrival], limit: float) -> None:
        if limit != module._DRAIN_LIMIT_SECONDS:  # somebody waits for it, so it ends by itself
            await self.real(arrivals, limit)
            return
        self.events.append("begun")
        try:
            await self.real(arrivals, limit)
        finally:
            self.events.append("ended")

    async def until_asked(self) -> None:
        """Return once such a call hangs."""
        async with asyncio.timeout(20):
            while self.events[-1:] != ["begun"]:  # noqa: ASYNC110 - polling with a limit
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def held(database: Database) -> AsyncIterator[None]:
    """Let every writer hang for as long as this lasts: another program holds the table."""
    if database.is_sqlite:
        lock = sqlite3.connect(database.url.split("///", 1)[1], isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        yield
        lock.execute("ROLLBACK")
        lock.close()
        return
    async with database.connection() as connection:
        await connection.execute(text("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE"))
        yield


async def test_a_database_that_really_hangs_costs_no_webhook_its_answer_in_time(
    intake: Intake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIMIT_SECONDS", 0.3)
    # Or a call ends by itself on a busy machine: SQLite gives up, connecting takes too long, the spool's turn is over.
    monkeypatch.setattr(arrivals, "_BUSY_SECONDS", 600.0)
    monkeypatch.setattr(arrivals, "_CONNECT_SECONDS", 600.0)
    monkeypatch.setattr(module, "_DRAIN_LIMIT_SECONDS", 600.0)
    watched = Watched(intake, monkeypatch)
    await intake.submit(arrival("before"), None)
    async with held(database):
        for n in range(6):
            await asyncio.wait_for(intake.submit(arrival(f"k{n}"), None), 10)
            await watched.until_asked()
            said = list(watched.events)
            await asyncio.wait_for(intake.submit(arrival(f"later {n}"), None), 10)
            assert watched.events == said, "answered while the spool's own way into the database still hangs"
    async with asyncio.timeout(40):
        while len(await keys(database)) < 13 or intake.spool.files():  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.02)
    await intake.submit(arrival("after"), None)
    async with asyncio.timeout(20):
        while (stored := await keys(database))[-1] != "after":  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.02)
    assert sorted(stored) == sorted(["before", "after", *(f"{it}{n}" for n in range(6) for it in ("k", "later "))])


async def test_a_database_that_hangs_at_the_last_of_the_spool_costs_no_webhook_its_answer_in_time(
    intake: Intake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last ones are moved while new ones wait, so the limit for these holds there, and not the spool's own."""
    monkeypatch.setattr(module, "LIMIT_SECONDS", 0.05)
    monkeypatch.setattr(module, "_DRAIN_LIMIT_SECONDS", 3600.0)

    class HangsAtTheLast(Database503):
        async def write(self, arrivals: Sequence[Arrival]) -> int:
            if self.works or not intake._order.locked():
                return await self.real.write(arrivals)
            self.asked += 1
            return await hang()

    gone = HangsAtTheLast(intake, hang)
    moved = intake._move

    async def move(files: Sequence[Path], limit: float) -> int:
        if not intake._order.locked():
            number = await moved(files, limit)
            intake.spool.write([arrival(f"late {gone.asked}")])  # one more comes before the door is shut
            return number
        return await moved(files, limit)

    monkeypatch.setattr(intake, "_move", move)
    await intake.submit(arrival("first"), None)  # hangs, and goes to the spool
    for n in range(5):
        before = gone.asked
        async with asyncio.timeout(10):
            while gone.asked == before:  # noqa: ASYNC110 - polling with a limit
                await asyncio.sleep(0.005)
            await intake.submit(arrival(f"k{n}"), None)
    gone.works = True
    monkeypatch.setattr(intake, "_move", moved)
    async with asyncio.timeout(10):
        while intake.spool.files():  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.01)
    assert {"first", *(f"k{n}" for n in range(5))} <= set(await keys(database))


async def test_what_an_ended_process_left_goes_in_before_what_comes_meanwhile(
    intake: Intake, database: Database
) -> None:
    """One writer has one connection: what is adopted and what comes must not use it at once, nor pass each other."""
    busy, most = 0, 0
    real = intake._writer

    class Counted(Database503):
        async def write(self, arrivals: Sequence[Arrival]) -> int:
            nonlocal busy, most
            busy += 1
            most = max(most, busy)
            try:
                return await real.write(arrivals)
            finally:
                busy -= 1

    Counted(intake, refuse)
    for n in range(10):
        dead = Spool(intake.spool.folder)
        dead.write([arrival(f"left {n}")])
        dead.close()
        await asyncio.gather(*(intake.submit(arrival(f"k{n} {m}"), None) for m in range(5)))
    async with asyncio.timeout(20):
        while len(await keys(database)) < 60:  # noqa: ASYNC110 - polling with a limit
            await asyncio.sleep(0.01)
    assert most == 1
