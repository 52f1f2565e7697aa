"""`loa dossier import FILE`: an export of the one-stop system, previewed and applied."""

import argparse
import asyncio
import hashlib
import sys
from pathlib import Path

from bot import config
from bot.actions import dossier_imports as actions
from bot.actions.dossier_counts import KINDS
from bot.clock import new_id
from bot.config import Settings
from bot.errors import ConfigError
from bot.runtime import Runtime, opened
from bot.store import dossier_imports, units
from bot.store.dossier_imports import DossierImportRow
from bot.store.unit_of_work import Actor
from bot.store.units import UnitRow
from jobs.import_dossiers import import_dossiers

_COMMAND = Actor("system", name="loa dossier import")
_PAUSE = 0.2
_FIGURES = ("rows", *KINDS, "doubled", "bad", "told")
_WORDS = {
    "told": "notices",
    "foreign": "of other units, left out",
    "unknown_units": "units that nobody knows, perhaps of another commune",
    "many_notices": "many notices would leave",
    "unknown_statuses": "statuses that nobody knows; their rows are left out",
    "unknown_procedures": "procedures that the catalogue does not have; their dossiers are imported",
    "no_update_column": "no column of updates: moments are derived from the other dates of each row",
    "same_file": "this very file has been imported before",
    "cut_off": "the file is cut off; the last whole row is",
    "no_code_column": "no column of dossier codes",
    "no_status_column": "no column of statuses",
    "no_columns": "no line of column names among the first 15",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    commands = parser.add_subparsers(dest="action", required=True)
    bring = commands.add_parser("import", help="import an export of the one-stop system")
    bring.add_argument("file", type=Path, help="xlsx, xls, ods or csv")
    bring.add_argument("--unit", default="", help="code of the unit whose export it is; the only root when left out")
    bring.add_argument("--yes", action="store_true", help="apply it without asking, whatever the preview says")
    bring.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")


def run(arguments: argparse.Namespace) -> int:
    """Preview the file and apply it; 0 when it is applied, or shown with --dry-run, 1 when it is not."""
    settings = config.load(arguments.config)
    if not arguments.file.is_file():
        raise ConfigError([f"{arguments.file}: no such file"])
    if not 0 < arguments.file.stat().st_size <= actions.MOST_BYTES:
        raise ConfigError([f"{arguments.file}: empty, or larger than {actions.MOST_BYTES // 1024 // 1024} MB"])
    return asyncio.run(_import(settings, arguments))


async def _import(settings: Settings, arguments: argparse.Namespace) -> int:
    async with opened(settings) as runtime:
        unit = await _unit(runtime, arguments.unit)
        row = await _worked(runtime, await _add(runtime, unit, arguments.file))
        print(f"{row.file_name} for {unit.name}: {_figures(row)}")
        _say(row)
        if row.state != "ready":
            if row.state == "applied":
                known = "" if row.figures.get("foreign") else ": every dossier is known already"
                print(f"nothing has changed{known}")
            return 0 if row.state == "applied" else 1
        if arguments.dry_run or not (arguments.yes or _agreed()):
            async with runtime.units_of_work(_COMMAND) as uow:
                left = actions.pieces(await actions.cancel(uow, row.id))
            for key in left:
                await runtime.blobs.delete(key)
            print("nothing has been changed")
            return 0 if arguments.dry_run else 1
        async with runtime.units_of_work(_COMMAND) as uow:
            await actions.confirm(uow, row.id, nonetheless=True)
        row = await _worked(runtime, row.id)
        print(f"applied: {_figures(row, 'done_')}" if row.state == "applied" else f"not applied: {row.state}")
        return 0 if row.state == "applied" else 1


async def _unit(runtime: Runtime, code: str) -> UnitRow:
    async with runtime.database.reading() as session:
        if code:
            found = [unit for unit in await units.units_by_code(session, code) if unit.valid_to is None]
        else:
            found = [unit for unit in await units.all_units(session) if unit.parent_id is None]
    if len(found) != 1:
        raise ConfigError([f"--unit: no unit has the code {code!r}" if code else "--unit: there are several roots"])
    return found[0]


async def _add(runtime: Runtime, unit: UnitRow, file: Path) -> str:
    import_id = new_id()
    with await asyncio.to_thread(file.open, "rb") as opened_file:
        digest = await asyncio.to_thread(hashlib.file_digest, opened_file, "sha256")
        opened_file.seek(0)
        await runtime.blobs.put_file(actions.blob_key(import_id), opened_file)
    async with runtime.units_of_work(_COMMAND) as uow:
        await actions.add(uow, import_id, unit.id, file.name, digest.hexdigest(), "command")
    return import_id


async def _worked(runtime: Runtime, import_id: str) -> DossierImportRow:
    """Read or apply an import here, unless a worker of the service has it in hand already; return what came of it."""
    while True:
        await import_dossiers(runtime)
        async with runtime.database.reading() as session:
            row = await dossier_imports.one(session, import_id)
        assert row is not None
        if row.state not in {"reading", "applying"}:
            return row
        await asyncio.sleep(_PAUSE)


def _figures(row: DossierImportRow, prefix: str = "") -> str:
    found = [(name, row.figures.get(f"{prefix}{name}", 0)) for name in _FIGURES if f"{prefix}{name}" in row.figures]
    return ", ".join(f"{number} {_WORDS.get(name, name)}" for name, number in found) or row.state


def _say(row: DossierImportRow) -> None:
    for each in (*row.problems, *row.warnings):
        details = " ".join(str(value) for value in each["details"].values())
        words = _WORDS.get(each["code"], each["code"].replace("_", " "))
        print(f"loa: {words} {details}".rstrip(), file=sys.stderr)


def _agreed() -> bool:
    print("Apply? [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
