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
    for number, problem in done.problems:
        print(f"loa: row {number}: {problem}", file=sys.stderr)
    return 1 if done.problems else 0


async def _import(settings: Settings, rows: list[TableRow]) -> UnitImport:
    async with opened(settings) as runtime, runtime.units_of_work(Actor("system", name="loa unit import")) as uow:
        return await import_units(uow, rows)
