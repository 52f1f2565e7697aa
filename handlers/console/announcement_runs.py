"""Show how a run of an announcement goes while it is sent and what became of it after, and steer it."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.actions import announcement_runs as actions
from bot.domain.access import Permission
from bot.errors import ConflictError, ForbiddenError, InvalidInputError
from bot.store.results import Seen
from bot.store.unit_of_work import UnitOfWork
from handlers.console.events import MAX_TOPICS
from handlers.console.page import Errors, form_of, of, render, see_other, visit_of, writing
from handlers.console.run_progress import seen_run, shown

_READ = Permission.ANNOUNCEMENT_READ
_STEER = (Permission.ANNOUNCEMENT_WRITE, Permission.ANNOUNCEMENT_APPROVE)
"""Whoever may write an announcement or approve it may also halt it."""
MOST_PER_MINUTE = 100_000
_OPEN = frozenset({"running", "paused", "waiting"})


def address(found: Seen) -> str:
    """Return where the page of a run is."""
    return f"/announcements/{found.announcement.id}/runs/{found.run.id}"


async def show(request: web.Request) -> web.Response:
    """Show one run: exact counts, rate, expected end, why something rests and what to do, each account and way."""
    return await _page(request, await seen_run(request, _READ), {})


async def _page(request: web.Request, found: Seen, errors: Errors, status: int = 200) -> web.Response:
    return render(request, "announcements/run", await _values(request, found, errors), status)


async def _values(
    request: web.Request, found: Seen, errors: Errors | None = None, *, exact: bool = False
) -> dict[str, Any]:
    it = await shown(request, found.run, exact=exact)
    topics = [f"announcement:{found.announcement.id}", *(f"broadcast:{part.broadcast.id}" for part in it.parts)]
    return {
        "it": it,
        "run": found.run,
        "announcement": found.announcement,
        "unit": found.unit,
        "address": address(found),
        "steers": _steers(request, found),
        "can": {
            "pause": "running" in it.states,
            "resume": "paused" in it.states,
            "stop": bool(it.states & _OPEN),
        },
        "topics": topics[:MAX_TOPICS],
        "per_minute": max((part.broadcast.per_minute for part in it.parts), default=0),
        "most_per_minute": MOST_PER_MINUTE,
        "errors": errors or {},
    }


def _steers(request: web.Request, found: Seen) -> bool:
    return any(visit_of(request).grants.over(permission, found.unit.path) for permission in _STEER)


async def _steerable(request: web.Request) -> Seen:
    found = await seen_run(request, _READ)
    if not _steers(request, found):
        raise ForbiddenError(f"run {found.run.id}")
    return found


async def pause(request: web.Request) -> web.Response:
    """Let a run rest until somebody lets it go on."""
    return await _steered(request, lambda uow, found: actions.pause(uow, found.run.id), "run_paused")


async def resume(request: web.Request) -> web.Response:
    """Let a run go on where it was."""
    return await _steered(request, lambda uow, found: actions.resume(uow, found.run.id), "run_resumed")


async def ask_stop(request: web.Request) -> web.Response:
    """Ask before a run is ended for good, naming how many would not be written to."""
    found = await _steerable(request)
    return render(request, "announcements/run_stop", await _values(request, found, exact=True))


async def stop(request: web.Request) -> web.Response:
    """End a run for good once that was confirmed."""
    form = await form_of(request)
    if form.text("confirmed") != "yes":
        return await ask_stop(request)
    return await _steered(request, lambda uow, found: actions.stop(uow, found.run.id), "run_stopped")


async def set_speed(request: web.Request) -> web.Response:
    """Set how many messages a minute may leave at most by each account and way; nothing or 0 is as many as it may."""
    form = await form_of(request)
    number = form.number("per_minute") if form.text("per_minute") else 0
    if number is None or not 0 <= number <= MOST_PER_MINUTE:
        found = await _steerable(request)
        return await _page(request, found, of(InvalidInputError("per_minute", "not_a_number")), 422)
    most = number
    return await _steered(request, lambda uow, found: actions.slow_down(uow, found.run.id, most), "run_speed")


async def _steered(
    request: web.Request, deed: Callable[[UnitOfWork, Seen], Awaitable[None]], done: str
) -> web.Response:
    found = await _steerable(request)
    try:
        async with writing(request) as uow:
            await deed(uow, found)
    except ConflictError:
        # Somebody was quicker, or it has just ended: the page says how it stands.
        return await _page(request, found, of(InvalidInputError("run", "run_changed")), 409)
    return see_other(address(found), done=done)
