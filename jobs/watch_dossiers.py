"""Take exports of dossiers from a watched folder once they have stopped growing, and say there what became of them."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bot import render, translations
from bot.actions import dossier_imports as actions
from bot.clock import new_id
from bot.logs import logger
from bot.one_by_one import one_by_one
from bot.runtime import Runtime
from bot.store import dossier_imports, units
from bot.store.dossier_imports import DossierImportRow
from bot.store.unit_of_work import Actor
from bot.store.units import UnitRow

_log = logger("dossiers")
_ENDINGS = (".xlsx", ".xls", ".ods", ".csv", ".txt", ".tsv")
WORKING, DONE, REFUSED = "working", "done", "refused"
"""Folders below a unit's: what is being imported, what has been, and what somebody has to look at."""
_FOLDER = Actor("system", name="dossiers folder")
_OPEN = ("reading", "applying")


async def watch_dossiers(runtime: Runtime) -> int:
    """Look once at the folder of the configuration; returns how many files were taken or put aside.

    What cannot be read holds up nothing else; raises SomeFailedError at the end.
    """
    if not runtime.settings.dossiers.folder:
        return 0
    root, look = Path(runtime.settings.dossiers.folder), _Look(runtime)
    try:
        return await one_by_one(await asyncio.to_thread(_folders, root), look.folder)
    finally:
        runtime.watched = look.seen


@dataclass(slots=True)
class _Look:
    """One look at all watched folders; `seen` becomes what the next one compares with."""

    runtime: Runtime
    seen: dict[str, tuple[int, int]] = field(default_factory=dict)

    async def folder(self, folder: Path) -> int:
        """Put aside what has been imported of one unit, and take what has stopped growing."""
        async with self.runtime.database.reading() as session:
            found = [unit for unit in await units.units_by_code(session, folder.name) if unit.valid_to is None]
        if not found:
            _log.warning("no unit has the code that a watched folder is named by", folder=folder.name)
            return 0

        async def end() -> int:
            return await one_by_one(await asyncio.to_thread(_working, folder), partial(_end, self.runtime, folder))

        async def take() -> int:
            return await one_by_one(await asyncio.to_thread(_files, folder), partial(self._file, found[0]))

        return await one_by_one((end, take), lambda step: step())

    async def _file(self, unit: UnitRow, file: Path) -> int:
        about = await asyncio.to_thread(file.stat)
        mark = (about.st_size, about.st_mtime_ns)
        self.seen[str(file)] = mark
        if not about.st_size or self.runtime.watched.get(str(file)) != mark:
            return 0
        await _take(self.runtime, unit, file, about.st_size)
        return 1


def _folders(root: Path) -> list[Path]:
    return sorted(each for each in root.iterdir() if each.is_dir()) if root.is_dir() else []


def _files(folder: Path) -> list[Path]:
    """Return the files that may be exports."""
    return [each for each in _visible(folder) if each.suffix.lower() in _ENDINGS]


def _visible(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_file() and not each.name.startswith((".", "~")))


async def _take(runtime: Runtime, unit: UnitRow, file: Path, size: int) -> None:
    """Take one file in; whatever dies on the way, it is found again here or below `working`."""
    import_id = new_id()
    if size > actions.MOST_BYTES:
        await asyncio.to_thread(_put_aside, file, file.name, REFUSED, _report(None))
        return
    digest = await asyncio.to_thread(_digest, file)
    with await asyncio.to_thread(file.open, "rb") as opened:
        await runtime.blobs.put_file(actions.blob_key(import_id), opened)
    try:
        await asyncio.to_thread(_moved, file, file.parent / WORKING / f"{import_id}-{file.name}")
    except OSError:
        await runtime.blobs.delete(actions.blob_key(import_id))
        raise
    async with runtime.units_of_work(_FOLDER) as uow:
        await actions.add(uow, import_id, unit.id, file.name, digest, "folder", confirmed=True)


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _moved(file: Path, to: Path) -> None:
    to.parent.mkdir(exist_ok=True)
    file.rename(to)


async def _end(runtime: Runtime, folder: Path, file: Path) -> int:
    """Put aside a file that has been imported, or bring back what was never begun; returns how many were put aside."""
    import_id, _, name = file.name.partition("-")
    async with runtime.database.reading() as session:
        row = await dossier_imports.one(session, import_id) if name else None
    if row is None:
        await asyncio.to_thread(_brought_back, file, folder, name or file.name)
    elif row.state not in _OPEN:
        await asyncio.to_thread(_put_aside, file, name, DONE if row.state == "applied" else REFUSED, _report(row))
        return 1
    return 0


def _brought_back(file: Path, folder: Path, name: str) -> None:
    file.rename(_free(folder, name))


def _working(folder: Path) -> list[Path]:
    below = folder / WORKING
    return _visible(below) if below.is_dir() else []


def _free(folder: Path, name: str) -> Path:
    """Return where a file may lie without taking the place of one of the same name."""
    to, number = folder / name, 1
    while to.exists():
        number += 1
        to = folder / f"{Path(name).stem} ({number}){Path(name).suffix}"
    return to


def _put_aside(file: Path, name: str, where: str, report: str) -> None:
    """Move a file where it belongs, with the report beside it; one of the same name that lies there stays."""
    folder = file.parent.parent / where if file.parent.name == WORKING else file.parent / where
    folder.mkdir(exist_ok=True)
    to = _free(folder, name)
    to.with_name(f"{to.name}.report.txt").write_text(report, encoding="utf-8")
    file.rename(to)


def _report(row: DossierImportRow | None) -> str:
    """Return what became of a file in words; None stands for one that is too large to be taken."""
    translations.install(render.environment())
    values = {"row": row, "most_mb": actions.MOST_BYTES // 1024 // 1024}
    return render.message("official/dossier_import", values).text + "\n"
