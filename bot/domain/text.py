"""Bring Vietnamese text into one form: clean for keeping, folded for searching, shortened for lists."""

import re
import unicodedata
from functools import lru_cache

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Controls (but tab and newline), lone surrogates, soft hyphen, Mongolian separator, zero-width space and non-joiner,
# direction marks, invisible operators, byte order mark, annotation marks, tag characters.
_JUNK = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\xad\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_JOINER = "\u200d"
# The joiner is kept only between pictures, where it makes one emoji of several.
_PICTURE = "[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]"
_STRAY_JOINER = re.compile(f"(?<!{_PICTURE}){_JOINER}|{_JOINER}(?!{_PICTURE})")
_MARK_CATEGORIES = frozenset({"Mn", "Mc", "Me"})
_D_STROKE = str.maketrans({"đ": "d", "Đ": "d", "ð": "d", "Ð": "d"})
_SKIN_TONES = ("\U0001f3fb", "\U0001f3ff")
_REGIONAL_INDICATORS = ("\U0001f1e6", "\U0001f1ff")


def clean(s: str) -> str:
    r"""Return the text as it is kept: NFC, `\n` line ends, trimmed, without controls and zero-width junk.

    Accepts every `str`, lone surrogates and NULs included, and never raises; cleaning twice changes nothing.
    """
    if s.isprintable():  # then there is nothing of all that in it
        return unicodedata.normalize("NFC", s).strip()
    s = _JUNK.sub("", _LINE_ENDS.sub("\n", s)).replace("\xa0", " ")
    while _STRAY_JOINER.search(s):  # removing one may leave its neighbour stray
        s = _STRAY_JOINER.sub("", s)
    return unicodedata.normalize("NFC", s).strip()


def fold(s: str) -> str:
    """Return the search form: lower case, no diacritics, đ as d, punctuation as blanks, single blanks.

    `"Phản ánh!"` and its NFD spelling give `"phan anh"`; `hoà` and `hòa` are the same.
    """
    return " ".join(folded for folded in map(fold_word, written_words(s)) if folded)


def written_words(s: str) -> list[str]:
    """Split into lower-case words in NFKC with their accents, punctuation left out."""
    kept = (c if _belongs_to_word(c) else " " for c in unicodedata.normalize("NFKC", clean(s)).lower())
    return [unicodedata.normalize("NFC", word) for word in "".join(kept).split()]


@lru_cache(maxsize=16384)
def fold_word(word: str) -> str:
    """Return one word of `written_words` without diacritics; empty when nothing but marks is in it."""
    if word.isascii():
        return word.lower()
    bare = word
    for _ in range(2):  # casefold may uncover characters that decompose once more
        bare = unicodedata.normalize("NFKD", bare).casefold()
    return "".join(c for c in bare.translate(_D_STROKE) if c.isalnum())


def excerpt(s: str, n: int) -> str:
    """Return at most `n` characters on one line, cut between syllables and closed with an ellipsis."""
    line = " ".join(s.split())
    if len(line) <= n:
        return line
    if n < 1:
        return ""
    head = line[:n]
    blank = head.rfind(" ")
    if blank < 0:
        return line[: safe_cut(line, n - 1)] + "…" if n > 1 else "…"
    return head[:blank].rstrip(" ,;:-–") + "…"


def safe_cut(s: str, limit: int) -> int:
    """Return the largest index ≤ `limit` at which `s` may be cut without parting a letter from its marks.

    Joined emoji, skin tones and flags stay whole too. Where one such cluster alone is longer than `limit`,
    `limit` itself is returned, so that a caller always gets on.
    """
    if limit >= len(s):
        return len(s)
    index = limit
    while index > 0 and not _is_boundary(s, index):
        index -= 1
    return index or max(limit, 0)


def _belongs_to_word(c: str) -> bool:
    return c.isalnum() or unicodedata.category(c) in _MARK_CATEGORIES


def _is_boundary(s: str, index: int) -> bool:
    before, after = s[index - 1], s[index]
    if unicodedata.category(after) in _MARK_CATEGORIES or _JOINER in {before, after}:
        return False
    if _SKIN_TONES[0] <= after <= _SKIN_TONES[1]:
        return False
    first, last = _REGIONAL_INDICATORS
    if first <= before <= last and first <= after <= last:  # flags are pairs
        run = index
        while run > 0 and first <= s[run - 1] <= last:
            run -= 1
        return (index - run) % 2 == 0
    return True
