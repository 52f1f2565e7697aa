"""`loa api-key add | list | revoke`: the keys by which other systems push the statuses of dossiers."""

import argparse
import asyncio

from bot import config
from bot.actions import api_keys as actions
from bot.clock import to_local
from bot.config import Settings
from bot.errors import ConfigError, InvalidInputError
from bot.runtime import Runtime, opened
from bot.store import api_keys, units
from bot.store.unit_of_work import Actor, UnitOfWork


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    commands = parser.add_subparsers(dest="action", required=True)
    add = commands.add_parser("add", help="make a key; it is printed once")
    add.add_argument("--unit", required=True, help="code of the unit whose dossiers the system reports")
    add.add_argument("--name", required=True, help="what the system is called")
    commands.add_parser("list", help="list all keys")
    revoke = commands.add_parser("revoke", help="refuse a key from now on")
    revoke.add_argument("id", help="the key's id, as `list` tells it")


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked; the key itself goes to standard output alone."""
    settings = config.load(arguments.config)
    return asyncio.run(_run(settings, arguments))


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    async with opened(settings) as runtime:
        if arguments.action == "list":
            return await _list(runtime)
        try:
            async with runtime.units_of_work(Actor("system", name=f"loa api-key {arguments.action}")) as uow:
                said = await (_add if arguments.action == "add" else _revoke)(runtime, uow, arguments)
        except InvalidInputError as error:
            raise ConfigError([f"{error.field}: {error.code.replace('_', ' ')}"]) from error
    print(said)
    return 0


async def _add(runtime: Runtime, uow: UnitOfWork, arguments: argparse.Namespace) -> str:
    found = await units.units_by_code(uow.session, arguments.unit)
    if not found:
        raise InvalidInputError("unit", "unknown_unit")
    _, key = await actions.make(uow, runtime.box, found[0].id, arguments.name)
    return key


async def _revoke(_runtime: Runtime, uow: UnitOfWork, arguments: argparse.Namespace) -> str:
    row = await actions.revoke(uow, arguments.id)
    return f"revoked {row.name} …{row.hint}"


async def _list(runtime: Runtime) -> int:
    async with runtime.database.reading() as session:
        every = {unit.id: unit for unit in await units.all_units(session)}
        rows = await api_keys.of_units(session, list(every))
    for row in rows:
        used = f"used {to_local(row.used_at):%d/%m/%Y %H:%M}" if row.used_at else "never used"
        state = "revoked" if row.revoked_at else used
        print(f"{row.id}  …{row.hint}  {every[row.unit_id].code}  {row.name}  ({state})")
    return 0
