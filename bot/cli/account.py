"""`loa account add zalo`: connect an Official Account by hand."""

import argparse
import asyncio
import os

from bot import config
from bot.actions.accounts import KINDS, Secrets, add_account
from bot.config import Settings
from bot.errors import ConfigError, InvalidInputError
from bot.runtime import opened
from bot.store.unit_of_work import Actor


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments; secrets may come from the environment so that no shell history keeps them."""
    commands = parser.add_subparsers(dest="action", required=True)
    add = commands.add_parser("add", help="connect an account")
    add.add_argument("provider", choices=["zalo"])
    add.add_argument("--oa-id", required=True, help="the account's id, digits")
    add.add_argument("--name", required=True, help="the name citizens see")
    add.add_argument("--unit", required=True, help="code of the unit that owns the account")
    add.add_argument("--type", choices=KINDS, default="business", help="state agency or business account")
    add.add_argument("--secret-key", default=os.environ.get("LOA_OA_SECRET_KEY", ""), help="OA Secret Key")
    add.add_argument("--access-token", default=os.environ.get("LOA_ACCESS_TOKEN", ""), help="access token")
    add.add_argument("--refresh-token", default=os.environ.get("LOA_REFRESH_TOKEN", ""), help="refresh token")


def run(arguments: argparse.Namespace) -> int:
    """Connect the account and say what happened to updates that waited for it."""
    return asyncio.run(_add(config.load(arguments.config), arguments))


async def _add(settings: Settings, arguments: argparse.Namespace) -> int:
    secrets = Secrets(arguments.access_token, arguments.refresh_token, arguments.secret_key)
    async with opened(settings) as runtime:
        try:
            async with runtime.units_of_work(Actor("system", name="loa account add")) as uow:
                row = await add_account(
                    uow,
                    runtime.box,
                    oa_id=arguments.oa_id,
                    name=arguments.name,
                    unit_code=arguments.unit,
                    kind=arguments.type,
                    secrets=secrets,
                )
        except InvalidInputError as error:
            raise ConfigError([f"--{error.field.replace('_', '-')}: {error.code.replace('_', ' ')}"]) from error
    print(f"connected {row.name} ({row.external_id}); the token is renewed by the service within minutes")
    return 0
