"""Hide identity numbers and phone numbers wherever texts are shown, and bring phones into one form."""

import re
import unicodedata
from collections.abc import Iterator

_DOT = "•"
_SHOWN = 3
_CITIZEN_ID, _OLD_ID = 12, 9
_MOBILE = 10
_LONGEST = 14
# 84 and nine digits; ten when the leading 0 was kept.
_ABROAD = (11, 12)
_OLD_MOBILE = 11
_LANDLINE = (10, 11)
_MOST_GROUPS = 6
_FEW_GROUPS = 2
_SMALLEST_GROUP = 2

# What holds digits and is never an identity number: links, dossier and case codes, dates, numbers already masked.
_SHIELDED = r"""
    https?://\S+
  | (?<![0-9A-Za-z])[0-9A-Za-z]{1,3}(?:\.[0-9A-Za-z]{2,3}){1,3}[-‐-―−](?:\d{6}|\d{8})[-‐-―−]\d{4,7}(?!\d)
  | (?<![^\W_])[Pp][Aa][\s.:_\-‐-―−]?[A-HJ-NP-Za-hj-np-z2-9]{5}(?![^\W_])
  | (?<!\d)\d{1,2}(?P<mark>[./-])\d{1,2}(?P=mark)(?:19|20)\d{2}(?!\d)
  | (?<!\d)(?:19|20)\d{2}(?P<dash>[-./])\d{1,2}(?P=dash)\d{1,2}(?!\d)
  | (?<!•)•{3,}\d{3}(?!\d)
"""
_GAP = r"[ \xa0.\-‐-―−()]{1,3}"
_FOUND = re.compile(rf"(?P<shielded>{_SHIELDED})|(?P<run>\d+(?:{_GAP}\d+)*)", re.VERBOSE | re.ASCII)
_GROUP = re.compile(r"\d+", re.ASCII)
# Units of money, area, power and the like. A lone letter counts only when it touches the number.
_UNIT_AFTER = re.compile(
    r"(?:,\d+)?(?:[km]\b|[^\S\n]*(?:(?:đồng|dong)\b(?!\s+(?:ý|y|chí|chi|thời|thoi)\b)|[đd](?![\w/])|%|(?:vnđ|vnd|usd|đô"
    r"|nghìn|nghin|ngàn|ngan|triệu|trieu|tr|tỷ|tỉ|ty|ti|m2|m²|m3|m³|mét|met|ha|kg|tấn|tan|lít|lit|kwh)(?!\w)))",
    re.IGNORECASE,
)
_MONEY_BEFORE = re.compile(r"(?:vnđ|vnd|usd|\$|tiền|tien)\s*:?\s*$", re.IGNORECASE)
# Letters that touch the number make it part of another code, unless they name the paper.
_LETTERS_BEFORE = re.compile(r"[^\W\d_]+$")
_PAPERS = ("cccd", "cmnd", "cmt", "cmtnd", "cc", "cm", "số", "so", "id")

_PHONE_SHAPE = re.compile(r"[+(]{0,2}[0-9][0-9 .()\-‐-―−\t\xa0/]*", re.ASCII)
_NATIONAL = re.compile("0[235789]")
_MOBILE_SHAPE = re.compile(r"0[35789]\d{8}", re.ASCII)
# Eleven-digit mobile numbers were renumbered in 2018 (plan 798/QĐ-BTTTT of the ministry of information).
_RENUMBERED = {
    **{f"016{n}": f"03{n}" for n in range(2, 10)},
    "0120": "070", "0121": "079", "0122": "077", "0126": "076", "0128": "078",
    "0123": "083", "0124": "084", "0125": "085", "0127": "081", "0129": "082",
    "0186": "056", "0188": "058", "0199": "059",
}  # fmt: skip


def mask_identity(text: str) -> str:
    """Return the text with 12-digit (CCCD) and 9-digit (CMND) numbers hidden but for their last three digits.

    Blanks, dots and dashes between the digits do not save a number. Phone numbers, dossier and case codes, dates,
    links and amounts with a unit stay. Never longer than the text; masking twice changes nothing.
    """
    pieces = []
    end = 0
    for found in _FOUND.finditer(text):
        if found["run"] is None:
            continue
        for low, high in _identities(text, found.start(), found.end()):
            digits = "".join(_GROUP.findall(text, low, high))
            pieces += [text[end:low], _DOT * (len(digits) - _SHOWN), digits[-_SHOWN:]]
            end = high
    return "".join([*pieces, text[end:]])


def mask_phones(text: str) -> str:
    """Return the text with every Vietnamese phone number hidden whole, for places that strangers read."""
    pieces = []
    end = 0
    for found in _FOUND.finditer(text):
        if found["run"] is None:
            continue
        groups = [group.span() for group in _GROUP.finditer(text, found.start(), found.end())]
        numbers = [text[low:high] for low, high in groups]
        index = 0
        while index < len(groups):
            taken = _phone_groups(numbers, index) or _landline_groups(numbers, index)
            if taken:
                low = groups[index][0]
                low -= low > end and text[low - 1] in "+("
                pieces += [text[end:low], _DOT * _SHOWN]
                end = groups[index + taken - 1][1]
            index += taken or 1
    return "".join([*pieces, text[end:]])


