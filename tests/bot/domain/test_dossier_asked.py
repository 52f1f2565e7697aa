"""Whatever way a code is typed, it is found; what is none, is not taken for one."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.dossier_asked import End, asks, candidates, end_in, number_in
from bot.domain.dossier_code import squeezed

AGENCIES = ("000.00.01.H26", "G09.20", "H26.15", "000.21.33.H26", "1.G12.005")
BEFORE = ("", "hồ sơ ", "ho so ", "Cho tôi hỏi mã ", "mã hồ sơ: ", "dạ em hỏi hs ")
AFTER = ("", " của tôi đến đâu rồi", " xong chưa ạ?", ".", " cua toi")


@st.composite
def typed(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a code and some way of typing it."""
    day = draw(st.dates(date(2020, 1, 1), date(2035, 12, 31)))
    shape = draw(st.sampled_from(("%y%m%d", "%Y%m%d")))
    number = draw(st.integers(1, 9_999_999))
    agency = draw(st.sampled_from(AGENCIES))
    code = f"{agency}-{day.strftime(shape)}-{number:0{draw(st.integers(4, 7))}d}"
    dash = draw(st.sampled_from(("-", "–", "—", " - ", "‑", "_", " ", "")))
    dot = draw(st.sampled_from((".", ". ", " . ", " ", "")))
    written = code.replace(".", dot).replace("-", dash)
    written = draw(st.sampled_from((written, written.lower())))
    return code, draw(st.sampled_from(BEFORE)) + written + draw(st.sampled_from(AFTER))


@given(typed())
def test_any_way_of_typing_a_code_finds_it(pair: tuple[str, str]) -> None:
    code, text = pair
    found = candidates(text)
    assert squeezed(code) in found
    assert squeezed(code) in candidates(text, waits=True)
    assert asks(text, squeezed(code))
    assert len(found) <= 12


@given(st.text(max_size=200))
def test_any_text_is_looked_through(text: str) -> None:
    candidates(text)
    candidates(text, waits=True)
    end_in(text, waits=True)
    number_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "0900000001", "so 0900000001 nhe", "cccd 001210123456", "CMND 123456789", "PA-7K3M9", "12/10/2026",
        "đường 5 thôn Kim Lâm", "thửa 26 tờ bản đồ 30, 1200 m2", "0911 220 001", "",
    ],
)  # fmt: skip
def test_what_is_no_code_is_none(text: str) -> None:
    assert candidates(text) == []
    assert end_in(text) is None


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("260930-0012", End("260930", "12")),
        ("hồ sơ 20260930–0092637 ạ", End("20260930", "92637")),
        ("260930 0012", End("260930", "12")),
        ("260932-0012", None),
        ("010203-0012", None),
    ],
)
def test_an_end_is_a_date_and_a_number(text: str, end: End | None) -> None:
    assert end_in(text) == end


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0012", "12"),
        ("số 0012 ạ", "12"),
        ("12", "12"),
        ("0000", "0"),
        ("12 và 13", None),
        ("7", None),
        ("không", None),
    ],
)
def test_last_digits_stand_alone(text: str, number: str | None) -> None:
    found = number_in(text)
    assert (found.number if found else None) == number


def test_what_is_waited_for_may_look_as_it_likes() -> None:
    assert "ABCDE2609300012" in candidates("ABC DE 260930 0012", waits=True)
    assert end_in("2609300012", waits=True) == End("260930", "12")


def test_a_story_with_a_code_in_it_asks_for_nothing() -> None:
    code = "000.00.01.H26-260930-0012"
    story = f"Tôi nộp {code} từ tháng trước mà chưa thấy trả lời, đề nghị xã xem lại giúp"
    assert not asks(story, squeezed(code))
    assert asks(f"hồ sơ {code}", squeezed(code), busy=True)
    assert not asks(f"hồ sơ {code} bị chậm quá rồi", squeezed(code), busy=True)
