"""Say which dossiers each figure of a report counts: the same condition counts them and lists them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col

from bot.domain.dossier import DONE, Outcome, Status
from bot.store.dossiers import DossierRow


class Period(NamedTuple):
    """A period from `low` to before `high`, in UTC; what waits is counted as of `end`, which is never in the future."""

    low: datetime
    high: datetime
    end: datetime


Condition = ColumnElement[bool]
_ROW = DossierRow
_DONE = sorted(int(status) for status in DONE)


def _within(column: Any, period: Period) -> Condition:
    return and_(col(column) >= period.low, col(column) < period.high)


def received(period: Period) -> Condition:
    """Return what was received in the period."""
    return _within(_ROW.received_at, period)


def _online(period: Period) -> Condition:
    return and_(col(_ROW.online).is_(True), received(period))


def _offline(period: Period) -> Condition:
    return and_(col(_ROW.online).is_(False), received(period))


def _outcome(kind: str) -> Callable[[Period], Condition]:
    def condition(period: Period) -> Condition:
        return and_(col(_ROW.outcome) == kind, col(_ROW.status).in_(_DONE), _within(_ROW.finished_at, period))

    return condition


def _ended(status: Status) -> Callable[[Period], Condition]:
    def condition(period: Period) -> Condition:
        return and_(col(_ROW.status) == int(status), _within(_ROW.finished_at, period))

    return condition


def waiting(period: Period) -> Condition:
    """Return what had been received and was not finished at the end of the period."""
    still = or_(col(_ROW.finished_at).is_(None), col(_ROW.finished_at) >= period.end)
    return and_(still, col(_ROW.received_at) < period.end)


def _waiting_late(period: Period) -> Condition:
    return and_(waiting(period), col(_ROW.late_at) <= period.end)


def _waiting_in_time(period: Period) -> Condition:
    return and_(waiting(period), or_(col(_ROW.late_at).is_(None), col(_ROW.late_at) > period.end))


def _rated(rating: int) -> Callable[[Period], Condition]:
    def condition(period: Period) -> Condition:
        return and_(col(_ROW.rating) == rating, _within(_ROW.rated_at, period))

    return condition


FIGURES: Mapping[str, Callable[[Period], Condition]] = {
    "received": received,
    "online": _online,
    "offline": _offline,
    "early": _outcome(Outcome.EARLY),
    "on_time": _outcome(Outcome.ON_TIME),
    "late": _outcome(Outcome.LATE),
    "undated": _outcome(""),
    "waiting_in_time": _waiting_in_time,
    "waiting_late": _waiting_late,
    "refused": _ended(Status.REFUSED),
    "withdrawn": _ended(Status.WITHDRAWN),
    "stopped": _ended(Status.STOPPED),
    "very_satisfied": _rated(3),
    "satisfied": _rated(2),
    "unsatisfied": _rated(1),
}
"""Each figure by its name, which stands in addresses too."""
