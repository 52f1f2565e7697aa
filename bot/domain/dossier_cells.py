"""Read single cells of a one-stop system's export: texts, moments, fees, ways of filing, names of units."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from bot.clock import LOCAL_ZONE
from bot.domain.dossier_words import read_moment
from bot.domain.text import clean, fold

LONGEST = 1000
"""Characters of a cell that are kept; the rest is no fact of a dossier."""
EMPTY = frozenset({"", "-", "--", "…", "...", "null", "none", "n/a", "không", "khong", "0"})
"""What people write into a cell, in small letters, where there is nothing to say."""
_CLOSING_HOUR = 17
"""Until when a day of an appointment, or on which something was done, lasts where no hour is told."""
_SERIAL = re.compile(r"[2-7]\d{4}(?:[.,]\d{1,12})?")
_DAY_ZERO = datetime(1899, 12, 30, tzinfo=LOCAL_ZONE)
_TIMED = re.compile(r"\d\s*[:hH]|T\d|^\d{12,14}$")
_USUAL = re.compile(r"(\d\d)/(\d\d)/(20[0-4]\d)(?: (\d\d):(\d\d)(?::(\d\d))?)?", re.ASCII)
_AHEAD = timedelta(hours=7)
"""How far Viet Nam's clocks are ahead of UTC: always, in the years that an export can name."""
_DIGITS = re.compile(r"\d+")
_CENTS = re.compile(r"[.,]\d{1,2}(?=\D*$)")
_MOST_FEE = 10_000_000_000
_MOST_KNOWN, _LONGEST_KNOWN = 4096, 200


Value = TypeVar("Value")


class Remembered(dict[str, Value], Generic[Value]):
    """Keep what has been made of texts, as the same ones stand in many rows; when they are too many it begins anew."""

    def __init__(self, make: Callable[[str], Value]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, text: str) -> Value:
        """Make it, and keep it unless the text is long."""
        value = self._make(text)
        if len(text) <= _LONGEST_KNOWN:
            if len(self) >= _MOST_KNOWN:
                self.clear()
            self[text] = value
        return value


def cell_text(cell: str) -> str:
    """Return the text of a cell as it is kept."""
    return cell.strip()[:LONGEST] if cell.isascii() and cell.isprintable() else clean(cell)[:LONGEST]


class Instant(NamedTuple):
    """What a cell says of a moment: in UTC and as facts have it (ISO); None and the cell's text for what is none."""

    moment: datetime | None
    words: str


class Instants:
    """Read cells with moments: most of an export have one form, of which days and times are worked out once each."""

    def __init__(self) -> None:
        self._days, self._times = Remembered(_day), Remembered(_time)
        self._others = Remembered(_other), Remembered(_other_closing)

    def read(self, cell: str, *, closing: bool) -> Instant | None:
        """Return what a cell says, None where it says nothing; a day alone is its beginning, closing as `read_cell`."""
        day = self._days[cell[:10]]
        if day is not None:
            if len(cell) == len("05/11/2026"):
                return day.closes if closing else day.begins
            time = self._times[cell[10:]]
            if time is not None:
                date = day.date if time.same_day else day.date_before
                return Instant(day.midnight + time.since_midnight, f"{date}T{time.clock}+00:00")
        return self._others[closing][cell]


class _Day(NamedTuple):
    midnight: datetime
    date: str
    date_before: str
    begins: Instant
    closes: Instant


class _Time(NamedTuple):
    since_midnight: timedelta
    clock: str
    same_day: bool
    """Whether it is the same day in UTC."""


def _day(text: str) -> _Day | None:
    begins = _usual(text)
    if begins is None or len(text) != len("05/11/2026"):
        return None
    closes = begins + timedelta(hours=_CLOSING_HOUR)
    dates = (begins + timedelta(days=1)).date().isoformat(), begins.date().isoformat()
    return _Day(begins, *dates, Instant(begins, begins.isoformat()), Instant(closes, closes.isoformat()))


def _time(text: str) -> _Time | None:
    moment = _usual(f"02/01/2000{text}")
    if moment is None:
        return None
    since = moment + _AHEAD - datetime(2000, 1, 2, tzinfo=UTC)
    return _Time(since, moment.time().isoformat(), since >= _AHEAD)


def _other(cell: str, *, closing: bool = False) -> Instant | None:
    text = cell_text(cell)
    if text.lower() in EMPTY:
        return None
    moment = read_cell(text, closing=closing)
    return Instant(None, text) if moment is None else Instant(moment, moment.isoformat())


def _other_closing(cell: str) -> Instant | None:
    return _other(cell, closing=True)


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
