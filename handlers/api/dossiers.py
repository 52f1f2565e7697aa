"""Take statuses of dossiers from other systems, and tell a system how its dossiers stand."""

import asyncio
from datetime import datetime
from functools import partial
from typing import Any

from aiohttp import web

from bot.actions import dossier_push
from bot.actions.dossier_push import FOREIGN_DOSSIER, REFUSED, Result
from bot.domain.dossier_code import canonical
from bot.domain.dossier_exchange import Item, Problem, name_of, read_item
from bot.errors import NotFoundError
from bot.runtime import Runtime
from bot.store import dossier_notices, dossiers, units
from bot.store.api_keys import ApiKeyRow
from bot.store.unit_of_work import UnitOfWork
from handlers.api.content import content_of
from handlers.api.entrance import caller
from handlers.api.openapi_schemas import MAX_ITEMS
from handlers.api.problem import ProblemError, told, written
from handlers.api.repetition import once
from handlers.api.shown import shown
from handlers.api.words import language_of
from handlers.keys import RUNTIME

_READ_AT_ONCE = 100


async def take_batch(request: web.Request) -> web.Response:
    """Take in up to MAX_ITEMS statuses and say of each, in order, what became of it."""
    key = await caller(request)
    raw, content = await content_of(request)
    items = content.get("items")
    if not isinstance(items, list):
        raise ProblemError("invalid", [("/items", Problem("items", "required" if items is None else "not_a_list"))])
    if not items:
        raise ProblemError("invalid", [("/items", Problem("items", "empty"))])
    if len(items) > MAX_ITEMS:
        raise ProblemError("invalid", [("/items", Problem("items", "too_many_items"))])
    runtime = request.app[RUNTIME]
    work = partial(_batch, runtime, key, await _read(items, runtime.now()), language_of(request))
    return await once(request, key, raw, work)


async def _read(given: list[object], now: datetime) -> list[Item]:
    """Read items, letting others have their turn now and then."""
    found: list[Item] = []
    for index, each in enumerate(given, start=1):
        found.append(read_item(each, now))
        if index % _READ_AT_ONCE == 0:
            await asyncio.sleep(0)
    return found


async def _batch(runtime: Runtime, key: ApiKeyRow, items: list[Item], language: str, uow: UnitOfWork) -> dict[str, Any]:
    results = await dossier_push.push(uow, runtime.box, key, items)
    return {
        "received": len(results),
        "counts": dossier_push.counts(results),
        "results": [{"index": index, **_told(each, language)} for index, each in enumerate(results)],
    }


async def take_event(request: web.Request) -> web.Response:
    """Take in one status of the dossier that the address names."""
    key = await caller(request)
    code, runtime = _code(request), request.app[RUNTIME]
    raw, content = await content_of(request)
    item = read_item(content, runtime.now(), code)
    return await once(request, key, raw, partial(_event, runtime, key, item, language_of(request)))


async def _event(runtime: Runtime, key: ApiKeyRow, item: Item, language: str, uow: UnitOfWork) -> dict[str, Any]:
    (result,) = await dossier_push.push(uow, runtime.box, key, [item])
    if any(problem.code == FOREIGN_DOSSIER for problem in result.problems):
        raise NotFoundError(f"dossier {item.code}")
    if result.result == REFUSED:
        raise ProblemError("invalid", [(f"/{problem.field}", problem) for problem in result.problems])
    return _told(result, language)


async def show(request: web.Request) -> web.Response:
    """Tell how a dossier of the key's branch stands, what was reported of it, and what its people were told."""
    key = await caller(request)
    code, runtime = _code(request), request.app[RUNTIME]
    async with runtime.database.reading() as session:
        own = await units.unit(session, key.unit_id)
        row = await dossiers.by_code(session, code)
        if row is None or own is None or not row.path.startswith(own.path):
            raise NotFoundError(f"dossier {code}")
        unit = await units.unit(session, row.unit_id)
        events = (await dossiers.events(session, [row.id]))[row.id]
        notices = await dossier_notices.of_dossier(session, row.id)
    content = shown(runtime.box, key, row, unit.code if unit else "", events, notices)
    return web.Response(body=written(content), content_type="application/json", headers={"Cache-Control": "no-store"})


def _code(request: web.Request) -> str:
    """Return the code in the address in its one form; raises NotFoundError for what is none."""
    code = canonical(request.match_info["code"])
    if not code:
        raise NotFoundError(f"no code of a dossier, such as {name_of('code')}")
    return code


def _told(result: Result, language: str) -> dict[str, Any]:
    problems = [told(each, language) for each in result.problems]
    return {"code": result.code, "result": result.result, "problems": problems}
