"""The web process with an intake that keeps nothing: what the same server could answer if writing cost no time.

Only benchmarks start it. The service itself has no such switch.
"""

import argparse
import asyncio
import signal
from pathlib import Path

from bot import config, logs
from bot.cli.serve import _listening, run_loop
from bot.config import Settings
from bot.intake import Intake
from bot.runtime import opened
from bot.store.inbox import Arrival


class Forgetful(Intake):
    """Acknowledge at once and keep nothing."""

    async def submit(self, arrival: Arrival, account_id: str | None) -> None:
        del arrival, account_id


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with opened(settings) as runtime:
        runtime.intake = Forgetful(runtime.database, runtime.intake.spool, runtime.now)
        async with _listening(runtime, stop):
            await stop.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path)
    settings = config.load(parser.parse_args().config)
    logs.configure(settings.log)
    run_loop(_serve(settings))
