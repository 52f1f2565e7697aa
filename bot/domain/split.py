"""Cut long text into parts that a channel takes, never through a syllable, a link or a code."""

import re
from collections.abc import Sequence

from bot.domain.text import safe_cut

_TOKEN = re.compile(r"\S+")
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n")
_SENTENCE_END = re.compile(r"[.!?…;:][\"'”’)\]]*$")
# A nicer break is taken only if it leaves the part at least this full, else many tiny messages would leave.
_FULL_ENOUGH = 0.5

_BLANK, _SENTENCE, _LINE, _PARAGRAPH_END = range(4)


def split_text(text: str, limit: int, protected: Sequence[str] = ()) -> list[str]:
    """Split `text` into trimmed parts of at most `limit` characters that hold the same words in the same order.

    Breaks at the end of a paragraph, else of a line, else of a sentence, else at a blank. `protected` are phrases with
    blanks (a phone number, a name) that stay whole while they fit. Only a single token longer than `limit` is cut, at
    a place where no letter loses its marks. Blank text gives no part. Raises ValueError for a limit below 1.
    """
    if limit < 1:
        raise ValueError(f"a part needs room for one character, not {limit}")
    atoms = _atoms(text, limit, protected)
    parts = []
    first = 0
    while first < len(atoms):
        last = _last_that_fits(atoms, first, limit)
        if last + 1 < len(atoms):
            last = _nicest_end(text, atoms, first, last, limit)
        parts.append(text[atoms[first][0] : atoms[last][1]])
        first = last + 1
    return parts


def _atoms(text: str, limit: int, protected: Sequence[str]) -> list[tuple[int, int]]:
    """List the (start, end) of all pieces that stay whole, each at most `limit` long."""
    joined = _protected_ranges(text, limit, protected)
    atoms: list[tuple[int, int]] = []
    for token in _TOKEN.finditer(text):
        start, end = token.span()
        inside = any(low < start < high for low, high in joined)
        if inside and atoms and end - atoms[-1][0] <= limit:
            atoms[-1] = (atoms[-1][0], end)
            continue
        while end - start > limit:
            cut = start + safe_cut(text[start:end], limit)
            atoms.append((start, cut))
            start = cut
        atoms.append((start, end))
    return atoms


def _protected_ranges(text: str, limit: int, protected: Sequence[str]) -> list[tuple[int, int]]:
    phrases = [phrase.strip() for phrase in protected]
    return [
        found.span() for phrase in phrases if 0 < len(phrase) <= limit for found in re.finditer(re.escape(phrase), text)
    ]


def _last_that_fits(atoms: Sequence[tuple[int, int]], first: int, limit: int) -> int:
    last = first
    while last + 1 < len(atoms) and atoms[last + 1][1] - atoms[first][0] <= limit:
        last += 1
    return last


def _nicest_end(text: str, atoms: Sequence[tuple[int, int]], first: int, last: int, limit: int) -> int:
    """Choose where to end a part: the latest of the best breaks that leave it full enough."""
    start = atoms[first][0]
    best, best_rank = last, _rank(text, atoms, last)
    for index in range(last - 1, first - 1, -1):
        if atoms[index][1] - start < limit * _FULL_ENOUGH:
            break
        rank = _rank(text, atoms, index)
        if rank > best_rank:
            best, best_rank = index, rank
    return best


def _rank(text: str, atoms: Sequence[tuple[int, int]], index: int) -> int:
    gap = text[atoms[index][1] : atoms[index + 1][0]]
    if _PARAGRAPH.search(gap):
        return _PARAGRAPH_END
    if "\n" in gap:
        return _LINE
    return _SENTENCE if _SENTENCE_END.search(text[atoms[index][0] : atoms[index][1]]) else _BLANK
