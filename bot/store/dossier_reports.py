"""Count dossiers for the reports that the one-stop law wants: one statement a table, over one index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, case, func, literal, or_, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.domain.dossier import DONE, Outcome, Status
from bot.store.dossier_figures import FIGURES, Period
from bot.store.dossiers import DossierRow

Counts = dict[str, int]
_ROW = DossierRow
_K = 100
_NEVER = _K - 1
MOST_MONTHS = 60
"""More months than these are not counted at once."""
_OUTCOMES = ("", Outcome.EARLY, Outcome.ON_TIME, Outcome.LATE)
_RATINGS = {1: "unsatisfied", 2: "satisfied", 3: "very_satisfied"}
_ENDED = {Status.REFUSED: "refused", Status.WITHDRAWN: "withdrawn", Status.STOPPED: "stopped"}


@dataclass(frozen=True, slots=True)
class Scope:
    """Which dossiers are counted: those of units by their paths, None for all; of one field, "" for all."""

    paths: tuple[str, ...] | None = None
    field: str = ""


class Line(NamedTuple):
    """The figures of one unit, by its path, and one field; names as in bot.store.dossier_figures.FIGURES."""

    path: str
    field: str
    counts: Counts


async def lines(session: AsyncSession, scope: Scope, period: Period) -> list[Line]:
    """Count all figures of a period by unit and field; what has nothing at all is left out."""
    counts = [func.count().filter(condition(period)) for condition in FIGURES.values()]
    query = _scoped(select(col(_ROW.path), col(_ROW.field), *counts), scope).group_by(_ROW.path, _ROW.field)
    found = (await (await session.connection()).execute(query)).all()
    made = [Line(path, field, dict(zip(FIGURES, numbers, strict=True))) for path, field, *numbers in found]
    return [line for line in made if any(line.counts.values())]


async def months(session: AsyncSession, scope: Scope, periods: Sequence[Period]) -> list[Counts]:
    """Count all figures of periods that follow one another, in their order; at most MOST_MONTHS."""
    if not periods:
        return []
    assert len(periods) <= MOST_MONTHS
    edges = sorted({moment for period in periods for moment in period})
    places = [_Places(*(edges.index(moment) for moment in period)) for period in periods]
    found = [dict.fromkeys(FIGURES, 0) for _ in periods]
    connection = await session.connection()
    for key, number in (await connection.execute(_bucketed(scope, edges))).all():
        group = _Group.of(key)
        for counts, at in zip(found, places, strict=True):
            for name in group.figures(at):
                counts[name] += number
    for bucket, rating, number in (await connection.execute(_rated(scope, edges))).all():
        for counts, at in zip(found, places, strict=True):
            if at.low < bucket <= at.high and rating in _RATINGS:
                counts[_RATINGS[rating]] += number
    return found


class _Places(NamedTuple):
    """A period as places among the edges."""

    low: int
    high: int
    end: int


class _Group(NamedTuple):
    """Dossiers that no figure of any period tells apart; moments as the number of edges up to them.

    One number stands for all in the statement, so that the database sorts numbers and not rows.
    """

    received: int
    finished: int
    late: int
    status: int
    outcome: int
    online: int

    @classmethod
    def of(cls, key: int) -> "_Group":
        """Take the number apart again."""
        key, online = divmod(key, 3)
        key, outcome = divmod(key, 4)
        key, status = divmod(key, 11)
        key, late = divmod(key, _K)
        received, finished = divmod(key, _K)
        return cls(received, finished, late, status, outcome, online)

    def figures(self, at: _Places) -> list[str]:
        """Return the figures of a period that these dossiers count in."""
        found = []
        if at.low < self.received <= at.high:
            found += ["received", *([("offline", "online")[self.online - 1]] if self.online else [])]
        if at.low < self.finished <= at.high:
            if self.status in DONE:
                found.append(_OUTCOMES[self.outcome] or "undated")
            elif self.status in _ENDED:
                found.append(_ENDED[Status(self.status)])
        if self.received <= at.end < self.finished:
            found.append("waiting_late" if self.late <= at.end else "waiting_in_time")
        return found


def _bucketed(scope: Scope, edges: Sequence[datetime]) -> Select[*tuple[Any, ...]]:
    """Return the statement that counts dossiers by the number that _Group takes apart."""
    online = case((col(_ROW.online).is_(True), 2), (col(_ROW.online).is_(False), 1), else_=0)
    outcomes = [(col(_ROW.outcome) == word, place) for place, word in enumerate(_OUTCOMES) if word]
    key = _bucket(_ROW.received_at, edges)
    key = key * _K + _bucket(_ROW.finished_at, edges)
    key = key * _K + _bucket(_ROW.late_at, edges, through=True)
    key = ((key * 11 + col(_ROW.status)) * 4 + case(*outcomes, else_=0)) * 3 + online
    # By its name: written out again, the database would work it out twice.
    query = _scoped(select(key.label("counted"), func.count()), scope).group_by("counted")
    # What came and went before the first period counts in none.
    later = [col(_ROW.finished_at).is_(None), col(_ROW.finished_at) >= edges[0], col(_ROW.received_at) >= edges[0]]
    return query.where(or_(*later))


def _rated(scope: Scope, edges: Sequence[datetime]) -> Select[*tuple[Any, ...]]:
    bucket = _bucket(_ROW.rated_at, edges).label("bucket")
    query = _scoped(select(bucket, col(_ROW.rating), func.count()), scope).where(col(_ROW.rated_at).is_not(None))
    return query.group_by(bucket, col(_ROW.rating))


def _bucket(column: Any, edges: Sequence[datetime], *, through: bool = False) -> ColumnElement[int]:
    """Return how many edges lie up to a moment, with `through` before it; _NEVER for none. A tree of comparisons."""

    def tree(low: int, high: int) -> ColumnElement[int]:
        if low == high:
            return literal(low)
        middle = (low + high) // 2
        before = col(column) <= edges[middle] if through else col(column) < edges[middle]
        return case((before, tree(low, middle)), else_=tree(middle + 1, high))

    return case((col(column).is_(None), _NEVER), else_=tree(0, len(edges)))


def _scoped(query: Select[*tuple[Any, ...]], scope: Scope) -> Select[*tuple[Any, ...]]:
    if scope.paths is not None:
        query = query.where(col(_ROW.path).in_(scope.paths))
    return query.where(col(_ROW.field) == scope.field) if scope.field else query
