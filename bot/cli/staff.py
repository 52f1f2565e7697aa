"""`loa staff add EMAIL`: somebody who works in the console."""

import argparse
import asyncio
import getpass
import sys

from bot import config
from bot.actions.staff import add_staff, check_new_password
from bot.config import Settings
from bot.domain.access import Role
from bot.errors import ConfigError, InvalidInputError
from bot.passwords import hash_password
from bot.runtime import opened
from bot.store import units
from bot.store.unit_of_work import Actor


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    commands = parser.add_subparsers(dest="action", required=True)
    add = commands.add_parser("add", help="add a person")
    add.add_argument("email")
    add.add_argument("--name", required=True, help="the name colleagues see")
    add.add_argument("--role", required=True, choices=[role.value for role in Role])
    add.add_argument("--unit", required=True, help="code of the unit the role is held over")


def run(arguments: argparse.Namespace) -> int:
    """Ask for the password (or read one line of standard input) and add the person."""
    settings = config.load(arguments.config)
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    return asyncio.run(_add(settings, arguments, password))


async def _add(settings: Settings, arguments: argparse.Namespace, password: str) -> int:
    async with opened(settings) as runtime:
        try:
            hashed = await _hashed(password)
            async with runtime.units_of_work(Actor("system", name="loa staff add")) as uow:
                found = await units.units_by_code(uow.session, arguments.unit)
                unit_id = found[0].id if found else ""
                row = await add_staff(uow, arguments.email, arguments.name, hashed, arguments.role, unit_id)
        except InvalidInputError as error:
            raise ConfigError([f"{error.field}: {error.code.replace('_', ' ')}"]) from error
    print(f"added {row.name} <{row.email}>: {arguments.role} of {found[0].name}")
    return 0


async def _hashed(password: str) -> str:
    check_new_password(password)
    return await hash_password(password)
