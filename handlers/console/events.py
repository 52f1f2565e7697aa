"""Send news to open pages as server-sent events: only that something changed, never what."""

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from bot.domain.access import Permission
from bot.runtime import Runtime
from bot.store import announcement_views, announcements, cases, dossier_imports, recipients, results, units
from bot.store.database import Session
from handlers.console.case_access import may_see
from handlers.console.page import runtime_of, visit_of
from handlers.keys import Visit

HEARTBEAT_SECONDS = 15.0
MAX_TOPICS = 12

OPEN_STREAMS = web.AppKey("open_streams", set[asyncio.Task[Any]])


async def stream(request: web.Request) -> web.StreamResponse:
    """Keep a page informed about the topics of its address, as far as the person may know of them."""
    runtime, visit = runtime_of(request), visit_of(request)
    topics = await _allowed(runtime, visit, request.query.get("topics", "").split(",")[:MAX_TOPICS])
    if not topics:
        raise web.HTTPNotFound
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    response.headers["X-Accel-Buffering"] = "no"
    task = asyncio.current_task()
    assert task is not None
    streams = request.app[OPEN_STREAMS]
    streams.add(task)
    try:
        await response.prepare(request)
        async with runtime.queue.news() as news:
            await response.write(b"retry: 3000\n: welcome\n\n")
            for topic in await _missed(runtime, topics, request.query.get("since", "")):
                await response.write(f"event: {topic}\ndata: 1\n\n".encode())
            await _forward(response, news, topics)
    except (ConnectionError, asyncio.CancelledError):
        return response
    finally:
        streams.discard(task)
    return response


async def _missed(runtime: Runtime, topics: frozenset[str], since: str) -> list[str]:
    """Return the topics that changed after the page was made and before it listened; `since` in Unix seconds."""
    try:
        made = datetime.fromtimestamp(float(since), UTC)
    except (ValueError, OverflowError, OSError):
        return []
    async with runtime.database.reading() as session:
        return [topic for topic in sorted(topics) if topic != "health" and await _changed(session, made, topic)]


async def _changed(session: Session, made: datetime, topic: str) -> bool:
    kind, _, subject = topic.partition(":")
    if kind == "recipient_list":
        row = await recipients.seen(session, subject)
        return row is None or (row.checked_at is not None and row.checked_at >= made)
    if kind == "dossier_import":
        return True  # as a broadcast
    if kind == "broadcast":
        return True  # something of it moves all the time; looking once more costs less than finding that out
    if kind in {"announcement", "announcements"}:
        return await announcement_views.changed_since(session, made, subject)
    return await cases.changed_since(session, made, subject)


async def _forward(response: web.StreamResponse, news: asyncio.Queue[str], topics: frozenset[str]) -> None:
    while True:
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                topic = await news.get()
        except TimeoutError:
            await response.write(b": still here\n\n")
            continue
        if topic in topics:
            await response.write(f"event: {topic}\ndata: 1\n\n".encode())


_PERMISSIONS: dict[str, tuple[Permission, ...]] = {
    "announcements": (Permission.ANNOUNCEMENT_READ,),
    "cases": (Permission.CASE_READ,),
    "health": (Permission.HEALTH_READ,),
    "templates": (Permission.ADMIN, Permission.ANNOUNCEMENT_WRITE),
}
"""Which topics that are about nobody in particular may be listened to; one of the permissions is enough."""


async def _allowed(runtime: Runtime, visit: Visit, wanted: list[str]) -> frozenset[str]:
    found = set()
    for topic in wanted:
        kind, _, subject = topic.partition(":")
        if any(visit.grants.anywhere(permission) for permission in _PERMISSIONS.get(topic, ())):
            found.add(topic)
        elif kind == "case" and subject:
            async with runtime.database.reading() as session:
                case = await cases.case(session, subject)
            if case is not None and may_see(visit, case):
                found.add(topic)
        elif subject and kind in _OTHERS and await _OTHERS[kind](runtime, visit, subject):
            found.add(topic)
    return frozenset(found)


async def _reads_announcement(runtime: Runtime, visit: Visit, announcement_id: str) -> bool:
    async with runtime.database.reading() as session:
        row = await announcements.seen(session, announcement_id)
        unit = await units.unit(session, row.unit_id) if row is not None else None
    return unit is not None and visit.grants.over(Permission.ANNOUNCEMENT_READ, unit.path)


async def _reads_broadcast(runtime: Runtime, visit: Visit, number: str) -> bool:
    async with runtime.database.reading() as session:
        path = await results.path_of_broadcast(session, number)
    return path is not None and visit.grants.over(Permission.ANNOUNCEMENT_READ, path)


async def _keeps_list(runtime: Runtime, visit: Visit, list_id: str) -> bool:
    async with runtime.database.reading() as session:
        row = await recipients.seen(session, list_id)
        unit = await units.unit(session, row.unit_id) if row is not None else None
    return unit is not None and visit.grants.over(Permission.ANNOUNCEMENT_WRITE, unit.path)


async def _imports(runtime: Runtime, visit: Visit, import_id: str) -> bool:
    async with runtime.database.reading() as session:
        row = await dossier_imports.one(session, import_id)
        unit = await units.unit(session, row.unit_id) if row is not None else None
    return unit is not None and visit.grants.over(Permission.DOSSIER_WORK, unit.path)


_OTHERS = {
    "dossier_import": _imports,
    "announcement": _reads_announcement,
    "broadcast": _reads_broadcast,
    "recipient_list": _keeps_list,
}
"""Who may listen to news of a thing, by its kind."""


async def end_streams(app: web.Application) -> None:
    """Close every open stream, so that the service can stop at once."""
    streams = app[OPEN_STREAMS]
    tasks = list(streams)
    for task in tasks:
        task.cancel()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2):
            await asyncio.gather(*tasks, return_exceptions=True)
