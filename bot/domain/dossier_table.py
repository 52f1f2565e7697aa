"""Read rows of a one-stop system's export: what each says of a dossier, or what is wrong with it and where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from bot.domain.dossier import DONE, FINAL, Status
from bot.domain.dossier_cells import EMPTY, Instants, Remembered, cell_text, read_fee, read_online, unit_key
from bot.domain.dossier_code import canonical
from bot.domain.dossier_columns import Column, Layout
from bot.domain.dossier_words import read_phone, read_status
from bot.domain.text import fold

_CLOCKS_DIFFER = timedelta(days=1)
"""What happened later than so much after the time of reading is a mistake: it would stand over all that follows."""
_FURTHEST = timedelta(days=5 * 365)
"""Appointments that lie further ahead are mistakes."""


class Problem(NamedTuple):
    """What is wrong with a row, or is to be said of it: the column as the file calls it, the word, and values."""

    column: str
    code: str
    details: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the problem as it is kept and shown."""
        return {"column": self.column, "code": self.code, "details": self.details}


@dataclass(slots=True)
class Told:
    """What one row says; `unit` is the code or the folded name of a unit as the file tells it, "" for none.

    `derived` says that the file tells nowhere when the status was taken.
    """

    code: str
    status: Status
    at: datetime
    facts: dict[str, Any]
    applicant: str = ""
    phone: str = ""
    unit: str = ""
    remarks: list[Problem] = field(default_factory=list)
    derived: bool = False


class RowReader:
    """Read rows of one layout at a time; statuses that the office has named go before the usual ones."""

    def __init__(self, layout: Layout, statuses: Mapping[str, int], now: datetime) -> None:
        self._layout = layout
        self._latest, self._furthest = now + _CLOCKS_DIFFER, now + _FURTHEST
        self._named = {fold(words): Status(code) for words, code in statuses.items() if code in set(Status)}
        # What a layout has not stands behind its last column, where every row that is read has an empty cell.
        self._width = 1 + max(layout.places.values(), default=0)
        self._places = {column: layout.places.get(column, -1) for column in Column}
        self._facts = [(self._places[column], name) for column, name in _FACT_OF.items() if column in layout.places]
        self._dated = [(self._places[column], column) for column in _MOMENTS if column in layout.places]
        self._texts = Remembered(cell_text)
        self._instants = Instants()
        self._statuses = Remembered(self._status_of)

    def read(self, cells: Sequence[str]) -> tuple[Told | None, list[Problem]]:
        """Return what a row says, or None and what is wrong with it; remarks stand with what it says."""
        row = [*cells, *[""] * (self._width - len(cells)), ""]
        problems: list[Problem] = []
        code = self._code(row, problems)
        status = self._status(row, problems)
        moments, words = self._moments(row, status, problems)
        at = None if status is None else _at(status, moments)
        if status is not None and at is None and not problems:
            problems.append(self._problem(Column.RECEIVED, "no_moment"))
        if at is not None and at > self._latest:
            problems.append(self._problem(next(each for each in _MOMENTS if moments.get(each) == at), "in_future"))
        if problems or status is None or at is None:
            return None, problems
        told = Told(code, status, at, {}, derived=status in _UNDATED and self._places[Column.UPDATED] < 0)
        self._fill(told, row, words)
        return told, []

    def _problem(self, column: Column, code: str, **details: Any) -> Problem:
        place = self._places[column]
        return Problem(self._layout.names[place] if place >= 0 else "", code, details)

    def _code(self, row: list[str], problems: list[Problem]) -> str:
        text = cell_text(row[self._places[Column.CODE]])
        code = canonical(text)
        if not text:
            problems.append(self._problem(Column.CODE, "no_code"))
        elif not code:
            problems.append(self._problem(Column.CODE, "not_a_code", value=text[:60]))
        return code

    def _status_of(self, cell: str) -> tuple[str, Status | None]:
        text = cell_text(cell)
        return text, self._named.get(fold(text)) or read_status(text)

    def _status(self, row: list[str], problems: list[Problem]) -> Status | None:
        text, status = self._statuses[row[self._places[Column.STATUS]]]
        if not text:
            problems.append(self._problem(Column.STATUS, "no_status"))
        elif status is None:
            problems.append(self._problem(Column.STATUS, "unknown_status", value=text[:60]))
        return status

    def _moments(
        self, row: list[str], status: Status | None, problems: list[Problem]
    ) -> tuple[dict[Column, datetime], dict[Column, str]]:
        """Return the moments of a row, and how they are written as facts."""
        found: dict[Column, datetime] = {}
        words: dict[Column, str] = {}
        closing = _ALL_CLOSING if status in _OVER else _CLOSING
        for place, column in self._dated:
            told = self._instants.read(row[place], closing=column in closing) if row[place] else None
            if told is None:
                continue
            moment, written = told
            if moment is None:
                problems.append(self._problem(column, "not_a_date", value=written[:30]))
            elif column in _LIMITS and moment > self._furthest:
                problems.append(self._problem(column, "too_far_ahead"))
            else:
                found[column], words[column] = moment, written
        received, due = found.get(Column.RECEIVED), found.get(Column.DUE)
        if received and due and due < received and due < received.replace(hour=0, minute=0):
            problems.append(self._problem(Column.DUE, "due_before_received"))
        return found, words

    def _fill(self, told: Told, row: list[str], words: Mapping[Column, str]) -> None:
        facts, texts, places = told.facts, self._texts, self._places
        for place, name in self._facts:
            if (cell := row[place]) and (text := texts[cell]):
                facts[name] = text
        for column, name in _MOMENT_FACT.items():
            # What is not done yet has no date on which it was done, whatever an export leaves in the cell.
            if column in words and not (column in _ENDS and told.status not in _OVER):
                facts[name] = words[column]
        if (text := texts[row[places[Column.ONLINE]]]) and (online := read_online(text)) is not None:
            facts["online"] = online
        if (text := texts[row[places[Column.FEE]]]) and (fee := read_fee(text)) is not None:
            facts["fee"] = fee
        if facts.get("reason") and told.status not in _EXPLAINED:
            del facts["reason"]
        self._person(told, row)
        self._unit(told, row)

    def _unit(self, told: Told, row: list[str]) -> None:
        code, name = self._texts[row[self._places[Column.UNIT_CODE]]], self._texts[row[self._places[Column.UNIT_NAME]]]
        told.unit = code or (unit_key(name) if name else "")
        if told.unit:
            told.facts["unit_code"] = code[:60] or name[:200]

    def _person(self, told: Told, row: list[str]) -> None:
        told.applicant = cell_text(row[self._places[Column.APPLICANT]])[:200]
        text = cell_text(row[self._places[Column.PHONE]])
        told.phone = read_phone(text) or "" if text else ""
        if text and not told.phone and text.lower() not in EMPTY:
            told.remarks.append(self._problem(Column.PHONE, "not_a_phone"))


