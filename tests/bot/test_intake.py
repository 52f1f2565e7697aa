"""Intake: acknowledged means durable, together in one transaction, to disk when the database refuses."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import ConfigError, NotKeptError
from bot.intake import Intake, Spool
from bot.store import health, inbox
from bot.store.database import Database
from tests.bot.store.seed import NOW
from tests.bot.store.test_inbox import arrival


@pytest.fixture
async def intake(database: Database, tmp_path: Path) -> AsyncIterator[Intake]:
    made = Intake(database, Spool(tmp_path / "spool"), lambda: NOW)
    made.start()
    yield made
    await made.stop()


async def stored(database: Database) -> dict[str, int]:
    async with database.reading() as session:
        return await inbox.counts(session)


async def test_many_at_once_are_each_stored_once(intake: Intake, database: Database) -> None:
    told = []

    async def callback() -> None:
        told.append(1)

    intake.on_stored(callback)
    await asyncio.gather(*(intake.submit(arrival(f"k{n % 100}"), None) for n in range(300)))
    assert await stored(database) == {"new": 100}
    assert 1 <= len(told) <= 20, "written together, not one by one"


async def test_it_is_durable_before_submit_returns(intake: Intake, database: Database) -> None:
    await intake.submit(arrival("a"), None)
    assert await stored(database) == {"new": 1}


async def test_when_the_database_refuses_the_spool_keeps_and_drains_in_order(
    intake: Intake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = database.connection

    def refuse() -> object:
        message = "database is gone"
        raise OSError(message)

    monkeypatch.setattr(database, "connection", refuse)
    for n in range(5):
        await intake.submit(arrival(f"k{n}", received_at=NOW), None)
    assert len(intake.spool.files()) == 5
    monkeypatch.setattr(database, "connection", real)
    assert await intake.drain() == 5
    assert intake.spool.files() == []
    async with database.writing() as session:
        rows = await inbox.claim(session, "x", NOW, 60, 1)
        assert [r.key for r in rows] == ["k0"]


async def test_draining_twice_stores_once(intake: Intake, database: Database) -> None:
    intake.spool.write([arrival("a"), arrival("b")])
    await intake.submit(arrival("a"), None)
    await intake.drain()
    assert await stored(database) == {"new": 2}


async def test_refusals_are_counted_and_nothing_of_them_kept(intake: Intake, database: Database) -> None:
    for _ in range(3):
        intake.refuse("zalo", "bad_signature")
    await intake.stop()
    async with database.reading() as session:
        assert [(r, n) for _, r, n, _ in await health.refusals(session, NOW.replace(hour=0))] == [("bad_signature", 3)]
    assert await stored(database) == {}


def test_a_spool_that_cannot_be_written_refuses_the_start(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ConfigError, match="spool"):
        Spool(blocked / "spool")


async def test_when_neither_database_nor_spool_takes_it_the_request_fails_and_the_next_goes_on(
    intake: Intake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_anything: object) -> object:
        message = "no space left"
        raise OSError(message)

    with monkeypatch.context() as broken:
        broken.setattr(database, "connection", refuse)
        broken.setattr(intake.spool, "write", refuse)
        with pytest.raises(NotKeptError):
            await intake.submit(arrival("a"), None)
    await intake.submit(arrival("b"), None)
    assert await stored(database) == {"new": 1}


async def test_after_recovery_the_spool_goes_in_before_anything_newer(
    intake: Intake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> object:
        message = "database is gone"
        raise OSError(message)

    with monkeypatch.context() as broken:
        broken.setattr(database, "connection", refuse)
        await intake.submit(arrival("first"), None)
    await intake.submit(arrival("second"), None)
    async with database.writing() as session:
        assert [row.key for row in await inbox.claim(session, "x", NOW, 60, 1)] == ["first"]


async def test_a_file_of_the_spool_that_cannot_be_read_is_set_aside(intake: Intake, database: Database) -> None:
    (intake.spool.folder / "0.json").write_text("{")
    intake.spool.write([arrival("a")])
    assert await intake.drain() == 1
    assert await stored(database) == {"new": 1}
    assert [p.name for p in intake.spool.folder.glob("*.broken")] == ["0.broken"]
