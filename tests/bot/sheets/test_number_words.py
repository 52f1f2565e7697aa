"""Numbers are written as a spreadsheet in Viet Nam shows them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sheets.number_words import GENERAL, format_of, number_words


@pytest.mark.parametrize(
    ("raw", "code", "shown"),
    [
        ("61", "d/m/yyyy", "01/03/1900"),
        ("46361.5", "General", "46361,5"),
        ("1E+3", "General", "1000"),
        ("1.23457E-5", "General", "1,23457e-05"),
        ("99999999", "dd/mm/yyyy", "99999999"),
        ("-5", '0" người"', "-5 người"),
        ("0", '"Số "000', "Số 000"),
        ("5", '_(* #,##0_);_(* (#,##0);_(* "-"_)', "5"),
        ("1.5", "[h]:mm", "36:00"),
        ("0.5", "[$-42A]h:mm AM/PM", "12:00"),
        ("abc", "0", "abc"),
        ("nan", "0", "nan"),
        ("-0.001", "0.00", "0,00"),
    ],
)
def test_formats(raw: str, code: str, shown: str) -> None:
    assert number_words(raw, format_of(code)) == (shown, False)


def test_days_count_from_1904_where_the_workbook_says_so() -> None:
    assert number_words("0", format_of("dd/mm/yyyy"), since_1904=True) == ("01/01/1904", False)


@given(st.integers(0, 10**20))
def test_whole_numbers_stand_as_they_are_unless_digits_are_lost(number: int) -> None:
    shown, rounded = number_words(str(number), GENERAL)
    assert rounded == (number >= 10**15)
    assert rounded or shown == str(number)


@given(st.floats(allow_nan=True, allow_infinity=True), st.text('#0,.;%dmyhs[]_\\"*? E+-/@', max_size=20))
def test_no_number_and_no_format_does_harm(value: float, code: str) -> None:
    shown, _ = number_words(repr(value), format_of(code))
    assert isinstance(shown, str)
