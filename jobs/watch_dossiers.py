"""Take exports of dossiers from a watched folder once they have stopped growing, and say there what became of them."""

import asyncio
import hashlib
from pathlib import Path

from bot import render, translations
from bot.actions import dossier_imports as actions
from bot.clock import new_id
from bot.logs import logger
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
    """Look once at the folder of the configuration; returns how many files were taken or put aside."""
    if not runtime.settings.dossiers.folder:
        return 0
    root = Path(runtime.settings.dossiers.folder)
    done, seen = 0, {}
    for folder in await asyncio.to_thread(_folders, root):
        async with runtime.database.reading() as session:
            found = [unit for unit in await units.units_by_code(session, folder.name) if unit.valid_to is None]
        if not found:
            _log.warning("no unit has the code that a watched folder is named by", folder=folder.name)
            continue
        done += await _end(runtime, folder)
        for file, mark in (await asyncio.to_thread(_files, folder)).items():
            seen[str(file)] = mark
            if runtime.watched.get(str(file)) == mark:
                await _take(runtime, found[0], file, mark[0])
                done += 1
    runtime.watched = seen
    return done


def _folders(root: Path) -> list[Path]:
    return sorted(each for each in root.iterdir() if each.is_dir()) if root.is_dir() else []


def _files(folder: Path) -> dict[Path, tuple[int, int]]:
    """Return the files that may be exports, each with its size and when it was last written."""
    found = {}
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.suffix.lower() in _ENDINGS and not file.name.startswith((".", "~")):
            about = file.stat()
            if about.st_size:
                found[file] = (about.st_size, about.st_mtime_ns)
    return found


async def _take(runtime: Runtime, unit: UnitRow, file: Path, size: int) -> None:
    """Take one file in; whatever dies on the way, it is found again here or below `working`."""
    import_id = new_id()
    if size > actions.MOST_BYTES:
        await asyncio.to_thread(_put_aside, file, file.name, REFUSED, _report(None))
        return
    digest = await asyncio.to_thread(_digest, file)
    with await asyncio.to_thread(file.open, "rb") as opened:
        await runtime.blobs.put_file(actions.blob_key(import_id), opened)
    await asyncio.to_thread(_moved, file, file.parent / WORKING / f"{import_id}-{file.name}")
    async with runtime.units_of_work(_FOLDER) as uow:
        await actions.add(uow, import_id, unit.id, file.name, digest, "folder", confirmed=True)


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _moved(file: Path, to: Path) -> None:
    to.parent.mkdir(exist_ok=True)
    file.rename(to)


async def _end(runtime: Runtime, folder: Path) -> int:
    """Put aside what has been imported, and bring back what was never begun; returns how many."""
    done = 0
    for file in await asyncio.to_thread(_working, folder):
        import_id, _, name = file.name.partition("-")
        async with runtime.database.reading() as session:
            row = await dossier_imports.one(session, import_id)
        if row is None:
            await asyncio.to_thread(_moved, file, folder / name)
        elif row.state not in _OPEN:
            where = DONE if row.state == "applied" else REFUSED
            await asyncio.to_thread(_put_aside, file, name, where, _report(row))
            done += 1
    return done


def _working(folder: Path) -> list[Path]:
    below = folder / WORKING
    return sorted(each for each in below.iterdir() if each.is_file()) if below.is_dir() else []


def _put_aside(file: Path, name: str, where: str, report: str) -> None:
    """Move a file where it belongs, with the report beside it; one of the same name that lies there stays."""
    folder = file.parent.parent / where if file.parent.name == WORKING else file.parent / where
    folder.mkdir(exist_ok=True)
    to, number = folder / name, 1
    while to.exists():
        number += 1
        to = folder / f"{Path(name).stem} ({number}){Path(name).suffix}"
    to.with_name(f"{to.name}.report.txt").write_text(report, encoding="utf-8")
    file.rename(to)


def _report(row: DossierImportRow | None) -> str:
    """Return what became of a file in words; None stands for one that is too large to be taken."""
    translations.install(render.environment())
    values = {"row": row, "most_mb": actions.MOST_BYTES // 1024 // 1024}
    return render.message("official/dossier_import", values).text + "\n"
