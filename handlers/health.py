"""Answer machines: alive, able to serve, figures, and Zalo's proof of the domain."""

import orjson
from aiohttp import web

from bot import metrics
from bot.health.line import Light
from bot.health.report import report
from handlers.keys import GAUGES, RUNTIME


async def healthz(_request: web.Request) -> web.Response:
    """Say that the process lives."""
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """Say whether the service can do its work, naming what is stuck but not why; 503 when it cannot."""
    runtime = request.app[RUNTIME]
    found = await report(runtime)
    stuck = [
        {"name": line.key, "subject": line.subject, "light": line.light.value, "values": line.public_values}
        for line in found.lines
        if line.light is not Light.OK
    ]
    body = {"ready": found.able_to_serve, "at": found.at, "stuck": stuck}
    return web.json_response(
        body, status=200 if found.able_to_serve else 503, dumps=lambda value: orjson.dumps(value, default=str).decode()
    )


async def metrics_page(request: web.Request) -> web.Response:
    """Return every figure in Prometheus' text format, ages and backlogs as they are now."""
    await request.app[GAUGES].refresh()
    return web.Response(body=metrics.exposition(), headers={"Content-Type": "text/plain; version=0.0.4"})


async def zalo_verifier(request: web.Request) -> web.Response:
    """Serve the file by which Zalo sees that the domain is ours."""
    wanted = request.app[RUNTIME].settings.server.zalo_verifier
    if not wanted or request.match_info["code"] != wanted:
        raise web.HTTPNotFound
    return web.Response(
        text=f'<meta name="zalo-platform-site-verification" content="{wanted}">', content_type="text/html"
    )
