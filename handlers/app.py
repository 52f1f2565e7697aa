"""Put the web application together: routes, what stands before them, and what they share."""

from aiohttp import web

from bot import render, translations
from bot.health.gauges import Gauges
from bot.runtime import Runtime
from handlers.acknowledgement import Acknowledgement
from handlers.api.entrance import CALLS, Calls
from handlers.console.events import OPEN_STREAMS, end_streams
from handlers.keys import ACKNOWLEDGEMENT, GAUGES, LOOKED_AGAIN, ROUTES, RUNTIME
from handlers.middlewares import CONTENT_SECURITY_POLICY, SECURITY_HEADERS, add_headers, doorway, security_headers
from handlers.recent import RECENT, Recent
from handlers.static import ASSETS, Assets

__all__ = ["RUNTIME", "build_app"]

MAX_BODY = 1024 * 1024


def build_app(runtime: Runtime) -> web.Application:
    """Return the application of one process; `runtime` stays the caller's to close."""
    from handlers.routes import TABLE

    translations.install(render.environment())
    app = web.Application(middlewares=[doorway], client_max_size=MAX_BODY)
    app[RUNTIME] = runtime
    app[SECURITY_HEADERS] = headers = security_headers(runtime.settings.server.public_url)
    app[ACKNOWLEDGEMENT] = Acknowledgement({"Content-Security-Policy": CONTENT_SECURITY_POLICY, **headers})
    app[LOOKED_AGAIN] = {}
    app[GAUGES] = Gauges(runtime)
    app[ASSETS] = Assets.load()
    app[OPEN_STREAMS] = set()
    app[RECENT] = Recent()
    app[CALLS] = Calls()
    app.on_shutdown.append(end_streams)
    app[ROUTES] = {app.router.add_route(line.method, line.path, line.handler): line for line in TABLE}
    app.on_response_prepare.append(add_headers)
    return app
