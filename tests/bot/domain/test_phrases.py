"""Tests of finding phrases in sloppy spelling."""

import pytest

from bot.domain.phrases import accented, affirmed, contains, could_mean, phrase_list, typed


@pytest.mark.parametrize(
    ("written", "meant", "possible"),
    [
        ("dung", "dừng", True),
        ("dung", "đúng", True),
        ("đúng", "dừng", False),
        ("dùng", "dừng", False),
        ("dưng", "dừng", False),
        ("dúng", "đúng", True),
        ("hủy", "huỷ", True),
        ("hũy", "hủy", True),
        ("nuớc", "nước", True),
        ("công", "cống", False),
        ("cống", "công", False),
        ("cong", "rong", False),
    ],
)
def test_typed_accents_must_belong_to_the_word(written: str, meant: str, possible: bool) -> None:
    assert could_mean(written, meant) is possible


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Có ổ gà.", True),
        ("co o ga", True),
        ("ở ga tàu", False),
        ("ổ, gà", True),
        ("ổ gàng", False),
    ],
)
def test_phrases_are_whole_words(text: str, found: bool) -> None:
    assert contains(typed(text), "ổ gà") is found


def test_a_phrase_without_accents_is_matched_folded() -> None:
    assert contains(typed("Ổ GÀ"), "o ga")
    assert not contains(typed("gì"), "")


def test_denied_phrases_are_not_affirmed() -> None:
    assert not affirmed(typed("không hách dịch"), "hách dịch")
    assert not affirmed(typed("không phải là hách dịch"), "hách dịch")
    assert affirmed(typed("không hách dịch mà cũng hách dịch"), "hách dịch")
    assert affirmed(typed("phải là hách dịch"), "hách dịch")


def test_accented_asks_for_at_least_one_accent() -> None:
    assert accented(typed("tố cáo"), "tố cáo")
    assert accented(typed("tố cao"), "tố cáo")
    assert not accented(typed("to cao"), "tố cáo")


def test_lists_stand_between_dots() -> None:
    assert phrase_list(" ổ gà ·\n  rác ·") == ("ổ gà", "rác")
