"""`loa check`: read the configuration, ping everything, and say in words what is wrong."""

import argparse
import asyncio

from bot import config
from bot.channels.channel import KnowsAccounts
from bot.config import Settings
from bot.domain.delivery import SendError
from bot.errors import LoaError
from bot.queue import QUEUE_ERRORS
from bot.runtime import Runtime, opened, ref
from bot.store import accounts
from bot.store.database import DATABASE_ERRORS


def configure(parser: argparse.ArgumentParser) -> None:
    """Take no arguments of its own."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Check configuration, database, queue, files and accounts; 1 when anything is wrong."""
    settings = config.load(arguments.config)
    print("configuration: well")
    return 1 if asyncio.run(_check(settings)) else 0


async def _check(settings: Settings) -> int:
    problems = 0
    try:
        async with opened(settings) as runtime:
            print("database: well, schema current")
            for part in (_queue, _files):
                problems += await part(runtime)
            problems += await _accounts(runtime)
    except (LoaError, *DATABASE_ERRORS, *QUEUE_ERRORS) as error:
        print(f"not well: {error}")
        return problems + 1
    return problems


async def _queue(runtime: Runtime) -> int:
    await runtime.queue.ping()
    print("queue: well" + (" (embedded)" if runtime.queue.embedded else ""))
    return 0


async def _files(runtime: Runtime) -> int:
    await runtime.blobs.put("check", b"check")
    await runtime.blobs.delete("check")
    print("files: well")
    return 0


async def _accounts(runtime: Runtime) -> int:
    problems = 0
    async with runtime.database.reading() as session:
        rows = await accounts.all_accounts(session)
    if not rows:
        print("accounts: none yet; add one with `loa account add`")
    for row in rows:
        channel = runtime.channels.get(row.provider)
        if row.state != "active" or channel is None:
            print(f"account {row.name}: not well: {row.stopped_reason or 'its provider is not configured'}")
            problems += 1
        elif isinstance(channel, KnowsAccounts):
            try:
                info = await channel.account_info(ref(row))
                print(f"account {row.name}: well ({info.name})")
            except SendError as error:
                print(f"account {row.name}: not well: {error.reason}")
                problems += 1
    return problems
