"""`loa demo`: fill an empty database with demo data and print how to sign in."""

import argparse
import asyncio

from bot import config
from bot.config import Settings
from bot.demo.load import load
from bot.runtime import opened


def configure(parser: argparse.ArgumentParser) -> None:
    """Take no arguments of its own."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Load the demo data once and print the sign-ins."""
    asyncio.run(_load(config.load(arguments.config)))
    return 0


async def _load(settings: Settings) -> None:
    async with opened(settings) as runtime:
        demo = await load(runtime)
    for person in demo.people:
        print(f"{person.email:34} {person.password:16} {person.role}")
