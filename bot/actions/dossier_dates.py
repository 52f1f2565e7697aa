"""Give dossiers their dates by the calendar of their unit, and anew once a limit or a calendar has changed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from bot.actions.case_clock import to_calendar
from bot.domain.calendar import WorkingCalendar
from bot.domain.deadline import Pause
from bot.domain.dossier import moment
from bot.domain.dossier_clock import Dates, dates
from bot.domain.working_line import WorkingLine, line_of
from bot.store import dossier_dates, dossier_writing, units
from bot.store.database import Session
from bot.store.dossiers import DossierRow
from bot.store.unit_of_work import UnitOfWork

_TOLD = "due_told_at"
AT_ONCE = 500
"""Dossiers whose dates are worked out in one transaction."""


class Lines:
    """The working time of every unit by its path: its own calendar's, or that of the nearest unit above."""

    def __init__(self, calendars: Mapping[str, WorkingCalendar]) -> None:
        self._calendars = calendars
        self._found: dict[str, WorkingLine] = {}

    def __eq__(self, other: object) -> bool:
        """Say whether others hold the same calendars."""
        return isinstance(other, Lines) and self._calendars == other._calendars

    __hash__ = None  # type: ignore[assignment] # what is equal may come to differ

    def of(self, path: str) -> WorkingLine:
        """Return the working time that holds for a unit."""
        line = self._found.get(path)
        if line is None:
            holder = next((part for part in reversed(path.split("/")) if part in self._calendars), None)
            line = line_of(self._calendars[holder] if holder is not None else WorkingCalendar())
            self._found[path] = line
        return line


async def lines(session: Session) -> Lines:
    """Read all calendars."""
    rows = await units.calendars(session)
    days = {row.unit_id: await units.calendar_days(session, row.unit_id, date.min, date.max) for row in rows}
    return Lines({row.unit_id: to_calendar(row, days[row.unit_id]) for row in rows})


def pauses_of(pauses: Sequence[Sequence[str | None]]) -> list[Pause]:
    """Return the pauses of a dossier's row as moments; the last may be open."""
    return [(datetime.fromisoformat(str(low)), datetime.fromisoformat(high) if high else None) for low, high in pauses]


def told_fact(told_at: datetime | None, pauses: Sequence[Pause]) -> dict[str, Any]:
    """Return what a dossier's row keeps among its facts so that its dates can be worked out anew.

    It is when the appointed date was told, where the clock has stood at all.
    """
    return {_TOLD: told_at.isoformat()} if told_at is not None and pauses else {}


async def date_anew(uow: UnitOfWork, known: Lines, ids: Collection[str]) -> int:
    """Work out the dates of some dossiers by today's limits and calendars; returns how many were not right."""
    wrong = await _differing(uow.session, known, ids)
    if not wrong:
        return 0
    await dossier_writing.one_writer(uow.session)
    found = await _differing(uow.session, known, list(wrong))
    await dossier_writing.change(
        uow.session, DossierRow, [{"id": key, **when._asdict()} for key, when in found.items()]
    )
    for key in found:
        uow.announce(f"dossier:{key}")
    return len(found)


async def _differing(session: Session, known: Lines, ids: Collection[str]) -> dict[str, Dates]:
    found: dict[str, Dates] = {}
    for row in await dossier_dates.dated(session, ids):
        when = dates(
            known.of(row.path),
            row.received_at,
            row.days,
            row.due_at,
            pauses_of(row.pauses),
            moment(row.facts.get(_TOLD)),
        )
        if when != (row.law_due_at, row.soon_at, row.late_at):
            found[row.id] = when
    return found
