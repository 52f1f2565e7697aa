"""Check that the books add up: all that was received has an end or waits, and so has all that was made."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from bot.clock import LOCAL_ZONE, first_id, to_local
from bot.domain.audience import Way
from bot.store import books, tallies
from bot.store.broadcasts import BroadcastRow
from bot.store.database import Database, Session

INBOX = {
    "handled": ("handled",),
    "parked": ("parked",),
    "refused": ("no_account",),
    "waiting": ("new", "handling"),
}
"""The states of received updates, under the names that the books use."""
OUTBOX = {
    "delivered": ("sent", "delivered", "seen"),
    "failed": ("failed", "expired", "cancelled"),
    "unknown": ("unknown",),
    "waiting": ("queued", "sending"),
}
"""The states of messages on their way out, under the names that the books use."""
_NOT_FINAL = ("queued", "sending", "unknown")
RECENT_DAYS = 8
"""So many days are checked when nobody asks for others."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One line that does not add up; `what` names the rule, `subject` the day or the broadcast."""

    what: str
    subject: str
    expected: int
    found: int
    ids: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able dictionary."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Account:
    """One line of the books: `total` of `book` "in", "out" (`subject` a day) or "broadcast", and what became of it.

    Beside the sum stand `duplicates`, webhooks that came again and were not stored again, and `aside`, those that no
    database can hold and that lie in a file.
    """

    book: str
    subject: str
    total: int
    parts: dict[str, int]
    duplicates: int = 0
    aside: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able dictionary."""
        return asdict(self)


@dataclass(slots=True)
class Books:
    """What was looked at, and what of it does not add up."""

    at: datetime
    accounts: list[Account] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    @property
    def add_up(self) -> bool:
        """Say whether every line is as it should be."""
        return not self.differences

    def expect(self, what: str, subject: str, expected: int, found: int, ids: Sequence[object] = ()) -> None:
        """Note a difference when two numbers are not the same."""
        if expected != found:
            self.differences.append(Difference(what, subject, expected, found, tuple(str(i) for i in ids)))

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able dictionary."""
        return {
            "at": self.at.isoformat(),
            "add_up": self.add_up,
            "lines": [one.to_json() for one in self.accounts],
            "differences": [one.to_json() for one in self.differences],
        }


def last_days(now: datetime, number: int) -> list[date]:
    """Return today and the days before it on the Vietnamese calendar, `number` in all, oldest first."""
    today = to_local(now).date()
    return [today - timedelta(days=back) for back in reversed(range(number))]


def usual_days(now: datetime, inbox_days: int) -> list[date]:
    """Return the days to check when none are asked for: the last ones, and those whose webhooks are being forgotten."""
    recent = last_days(now, RECENT_DAYS)
    leaving = [recent[-1] - timedelta(days=inbox_days + back) for back in (2, 1, 0)] if inbox_days else []
    return sorted({*leaving, *recent})


async def reconcile(database: Database, days: Sequence[date], now: datetime) -> Books:
    """Check the books of these days, and the broadcasts since the first of them, as they stand at one moment."""
    found = Books(now)
    async with database.reading() as session:
        await books.hold_still(session)
        tallied = await tallies.totals(session, days)
        for day in days:
            await _received(session, found, day, tallied)
            await _made(session, found, day)
        if days:
            for row in await books.broadcasts_since(session, _begin(days[0])):
                await _broadcast(session, found, row)
    return found


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(0), LOCAL_ZONE)


async def _received(session: Session, found: Books, day: date, tallied: dict[tuple[date, str], int]) -> None:
    """Check: stored = handled + parked + refused + waiting + forgotten + erased."""
    since, until, subject = _begin(day), _begin(day + timedelta(days=1)), day.isoformat()
    states = await books.inbox_states(session, since, until)
    parts = {name: sum(states.get(s, 0) for s in kinds) for name, kinds in INBOX.items()}
    parts |= {name: tallied.get((day, name), 0) for name in ("forgotten", "erased")}
    stored = tallied.get((day, "stored"), 0)
    line = Account("in", subject, stored, parts, tallied.get((day, "duplicate"), 0), tallied.get((day, "aside"), 0))
    if any((line.total, line.duplicates, line.aside, *parts.values())):
        found.accounts.append(line)
    found.expect("inbox_sum", subject, stored, sum(parts.values()))
    known = [state for kinds in INBOX.values() for state in kinds]
    strange = sum(n for state, n in states.items() if state not in known)
    if strange:
        found.expect("inbox_state", subject, 0, strange, await books.inbox_strangers(session, since, until, known))


async def _made(session: Session, found: Books, day: date) -> None:
    """Check: made = delivered + failed + unknown + waiting, and every message said is one message made."""
    first, end, subject = first_id(_begin(day)), first_id(_begin(day + timedelta(days=1))), day.isoformat()
    states = await books.outbox_states(session, first, end)
    parts = {name: sum(states.get(s, 0) for s in kinds) for name, kinds in OUTBOX.items()}
    made = await books.said(session, first, end)
    if made or states:
        found.accounts.append(Account("out", subject, made, parts))
    found.expect("outbox_sum", subject, made, sum(parts.values()))
    number, ids = await books.said_but_not_made(session, first, end)
    found.expect("not_made", subject, 0, number, ids)
    number, ids = await books.made_but_not_said(session, first, end)
    found.expect("not_said", subject, 0, number, ids)
    known = [state for kinds in OUTBOX.values() for state in kinds]
    if set(states) - set(known):
        number, ids = await books.outbox_strangers(session, first, end, known)
        found.expect("outbox_state", subject, 0, number, ids)


async def _broadcast(session: Session, found: Books, row: BroadcastRow) -> None:
    """Check: total = recipients by state; ranges cover 1 to total once; nothing is open in one that has ended."""
    assert row.id is not None
    states, subject = await books.delivery_states(session, row.id), str(row.id)
    parts = {name: sum(states.get(s, 0) for s in kinds) for name, kinds in OUTBOX.items()}
    found.accounts.append(Account("broadcast", subject, row.total, parts))
    found.expect("broadcast_sum", subject, row.total, sum(parts.values()))
    strange = sorted(set(states) - {state for kinds in OUTBOX.values() for state in kinds})
    if strange:
        ids = await books.deliveries_in(session, row.id, strange)
        found.expect("broadcast_state", subject, 0, sum(states[s] for s in strange), ids)
    if row.way != Way.NONE:  # those whom no way reaches are in no range: nothing of theirs is sent
        ranges = await books.chunks(session, row.id)
        number, wrong = _uncovered(ranges, row.total)
        found.expect("broadcast_ranges", subject, 0, number, wrong[: books.NAMED])
    if row.state == "finished" or row.finished_at is not None:
        still_open = sum(states.get(state, 0) for state in _NOT_FINAL)
        ids = await books.deliveries_in(session, row.id, _NOT_FINAL) if still_open else []
        found.expect("broadcast_open", subject, 0, still_open, ids)


def _uncovered(ranges: Sequence[tuple[int, int]], total: int) -> tuple[int, list[int]]:
    """Return how many recipients stand in no range or in two, and the numbers at which that begins."""
    number, where, due = 0, [], 1
    for first, last in ranges:
        if first != due:
            number += abs(first - due)
            where.append(min(first, due))
        due = last + 1
    if due != total + 1:
        number += abs(total + 1 - due)
        where.append(min(due, total + 1))
    return number, where
