"""The web process with an intake that keeps nothing: what the same server could answer if writing cost no time.

Only benchmarks start it. The service itself has no such switch.
"""

import argparse
import asyncio
import gc
import signal
from pathlib import Path

from aiohttp import web

from bot import config, logs
from bot.cli.serve import run_loop
from bot.config import Settings
from bot.intake import Intake
from bot.runtime import opened
from bot.store.arrivals import Arrival
from handlers.app import build_app


class Forgetful(Intake):
    """Acknowledge at once and keep nothing."""

    async def submit(self, arrival: Arrival, account_id: str | None) -> None:
        del arrival, account_id


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with opened(settings) as runtime:
        await runtime.refresh_accounts()
        runtime.intake = Forgetful(runtime.database, runtime.intake.spool, runtime.now)
        runner = web.AppRunner(build_app(runtime), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, settings.server.host, settings.server.port).start()
        gc.collect()
        gc.freeze()
        await stop.wait()
        await runner.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path)
    settings = config.load(parser.parse_args().config)
    logs.configure(settings.log)
    run_loop(_serve(settings))
