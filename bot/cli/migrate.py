"""`loa migrate`: bring the database's schema up to date."""

import argparse
import asyncio

from bot import config
from bot.store.database import Database
from bot.store.schema import migrate


def configure(parser: argparse.ArgumentParser) -> None:
    """Take no arguments of its own."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Apply every missing migration and say which revision the database has now."""
    settings = config.load(arguments.config)
    print(f"database schema: {asyncio.run(_migrate(settings.database.url))}")
    return 0


async def _migrate(url: str) -> str:
    database = Database(url)
    try:
        return await migrate(database)
    finally:
        await database.close()