def normalise_phone(s: str) -> str | None:
    """Return a Vietnamese mobile number as `84` and nine digits, or None if `s` is no such number.

    Reads `0900 000 001`, `+84 (0)900.000.001`, `0084…`, a number whose first zero a spreadsheet lost, and the
    eleven-digit numbers from before 2018.
    """
    plain = unicodedata.normalize("NFKC", s).strip().removesuffix(".0")
    if not _PHONE_SHAPE.fullmatch(plain):
        return None
    digits = "".join(_GROUP.findall(plain))
    if digits.startswith("0084") or plain.startswith(("+84", "(+84")) or _is_abroad(digits):
        digits = "0" + digits.removeprefix("00").removeprefix("84").removeprefix("0")
    elif plain.startswith("+"):
        return None
    elif len(digits) == _MOBILE - 1 and digits[0] != "0":
        digits = "0" + digits
    if len(digits) == _OLD_MOBILE and digits[:4] in _RENUMBERED:
        digits = _RENUMBERED[digits[:4]] + digits[4:]
    return "84" + digits[1:] if _MOBILE_SHAPE.fullmatch(digits) else None


def mask_phone(phone: str) -> str:
    """Return a phone for a screen: `84900000001` as `0900•••001`; of other numbers the last three digits at most."""
    normal = normalise_phone(phone)
    if normal is None:
        digits = "".join(_GROUP.findall(phone))
        return _DOT * 3 + (digits[-_SHOWN:] if len(digits) > 2 * _SHOWN else "")
    return f"0{normal[2:5]}{_DOT * 3}{normal[-_SHOWN:]}"


def initials(name: str) -> str:
    """Return a name for places that need not know it: `Nguyễn Thị Hoà` as `N. T. H.`."""
    return " ".join(f"{word[0].upper()}." for word in name.split() if word[0].isalpha())


def _identities(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the (start, end) of each identity number in one run of digit groups."""
    groups = [found.span() for found in _GROUP.finditer(text, start, end)]
    sizes = [high - low for low, high in groups]
    numbers = [text[low:high] for low, high in groups]
    index = 0
    while index < len(groups):
        taken = _phone_groups(numbers, index)
        if not taken and (taken := _identity_groups(numbers, sizes, index)):
            low, high = groups[index][0], groups[index + taken - 1][1]
            if not _is_other(text, low, high, "".join(numbers[index : index + taken])):
                yield low, high
        index += taken or 1


def _phone_groups(numbers: list[str], index: int) -> int:
    """Return how many groups from `index` on are a phone number, 0 if none are."""
    digits = ""
    for count, number in enumerate(numbers[index : index + _MOST_GROUPS], start=1):
        if len(number) < _SMALLEST_GROUP and digits and not digits.startswith(("84", "0084")):
            break
        digits += number
        if _is_abroad(digits) or (len(digits) == _MOBILE and _NATIONAL.match(digits)):
            return count
        if len(digits) > _LONGEST:
            break
    return 0


def _landline_groups(numbers: list[str], index: int) -> int:
    """Return how many groups from `index` on are a landline's number: 02, the province and the subscriber."""
    digits = ""
    for count, number in enumerate(numbers[index : index + _MOST_GROUPS], start=1):
        digits += number
        if digits.startswith("02") and len(digits) in _LANDLINE:
            return count
        if len(digits) > _LONGEST:
            break
    return 0


def _identity_groups(numbers: list[str], sizes: list[int], index: int) -> int:
    """Return how many groups from `index` on are an identity number, 0 if none are; the longer number wins."""
    if sizes[index] >= _OLD_ID:  # an unbroken number stands for itself
        return int(sizes[index] in {_OLD_ID, _CITIZEN_ID})
    best = 0
    for count in range(2, min(_MOST_GROUPS, len(numbers) - index) + 1):
        parts = sizes[index : index + count]
        phone = parts[-1] >= _SMALLEST_GROUP and _phone_groups(numbers, index + count - 1)
        if phone or parts[-1] < _SMALLEST_GROUP or sum(parts) > _CITIZEN_ID:
            break
        # Every citizen number begins with a province code below 100; other groups of twelve are amounts.
        citizen = sum(parts) == _CITIZEN_ID and numbers[index][0] == "0"
        old = sum(parts) == _OLD_ID and (count <= _FEW_GROUPS or set(parts) == {_SHOWN})
        best = count if citizen or old else best
    return best


def _is_abroad(digits: str) -> bool:
    digits = digits.removeprefix("00")
    return digits.startswith("84") and (len(digits) == _ABROAD[0] or (len(digits) == _ABROAD[1] and digits[2] in "01"))


def _is_other(text: str, low: int, high: int, digits: str) -> bool:
    """Tell whether a number of the right length is an amount or a part of some other code."""
    grouped = len(digits) < high - low
    letters = _LETTERS_BEFORE.search(text, max(0, low - 8), low)
    certain = len(digits) == _CITIZEN_ID and digits[0] == "0" and not grouped
    if letters and letters[0].casefold() not in _PAPERS and not certain:
        return True
    if digits[0] == "0":
        return False
    if digits.endswith("000" if grouped else "0000"):
        return True
    return bool(_UNIT_AFTER.match(text, high) or _MONEY_BEFORE.search(text, max(0, low - 12), low))
