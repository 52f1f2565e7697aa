"""Tests of cutting long text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.split import split_text

WORDS = st.lists(st.sampled_from(["Đường", "thôn", "ngập.", "nghiêng!", "https://zalo.me/1?a=b", "PA-7K3M9", "a"]))
GAPS = st.sampled_from([" ", "  ", "\n", "\n\n", "\t", "\n \n"])


def test_short_text_stays_one_part() -> None:
    assert split_text("  Xin chào Ông/Bà. ", 300) == ["Xin chào Ông/Bà."]


@pytest.mark.parametrize("blank", ["", " ", "\n\n"])
def test_blank_text_gives_no_part(blank: str) -> None:
    assert split_text(blank, 10) == []


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="one character"):
        split_text("a", 0)


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("Đoạn một dài. Câu hai.\n\nĐoạn hai ở đây", 30, ["Đoạn một dài. Câu hai.", "Đoạn hai ở đây"]),
        ("Câu một ở đây. Câu hai ở kia", 20, ["Câu một ở đây.", "Câu hai ở kia"]),
        ("một hai ba bốn", 8, ["một hai", "ba bốn"]),
        ("Ơi. một hai ba bốn năm", 14, ["Ơi. một hai ba", "bốn năm"]),  # too early a sentence end is no break
        ("dòng một\ndòng hai. thêm nữa", 16, ["dòng một", "dòng hai.", "thêm nữa"]),
    ],
)
def test_breaks_at_the_nicest_place(text: str, limit: int, parts: list[str]) -> None:
    assert split_text(text, limit) == parts


def test_links_and_codes_stay_whole() -> None:
    text = "Xem https://dichvucong.gov.vn/p/home?ma=1.004 hoặc gửi PA-7K3M9 cho chúng tôi"
    parts = split_text(text, 45)
    assert any("https://dichvucong.gov.vn/p/home?ma=1.004" in part for part in parts)
    assert any("PA-7K3M9" in part for part in parts)


def test_protected_phrases_stay_whole_while_they_fit() -> None:
    text = "Gọi số 0900 000 001 nhé"
    assert split_text(text, 14) == ["Gọi số 0900", "000 001 nhé"]
    assert split_text(text, 14, ["0900 000 001"]) == ["Gọi số", "0900 000 001", "nhé"]
    assert max(map(len, split_text(text, 8, ["0900 000 001"]))) <= 8


def test_a_token_longer_than_the_limit_is_cut_without_parting_marks() -> None:
    word = unicodedata.normalize("NFD", "nghiêngngả")
    for limit in range(3, len(word)):
        parts = split_text(word, limit)
        assert "".join(parts) == word
        assert not any(unicodedata.combining(part[0]) for part in parts)


@given(st.lists(st.tuples(WORDS.map(" ".join), GAPS)), st.integers(21, 60))
def test_words_survive_in_order_when_each_fits(pieces: list[tuple[str, str]], limit: int) -> None:
    text = "".join(word + gap for word, gap in pieces)
    parts = split_text(text, limit)
    assert all(0 < len(part) <= limit for part in parts)
    assert [word for part in parts for word in part.split()] == text.split()


@given(st.text(st.characters(exclude_categories=())), st.integers(1, 12), st.lists(st.text(max_size=6), max_size=3))
def test_every_text_is_cut_within_the_limit_and_loses_nothing(text: str, limit: int, protected: list[str]) -> None:
    parts = split_text(text, limit, protected)
    assert all(0 < len(part) <= limit and part.strip() for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@given(st.text("abc đ.\n"), st.integers(1, 12))
def test_parts_are_trimmed(text: str, limit: int) -> None:
    assert all(part == part.strip() for part in split_text(text, limit))
