"""`loa serve`, and what `loa web` and `loa worker` share with it."""

import argparse
import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any

from aiohttp import web

from bot import config, logs
from bot.config import Settings
from bot.errors import ConfigError
from bot.logs import logger
from bot.runtime import Runtime, opened

_log = logger("serve")
_STOP_SECONDS = 30


def configure(parser: argparse.ArgumentParser) -> None:
    """Take no arguments of its own."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Serve web and jobs until stopped."""
    return start(arguments, serve_web=True, serve_jobs=True)


def start(arguments: argparse.Namespace, *, serve_web: bool, serve_jobs: bool) -> int:
    """Read the configuration, then serve until SIGTERM or SIGINT."""
    settings = config.load(arguments.config)
    logs.configure(settings.log)
    if settings.queue.url == "embedded" and not (serve_web and serve_jobs):
        raise ConfigError(['[queue] url: "embedded" works only with `loa serve`; several processes need Redis'])
    run_loop(_serve(settings, serve_web=serve_web, serve_jobs=serve_jobs))
    return 0


def run_loop(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine on uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work)


async def _serve(settings: Settings, *, serve_web: bool, serve_jobs: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        runtime = await stack.enter_async_context(opened(settings))
        if serve_jobs:
            from jobs.worker import working

            alone = runtime.queue.embedded
            await stack.enter_async_context(working(runtime, alone=alone))
        if serve_web:
            await stack.enter_async_context(_listening(runtime, stop))
        _log.info("ready", web=serve_web, jobs=serve_jobs, address=settings.server.public_url)
        await stop.wait()
        _log.info("stopping")


@contextlib.asynccontextmanager
async def _listening(runtime: Runtime, stop: asyncio.Event) -> Any:
    from handlers.app import build_app

    server = runtime.settings.server
    await runtime.refresh_accounts()
    runtime.intake.start()
    runner = web.AppRunner(build_app(runtime), access_log=None, shutdown_timeout=5)
    await runner.setup()
    site = web.TCPSite(runner, server.host, server.port)
    try:
        await site.start()
    except OSError as error:
        stop.set()
        await runner.cleanup()
        raise ConfigError([f"[server] port: {server.host}:{server.port} cannot be used: {error.strerror}"]) from error
    try:
        yield
    finally:
        await runner.cleanup()
        await runtime.intake.stop()
