"""Recognise what citizens type to steer the bot: menu words, codes, choices, ratings."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from bot.domain.areas import find_area
from bot.domain.concerns import (
    guess_category,
    is_conduct_report,
    is_denunciation,
    is_emergency,
    is_secret,
    looks_like_complaint,
    looks_like_question,
)
from bot.domain.phrases import Typed, could_mean, phrase, typed
from bot.domain.vocabulary import (
    MENU_NUMBERS,
    MENU_PHRASES,
    NUMBER_LEADS,
    NUMBER_WORDS,
    POLITE_AFTER,
    POLITE_BEFORE,
    RATING_PHRASES,
    MenuWord,
)

# One doorway for callers: what a text asks for, what it is about and where.
__all__ = [
    "MenuWord",
    "case_code",
    "find_area",
    "guess_category",
    "is_command",
    "is_conduct_report",
    "is_denunciation",
    "is_emergency",
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
# A bot's command as chat applications write it: `/huy`, in groups `/huy@name_of_the_bot`, both perhaps with more words.
_COMMAND = re.compile(r"/(?P<name>[A-Za-z0-9_]{1,32})(?:@\w{1,64})?(?P<rest>\s.*)?", re.DOTALL)
_START = "start"
_LONE_CODE = re.compile(rf"pa([{_CODE_LETTERS}]{{5}})")


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

    With `numbers` a digit means the line of the main menu. Bare `dung` is `dừng`; `đúng` is not. A command stands for
    its word, whichever bot it names; what follows `/start` came from a link and asks for nothing.
    """
    command = _COMMAND.fullmatch(text)
    if command is not None:
        name, rest = command["name"].casefold(), command["rest"] or ""
        text = name if name == _START else name + rest
    found = _MENU.find(typed(text))
    if found is None and numbers:
        choice = number_choice(text, len(MENU_NUMBERS))
        return None if choice is None else MENU_NUMBERS[choice]
    return found


def is_command(text: str) -> bool:
    """Say whether the text is a lone command, known or not, as in `/xyz` or `/xyz@name_of_the_bot`."""
    command = _COMMAND.fullmatch(text)
    return command is not None and not (command["rest"] or "").strip()


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
