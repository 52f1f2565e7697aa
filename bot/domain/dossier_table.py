"""Read rows of a one-stop system's export: what each says of a dossier, or what is wrong with it and where."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from bot.clock import LOCAL_ZONE
from bot.domain.dossier import DONE, FINAL, Status
from bot.domain.dossier_code import canonical
from bot.domain.dossier_columns import Column, Layout
from bot.domain.dossier_words import read_moment, read_phone, read_status
from bot.domain.text import clean, fold

LONGEST = 1000
"""Characters of a cell that are kept; the rest is no fact of a dossier."""
_CLOSING_HOUR = 17
"""Until when a day of an appointment, or on which something was done, lasts where no hour is told."""
_CLOCKS_DIFFER = timedelta(days=1)
"""What happened later than so much after the time of reading is a mistake: it would stand over all that follows."""
_FURTHEST = timedelta(days=5 * 365)
"""Appointments that lie further ahead are mistakes."""
_SERIAL = re.compile(r"[2-7]\d{4}(?:[.,]\d{1,12})?")
_DAY_ZERO = datetime(1899, 12, 30, tzinfo=LOCAL_ZONE)
_TIMED = re.compile(r"\d\s*[:hH]|T\d|^\d{12,14}$")
_USUAL = re.compile(r"(\d\d)/(\d\d)/(20[0-4]\d)(?: (\d\d):(\d\d)(?::(\d\d))?)?", re.ASCII)
_AHEAD = timedelta(hours=7)
"""How far Viet Nam's clocks are ahead of UTC: always, in the years that an export can name."""
_DIGITS = re.compile(r"\d+")
_CENTS = re.compile(r"[.,]\d{1,2}(?=\D*$)")
_EMPTY = frozenset({"", "-", "--", "…", "...", "null", "none", "n/a", "không", "khong", "0"})
_MOST_FEE = 10_000_000_000


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
        self._places = dict(layout.places)
        self._statuses = {fold(words): Status(code) for words, code in statuses.items() if code in set(Status)}
        self._known: dict[str, Status | None] = {}

    def read(self, cells: Sequence[str]) -> tuple[Told | None, list[Problem]]:
        """Return what a row says, or None and what is wrong with it; remarks stand with what it says."""
        problems: list[Problem] = []
        code = self._code(cells, problems)
        status = self._status(cells, problems)
        moments = self._moments(cells, status, problems)
        at = None if status is None else _at(status, moments)
        if status is not None and at is None and not problems:
            problems.append(self._problem(Column.RECEIVED, "no_moment"))
        if at is not None and at > self._latest:
            problems.append(self._problem(next(each for each in _MOMENTS if moments.get(each) == at), "in_future"))
        if problems or status is None or at is None:
            return None, problems
        told = Told(code, status, at, {}, derived=status in _UNDATED and Column.UPDATED not in self._places)
        self._fill(told, cells, moments)
        return told, []

    def _cell(self, cells: Sequence[str], column: Column) -> str:
        place = self._places.get(column)
        if place is None or place >= len(cells) or not (text := cells[place]):
            return ""
        return text.strip()[:LONGEST] if text.isascii() and text.isprintable() else clean(text)[:LONGEST]

    def _problem(self, column: Column, code: str, **details: Any) -> Problem:
        place = self._places.get(column)
        return Problem(self._layout.names[place] if place is not None else "", code, details)

    def _code(self, cells: Sequence[str], problems: list[Problem]) -> str:
        text = self._cell(cells, Column.CODE)
        code = canonical(text)
        if not text:
            problems.append(self._problem(Column.CODE, "no_code"))
        elif not code:
            problems.append(self._problem(Column.CODE, "not_a_code", value=text[:60]))
        return code

    def _status(self, cells: Sequence[str], problems: list[Problem]) -> Status | None:
        text = self._cell(cells, Column.STATUS)
        if text not in self._known:
            self._known[text] = self._statuses.get(fold(text)) or read_status(text)
        status = self._known[text]
        if not text:
            problems.append(self._problem(Column.STATUS, "no_status"))
        elif status is None:
            problems.append(self._problem(Column.STATUS, "unknown_status", value=text[:60]))
        return status

    def _moments(self, cells: Sequence[str], status: Status | None, problems: list[Problem]) -> dict[Column, datetime]:
        found: dict[Column, datetime] = {}
        closing = _CLOSING | {Column.UPDATED} if status in DONE | FINAL else _CLOSING
        for column in _MOMENTS:
            text = self._cell(cells, column)
            if text.lower() in _EMPTY:
                continue
            moment = read_cell(text, closing=column in closing)
            if moment is None:
                problems.append(self._problem(column, "not_a_date", value=text[:30]))
            elif column in _LIMITS and moment > self._furthest:
                problems.append(self._problem(column, "too_far_ahead"))
            else:
                found[column] = moment
        received, due = found.get(Column.RECEIVED), found.get(Column.DUE)
        if received and due and due < received.replace(hour=0, minute=0):
            problems.append(self._problem(Column.DUE, "due_before_received"))
        return found

    def _fill(self, told: Told, cells: Sequence[str], moments: Mapping[Column, datetime]) -> None:
        facts = told.facts
        for column, name in _FACT_OF.items():
            if text := self._cell(cells, column):
                facts[name] = text
        for column, name in _MOMENT_FACT.items():
            # What is not done yet has no date on which it was done, whatever an export leaves in the cell.
            stale = column in _ENDS and told.status not in DONE | FINAL
            if column in moments and not stale:
                facts[name] = moments[column].isoformat()
        for column, name, read in ((Column.ONLINE, "online", read_online), (Column.FEE, "fee", read_fee)):
            if (text := self._cell(cells, column)) and (value := read(text)) is not None:
                facts[name] = value
        if facts.get("reason") and told.status not in _EXPLAINED:
            del facts["reason"]
        self._person(told, cells)
        self._unit(told, cells)

    def _unit(self, told: Told, cells: Sequence[str]) -> None:
        told.unit = self._cell(cells, Column.UNIT_CODE)
        if not told.unit and (name := self._cell(cells, Column.UNIT_NAME)):
            told.unit = unit_key(name)
        if told.unit:
            told.facts["unit_code"] = (
                self._cell(cells, Column.UNIT_CODE)[:60] or self._cell(cells, Column.UNIT_NAME)[:200]
            )

    def _person(self, told: Told, cells: Sequence[str]) -> None:
        told.applicant = self._cell(cells, Column.APPLICANT)[:200]
        text = self._cell(cells, Column.PHONE)
        told.phone = read_phone(text) or "" if text else ""
        if text and not told.phone and text.lower() not in _EMPTY:
            told.remarks.append(self._problem(Column.PHONE, "not_a_phone"))


