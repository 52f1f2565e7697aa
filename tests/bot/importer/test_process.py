"""A large import is compared and applied by a process of its own as it would be here, whoever dies over it."""

import asyncio
import os
import signal
from typing import Any

import pytest
from sqlmodel import delete

from bot.actions import dossier_imports as actions
from bot.importer import pieces, process
from bot.importer.process import LostError
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
    async with runtime.queue.news() as news, asyncio.timeout(10):
        await confirm(runtime, it.id, nonetheless=True)
        while await news.get() != f"dossier:{code(2)}":
            pass
    runtime.queue.attach(None)
    assert "tell_dossiers" in woken


@pytest.mark.usefixtures("apart")
async def test_when_it_is_killed_the_import_goes_on_where_it_was(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    it = await looked(runtime, export([row(number, "Đang xử lý") for number in range(1, 2 * pieces.SLICE + 2)]))
    asked = 0

    async def killing(self: Any) -> bool:
        nonlocal asked
        asked += 1
        if asked == 2:
            os.kill(self._importer._process.pid, signal.SIGKILL)
        return True

    with monkeypatch.context() as patched:
        patched.setattr(job._Hands, "_may_lend", killing)
        with pytest.raises(LostError):
            await confirm(runtime, it.id, nonetheless=True)
    assert (await row_of(runtime, it.id)).position == pieces.SLICE
    assert not runtime.database.turn.locked()
    clock.forward(minutes=10)
    assert await import_dossiers(runtime) == 1
    it = await row_of(runtime, it.id)
    assert (it.state, it.position) == ("applied", 2 * pieces.SLICE + 1)
    assert len(await every(runtime, DossierEventRow)) == 2 * pieces.SLICE + 1


@pytest.mark.usefixtures("apart")
async def test_when_it_hangs_with_the_turn_to_write_it_is_ended_and_others_write(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = await looked(runtime, export([row(number, "Đang xử lý") for number in range(1, 4)]))

    async def stopping(self: Any) -> bool:
        os.kill(self._importer._process.pid, signal.SIGSTOP)
        return True

    monkeypatch.setattr(process, "_WRITING_SECONDS", 0.2)
    with monkeypatch.context() as patched:
        patched.setattr(job._Hands, "_may_lend", stopping)
        with pytest.raises(LostError):
            await confirm(runtime, it.id, nonetheless=True)
    assert not runtime.database.turn.locked()
    assert (await row_of(runtime, it.id)).position == 0
    async with asyncio.timeout(10), runtime.units_of_work() as uow:
        await actions.cancel(uow, it.id)


@pytest.mark.usefixtures("apart")
async def test_it_rests_when_the_service_is_about_to_end_and_goes_on_afterwards(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = await looked(runtime, export([row(number, "Đang xử lý") for number in range(1, pieces.SLICE + 2)]))
    may_lend, asked = job._Hands._may_lend, 0

    async def stopping(self: Any) -> bool:
        nonlocal asked
        asked += 1
        if asked == 2:
            runtime.stopping.set()
        return await may_lend(self)

    with monkeypatch.context() as patched:
        patched.setattr(job._Hands, "_may_lend", stopping)
        it = await confirm(runtime, it.id, nonetheless=True)
    assert (it.state, it.position, it.lease, it.tries) == ("applying", pieces.SLICE, None, 0)
    runtime.stopping.clear()
    await import_dossiers(runtime)
    it = await row_of(runtime, it.id)
    assert (it.state, it.position) == ("applied", pieces.SLICE + 1)
    assert code(1) in {each.code for each in await every(runtime, DossierRow)}
