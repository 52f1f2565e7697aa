"""Write numbers and dates of a spreadsheet as whoever opens it in Viet Nam sees them."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from math import isfinite

from bot.sheets.lines import EXACT_DIGITS

BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 14: "dd/mm/yyyy", 15: "dd/mm/yyyy",
    16: "dd/mm", 17: "mm/yyyy", 18: "hh:mm", 19: "hh:mm:ss", 20: "hh:mm", 21: "hh:mm:ss", 22: "dd/mm/yyyy hh:mm",
    **dict.fromkeys(range(27, 32), "dd/mm/yyyy"), 32: "hh:mm", 33: "hh:mm:ss",
    **dict.fromkeys(range(34, 37), "dd/mm/yyyy"),
    37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00", 41: "#,##0", 42: "#,##0", 43: "#,##0.00", 44: "#,##0.00",
    45: "mm:ss", 46: "hh:mm:ss", 47: "mm:ss", **dict.fromkeys(range(50, 59), "dd/mm/yyyy"),
}  # fmt: skip
"""Formats that a workbook names by number alone (ECMA-376, 18.8.30); those that follow the locale as in Viet Nam."""
_DAY_ZERO, _DAY_ZERO_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001 - a date in a cell has no zone
_LAST_DAY = 2_958_466
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_ELAPSED = re.compile(r"\[([hms]+)\]", re.IGNORECASE)
_PIECE = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[[^\]]*\]|(.)')
_CURRENCY = re.compile(r"\[\$([^\]-]*)(?:-[^\]]*)?\]")
_PLAIN_NUMBER = re.compile(r"[#0?.,]+(?:%)?")


@dataclass(frozen=True, slots=True)
class Format:
    """What a number format says: which parts of a date, or how a number is written, or nothing (general)."""

    general: bool = False
    date: str = ""
    time: bool = False
    elapsed: bool = False
    whole: int = 1
    decimals: int = 0
    optional: int = 0
    grouped: bool = False
    percent: bool = False
    before: str = ""
    after: str = ""
    pattern: str = ""
    """Where digits go when other signs stand between them, as in 0### ### ###."""


GENERAL = Format(general=True)


@lru_cache(maxsize=512)
def format_of(code: str) -> Format:
    """Return what a format code means; one that is not understood is general."""
    section, elapsed = _ELAPSED.subn(r"\1", code.partition(";")[0])
    bare = _LITERAL.sub("", section)
    letters = bare.lower()
    if not bare or letters in {"general", "@"}:
        return GENERAL
    if "e+" in letters or "e-" in letters or ("/" in letters and "?" in letters):
        return GENERAL
    if set(letters) & set("ymdhs"):
        return _moment(letters, elapsed=elapsed > 0)
    runs = _PLAIN_NUMBER.findall(bare)
    if len(runs) > 1 and "." not in bare and "," not in bare:
        return Format(pattern=bare.strip(), whole=_from_first_zero(bare))
    return _number(section, runs[0]) if runs else GENERAL


def _from_first_zero(places: str) -> int:
    """Return how many digits are always shown: those from the first 0 of a format on."""
    digits = [c for c in places if c in "0#?"]
    return len(digits) - digits.index("0") if "0" in digits else 0


def _moment(letters: str, *, elapsed: bool) -> Format:
    time = bool(set(letters) & set("hs"))
    dated = bool(set(letters) & set("yd"))
    day, year = "d" in letters, "y" in letters
    month = "m" in letters and (dated or not time)
    date = "/".join(part for part, there in (("%d", day), ("%m", month), ("%Y", year)) if there)
    return Format(date="" if elapsed else date, time=time, elapsed=elapsed)


def _number(section: str, digits: str) -> Format:
    whole, _, decimals = digits.rstrip("%").partition(".")
    words = _CURRENCY.sub(r'"\1"', section)
    before, _, after = words.partition(digits.rstrip("%"))
    return Format(
        whole=_from_first_zero(whole),
        decimals=decimals.count("0"),
        optional=decimals.count("#") + decimals.count("?"),
        grouped="," in whole.strip(","),
        percent="%" in section,
        before=_spoken(before),
        after=_spoken(after.replace("%", "")),
    )


def _spoken(part: str) -> str:
    """Return the words of a format that are shown as they stand."""
    return "".join(found[1] or found[2] or found[3] or "" for found in _PIECE.finditer(part))


def number_words(raw: str, form: Format, *, since_1904: bool = False) -> tuple[str, bool]:
    """Return a stored number as it is seen, and whether it has more digits than a spreadsheet keeps."""
    if form.general and raw.isdigit() and len(raw) <= EXACT_DIGITS:
        return raw, False
    try:
        value = float(raw)
    except ValueError:
        return raw, False
    if not isfinite(value):
        return raw, False
    rounded = abs(value) >= 10**EXACT_DIGITS
    if form.date or form.time:
        shown = _date_words(value, form, since_1904=since_1904)
        if shown:
            return shown, False
    if form.general or rounded:
        return _general(value), rounded
    return _written(value, form), False


def _general(value: float) -> str:
    if value.is_integer():
        return str(int(value))
    return f"{value:.{EXACT_DIGITS}g}".replace(".", ",")


def _patterned(value: float, form: Format) -> str:
    digits = list(str(round(abs(value))).zfill(form.whole))
    places = [c in "0#?" for c in form.pattern]
    shown = []
    for sign, place in zip(reversed(form.pattern), reversed(places), strict=True):
        if not place:
            shown.append(sign if digits else "")
        elif digits:
            shown.append(digits.pop())
    return "".join([*digits, *reversed(shown)]).strip()


def _written(value: float, form: Format) -> str:
    if form.pattern:
        return _patterned(value, form)
    if form.percent:
        value *= 100
    text = f"{abs(value):.{form.decimals + form.optional}f}"
    whole, _, decimals = text.partition(".")
    for _ in range(form.optional):
        decimals = decimals.removesuffix("0") if len(decimals) > form.decimals else decimals
    whole = whole.zfill(form.whole)
    if form.grouped:
        whole = f"{int(whole):,}".replace(",", ".")
    sign = "-" if value < 0 and (whole.strip("0.") or decimals.strip("0")) else ""
    percent = "%" if form.percent else ""
    return f"{sign}{form.before}{whole}{',' + decimals if decimals else ''}{percent}{form.after}".strip()


def _date_words(value: float, form: Format, *, since_1904: bool) -> str:
    if not 0 <= value < _LAST_DAY:
        return ""
    if form.elapsed:
        return "{}:{:02}".format(*divmod(round(value * 1440), 60))
    moment = (_DAY_ZERO_1904 if since_1904 else _DAY_ZERO) + timedelta(seconds=round(value * 86_400))
    return moment_words(moment, form)


def moment_words(moment: datetime, form: Format) -> str:
    """Return the parts of a moment that a format shows, as they are written in Viet Nam."""
    date = moment.strftime(form.date) if form.date else ""
    seconds = ":%S" if moment.second else ""
    return " ".join(part for part in (date, moment.strftime(f"%H:%M{seconds}") if form.time else "") if part)
