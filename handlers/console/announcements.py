"""Show the announcements of one's units: where each stands, when it leaves, how far the last run has come."""

from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from bot.domain.announcement import State
from bot.domain.schedule import Schedule
from bot.domain.text import excerpt, fold
from bot.store import announcement_views, staff, units
from bot.store.announcements import AnnouncementRow, RunRow
from bot.store.database import Session
from bot.store.units import UnitRow
from handlers.console.announcement_access import READ
from handlers.console.page import page_number, render, runtime_of, visit_of

PAGE = 25
STATES = ("", *(state.value for state in State))
_EXCERPT = 160


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list; `done` of `total` recipients of the last run have been seen to."""

    row: AnnouncementRow
    title: str
    unit: str
    author: str
    schedule: Schedule
    run: RunRow | None
    done: int
    total: int


async def show(request: web.Request) -> web.Response:
    """Show one page of the list; everything chosen stands in the address."""
    state = request.query.get("state", "")
    state = state if state in STATES else ""
    searched = request.query.get("q", "").strip()[:200]
    page = page_number(request)
    paths = visit_of(request).grants.paths(READ)
    async with runtime_of(request).database.reading() as session:
        tree = {unit.id: unit for unit in await units.all_units(session)}
        counts = await announcement_views.counts(session, paths)
        found = await _found(session, paths, state, searched, (page - 1) * PAGE)
        entries = await _entries(session, found[:PAGE], tree)
    values = {
        "entries": entries,
        "states": STATES,
        "state": state,
        "counts": {**counts, "": sum(counts.values())},
        "searched": searched,
        "page": page,
        "more": len(found) > PAGE,
        "address": _address(state, searched),
        "several": len({entry.unit for entry in entries}) > 1,
    }
    return render(request, "announcements/index", values)


async def _found(
    session: Session, paths: tuple[str, ...], state: str, searched: str, offset: int
) -> list[AnnouncementRow]:
    """Return one more than a page shows. Words are looked for with and without accents."""
    if not searched:
        return await announcement_views.latest(session, paths, state, limit=PAGE + 1, offset=offset)
    words = fold(searched)
    every = await announcement_views.headlines(session, paths, state)
    fitting = [found for found, text in every if words in fold(text)]
    return await announcement_views.by_ids(session, fitting[offset : offset + PAGE + 1])


async def _entries(session: Session, rows: list[AnnouncementRow], tree: dict[str, UnitRow]) -> list[Entry]:
    runs = await announcement_views.last_runs(session, [row.id for row in rows])
    progress = await announcement_views.progress(session, [run.id for run in runs.values()])
    people = await staff.people(session, list({row.created_by for row in rows}))
    found = []
    for row in rows:
        run = runs.get(row.id)
        done, total = progress.get(run.id, (0, 0)) if run else (0, 0)
        author = people[row.created_by].name if row.created_by in people else ""
        title = row.title or excerpt(row.text, _EXCERPT)
        found.append(
            Entry(row, title, tree[row.unit_id].name, author, Schedule.from_json(row.schedule), run, done, total)
        )
    return found


def _address(state: str, searched: str) -> object:
    """Return a function that makes the address of this list with some choices changed."""

    def address(**changes: object) -> str:
        chosen = {"state": state, "q": searched, **{name: str(value) for name, value in changes.items()}}
        kept = {name: value for name, value in chosen.items() if value}
        return f"/announcements?{urlencode(kept)}" if kept else "/announcements"

    return address