_MOMENTS = (Column.UPDATED, Column.RECEIVED, Column.DUE, Column.FINISHED, Column.RETURNED, Column.LIMIT)
_LIMITS = frozenset({Column.DUE, Column.LIMIT})
_ENDS = frozenset({Column.FINISHED, Column.RETURNED})
_CLOSING = _LIMITS | _ENDS
"""Of these a day alone is its end: whatever else was done on it has come before."""
_ALL_CLOSING = _CLOSING | {Column.UPDATED}
_OVER = DONE | FINAL
_UNDATED = frozenset({Status.PROCESSING, Status.SUPPLEMENT, Status.FEE})
"""Of these no other date of a row says when they were taken."""
_MOMENT_FACT = {
    Column.RECEIVED: "received_at", Column.DUE: "due_at", Column.FINISHED: "finished_at",
    Column.RETURNED: "returned_at", Column.LIMIT: "limit_at",
}  # fmt: skip
_FACT_OF = {
    Column.PROCEDURE_CODE: "procedure_code", Column.PROCEDURE_NAME: "procedure_name", Column.FIELD: "field",
    Column.REASON: "reason", Column.PAPERS: "papers", Column.FEE_NOTE: "fee_note", Column.POST_CODE: "post_code",
    Column.PLACE: "appointment_place",
}  # fmt: skip
_EXPLAINED = frozenset({Status.REFUSED, Status.SUPPLEMENT, Status.FEE, Status.WITHDRAWN, Status.STOPPED})
"""Remarks of officials are told only where they are the reason of something; elsewhere they are for the office."""


def _at(status: Status, moments: Mapping[Column, datetime]) -> datetime | None:
    """Return when a status was taken: as the export says, else by the row's own dates, never by the time of reading.

    What comes later in a dossier's life is never before what came earlier, though only one of them tells an hour.
    """
    if Column.UPDATED in moments:
        return moments[Column.UPDATED]
    received = moments.get(Column.RECEIVED)
    own = moments.get(_OWN[status]) if status in _OWN else None
    past = [moment for column, moment in moments.items() if column not in _LIMITS]
    if status in {Status.REGISTERED, Status.ACCEPTED}:
        return received or max(past, default=None)
    if own is None:
        begun = [moments[column] for column in moments if column not in _CLOSING]
        return max(past if status in _OVER else begun or past, default=None)
    earlier = [own, *([received] if received else [])]
    if status is Status.RETURNED and Column.FINISHED in moments:
        earlier.append(moments[Column.FINISHED])
    return max(earlier)


_OWN = {
    Status.REFUSED: Column.FINISHED, Status.WITHDRAWN: Column.FINISHED, Status.STOPPED: Column.FINISHED,
    Status.READY: Column.FINISHED, Status.RETURNED: Column.RETURNED,
}  # fmt: skip
