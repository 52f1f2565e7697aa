"""Files in the watched folder are imported once they have stopped growing, and lie aside with a report afterwards."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.actions.dossier_imports import add, cancel
from bot.clock import new_id
from bot.config import DossiersSettings, Settings
from bot.one_by_one import SomeFailedError
from bot.runtime import Runtime
from bot.store.dossier_imports import DossierImportRow
from bot.store.dossiers import DossierRow
from jobs.import_dossiers import import_dossiers
from jobs.watch_dossiers import watch_dossiers
from tests import commune
from tests.bot.sheets.files import xlsx
from tests.jobs.test_import_dossiers import HEADER, every, export, row


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "watched" / "10183").mkdir(parents=True)
    (tmp_path / "watched" / "99999").mkdir()
    return replace(settings, dossiers=DossiersSettings(folder=str(tmp_path / "watched")))


@pytest.fixture
async def folder(runtime: Runtime, tmp_path: Path) -> Path:
    async with runtime.units_of_work() as uow:
        await commune.build(uow)
    return tmp_path / "watched" / "10183"


def names(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


async def test_a_file_is_waited_for_imported_and_put_aside_with_a_report(runtime: Runtime, folder: Path) -> None:
    data = export([row(1, "Đang xử lý"), row(2, "Đang đi dạo")])
    (folder / "xuat.xlsx").write_bytes(data[:1000])
    (folder / "~$xuat.xlsx").write_bytes(b"lock")
    assert await watch_dossiers(runtime) == 0
    (folder / "xuat.xlsx").write_bytes(data)
    assert await watch_dossiers(runtime) == 0
    assert await watch_dossiers(runtime) == 1
    assert await import_dossiers(runtime) == 2
    assert await watch_dossiers(runtime) == 1
    assert names(folder) == ["done/xuat.xlsx", "done/xuat.xlsx.report.txt", "~$xuat.xlsx"]
    report = (folder / "done" / "xuat.xlsx.report.txt").read_text(encoding="utf-8")
    assert "Hồ sơ mới: 1." in report
    assert "Chưa biết trạng thái" not in report
    assert "“Đang đi dạo” (1)" in report
    assert len(await every(runtime, DossierRow)) == 1


async def test_what_asks_for_a_word_is_refused_and_waits_in_the_console(runtime: Runtime, folder: Path) -> None:
    (folder / "xuat.xlsx").write_bytes(xlsx([[*HEADER, "Mã đơn vị"], [*row(1, "Đang xử lý"), "99999"]]))
    (folder / "khac.csv").write_text("Vật tư,Số lượng\nVí dụ,5\n", encoding="utf-8")
    await watch_dossiers(runtime)
    await watch_dossiers(runtime)
    await import_dossiers(runtime)
    await watch_dossiers(runtime)
    assert [name for name in names(folder) if name.endswith(("x", "v"))] == ["refused/khac.csv", "refused/xuat.xlsx"]
    report = (folder / "refused" / "xuat.xlsx.report.txt").read_text(encoding="utf-8")
    assert "cần có người xem và xác nhận" in report
    assert {each.state for each in await every(runtime, DossierImportRow)} == {"ready", "refused"}
    assert await every(runtime, DossierRow) == []


async def test_a_file_whose_taking_in_died_is_taken_again(runtime: Runtime, folder: Path) -> None:
    (folder / "working").mkdir()
    (folder / "working" / f"{new_id()}-xuat.xlsx").write_bytes(export([row(1, "Đang xử lý")]))
    await watch_dossiers(runtime)
    assert names(folder) == ["xuat.xlsx"]
    await watch_dossiers(runtime)
    await import_dossiers(runtime)
    await watch_dossiers(runtime)
    assert len(await every(runtime, DossierRow)) == 1
    assert "done/xuat.xlsx" in names(folder)


async def test_what_cannot_be_read_holds_up_nothing_else(runtime: Runtime, folder: Path) -> None:
    (folder / "working").mkdir()
    (folder / "working" / "la.xlsx").write_bytes(export([row(1, "Đang xử lý")]))
    other = folder.parent / "10183.police"
    other.mkdir()
    async with runtime.units_of_work() as uow:
        await add(uow, "taken", "commune", "a.xlsx", "", "folder")
        await cancel(uow, "taken")
    (folder / "refused").write_text("a file where a folder should be", encoding="utf-8")
    (folder / "working" / "taken-a.xlsx").write_bytes(b"x")
    (other / "xuat.xlsx").write_bytes(export([row(2, "Đang xử lý")]))
    for _ in range(3):
        with pytest.raises(SomeFailedError):
            await watch_dossiers(runtime)
    await import_dossiers(runtime)
    assert len(await every(runtime, DossierRow)) == 2


async def test_what_is_brought_back_takes_no_other_files_place(runtime: Runtime, folder: Path) -> None:
    (folder / "working").mkdir()
    (folder / "working" / f"{new_id()}-xuat.xlsx").write_bytes(export([row(1, "Đang xử lý")]))
    (folder / "xuat.xlsx").write_bytes(export([row(2, "Đang xử lý")]))
    for _ in range(3):
        await watch_dossiers(runtime)
        await import_dossiers(runtime)
    assert len(await every(runtime, DossierRow)) == 2
