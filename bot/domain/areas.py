"""Find the villages that a text names."""

from collections.abc import Iterator, Sequence

from bot.domain.phrases import phrase, positions, typed
from bot.domain.text import fold

# Kinds of villages and what people write for them; a village is found by any word of its kind's group.
_AREA_KINDS = (
    ("thôn", "xóm", "làng"),
    ("tổ dân phố", "tổ", "tdp", "khu phố", "kp", "khu dân cư", "kdc"),
    ("cụm dân cư", "cụm"),
    ("ấp",),
    ("bản",),
    ("buôn",),
    ("khu",),
    ("đội",),
)


_COLUMNS = frozenset(
    {
        *("thon", "xom", "lang", "ap", "ban", "buon", "khu pho", "khu dan cu", "to dan pho", "tdp", "village"),
        *("ten thon", "thon xom", "thon ban", "thon to", "thon tdp", "thon to dan pho", "to dan pho thon", "to thon"),
        *("thon ap", "ap khu pho", "dia ban thon", "thon khu pho"),
    }
)


def village_column(names: Sequence[str]) -> str:
    """Return which column of an uploaded list says the village, by its name; "" when none does."""
    return next((name for name in names if fold(name) in _COLUMNS and '"' not in name), "")


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
    kinds = sorted((kind for group in _AREA_KINDS for kind in group), key=len, reverse=True)
    for kind in kinds:
        size = len(phrase(kind).folded)
        rest = words.words[size:]
        if rest and words.folded[:size] == phrase(kind).folded:
            bare = rest[1:] if len(rest) > 1 and rest[0] == "số" else rest
            group = next(group for group in _AREA_KINDS if kind in group)
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
