"""Do a call once, however often it is made with the same Idempotency-Key (reliability R23)."""

import contextlib
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.actions import api_calls
from bot.actions.api_calls import Call, StillRunningError
from bot.errors import InvalidInputError
from bot.runtime import Runtime
from bot.store.api_keys import ApiKeyRow
from bot.store.database import DATABASE_ERRORS
from bot.store.unit_of_work import Actor, UnitOfWork
from handlers.api.problem import ProblemError, written
from handlers.keys import RUNTIME

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
MAX_KEY = 255

Work = Callable[[UnitOfWork], Awaitable[dict[str, Any]]]
"""What a call does in one transaction; it returns what is answered."""


async def once(request: web.Request, key: ApiKeyRow, raw: bytes, work: Work) -> web.Response:
    """Do the work and answer 200; with an Idempotency-Key the answer is kept in the transaction that did it.

    Raises ProblemError for an odd key, another call under it, and one that is still being worked on.
    """
    runtime, actor = request.app[RUNTIME], Actor("system", key.id, key.name)
    name = request.headers.get(HEADER)
    if name is None:
        async with runtime.units_of_work(actor) as uow:
            return _answer(written(await work(uow)))
    if not (name.isascii() and name.isprintable() and 1 <= len(name) <= MAX_KEY):
        raise ProblemError("idempotency_key", most=MAX_KEY)
    call = await _begun(runtime, key, name, _digest(request, raw))
    if call.status is not None:
        return _answer(call.body, call.status, {REPLAYED: "true"})
    try:
        async with runtime.units_of_work(actor) as uow:
            body = written(await work(uow))
            await api_calls.end(uow, call, web.HTTPOk.status_code, body)
    except StillRunningError as error:
        raise _running(error) from error
    except BaseException:
        # Nothing was done. When this fails too the lease ends by itself.
        with contextlib.suppress(*DATABASE_ERRORS):
            async with runtime.units_of_work(actor) as uow:
                await api_calls.give_up(uow, call)
        raise
    return _answer(body)


async def _begun(runtime: Runtime, key: ApiKeyRow, name: str, digest: str) -> Call:
    try:
        async with runtime.units_of_work() as uow:
            return await api_calls.begin(uow, key.id, name, digest)
    except StillRunningError as error:
        raise _running(error) from error
    except InvalidInputError as error:
        raise ProblemError("other_call") from error


def _running(error: StillRunningError) -> ProblemError:
    return ProblemError("still_running", headers={"Retry-After": str(error.seconds)}, seconds=error.seconds)


def _digest(request: web.Request, raw: bytes) -> str:
    return hashlib.sha256(f"{request.method} {request.path}\n".encode("utf-8", "replace") + raw).hexdigest()


def _answer(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    kept = {"Cache-Control": "no-store", **(headers or {})}
    return web.Response(body=body, status=status, content_type="application/json", headers=kept)
