"""`loa unit import FILE`: units from csv or xlsx."""

import argparse
import asyncio
import sys
from pathlib import Path

from bot import config
from bot.actions.import_units import COLUMNS, UnitImport, import_units
from bot.config import Settings
from bot.errors import ConfigError, InvalidInputError
from bot.runtime import opened
from bot.store.unit_of_work import Actor
from bot.tables import TableRow, read_table

_WORDS = {
    "empty_code": "code is empty",
    "empty_name": "name is empty",
    "bad_valid_from": "valid_from is no date (2025-07-01 or 01/07/2025):",
    "bad_valid_to": "valid_to is no date (2025-07-01 or 01/07/2025):",
    "dates_reversed": "valid_to lies before valid_from",
    "own_parent": "parent is the unit itself",
    "unknown_parent": "no unit has the code of the parent:",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    commands = parser.add_subparsers(dest="action", required=True)
    bring = commands.add_parser("import", help="import units")
    bring.add_argument("file", type=Path, help="csv or xlsx: code,name,kind,parent,valid_from[,valid_to,aliases,…]")


def run(arguments: argparse.Namespace) -> int:
    """Import the file; 1 when some rows were bad (the good ones are in)."""
    settings = config.load(arguments.config)
    try:
        rows = read_table(arguments.file, COLUMNS)
    except FileNotFoundError as error:
        raise ConfigError([f"{arguments.file}: no such file"]) from error
    except InvalidInputError as error:
        details = ", ".join(str(value) for value in error.details.values())
        raise ConfigError([f"{arguments.file}: {error.code.replace('_', ' ')} {details}".strip()]) from error
    done = asyncio.run(_import(settings, rows))
    print(f"units: {done.added} added, {done.changed} changed, {done.unchanged} as before, {len(done.problems)} bad")
    for problem in done.problems:
        words = f"{_WORDS[problem.code]} {problem.value!r}" if problem.value else _WORDS[problem.code]
        print(f"loa: row {problem.number}: {words}", file=sys.stderr)
    return 1 if done.problems else 0


async def _import(settings: Settings, rows: list[TableRow]) -> UnitImport:
    async with opened(settings) as runtime, runtime.units_of_work(Actor("system", name="loa unit import")) as uow:
        return await import_units(uow, rows)
