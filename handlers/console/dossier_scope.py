"""Say which dossiers exist for whoever looks, and read the unit and the days that an address chooses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from aiohttp import web

from bot.clock import LOCAL_ZONE, to_local
from bot.domain.access import Permission
from bot.errors import NotFoundError
from bot.store import dossiers, units
from bot.store.database import Session
from bot.store.dossier_figures import Period
from bot.store.dossiers import DossierRow
from bot.store.units import UnitRow
from handlers.console.page import in_scope, visit_of

READ, WORK, REVEAL = Permission.DOSSIER_READ, Permission.DOSSIER_WORK, Permission.CONTACT_REVEAL
_MONTHS = 12
NO_FIELD = "(none)"
"""What an address says in the place of a field, for the dossiers that have none."""
_FIRST = date(2000, 1, 1)
_LAST = date(2100, 1, 1)


@dataclass(frozen=True, slots=True)
class Offices:
    """The units whose dossiers somebody may see; `whole` says whether those are all that there are."""

    seen: Sequence[UnitRow]
    whole: bool

    def unit(self, unit_id: str) -> UnitRow | None:
        """Return one of them."""
        return next((unit for unit in self.seen if unit.id == unit_id), None)

    def paths(self, unit_id: str = "", *, alone: bool = False) -> tuple[str, ...] | None:
        """Return the paths of them, or of one and, if not `alone`, what lies below it; None for all there are."""
        chosen = self.unit(unit_id)
        if chosen is None:
            return None if self.whole else tuple(unit.path for unit in self.seen)
        if alone:
            return (chosen.path,)
        return tuple(unit.path for unit in self.seen if unit.path.startswith(chosen.path))

    def named(self, path: str) -> str:
        """Return the name of the unit at a path."""
        return next((unit.name for unit in self.seen if unit.path == path), "")


async def offices(request: web.Request, session: Session) -> Offices:
    """Return the units whose dossiers may be seen by whoever looks."""
    tree, grants = await units.all_units(session), visit_of(request).grants
    seen = [unit for unit in tree if grants.over(READ, unit.path)]
    return Offices(sorted(seen, key=lambda unit: unit.path.count("/")), len(seen) == len(tree))


async def visible_dossier(request: web.Request, session: Session, permission: Permission = READ) -> DossierRow:
    """Return the dossier of the address; raises NotFoundError where the permission does not reach."""
    row = await dossiers.dossier(session, request.match_info["id"])
    if row is None:
        raise NotFoundError("dossier")
    in_scope(request, READ, row.path)
    in_scope(request, permission, row.path)
    return row


def day_in(text: str) -> date | None:
    """Return a day written as 2026-11-27 or 27/11/2026."""
    day, month, year = text.split("/") if text.count("/") == 2 else ("", "", "")  # noqa: PLR2004 - dd/mm/yyyy
    try:
        found = date(int(year), int(month), int(day)) if year else date.fromisoformat(text)
    except ValueError:
        return None
    return found if _FIRST <= found < _LAST else None


def days_in(request: web.Request, now: datetime) -> tuple[date, date]:
    """Return the first and the last day that an address chooses by `month`, or by `from` and `to`: else this month."""
    today = to_local(now).date()
    month = day_in(f"{request.query.get('month', '')}-01")
    if month is not None:
        return month, month_end(month)
    first, last = day_in(request.query.get("from", "")), day_in(request.query.get("to", ""))
    first = first or (last or today).replace(day=1)
    return (first, last) if last is not None and last >= first else (first, max(first, today))


def month_end(day: date) -> date:
    """Return the last day of a day's month."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def period(first: date, last: date, now: datetime) -> Period:
    """Return the period of two days, both of them in it, by the office's midnights."""
    low, high = _midnight(first), _midnight(last + timedelta(days=1))
    return Period(low, high, min(high, max(now, low)))


def months(first: date, last: date, now: datetime, most: int) -> list[Period]:
    """Return the periods of the months between two days, cut to them, up to now; only the last ones of very many."""
    found: list[Period] = []
    while first <= last and _midnight(first) <= now:
        found.append(period(first, min(month_end(first), last), now))
        first = month_end(first) + timedelta(days=1)
    return found[-most:]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LOCAL_ZONE)
