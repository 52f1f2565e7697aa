"""`loa account`: connect an Official Account or a bot by hand, and import who follows it."""

import argparse
import asyncio
import os
import sys

from bot import config
from bot.actions import follower_imports
from bot.actions.accounts import KINDS, Secrets, add_account, add_bot
from bot.channels.channel import ConnectsByToken, ListsFollowers
from bot.config import Settings
from bot.domain.delivery import AccountStoppedError, SendError
from bot.errors import ConfigError, InvalidInputError, LoaError
from bot.runtime import Runtime, opened
from bot.secrets import new_webhook_key
from bot.store import accounts, receptions
from bot.store.accounts import AccountRow
from bot.store.unit_of_work import Actor

_ACTOR = Actor("system", name="loa account add")
_FOLLOWERS_ACTOR = Actor("system", name="loa account followers")


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments; secrets may come from the environment so that no shell history keeps them."""
    commands = parser.add_subparsers(dest="action", required=True)
    add = commands.add_parser("add", help="connect an account")
    providers = add.add_subparsers(dest="provider", required=True)
    zalo = _provider(providers, "zalo", "a Zalo Official Account")
    zalo.add_argument("--oa-id", required=True, help="the account's id, digits")
    zalo.add_argument("--type", choices=KINDS, default="business", help="state agency or business account")
    zalo.add_argument("--secret-key", default=os.environ.get("LOA_OA_SECRET_KEY", ""), help="OA Secret Key")
    zalo.add_argument("--access-token", default=os.environ.get("LOA_ACCESS_TOKEN", ""), help="access token")
    zalo.add_argument("--refresh-token", default=os.environ.get("LOA_REFRESH_TOKEN", ""), help="refresh token")
    telegram = _provider(providers, "telegram", "a Telegram bot")
    telegram.add_argument("--token-stdin", action="store_true", help="read the bot's token from standard input")
    followers = commands.add_parser("followers", help="import who followed an Official Account before it was connected")
    followers.add_argument("oa_id", metavar="OA_ID", help="the account's id, digits")
    telegram.add_argument("--polling", action="store_true", help="fetch updates: for an office without public address")


def _provider(
    providers: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, words: str
) -> argparse.ArgumentParser:
    parser = providers.add_parser(name, help=words)
    parser.add_argument("--name", required=True, help="the name citizens see")
    parser.add_argument("--unit", required=True, help="code of the unit that owns the account")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Connect the account, or begin to import who follows it, and say what comes next."""
    settings = config.load(arguments.config)
    if arguments.action == "followers":
        return asyncio.run(_import_followers(settings, arguments.oa_id))
    if arguments.provider == "zalo":
        return asyncio.run(_add(settings, arguments))
    token = sys.stdin.readline().strip() if arguments.token_stdin else os.environ.get("LOA_BOT_TOKEN", "").strip()
    if not token:
        raise ConfigError(["no token: give it on standard input with --token-stdin, or in LOA_BOT_TOKEN"])
    return asyncio.run(_add_bot(settings, arguments, token))


async def _add(settings: Settings, arguments: argparse.Namespace) -> int:
    secrets = Secrets(arguments.access_token, arguments.refresh_token, arguments.secret_key)
    async with opened(settings) as runtime:
        try:
            async with runtime.units_of_work(_ACTOR) as uow:
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
            raise _misuse(error) from error
    print(f"connected {row.name} ({row.external_id}); the token is renewed by the service within minutes")
    return 0


async def _import_followers(settings: Settings, oa_id: str) -> int:
    """Begin an import, which the running service carries out."""
    async with opened(settings) as runtime:
        async with runtime.database.reading() as session:
            row = await accounts.by_external_id(session, "zalo", oa_id)
        if row is None:
            raise LoaError(f"no Official Account {oa_id} is connected")
        if not isinstance(runtime.channel(row), ListsFollowers):
            raise ConfigError(["[zalo]: not configured"])
        try:
            async with runtime.units_of_work(_FOLLOWERS_ACTOR) as uow:
                await follower_imports.begin(uow, row.id)
        except InvalidInputError:
            raise LoaError(f"the followers of {row.name} are being imported already") from None
    print(f"importing who follows {row.name} ({oa_id}); how far it has come is shown at /admin/accounts")
    return 0


def _misuse(error: InvalidInputError) -> ConfigError:
    return ConfigError([f"--{error.field.replace('_', '-')}: {error.code.replace('_', ' ')}"])


async def _add_bot(settings: Settings, arguments: argparse.Namespace, token: str) -> int:
    """Ask whose token it is, keep it encrypted, and see to it that updates come in."""
    async with opened(settings) as runtime:
        channel = runtime.channels.get(arguments.provider)
        if not isinstance(channel, ConnectsByToken):
            raise ConfigError([f"[{arguments.provider}]: not configured"])
        try:
            info = await channel.identify(token)
        except AccountStoppedError as error:
            raise LoaError(f"the token is not valid: {error.detail or error.reason}") from None
        except SendError as error:
            raise LoaError(f"{arguments.provider} cannot be asked whose token it is: {error.reason}") from None
        try:
            async with runtime.units_of_work(_ACTOR) as uow:
                row = await add_bot(
                    uow,
                    runtime.box,
                    provider=arguments.provider,
                    external_id=info.external_id,
                    name=arguments.name,
                    unit_code=arguments.unit,
                    polling=arguments.polling,
                    secrets=Secrets(token, webhook_key=new_webhook_key()),
                    username=info.details.get("username", ""),
                )
        except InvalidInputError as error:
            raise _misuse(error) from error
        print(f"connected {row.name} (@{info.details.get('username', '')}, {row.external_id})")
        return 0 if arguments.polling else await _set_webhook(runtime, row)


async def _set_webhook(runtime: Runtime, row: AccountRow) -> int:
    from jobs.keep_webhooks import keep_webhooks, webhook_url

    await keep_webhooks(runtime)
    async with runtime.database.reading() as session:
        found = await receptions.reception(session, row.id)
    if found is not None and found.error:
        print(
            f"loa: the webhook is not set: {found.detail or found.error}; [server] public_url must be reachable from "
            "outside by https, or add the account with --polling. The service tries again by itself.",
            file=sys.stderr,
        )
        return 1
    print(f"updates come to {webhook_url(runtime, row)}")
    return 0
