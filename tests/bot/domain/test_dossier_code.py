"""Codes of dossiers are found however they are typed."""

import pytest

from bot.domain import dossier_code

FULL = "000.00.01.H26-260930-0012"
LONG = "G09.20-20260609-0092637"


@pytest.mark.parametrize(
    "typed",
    [
        FULL,
        FULL.lower(),
        "000.00.01.H26–260930–0012",
        " 000 . 00 . 01 . H26 - 260930 - 0012 ",
        "000.00.01.h26_260930_0012",
    ],
)
def test_one_form(typed: str) -> None:
    assert dossier_code.canonical(typed) == FULL


@pytest.mark.parametrize("typed", ["", "xin chào", "PA-7K3M9", "000.00.01.H26-261330-0012", "12-260930-0012"])
def test_what_is_no_code(typed: str) -> None:
    assert dossier_code.canonical(typed) == ""


@pytest.mark.parametrize(
    "text",
    [
        f"hồ sơ {FULL} của tôi đến đâu rồi",
        "000 00 01 h26-260930-0012",
        f"https://dichvucong.example/tra-cuu?ma={FULL}&x=1",
        f"Mã hồ sơ: {FULL}.",
    ],
)
def test_a_code_inside_a_text(text: str) -> None:
    assert dossier_code.found_in(text) == [FULL]


def test_dots_and_dashes_may_be_missing() -> None:
    assert dossier_code.squeezed_guess("0000001H262609300012") == dossier_code.squeezed(FULL)
    assert dossier_code.squeezed_guess("g0920 20260609 0092637") == dossier_code.squeezed(LONG)
    assert dossier_code.squeezed_guess("xin chào các anh chị") == ""
    assert dossier_code.squeezed_guess("0912345678") == ""


def test_only_the_end() -> None:
    assert dossier_code.tail("0012") == "12"
    assert dossier_code.tail("0092637") == "92637"
    assert dossier_code.tail("12") == ""
    assert dossier_code.dated_tail("260930-0012") == ("260930", "12")
    assert dossier_code.dated_tail("20260609 0092637") == ("20260609", "92637")
    assert dossier_code.dated_tail("991399-0012") is None
    assert dossier_code.tail_of(FULL) == "12"
