"""Take webhooks: verify on the raw bytes, store, and only then say 200."""

import time

from aiohttp import web

from bot.channels.channel import Channel, RawEvent, VerificationError
from bot.errors import NotKeptError
from bot.logs import logger
from bot.runtime import Runtime
from bot.store.accounts import AccountRow
from bot.store.arrivals import Arrival
from bot.store.database import DATABASE_ERRORS
from handlers.keys import ACKNOWLEDGEMENT, LOOKED_AGAIN, RUNTIME

_log = logger("intake")
MAX_BYTES = 1024 * 1024
_LOOK_SECONDS = 1.0
"""So often at most accounts are read anew because a webhook does not fit what is known of them."""


async def zalo(request: web.Request) -> web.Response:
    """Store one event of any Official Account of the app.

    200 once durable (or for the unsigned probe that Zalo sends when the address is saved), 400 not JSON, 401 forged,
    413 too large, 503 when it can be kept nowhere; each refusal is counted for the health page.
    """
    channel = request.app[RUNTIME].channels.get("zalo")
    if channel is None:
        return web.json_response({"error": "zalo is not configured"}, status=404)
    return await _take(request, channel, "")


async def telegram(request: web.Request) -> web.Response:
    """Store one update of the bot that the address names.

    As for Zalo, and 404 for a bot that is not set up: Telegram sends the update again, so that one which has just been
    added loses nothing. Accounts and secrets that another process has changed are read anew before anything is refused.
    """
    runtime, bot = request.app[RUNTIME], request.match_info["account"]
    channel = runtime.channels.get("telegram")
    known = channel is not None and (_account(runtime, bot) or (await _looked(request) and _account(runtime, bot)))
    if channel is None or not known:
        return web.json_response({"error": "no such account"}, status=404)
    return await _take(request, channel, bot)


def _account(runtime: Runtime, bot: str) -> AccountRow | None:
    return runtime.accounts.get("telegram", bot)


async def _looked(request: web.Request) -> bool:
    """Read the accounts anew, now and then at most; False when that was not done."""
    looked, now = request.app[LOOKED_AGAIN], time.monotonic()
    if now - looked.get("at", -_LOOK_SECONDS) < _LOOK_SECONDS:
        return False
    looked["at"] = now
    try:
        await request.app[RUNTIME].refresh_accounts()
    except DATABASE_ERRORS as error:
        _log.warning("accounts not read", error=type(error).__name__)
        return False
    return True


async def _take(request: web.Request, channel: Channel, named: str) -> web.Response:
    """Verify and store one webhook; `named` is the account that its address names."""
    runtime, provider = request.app[RUNTIME], channel.provider
    try:
        body = await _body(request)
    except web.HTTPRequestEntityTooLarge:
        runtime.intake.refuse(provider, "too_large")
        return web.json_response({"error": "too large"}, status=413)
    except web.RequestPayloadError:
        return _unreadable(runtime, provider)
    try:
        event = await _verified(request, channel, body, named)
    except VerificationError as error:
        runtime.intake.refuse(provider, error.reason)
        _log.warning("webhook refused", provider=provider, reason=error.reason, address=request.remote)
        return web.json_response({"error": "signature"}, status=401)
    except ValueError:
        return _unreadable(runtime, provider)
    if event is None:
        return request.app[ACKNOWLEDGEMENT].to(request)
    return await _store(request, provider, event, body)


async def _verified(request: web.Request, channel: Channel, body: bytes, named: str) -> RawEvent | None:
    """Verify a webhook; where the address names the account, once more with its secret as it is stored now."""
    try:
        return channel.verify(request.headers, body, named)
    except VerificationError:
        if not named or not await _looked(request):
            raise
    return channel.verify(request.headers, body, named)


async def _store(request: web.Request, provider: str, event: RawEvent, body: bytes) -> web.Response:
    runtime = request.app[RUNTIME]
    account = runtime.accounts.get(provider, event.account)
    arrival = Arrival(
        provider,
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


def _unreadable(runtime: Runtime, provider: str) -> web.Response:
    runtime.intake.refuse(provider, "not_json")
    return web.json_response({"error": "not JSON"}, status=400)
