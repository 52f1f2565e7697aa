"""Read the codes of dossiers however people type them: with blanks, without dots, with odd dashes, or only the end."""

import re
from datetime import date

_DASHES = re.compile("[‐‑‒–—―−_]")
_BLANKS = re.compile(r"\s+")
_CODE = re.compile(r"^[0-9A-Z]{1,3}(\.[0-9A-Z]{2,3}){1,3}-(\d{6}|\d{8})-\d{4,7}$")
_TOLERANT = re.compile(
    r"(?<![0-9A-Z])"
    r"[0-9A-Z]{1,3}(?:[ .]{0,3}[0-9A-Z]{2,3}){1,4}[ ]{0,2}-[ ]{0,2}(?:\d{8}|\d{6})[ ]{0,2}-[ ]{0,2}\d{4,7}"
    r"(?![0-9A-Z])"
)
_SQUEEZED = re.compile(r"[^0-9A-Z]")
_TAIL = re.compile(r"^\d{4,7}$")
_DATED_TAIL = re.compile(r"^(\d{8}|\d{6})\s*-?\s*(\d{4,7})$")
_LONGEST = 60


def canonical(text: str) -> str:
    """Return a code in its one form: upper case, plain dashes, no blanks; "" for what is none.

    The pattern is the national exchange's (product.md "Dossiers"); the part between the dashes has to be a date.
    """
    found = _DASHES.sub("-", _BLANKS.sub("", text)).upper()
    match = _CODE.match(found) if len(found) <= _LONGEST else None
    return found if match is not None and day_of(found) is not None else ""


def day_of(code: str) -> date | None:
    """Return the day that stands in a code (yyMMdd or yyyyMMdd), or None where that is no date."""
    part = code.rpartition("-")[0].rpartition("-")[2]
    year, rest = (part[:4], part[4:]) if len(part) == 8 else (f"20{part[:2]}", part[2:])  # noqa: PLR2004 - yyyyMMdd
    try:
        return date(int(year), int(rest[:2]), int(rest[2:]))
    except ValueError:
        return None


def squeezed(code: str) -> str:
    """Return the letters and digits of a code alone: what is compared with codes that lost their dots and dashes."""
    return _SQUEEZED.sub("", code.upper())


def tail_of(code: str) -> str:
    """Return the running number at the end of a code, without its leading zeros; "0" for one of zeros alone."""
    return code.rpartition("-")[2].lstrip("0") or "0"


def found_in(text: str) -> list[str]:
    """Return every code that stands in a text, as in what a receipt's QR code holds; in one form, each once.

    Dots or dashes may be missing, and blanks stand where they do not belong; what is only the end is not found here.
    """
    plain = _DASHES.sub("-", text).upper()
    found = [code for part in _BLANKS.split(plain) if (code := canonical(part.strip("?&=/:;,.()[]{}\"'")))]
    for match in _TOLERANT.finditer(plain):
        found += [code for code in (canonical(match.group()), canonical(_dotted(match.group()))) if code]
    return list(dict.fromkeys(found))


def _dotted(text: str) -> str:
    """Put the dots back where blanks stand in their place."""
    head, _, rest = text.partition("-")
    return re.sub(r"[ .]+", ".", head.strip()) + "-" + rest


def looks_like(text: str) -> bool:
    """Say whether a whole text is meant as the code of a dossier: in full, squeezed, or with its date and number."""
    return bool(canonical(text)) or bool(found_in(text)) or bool(squeezed_guess(text)) or dated_tail(text) is not None


def squeezed_guess(text: str) -> str:
    """Return what a text is when it is a code that has lost its dots or dashes, letters and digits alone; else ""."""
    plain = _DASHES.sub("-", text).upper().strip()
    if not re.fullmatch(r"[0-9A-Z][0-9A-Z .-]{13,45}", plain):
        return ""
    found = squeezed(plain)
    # An agency's part has a letter in every code we know (G09, H26), and the date and number are ten digits at least.
    return found if re.fullmatch(r"[0-9A-Z]*[A-Z][0-9]{2}[0-9A-Z]*\d{10,15}", found) else ""


def dated_tail(text: str) -> tuple[str, str] | None:
    """Return date part and number, without leading zeros, of a text that is only the end of a code, date included."""
    match = _DATED_TAIL.match(_DASHES.sub("-", text).strip())
    if match is None or day_of(f"X-{match.group(1)}-{match.group(2)}") is None:
        return None
    return match.group(1), match.group(2).lstrip("0") or "0"


def tail(text: str) -> str:
    """Return the running number that a text is when it is only the last digits of a code; "" for anything else."""
    found = _BLANKS.sub("", text)
    return (found.lstrip("0") or "0") if _TAIL.match(found) else ""
