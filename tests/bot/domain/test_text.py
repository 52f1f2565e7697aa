"""Tests of the forms of text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.text import clean, excerpt, fold, safe_cut

# Every code point, lone surrogates and NULs included: what a phone or a broken client may send.
ANY_TEXT = st.text(st.characters(exclude_categories=()))
VIETNAMESE = st.text("aăâbcdđeêghiklmnoôơpqrstuưvxyàáảãạằắẳẵặầấẩẫậùúủũụ \n.,!-0123456789")


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("  Đường hỏng \r\nổ gà\r", "Đường hỏng \nổ gà"),
        ("a\x00b\x07c\ud800d", "abcd"),
        ("một\tcột\nhai", "một\tcột\nhai"),
        ("\ufeffphản\u200b ánh\u200d", "phản ánh"),
        ("e\u200b\u0301", "é"),
        ("dòng\u2028hai", "dòng\nhai"),
        ("năm\xa0giờ", "năm giờ"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("", ""),
    ],
)
def test_clean_keeps_what_people_wrote_and_drops_junk(raw: str, kept: str) -> None:
    assert clean(raw) == kept


def test_clean_composes_decomposed_vietnamese() -> None:
    assert clean(unicodedata.normalize("NFD", "Phản ánh đường ngập")) == "Phản ánh đường ngập"


@given(ANY_TEXT)
def test_clean_takes_every_string_and_is_idempotent(s: str) -> None:
    once = clean(s)
    assert clean(once) == once
    once.encode("utf-8")
    assert "\x00" not in once


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Phản ánh!", "phan anh"),
        ("#PHẢNÁNH", "phananh"),
        ("ĐƯỜNG  Đê\n", "duong de"),
        ("hoà", "hoa"),
        ("hòa", "hoa"),
        ("thuỷ, thủy", "thuy thuy"),
        ("PA-7K3M9", "pa 7k3m9"),
        ("１２", "12"),
        ("2️⃣", "2"),
        ("…!?", ""),
        ("Ðống Ða", "dong da"),
    ],
)
def test_fold_gives_the_search_form(written: str, folded: str) -> None:
    assert fold(written) == folded
    assert fold(unicodedata.normalize("NFD", written)) == folded


@given(ANY_TEXT)
def test_fold_takes_every_string_and_is_idempotent(s: str) -> None:
    once = fold(s)
    assert fold(once) == once
    assert "  " not in once
    assert once == once.strip()


@given(VIETNAMESE)
def test_fold_of_vietnamese_is_ascii_and_blind_to_form_and_case(s: str) -> None:
    assert fold(s).isascii()
    assert fold(s) == fold(unicodedata.normalize("NFD", s)) == fold(s.upper())


@pytest.mark.parametrize(
    ("s", "n", "short"),
    [
        ("Đường liên thôn bị hỏng", 15, "Đường liên…"),
        ("Đường liên thôn", 15, "Đường liên thôn"),
        ("Đường\nliên   thôn", 40, "Đường liên thôn"),
        ("Đường, hỏng nặng", 8, "Đường…"),
        ("khôngcóblank", 5, "khôn…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_excerpt_cuts_between_syllables(s: str, n: int, short: str) -> None:
    assert excerpt(s, n) == short


@given(ANY_TEXT, st.integers(0, 40))
def test_excerpt_never_exceeds_its_length(s: str, n: int) -> None:
    assert len(excerpt(s, n)) <= n


@pytest.mark.parametrize(
    ("s", "limit", "index"),
    [
        ("abc", 2, 2),
        ("abc", 9, 3),
        ("ae\u0301", 2, 1),
        ("e\u0301\u0323", 2, 2),  # one cluster longer than the limit: get on all the same
        ("a👨\u200d👩", 2, 1),
        ("a👍🏽", 2, 1),
        ("🇻🇳🇻🇳", 3, 2),
        ("🇻🇳🇻🇳", 2, 2),
    ],
)
def test_safe_cut_keeps_clusters_whole(s: str, limit: int, index: int) -> None:
    assert safe_cut(s, limit) == index
