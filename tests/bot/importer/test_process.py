"""A large import is compared and applied by a process of its own as it would be here, whoever dies over it."""

import asyncio
import contextlib
import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import delete

from bot.actions import dossier_imports as actions
from bot.importer import pieces, process
from bot.importer.process import Importer, LostError
from bot.runtime import Runtime
from bot.store.dossier_imports import DossierImportRow
from bot.store.dossier_notices import DossierNoticeRow
from bot.store.dossiers import DossierEventRow, DossierNoteRow, DossierRow
from jobs import import_dossiers as job
from jobs.import_dossiers import import_dossiers
from tests import commune
from tests.jobs.test_import_dossiers import code, confirm, every, export, figures, looked, row, row_of

ROWS = [
    row(1, "Đang xử lý"), row(2, "Đã trả kết quả"), row(3, "Đi dạo"), row(4, "Yêu cầu bổ sung giấy tờ"),
    row(1, "Đã xử lý xong", "21/11/2026 09:00"), row(5, "Đang xử lý"), row(6, "Đã xử lý xong"),
]  # fmt: skip


@pytest.fixture(autouse=True)
async def _commune(runtime: Runtime) -> None:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every import a process of its own, however small it is."""
    monkeypatch.setattr(job, "AT_HAND", 0)


async def _emptied(runtime: Runtime) -> None:
    async with runtime.units_of_work() as uow:
        for table in (DossierNoteRow, DossierNoticeRow, DossierEventRow, DossierRow, DossierImportRow):
            await uow.session.exec(delete(table))


async def _outcome(runtime: Runtime, it: DossierImportRow) -> dict[str, Any]:
    known = {each.id: each for each in await every(runtime, DossierRow)}
    events, notices, notes = [
        [(known[each.dossier_id].code, each) for each in await every(runtime, table)]
        for table in (DossierEventRow, DossierNoticeRow, DossierNoteRow)
    ]
    return {
        "import": (it.state, it.figures, it.sample, it.warnings, it.position),
        "dossiers": sorted(
            (each.code, each.status, each.due_at, each.outcome, each.facts, runtime.box.open(each.applicant))
            for each in known.values()
        ),
        "events": sorted((whose, each.at, each.status, each.digest, each.facts) for whose, each in events),
        "notices": sorted((whose, each.kind, each.at) for whose, each in notices),
        "notes": sorted((whose, each.kind) for whose, each in notes),
    }


async def test_it_finds_and_leaves_what_would_be_found_and_left_here(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = []
    for at_hand in (2, 0):
        monkeypatch.setattr(job, "AT_HAND", at_hand)
        await _emptied(runtime)
        first = await looked(runtime, export(ROWS))
        assert (first.state, figures(first)) == ("ready", {"new": 5})
        first = await confirm(runtime, first.id, nonetheless=True)
        later = [row(2, "Đang xử lý", "19/11/2026 09:00"), row(4, "Đang xử lý", "24/11/2026 09:00"), *ROWS[5:]]
        second = await confirm(runtime, (await looked(runtime, export(later))).id, nonetheless=True)
        assert figures(second, "done_") == {"changed": 1, "same": 2, "backwards": 1}
        outcomes.append([await _outcome(runtime, each) for each in (first, second)])
    assert outcomes[0] == outcomes[1]


@pytest.mark.usefixtures("apart")
async def test_what_it_has_written_starts_the_jobs_and_tells_the_pages(runtime: Runtime) -> None:
    it = await looked(runtime, export(ROWS))
    woken: list[str] = []
    runtime.queue.attach(woken.append)
    async with runtime.queue.news() as news, asyncio.timeout(60):
        await confirm(runtime, it.id, nonetheless=True)
        while await news.get() != f"dossier:{code(2)}":
            pass
    runtime.queue.attach(None)
    assert "tell_dossiers" in woken


def _begins(number: int) -> list[list[Any]]:
    return [row(each, "Đang xử lý") for each in range(1, number + 1)]


def _pid(hands: Any) -> int:
    return int(hands._importer._process.pid)


@pytest.mark.usefixtures("apart")
async def test_when_it_is_killed_the_import_goes_on_where_it_was(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = await looked(runtime, export(_begins(2 * pieces.LARGE + 1)))
    positions = []

    async def killing(self: Any) -> bool:
        positions.append((await row_of(runtime, it.id)).position)
        if len(positions) == 2:
            os.kill(_pid(self), signal.SIGKILL)
        return True

    monkeypatch.setattr(job._Hands, "_ours", killing)
    it = await confirm(runtime, it.id, nonetheless=True)
    assert positions == [0, pieces.LARGE, pieces.LARGE, 2 * pieces.LARGE]
    assert not runtime.database.turn.locked()
    assert (it.state, it.position) == ("applied", 2 * pieces.LARGE + 1)
    assert len(await every(runtime, DossierEventRow)) == 2 * pieces.LARGE + 1


@pytest.mark.usefixtures("apart")
async def test_a_process_that_always_dies_is_not_started_for_ever(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = await looked(runtime, export(_begins(1)))
    monkeypatch.setattr(actions, "MOST_TRIES", 2)

    async def killing(self: Any) -> bool:
        os.kill(_pid(self), signal.SIGKILL)
        return True

    monkeypatch.setattr(job._Hands, "_ours", killing)
    it = await confirm(runtime, it.id, nonetheless=True)
    assert (it.state, it.problems[0]["code"]) == ("refused", "too_heavy")


@pytest.mark.usefixtures("apart")
async def test_when_it_hangs_with_a_transaction_open_it_is_ended_and_others_write(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not runtime.database.is_sqlite:
        pytest.skip("on PostgreSQL nobody else waits for it")
    it = await looked(runtime, export(_begins(3 * pieces.LARGE)))
    monkeypatch.setattr(process, "_WRITING_SECONDS", 2.0)
    monkeypatch.setattr(actions, "MOST_TRIES", 1)
    say, file = Importer._say, runtime.database.url.partition("///")[2]

    def stopping(self: Any, **what: Any) -> None:
        say(self, **what)
        if not what.get("go"):
            return
        with contextlib.closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as other:
            while self._process.returncode is None:
                try:
                    other.execute("BEGIN IMMEDIATE")
                    other.execute("ROLLBACK")
                except sqlite3.OperationalError:  # it writes
                    os.kill(self._process.pid, signal.SIGSTOP)
                    return

    with monkeypatch.context() as patched:
        patched.setattr(Importer, "_say", stopping)
        it = await confirm(runtime, it.id, nonetheless=True)
    assert not runtime.database.turn.locked()
    assert (it.state, it.position) == ("refused", 0)
    assert await every(runtime, DossierRow) == []


@pytest.mark.usefixtures("apart")
async def test_signals_that_are_meant_for_the_service_do_not_end_it(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = await looked(runtime, export(_begins(1)))

    async def signalling(self: Any) -> bool:
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(_pid(self), number)
        return True

    monkeypatch.setattr(job._Hands, "_ours", signalling)
    it = await confirm(runtime, it.id, nonetheless=True)
    assert (it.state, it.tries, it.position) == ("applied", 0, 1)


@pytest.mark.usefixtures("apart")
async def test_a_piece_that_is_gone_from_the_storage_is_said(runtime: Runtime) -> None:
    it = await looked(runtime, export(_begins(1)))
    await runtime.blobs.delete(actions.blob_key(it.id, "good/0"))
    it = await confirm(runtime, it.id, nonetheless=True)
    assert (it.state, it.problems[0]["code"]) == ("refused", "file_gone")


@pytest.mark.usefixtures("apart")
async def test_cancelling_ends_the_work_of_it_quietly(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    it = await looked(runtime, export(_begins(pieces.LARGE + 1)))
    asked = 0

    async def cancelling(_self: Any) -> bool:
        nonlocal asked
        asked += 1
        if asked == 2:
            async with runtime.units_of_work() as uow:
                row = await actions.cancel(uow, it.id)
            for key in actions.pieces(row):
                await runtime.blobs.delete(key)
        return True

    monkeypatch.setattr(job._Hands, "_ours", cancelling)
    it = await confirm(runtime, it.id, nonetheless=True)
    assert (it.state, it.position) == ("cancelled", pieces.LARGE)


async def test_it_ends_with_whoever_started_it(runtime: Runtime) -> None:
    desk = pieces.Desk(
        runtime.database,
        runtime.units_of_work,
        runtime.box,
        runtime.blobs,
        runtime.now,
        "i",
        "t",
        {"commune": "/"},
        "/",
    )
    async with process.started(runtime, desk) as importer:
        assert importer._process.stdin is not None
        importer._process.stdin.close()  # as the end of the service closes it
        async with asyncio.timeout(60):
            assert await importer._process.wait() == 0
        with pytest.raises(LostError):
            await importer.compare(0)


def test_a_database_beside_the_service_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert process.located("sqlite:///var/loa.db") == f"sqlite:///{tmp_path}/var/loa.db"
    assert process.located(f"sqlite:///{tmp_path}/it.db") == f"sqlite:///{tmp_path}/it.db"
    assert process.located("postgresql://loa@127.0.0.1/loa") == "postgresql://loa@127.0.0.1/loa"


@pytest.mark.usefixtures("apart")
async def test_it_rests_when_the_service_is_about_to_end_and_goes_on_afterwards(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = await looked(runtime, export(_begins(pieces.LARGE + 1)))
    ours, asked = job._Hands._ours, 0

    async def stopping(self: Any) -> bool:
        nonlocal asked
        asked += 1
        if asked == 2:
            runtime.stopping.set()
        return await ours(self)

    with monkeypatch.context() as patched:
        patched.setattr(job._Hands, "_ours", stopping)
        it = await confirm(runtime, it.id, nonetheless=True)
    assert (it.state, it.position, it.lease, it.tries) == ("applying", pieces.LARGE, None, 0)
    runtime.stopping.clear()
    await import_dossiers(runtime)
    it = await row_of(runtime, it.id)
    assert (it.state, it.position) == ("applied", pieces.LARGE + 1)
    assert code(1) in {each.code for each in await every(runtime, DossierRow)}
