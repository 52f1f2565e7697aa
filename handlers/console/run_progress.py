"""Read how far an announcement's runs have come, as open pages ask for it every few seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from bot.domain.access import Permission
from bot.domain.audience import Way
from bot.domain.progress import RATE_OVER, Progress, expected_end, progress, rate, together
from bot.errors import NotFoundError
from bot.store import results
from bot.store.accounts import AccountRow
from bot.store.announcements import RunRow
from bot.store.broadcasts import BroadcastRow
from bot.store.results import Seen, Tally
from handlers.console.page import in_scope, runtime_of
from handlers.recent import RECENT

FRESH_SECONDS = 2.0
"""How old figures on a page may be. All rows of a run are counted for them, up to a second for a million: so all pages
that are open at a process share one look, and nobody looks when no page is open."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Why something rests, and until when by itself; `who` is to act: nobody, person (whoever runs it) or account."""

    reason: str
    until: datetime | None
    who: str


@dataclass(frozen=True, slots=True)
class Part:
    """What one account sends by one way."""

    broadcast: BroadcastRow
    account: AccountRow
    progress: Progress
    rest: Rest | None
    per_minute: float


@dataclass(frozen=True, slots=True)
class Shown:
    """One run as a page shows it; `whole` sums up its parts."""

    run: RunRow
    parts: tuple[Part, ...]
    whole: Progress
    per_minute: float
    ends_at: datetime | None

    @property
    def states(self) -> frozenset[str]:
        """Every state in which one of its parts is."""
        return frozenset(part.broadcast.state for part in self.parts)

    @property
    def resting(self) -> list[Part]:
        """The parts that rest."""
        return [part for part in self.parts if part.rest is not None]


async def seen_run(request: web.Request, permission: Permission) -> Seen:
    """Return the run of the address; raises NotFoundError when it must not be known to whoever looks."""
    async with runtime_of(request).database.reading() as session:
        found = await results.seen(session, request.match_info["id"], request.match_info["run"])
    if found is None:
        raise NotFoundError("run")
    in_scope(request, permission, found.unit.path)
    return found


async def shown(request: web.Request, run: RunRow, *, exact: bool = False) -> Shown:
    """Return how far a run has come, as it was seconds ago, or with `exact` as it is now."""
    runtime = runtime_of(request)
    async with runtime.database.reading() as session:
        rows = await results.broadcasts_of(session, [run.id])
    numbers = [row.id for row, _ in rows if row.id is not None]

    async def count() -> list[Tally]:
        if not numbers:
            return []
        async with runtime.database.reading() as session:
            return await results.tallies(session, numbers, runtime.now() - RATE_OVER)

    found = await count() if exact else await request.app[RECENT].get(f"run {run.id}", FRESH_SECONDS, count)
    return _shown(run, rows, found, runtime.now())


def _shown(
    run: RunRow, rows: Sequence[tuple[BroadcastRow, AccountRow]], counts: Sequence[Tally], now: datetime
) -> Shown:
    parts = []
    for row, account in rows:
        mine = progress([each for each in counts if each.broadcast_id == row.id], unreachable=row.way == Way.NONE)
        parts.append(Part(row, account, mine, _rest(row, account), rate(mine.lately, row.started_at, now)))
    # What rests has left lately, too, but will not go on at that rate.
    speed = sum(part.per_minute for part in parts if part.rest is None and part.broadcast.state == "running")
    whole = together(part.progress for part in parts)
    resting = any(part.rest is not None for part in parts)
    return Shown(run, tuple(parts), whole, speed, None if resting else expected_end(whole.left, speed, now))


def _rest(row: BroadcastRow, account: AccountRow) -> Rest | None:
    if row.state not in {"running", "paused", "waiting"}:
        return None
    if account.state != "active":
        return Rest(account.stopped_reason, None, "account")
    if row.state == "paused":
        return Rest(row.paused_reason, row.resume_at, "nobody" if row.resume_at else "person")
    return None
