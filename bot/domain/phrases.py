"""Find Vietnamese words and phrases in what people type, with accents, without them or with half of them."""

import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from bot.domain.text import fold_word, written_words

_GRAVE, _ACUTE, _HOOK, _TILDE, _DOT_BELOW = "\u0300", "\u0301", "\u0309", "\u0303", "\u0323"
# Half of the country speaks hỏi and ngã alike and mixes them up in writing.
_TONES = {_GRAVE: "grave", _ACUTE: "acute", _HOOK: "curl", _TILDE: "curl", _DOT_BELOW: "dot"}
_NEGATIONS = frozenset({"khong", "ko", "k", "chua", "chang", "thieu", "kem"})
# May stand between a negation and what it denies: "không phải là", "không hề".
_FILLERS = frozenset({"phai", "la", "he", "duoc", "co"})


@dataclass(frozen=True)
class Typed:
    """A text as words: `words` lower-case with their accents, `folded` the same without, one to one."""

    words: tuple[str, ...]
    folded: tuple[str, ...]


@dataclass(frozen=True)
class _Marks:
    """The marks of one word: đ, its tone, and the circumflex, breve and horn of its vowels."""

    stroke: bool
    tone: str
    vowels: frozenset[str]


@lru_cache(maxsize=16)
def typed(text: str) -> Typed:
    """Read a text into words, punctuation and case left out; remembered, since a turn asks some twenty times."""
    pairs = [(word, folded) for word in written_words(text) if (folded := fold_word(word))]
    return Typed(tuple(word for word, _ in pairs), tuple(folded for _, folded in pairs))


@lru_cache(maxsize=4096)
def phrase(text: str) -> Typed:
    """Read a phrase of a word list; the same as `typed`, remembered."""
    return typed(text)


def phrase_list(text: str) -> tuple[str, ...]:
    """Read a word list whose phrases stand between middle dots."""
    return tuple(" ".join(part.split()) for part in text.split("·") if part.strip())


@lru_cache(maxsize=4096)
def could_mean(written: str, meant: str) -> bool:
    """Tell whether a person who wrote `written` can have meant the word `meant`.

    A word typed bare can mean every accented one, and d stands for đ; a word typed with accents means itself, though
    hỏi and ngã are one. So `dung` can mean both `dừng` and `đúng`, `đúng` cannot mean `dừng`, `dùng` means neither.
    """
    if fold_word(written) != fold_word(meant):
        return False
    has, wants = _marks(written), _marks(meant)
    if has.stroke and not wants.stroke:
        return False
    bare = not has.tone and not has.vowels
    return bare or (has.tone == wants.tone and has.vowels == wants.vowels)


def positions(text: Typed, meant: str, *, accents: bool = True) -> Iterator[int]:
    """Yield the word indices at which the phrase `meant` begins in `text`, as whole words.

    A phrase given without any accent is matched by its folded form alone, and so is every phrase when `accents` is
    False.
    """
    wanted = phrase(meant)
    size = len(wanted.folded)
    if not size:
        return
    strict = accents and wanted.words != wanted.folded
    start = -1
    with suppress(ValueError):  # `index` raises it after the last place; it is far quicker than a look at every word
        while True:
            start = text.folded.index(wanted.folded[0], start + 1)
            if text.folded[start : start + size] != wanted.folded:
                continue
            if not strict or all(map(could_mean, text.words[start : start + size], wanted.words)):
                yield start


def contains(text: Typed, meant: str) -> bool:
    """Tell whether the phrase occurs in the text as whole words."""
    return next(positions(text, meant), None) is not None


def affirmed(text: Typed, meant: str) -> bool:
    """Tell whether the phrase occurs at least once without being denied, as by `không` or `không phải là` before it."""
    return any(not _denied(text, start) for start in positions(text, meant))


def accented(text: Typed, meant: str) -> bool:
    """Tell whether the phrase occurs with an accent typed: for phrases that bare mean something else as well."""
    size = len(phrase(meant).folded)
    return any(
        text.words[start : start + size] != text.folded[start : start + size] for start in positions(text, meant)
    )


def _denied(text: Typed, start: int) -> bool:
    before = start - 1
    while before >= 0 and text.folded[before] in _FILLERS:
        before -= 1
    return before >= 0 and text.folded[before] in _NEGATIONS


@lru_cache(maxsize=8192)
def _marks(word: str) -> _Marks:
    marks = [c for c in unicodedata.normalize("NFD", word) if unicodedata.combining(c)]
    tone = next((_TONES[c] for c in marks if c in _TONES), "")
    return _Marks("đ" in word, tone, frozenset(c for c in marks if c not in _TONES))
