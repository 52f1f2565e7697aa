"""What fills a template's parameters: lengths in NFC, names, kinds, and merge fields filled before they are counted."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.broadcast import fields_of, personal, tracked, tracking_id
from bot.domain.message import Message
from bot.domain.template import LONGEST, Parameter, Problem, check, check_names, filled, longest_of, parameters_of

NAME = Parameter("ten", "CUSTOMER_NAME", longest=10)
CODE = Parameter("ma", "STRING", shortest=3, longest=8)
NOTE = Parameter("ghi_chu", "STRING", required=False, longest=5)


def codes(parameter: Parameter, value: str) -> list[str]:
    return [problem.code for problem in check([parameter], {parameter.name: value})]


def test_what_is_right_has_no_problems() -> None:
    assert check([NAME, CODE, NOTE], {"ten": "Bà An", "ma": "HS-01"}) == []
    assert check([NAME, CODE, NOTE], {"ten": "Bà An", "ma": "HS-01", "ghi_chu": ""}) == []


def test_each_mistake_names_its_parameter() -> None:
    found = check([NAME, CODE, NOTE], {"ten": "Nguyễn Thị Ánh", "ma": "1", "ghi_chu": "dài quá", "thua": "x"})
    assert found == [
        Problem("ten", "value_too_long", {"most": 10, "length": 14}),
        Problem("ma", "value_too_short", {"least": 3, "length": 1}),
        Problem("ghi_chu", "value_too_long", {"most": 5, "length": 7}),
        Problem("thua", "unknown_parameter", {}),
    ]
    assert check([NAME], {}) == [Problem("ten", "missing_parameter", {})]
    assert check([NAME], {"ten": "  "}) == [Problem("ten", "missing_parameter", {})]


@pytest.mark.parametrize(
    ("kind", "right", "wrong", "code"),
    [
        ("NUMBER", "1200000", "nhiều", "not_a_number"),
        ("money", "1.200.000", "12 đồng", "not_a_number"),
        ("DATE", "31/12/2026", "2026-12-31", "not_a_date"),
        ("DATE", "08:30 01/01/2027", "32/01/2027", "not_a_date"),
        ("PHONE", "0900 000 001", "không có", "not_a_phone"),
        ("URL", "https://xa.example/a?b=1", "xa.example", "not_a_link"),
    ],
)
def test_a_kind_has_its_form(kind: str, right: str, wrong: str, code: str) -> None:
    assert codes(Parameter("p", kind), right) == []
    assert codes(Parameter("p", kind), wrong) == [code]


def test_a_kind_that_nobody_knows_is_plain_text() -> None:
    assert codes(Parameter("p", "SOMETHING_NEW"), "bất kỳ") == []
    assert longest_of(Parameter("p", "SOMETHING_NEW")) == 0


def test_the_kind_says_how_long_where_the_provider_does_not() -> None:
    assert codes(Parameter("p", "OTP"), "1" * 11) == ["value_too_long"]
    assert longest_of(Parameter("p", "customer name")) == LONGEST["CUSTOMER_NAME"]
    assert longest_of(Parameter("p", "OTP", longest=6)) == 6


def test_fields_are_filled_before_anything_is_counted() -> None:
    found = filled([NAME, CODE], {"ten": "{{Họ tên}}", "ma": "HS-{{số}}"}, {"Họ tên": "Bà An", "số": 7})
    assert found.values == {"ten": "Bà An", "ma": "HS-7"}
    assert found.problems == []
    late = filled([NAME], {"ten": "Ông/bà {{Họ tên}}"}, {"Họ tên": "Nguyễn Văn Ánh"})
    assert [problem.code for problem in late.problems] == ["value_too_long"]
    assert filled([NAME], {"ten": "{{trống}}"}, None).problems == [Problem("ten", "missing_parameter", {})]


def test_names_are_checked_without_any_recipient() -> None:
    found = check_names([NAME, CODE, NOTE], {"ten": "{{Họ tên}}", "khac": "x"})
    assert found == [Problem("ma", "missing_parameter", {}), Problem("khac", "unknown_parameter", {})]


@given(st.text(max_size=40), st.integers(1, 40))
def test_the_form_of_accents_makes_no_difference(text: str, most: int) -> None:
    parameter = Parameter("p", longest=most)
    composed, decomposed = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
    assert codes(parameter, composed) == codes(parameter, decomposed)


@given(st.text(st.characters(codec="utf-8", exclude_characters="{}"), max_size=60), st.integers(0, 30))
def test_nothing_is_cut_and_what_is_too_long_is_said(value: str, most: int) -> None:
    parameter = Parameter("p", required=False, longest=most)
    found = filled([parameter], {"p": "{{v}}"}, {"v": value})
    too_long = bool(most) and len(found.values["p"]) > most
    assert [problem.code for problem in found.problems] == (["value_too_long"] if too_long else [])


@given(
    st.builds(
        Parameter, st.text(min_size=1, max_size=9), st.text(max_size=9), st.booleans(), st.integers(0, 9),
        st.integers(0, 99),
    )
)  # fmt: skip
def test_a_row_keeps_all_of_a_parameter(parameter: Parameter) -> None:
    assert parameters_of([parameter.to_json()]) == (parameter,)


def test_merge_fields_of_parameters_are_seen_and_filled() -> None:
    message = Message(template_id="1", parameters={"ten": "{{Họ tên}}", "ma": "HS"})
    assert fields_of(message) == {"Họ tên"}
    assert personal(message, {"Họ tên": "Bà An"}).parameters == {"ten": "Bà An", "ma": "HS"}
    assert personal(message, None).parameters == {"ten": "", "ma": "HS"}
    plain = Message(template_id="1", parameters={"ma": "HS"})
    assert personal(plain, {"Họ tên": "Bà An"}) is plain


def test_a_template_survives_being_written_down() -> None:
    message = Message(template_id="1", parameters={"ma": "HS"}, development=True)
    assert Message.from_json(message.to_json()) == message
    assert "development" not in Message(template_id="1").to_json()


@given(st.integers(1, 10**15), st.integers(1, 10**9))
def test_a_tracking_id_is_read_again_and_fits(broadcast: int, n: int) -> None:
    made = tracking_id(broadcast, n)
    assert tracked(made) == (broadcast, n)
    assert len(made) <= 48


@pytest.mark.parametrize("other", ["", "hs-251104-0021-ketqua", "b1", "b-1-2", "b0-1", "b1-0", "b1-2 ", "x" * 48])
def test_other_tracking_ids_are_not_ours(other: str) -> None:
    assert tracked(other) is None
