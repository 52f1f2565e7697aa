"""`loa serve`, and what `loa web` and `loa worker` share with it: start, serve, and stop gracefully but surely."""

import argparse
import asyncio
import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from aiohttp import web

from bot import config, logs
from bot.config import Settings
from bot.errors import ConfigError
from bot.health.presence import attended
from bot.logs import logger
from bot.runtime import Runtime, opened

_log = logger("serve")
_HARD_EXIT_SECONDS = 90.0


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


class Stop:
    """Hear the signals: the first asks to end, the second to hurry, and after a while the process ends whatever hangs.

    The last is done by a thread, which goes on while the loop hangs or the interpreter waits for others to end
    (reliability R22).
    """

    def __init__(self, hard_exit_seconds: float = _HARD_EXIT_SECONDS) -> None:
        self.asked = asyncio.Event()
        self.hurry = asyncio.Event()
        self._timer = threading.Timer(hard_exit_seconds, _end_hard)
        self._timer.daemon = True

    def listen(self) -> None:
        """Hear SIGTERM and SIGINT from now on."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.heard)

    def heard(self) -> None:
        """Take one signal."""
        if self.asked.is_set():
            self.hurry.set()
            return
        self.asked.set()
        self._timer.start()


def _end_hard() -> None:
    sys.stderr.write("not ended in time, the process is ended hard; what it held is found by its leases\n")
    os._exit(os.EX_SOFTWARE)


async def _serve(settings: Settings, *, serve_web: bool, serve_jobs: bool) -> None:
    """Open everything, and when asked to stop close it in this order: intake, jobs, connections."""
    stop = Stop()
    stop.listen()
    async with contextlib.AsyncExitStack() as stack:
        runtime = await stack.enter_async_context(opened(settings))
        await stack.enter_async_context(_watched(runtime, serve_web=serve_web, serve_jobs=serve_jobs))
        if serve_jobs:
            from jobs.worker import working

            await stack.enter_async_context(working(runtime, alone=runtime.queue.embedded, hurry=stop.hurry))
        if serve_web:
            await stack.enter_async_context(_listening(runtime))
        gc.collect()
        gc.freeze()  # what was loaded stays: searching it again and again costs a fifth of a webhook's time
        _log.info("ready", web=serve_web, jobs=serve_jobs, address=settings.server.public_url)
        await stop.asked.wait()
        _log.info("stopping")
        runtime.stopping.set()


@contextlib.asynccontextmanager
async def _watched(runtime: Runtime, *, serve_web: bool, serve_jobs: bool) -> AsyncIterator[None]:
    """Stand on the health page and, without web, answer machines on a port of one's own."""
    kind = "serve" if serve_web and serve_jobs else "web" if serve_web else "worker"
    async with contextlib.AsyncExitStack() as stack:
        if not serve_web and runtime.settings.health.port:
            from handlers.machines import answering

            await stack.enter_async_context(answering(runtime))
        await stack.enter_async_context(attended(runtime, kind))
        yield


@contextlib.asynccontextmanager
async def _listening(runtime: Runtime) -> AsyncIterator[None]:
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
        await runner.cleanup()
        raise ConfigError([f"[server] port: {server.host}:{server.port} cannot be used: {error.strerror}"]) from error
    try:
        yield
    finally:
        await runner.cleanup()
        await runtime.intake.stop()
