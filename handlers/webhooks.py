"""Take webhooks: verify on the raw bytes, store, and only then say 200."""

from aiohttp import web

from bot.channels.channel import VerificationError
from bot.errors import NotKeptError
from bot.logs import logger
from bot.runtime import Runtime
from bot.store.arrivals import Arrival
from handlers.keys import ACKNOWLEDGEMENT, RUNTIME

_log = logger("intake")
MAX_BYTES = 1024 * 1024
_PROVIDER = "zalo"


async def zalo(request: web.Request) -> web.Response:  # noqa: PLR0911 - one return an answer of the contract
    """Store one event of any Official Account of the app.

    200 once durable (or for the unsigned probe that Zalo sends when the address is saved), 400 not JSON, 401 forged,
    413 too large, 503 when it can be kept nowhere; each refusal is counted for the health page.
    """
    runtime = request.app[RUNTIME]
    channel = runtime.channels.get(_PROVIDER)
    if channel is None:
        return web.json_response({"error": "zalo is not configured"}, status=404)
    try:
        body = await _body(request)
    except web.HTTPRequestEntityTooLarge:
        runtime.intake.refuse(_PROVIDER, "too_large")
        return web.json_response({"error": "too large"}, status=413)
    except web.RequestPayloadError:
        return _unreadable(runtime)
    try:
        event = channel.verify(request.headers, body)
    except VerificationError as error:
        runtime.intake.refuse(_PROVIDER, error.reason)
        _log.warning("webhook refused", reason=error.reason, address=request.remote)
        return web.json_response({"error": "signature"}, status=401)
    except ValueError:
        return _unreadable(runtime)
    if event is None:
        return request.app[ACKNOWLEDGEMENT].to(request)
    account = runtime.accounts.get(_PROVIDER, event.account)
    arrival = Arrival(
        _PROVIDER,
        event.account,
        event.event,
        event.key,
        event.contact or f"{event.account}:{event.key}",
        body,
        event.occurred_at,
        runtime.now(),
        account is not None or not event.account.isdigit(),  # the console's Test button names no account of ours
    )
    try:
        await runtime.intake.submit(arrival, account.id if account else None)
    except NotKeptError:
        return web.json_response({"error": "not kept, send it again"}, status=503)
    return request.app[ACKNOWLEDGEMENT].to(request)


async def _body(request: web.Request) -> bytes:
    """Return the body, at once when it came together with the headers; raises HTTPRequestEntityTooLarge."""
    content = request.content
    if not content.is_eof():
        return await request.read()
    body = content.read_nowait()
    if len(body) > MAX_BYTES:
        raise web.HTTPRequestEntityTooLarge(max_size=MAX_BYTES, actual_size=len(body))
    return body


def _unreadable(runtime: Runtime) -> web.Response:
    runtime.intake.refuse(_PROVIDER, "not_json")
    return web.json_response({"error": "not JSON"}, status=400)
