"""Answer machines on a port of a worker's own: it serves no pages, but is watched like every process."""

import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from bot.errors import ConfigError
from bot.health.gauges import Gauges
from bot.runtime import Runtime
from handlers import health
from handlers.keys import GAUGES, RUNTIME


def build_machines_app(runtime: Runtime) -> web.Application:
    """Return an application that answers /healthz, /readyz and /metrics only."""
    app = web.Application()
    app[RUNTIME] = runtime
    app[GAUGES] = Gauges(runtime)
    app.add_routes(
        [
            web.get("/healthz", health.healthz),
            web.get("/readyz", health.readyz),
            web.get("/metrics", health.metrics_page),
        ]
    )
    return app


@contextlib.asynccontextmanager
async def answering(runtime: Runtime) -> AsyncIterator[None]:
    """Listen on `[health] port` until left; raises ConfigError when it cannot be used."""
    host, port = runtime.settings.server.host, runtime.settings.health.port
    runner = web.AppRunner(build_machines_app(runtime), access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ConfigError([f"[health] port: {host}:{port} cannot be used: {error.strerror}"]) from error
        yield
    finally:
        await runner.cleanup()
