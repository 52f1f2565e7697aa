"""Recognise what citizens type: menu words, codes, choices, ratings, and what a text is about."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from bot.domain import concerns
from bot.domain.phrases import Typed, accented, affirmed, contains, could_mean, phrase, positions, typed
from bot.domain.text import fold
from bot.domain.vocabulary import (
    AREA_KINDS,
    MENU_NUMBERS,
    MENU_PHRASES,
    NUMBER_LEADS,
    NUMBER_WORDS,
    POLITE_AFTER,
    POLITE_BEFORE,
    RATING_PHRASES,
    MenuWord,
)

__all__ = [
    "MenuWord",
    "case_code",
    "find_area",
    "guess_category",
    "is_conduct_report",
    "is_denunciation",
    "is_secret",
    "looks_like_complaint",
    "looks_like_question",
    "menu_word",
    "number_choice",
    "rating_word",
]

T = TypeVar("T")

# A steering word with all its politeness; longer texts are content.
_LONGEST_COMMAND = 12
# Bare they are two words with opposite meaning (dừng, đúng), so their accents count inside phrases as well.
_ACCENT_DECIDES = frozenset({"dung"})
_CODE_LETTERS = "A-HJ-NP-Za-hj-np-z2-9"
_CODE = re.compile(rf"(?<![^\W_])[Pp][Aa](?P<gap>[\s.:_\-‐-―−]*)(?P<code>[{_CODE_LETTERS}]{{5}})(?![^\W_])")
_LONE_CODE = re.compile(rf"pa([{_CODE_LETTERS}]{{5}})")
_COMPLAINT_LENGTH = 25
_INCIDENT_POINTS = 2
_COMPLAINT_POINTS = 2
# How far from an official's title a word is still about him, in words.
_NEAR = 12
_ADDRESS_WINDOW = 3
_QUESTION_ENDS = frozenset({"khong", "ko", "chua", "ha", "nhi", "vay"})


class _Lexicon(Generic[T]):
    """Meanings by folded phrase, blind to blanks, so that `#phananh` is found as well."""

    def __init__(self, phrases: Mapping[T, Sequence[str]]) -> None:
        self._entries: dict[str, list[tuple[Typed, T]]] = {}
        for meaning, spellings in phrases.items():
            for spelling in map(phrase, spellings):
                self._entries.setdefault("".join(spelling.folded), []).append((spelling, meaning))

    def find(self, text: Typed) -> T | None:
        """Return the meaning of the whole text, politeness around it forgiven."""
        if len(text.folded) > _LONGEST_COMMAND:
            return None
        return next((found for kept in _without_politeness(text) if (found := self._exact(kept)) is not None), None)

    def _exact(self, text: Typed) -> T | None:
        entries = self._entries.get("".join(text.folded), ())
        return next((meaning for spelling, meaning in entries if _accents_agree(text, spelling)), None)


def _accents_agree(text: Typed, spelling: Typed) -> bool:
    if len(spelling.folded) == 1:
        return could_mean("".join(text.words), spelling.words[0])
    decisive = [word for word, folded in zip(spelling.words, spelling.folded, strict=True) if folded in _ACCENT_DECIDES]
    return all(
        could_mean(written, meant)
        for meant in decisive
        for written, folded in zip(text.words, text.folded, strict=True)
        if folded in _ACCENT_DECIDES
    )


def _without_politeness(text: Typed) -> Iterator[Typed]:
    """Yield the text, then ever shorter cores of it."""
    size = len(text.folded)
    before = next((i for i, word in enumerate(text.folded) if word not in POLITE_BEFORE), size)
    after = next((i for i, word in enumerate(reversed(text.folded)) if word not in POLITE_AFTER), size)
    spans = [(i, size - j) for i in range(before + 1) for j in range(after + 1) if i < size - j]
    for start, end in sorted(spans, key=lambda span: (span[0] - span[1], span[0])):
        yield Typed(text.words[start:end], text.folded[start:end])


_MENU = _Lexicon(MENU_PHRASES)
_RATINGS = _Lexicon(RATING_PHRASES)
_NUMBERS = _Lexicon(NUMBER_WORDS)


def menu_word(text: str, *, numbers: bool = False) -> MenuWord | None:
    """Return the menu word that the whole text is, typed or tapped, with or without accents, `#` and politeness.

    With `numbers` a digit means the line of the main menu. Bare `dung` is `dừng`; `đúng` is not.
    """
    found = _MENU.find(typed(text))
    if found is None and numbers:
        choice = number_choice(text, len(MENU_NUMBERS))
        return None if choice is None else MENU_NUMBERS[choice]
    return found


def number_choice(text: str, count: int) -> int | None:
    """Return the choice from 1 to `count` that the whole text is: `2`, `số 2`, `2.`, `hai`, `chọn 2 ạ`."""
    words = typed(text)
    if len(words.folded) > _LONGEST_COMMAND:
        return None
    for core in _without_politeness(words):
        start = next((i for i, word in enumerate(core.folded) if word not in NUMBER_LEADS), len(core.folded))
        number = Typed(core.words[start:], core.folded[start:])
        if len(number.folded) == 1 and number.folded[0].isdecimal() and number.folded[0].isascii():
            value = int(number.folded[0][:4])
            return value if 1 <= value <= count else None
    named = _NUMBERS.find(words)
    return named if named is not None and named <= count else None


def rating_word(text: str, *, numbers: bool = False) -> int | None:
    """Return 3 for very satisfied, 2 for satisfied, 1 for not satisfied, None for anything else.

    With `numbers` a digit is the line of the choice as shown: 1 is very satisfied, 3 is not satisfied.
    """
    found = _RATINGS.find(typed(text))
    if found is None and numbers:
        line = number_choice(text, len(RATING_PHRASES))
        return None if line is None else len(RATING_PHRASES) + 1 - line
    return found


def case_code(text: str) -> str | None:
    """Return the first case code in the text as `PA-XXXXX`, typed in any case, with any dash, blanks or none.

    Five letters without a digit may be a word (`pa thang`, `parents`), so among other words they are a code only
    behind a tight dash or when they alone are written in capitals.
    """
    plain = unicodedata.normalize("NFKC", text)
    for found in _CODE.finditer(plain):
        code, gap = found["code"], found["gap"]
        tight_dash = bool(gap) and not any(c.isspace() for c in gap)
        shouted = found[0].isupper() and not plain.isupper()
        if tight_dash or shouted or any(c.isdigit() for c in code):
            return f"PA-{code.upper()}"
    lone = _LONE_CODE.fullmatch("".join(typed(plain).words))
    return f"PA-{lone[1].upper()}" if lone else None


def looks_like_complaint(text: str) -> bool:
    """Tell whether somebody simply wrote a whole complaint: long enough, and naming an incident or a grievance."""
    if len(fold(text)) < _COMPLAINT_LENGTH:
        return False
    words = typed(text)
    points = _INCIDENT_POINTS * _hits(words, concerns.INCIDENTS) + _hits(words, concerns.GRIEVANCES)
    if _asks(text, words):  # "lịch cắt điện thế nào?" asks, "bao giờ mới sửa ổ gà nguy hiểm?" complains
        points -= 1 + _INCIDENT_POINTS * _hits(words, concerns.PROCEDURE_TERMS)
    return points >= _COMPLAINT_POINTS


def looks_like_question(text: str) -> bool:
    """Tell whether the text asks something, or names a procedure without complaining."""
    words = typed(text)
    if _asks(text, words):
        return True
    return _hits(words, concerns.PROCEDURE_TERMS) > 0 and not looks_like_complaint(text)


def is_denunciation(text: str) -> bool:
    """Tell whether the text is about a denunciation or a complaint in the sense of law, which have their own channel.

    Laws 25/2018/QH14 (tố cáo) and 02/2011/QH13 (khiếu nại).
    """
    words = typed(text)
    if "".join(words.folded) == "tocao" or any(
        accented(words, said) and affirmed(words, said) for said in concerns.ACCENTED_DENUNCIATIONS
    ):
        return True
    said = [one for one in concerns.DENUNCIATIONS if affirmed(words, one)]
    everyday = any(contains(words, one) for one in concerns.EVERYDAY_COMPLAINTS)
    return bool(said) and not (everyday and said == ["khiếu nại"])


def is_conduct_report(text: str) -> bool:
    """Tell whether the text reports how an official behaved: such a report is restricted."""
    words = typed(text)
    praised = any(affirmed(words, one) for one in concerns.PRAISE)
    about = [one for one in concerns.MISCONDUCT if affirmed(words, one)]
    about += [one for one in concerns.ACCENTED_MISCONDUCT if accented(words, one) and affirmed(words, one)]
    officials = [start for one in concerns.OFFICIALS for start in positions(words, one) if not _addressed(words, start)]
    if officials:
        about += [
            one for one in concerns.MISCONDUCT_OF_OFFICIALS if affirmed(words, one) and _near(words, one, officials)
        ]
    return any(not (praised and one in concerns.NEUTRAL_CONDUCT) for one in about)


def is_secret(text: str) -> bool:
    """Tell whether the text speaks of state secrets, which must not be sent through a chat (law 117/2025/QH15)."""
    words = typed(text)
    return any(affirmed(words, one) for one in concerns.SECRETS) or any(
        accented(words, one) and affirmed(words, one) for one in concerns.ACCENTED_SECRETS
    )


def guess_category(text: str, keywords: Mapping[str, Sequence[str]]) -> tuple[str, int] | None:
    """Return the category code whose keywords occur most, and its score: the words of all phrases found.

    Of equal scores the first in the mapping wins; None when no keyword occurs.
    """
    words = typed(text)
    best: tuple[str, int] | None = None
    for code, phrases in keywords.items():
        found = {phrase(one).folded for one in phrases if contains(words, one)}
        score = sum(map(len, found))
        if score > (best[1] if best else 0):
            best = (code, score)
    return best


def find_area(text: str, areas: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """Return the ids of the areas that the text names, in the order of `areas`; several mean: ask.

    An area is found by any of its names as whole words, by another word for its kind (`tdp 5` for `tổ dân phố số 5`)
    and, when the rest has two words, without it (`kim lam` for `thôn Kim Lâm`). A longer name hides a shorter one
    inside it. Accents tell apart villages that differ in nothing else; wrong ones are forgiven when nothing fits.
    """
    words = typed(text)
    for accents in (True, False):
        found = [
            (area, start, start + len(phrase(spelling).folded))
            for area, names in areas
            for spelling in dict.fromkeys(spelling for name in names for spelling in _area_spellings(name))
            for start in positions(words, spelling, accents=accents)
        ]
        if found:
            kept = {area for area, start, end in found if not _hidden(area, start, end, found)}
            return [area for area, _ in areas if area in kept]
    return []


def _area_spellings(name: str) -> Iterator[str]:
    yield name
    words = phrase(name)
    kinds = sorted((kind for group in AREA_KINDS for kind in group), key=len, reverse=True)
    for kind in kinds:
        size = len(phrase(kind).folded)
        rest = words.words[size:]
        if rest and words.folded[:size] == phrase(kind).folded:
            bare = rest[1:] if len(rest) > 1 and rest[0] == "số" else rest
            group = next(group for group in AREA_KINDS if kind in group)
            for other in group:
                yield " ".join((other, *bare))
                yield " ".join((other, "số", *bare))
            if len(bare) > 1:
                yield " ".join(bare)
            return


def _hidden(area: str, start: int, end: int, found: Sequence[tuple[str, int, int]]) -> bool:
    return any(
        other != area and low <= start and end <= high and high - low > end - start for other, low, high in found
    )


def _hits(words: Typed, phrases: Sequence[str]) -> int:
    return sum(contains(words, one) for one in phrases)


def _asks(text: str, words: Typed) -> bool:
    if "?" in text or "？" in text:
        return True
    core = [word for word in words.folded if word not in POLITE_AFTER]
    return bool(core and core[-1] in _QUESTION_ENDS) or _hits(words, concerns.INTERROGATIVES) > 0


def _addressed(words: Typed, start: int) -> bool:
    return not concerns.ADDRESSING.isdisjoint(words.folded[max(0, start - _ADDRESS_WINDOW) : start])


def _near(words: Typed, meant: str, places: Sequence[int]) -> bool:
    return any(abs(start - place) <= _NEAR for start in positions(words, meant) for place in places)