_MOMENTS = (Column.UPDATED, Column.RECEIVED, Column.DUE, Column.FINISHED, Column.RETURNED, Column.LIMIT)
_LIMITS = frozenset({Column.DUE, Column.LIMIT})
_ENDS = frozenset({Column.FINISHED, Column.RETURNED})
_CLOSING = _LIMITS | _ENDS
"""Of these a day alone is its end: whatever else was done on it has come before."""
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
        return max(past if status in DONE | FINAL else begun or past, default=None)
    earlier = [own, *([received] if received else [])]
    if status is Status.RETURNED and Column.FINISHED in moments:
        earlier.append(moments[Column.FINISHED])
    return max(earlier)


_OWN = {
    Status.REFUSED: Column.FINISHED, Status.WITHDRAWN: Column.FINISHED, Status.STOPPED: Column.FINISHED,
    Status.READY: Column.FINISHED, Status.RETURNED: Column.RETURNED,
}  # fmt: skip


@lru_cache(maxsize=65536)
def read_cell(text: str, *, closing: bool = False) -> datetime | None:
    """Return the moment that a cell names, in UTC: as people write it, or a spreadsheet's serial number; else None.

    A day alone is its beginning; with `closing`, as of an appointment or a result, the end of office hours.
    """
    if _SERIAL.fullmatch(text):
        days = float(text.replace(",", "."))
        moment = (_DAY_ZERO + timedelta(seconds=round(days * 86_400))).replace(tzinfo=LOCAL_ZONE).astimezone(UTC)
        timed = not days.is_integer()
    else:
        found = _usual(text) or read_moment(text)
        if found is None:
            return None
        moment, timed = found, _TIMED.search(text) is not None
    return moment + timedelta(hours=_CLOSING_HOUR) if closing and not timed else moment


def _usual(text: str) -> datetime | None:
    """Read the form that nearly every cell has, 05/11/2026 14:30[:00], without the many others; None for those."""
    match = _USUAL.fullmatch(text)
    if match is None:
        return None
    day, month, year, hour, minute, second = match.groups()
    try:
        local = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
    except ValueError:
        return None
    return local - _AHEAD


_ONLINE_WORDS = ("truc tuyen", "toan trinh", "mot phan", "dich vu cong", "online", "qua mang", "dvc", "cong dvc")
_OFFLINE_WORDS = ("truc tiep", "buu chinh", "mot cua", "tai cho", "offline", "buu dien")


@lru_cache(maxsize=1024)
def read_online(text: str) -> bool | None:
    """Say whether a dossier was filed online, of the words or the number of the national exchange; None if unclear."""
    words = fold(text)
    if words in {"2", "true", "co"}:
        return True
    if words in {"1", "3", "false", "khong"}:
        return False
    if any(word in words for word in _OFFLINE_WORDS):
        return False
    return True if any(word in words for word in _ONLINE_WORDS) else None


@lru_cache(maxsize=4096)
def read_fee(text: str) -> int | None:
    """Return an amount in đồng as people write it: 15.000, 15,000 đ, 15000; None for words, and for nothing to pay."""
    digits = "".join(_DIGITS.findall(_CENTS.sub("", text)))
    amount = int(digits) if digits and len(digits) < 13 else 0  # noqa: PLR2004 - longer is no amount
    return amount if 0 < amount <= _MOST_FEE else None


_UNIT_HEADS = ("uy ban nhan dan ", "ubnd ", "hdnd va ubnd ")


@lru_cache(maxsize=4096)
def unit_key(name: str) -> str:
    """Return by what a unit's name is compared: folded, without the words for the People's Committee in front."""
    folded = fold(name)
    for head in _UNIT_HEADS:
        if folded.startswith(head):
            return folded.removeprefix(head)
    return folded
