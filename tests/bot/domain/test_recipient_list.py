"""An uploaded list is checked columns first, then line by line, and each problem has its place and its way out."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.recipient_list import (
    LONGEST_CELL,
    SAMPLE,
    Checked,
    Columns,
    KeyKind,
    LineCheck,
    is_dossier_code,
    read_columns,
    recipient_of,
)


def columns(*names: str, **wanted: Any) -> Columns:
    found, problems = read_columns(names, **wanted)
    assert problems == []
    assert found is not None
    return found


def codes(*names: str, **wanted: Any) -> list[tuple[str, str]]:
    found, problems = read_columns(names, **wanted)
    assert found is None
    return [(problem.column, problem.code) for problem in problems]


def said(line: Checked) -> list[tuple[str, str]]:
    return [(problem.column, problem.code) for problem in line.problems]


# columns


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Điện thoại", KeyKind.PHONE), ("dien thoai", KeyKind.PHONE), ("SỐ ĐIỆN THOẠI", KeyKind.PHONE),
        ("Sđt", KeyKind.PHONE), ("SDT", KeyKind.PHONE), ("phone", KeyKind.PHONE), ("so_dien_thoai", KeyKind.PHONE),
        (unicodedata.normalize("NFD", "Số điện thoại"), KeyKind.PHONE), ("Điện thoại *", KeyKind.PHONE),
        ("Zalo ID", KeyKind.USER_ID), ("user_id", KeyKind.USER_ID),
        ("Mã hồ sơ", KeyKind.DOSSIER), ("ma ho so", KeyKind.DOSSIER),
    ],
)  # fmt: skip
def test_the_column_that_says_who_it_is_is_found_by_its_name(name: str, kind: KeyKind) -> None:
    found = columns("Họ tên", name)
    assert (found.key, found.kind) == (1, kind)
    assert found.fields == (("Họ tên", found.key_name) if kind is KeyKind.DOSSIER else ("Họ tên",))


def test_of_several_kinds_the_surest_counts_and_two_of_one_are_refused() -> None:
    assert columns("Mã hồ sơ", "SĐT").kind is KeyKind.PHONE
    assert columns("Mã hồ sơ", "SĐT").fields == ("Mã hồ sơ",)
    assert columns("SĐT", "Zalo ID").kind is KeyKind.USER_ID
    assert columns("SĐT", "Zalo ID", kind=KeyKind.PHONE).kind is KeyKind.PHONE
    assert codes("SĐT", "Điện thoại") == [("Điện thoại", "two_keys")]


def test_a_key_that_was_named_is_taken_or_said_to_be_missing() -> None:
    assert columns("Họ tên", "Liên hệ", wanted="lien he", kind=KeyKind.PHONE).key == 1
    assert columns("SĐT", "Điện thoại", wanted="SĐT").key == 0
    assert codes("Họ tên", "SĐT", wanted="Liên hệ") == [("Liên hệ", "unknown_key")]
    assert codes("Họ tên", "Liên hệ", wanted="Liên hệ") == [("Liên hệ", "unknown_key_kind")]


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        (("Họ tên", "Số tiền"), [("", "no_key_column")]),
        (("Nguyễn Văn Ví Dụ", "0900000001"), [("", "no_header")]),
        (("Ví Dụ", "000.00.01.H26-260930-0012"), [("", "no_header")]),
        (("SĐT", "Họ tên", "ho ten"), [("ho ten", "double_column")]),
        (("SĐT", "Hoà", "Hòa"), [("Hòa", "double_column")]),
        (("SĐT", unicodedata.normalize("NFD", "Họ Tên"), "họ tên"), [("họ tên", "double_column")]),
        (("SĐT", "", "Tên"), [("", "unnamed_column")]),
        (("SĐT", "{{Tên}}"), [("{{Tên}}", "braces_in_name")]),
        (("SĐT", "x" * 61), [("x" * 60 + "…", "long_name")]),
        (("Tên", "tên", "", "Tiền"), [("", "unnamed_column"), ("tên", "double_column"), ("", "no_key_column")]),
    ],
)
def test_everything_wrong_with_the_columns_is_said_at_once(
    names: tuple[str, ...], wrong: list[tuple[str, str]]
) -> None:
    assert codes(*names) == wrong


def test_columns_without_a_name_at_the_end_are_none() -> None:
    assert columns("SĐT", "Tên", "", "").names == ("SĐT", "Tên")


def test_the_column_of_reasons_is_left_aside() -> None:
    found = columns("SĐT", "Tên", "Lý do lỗi")
    assert found.fields == ("Tên",)
    line = LineCheck(found).check(2, ["0900000001", "Ví Dụ", "gì đó"], {})
    assert (line.merged, line.problems) == ({"Tên": "Ví Dụ"}, [])


@pytest.mark.parametrize(
    "name",
    ["Điện thoại di động", "Zalo ID", "CCCD", "Số CCCD", "Số căn cước công dân", "CMND/CCCD", "Số định danh cá nhân"],
)
def test_of_columns_with_numbers_of_people_beside_the_key_nothing_is_kept(name: str) -> None:
    found = columns("SĐT", "Tên", name, wanted="SĐT")
    assert found.fields == ("Tên",)
    assert [(it.column, it.code, it.severity) for it in found.left_out()] == [(name, "personal_column", "warning")]
    line = LineCheck(found).check(2, ["0900000001", "Ví Dụ", "001190000001"], {2: "formula"})
    assert (line.merged, line.problems) == ({"Tên": "Ví Dụ"}, [])


@pytest.mark.parametrize("name", ["Ngày cấp căn cước", "Nơi nhận CCCD", "Số tiền", "Số nhà", "Giờ hẹn làm căn cước"])
def test_columns_about_papers_are_not_columns_of_numbers(name: str) -> None:
    assert columns("SĐT", name).fields == (name,)


@pytest.mark.parametrize(
    ("cells", "left"),
    [
        (["0900000002", "", "0912 345 678"], True), (["+84 900 000 002"], True), (["001190000001", "không có"], True),
        (["912345678", "923456781", "934567812"], True), (["11900000011", "36190000012", "79190000013"], True),
        (["350000000", "412500000", "512000000"], False), (["350.000.000"], False), (["84000000000"], False),
        (["12/05/2026", "7 giờ 30"], False), (["G09.20-20260609-0092637"], False), ([], False), (["912345678"], False),
    ],
)  # fmt: skip
def test_columns_of_numbers_of_people_are_known_by_their_cells(cells: list[str], left: bool) -> None:
    found = columns("SĐT", "Liên hệ").judged([["0900000001", cell] for cell in cells])
    assert found.fields == (() if left else ("Liên hệ",))


@pytest.mark.parametrize("cell", ["0912 345 678", "001190000001", "001 190 000 001", "CCCD 001190000001 (cấp lại)"])
def test_a_single_number_of_a_person_in_another_column_is_named_and_not_kept(cell: str) -> None:
    line = LineCheck(columns("SĐT", "Ghi chú")).check(2, ["0900000001", cell], {})
    assert (said(line), line.bad, line.recipient) == ([("Ghi chú", "personal_cell")], True, "")


def test_the_sample_is_a_good_list() -> None:
    check = LineCheck(columns(*SAMPLE[0]))
    for number, row in enumerate(SAMPLE[1:], start=2):
        line = check.check(number, row, {})
        assert (line.bad, line.problems) == (False, [])


# phones


SPELLINGS = (
    "0912 345 678",
    "0912.345.678",
    "+84 912 345 678",
    "84912345678",
    "0084912345678",
    "(0912)345678",
    "912345678",
)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_phone_in_seven_spellings_is_one_recipient(spelling: str) -> None:
    number, found = recipient_of(spelling, KeyKind.PHONE)
    assert number == "84912345678"
    assert [code for code, _ in found] == (["zero_restored"] if spelling == "912345678" else [])


PREFIXES = st.sampled_from(["3", "5", "7", "8", "9"])


@given(PREFIXES, st.text("0123456789", min_size=8, max_size=8), st.sampled_from(["", " ", ".", "-", "\xa0"]), st.data())
def test_however_a_phone_is_written_it_means_the_same(first: str, rest: str, gap: str, data: st.DataObject) -> None:
    national = first + rest
    grouped = f"{national[:3]}{gap}{national[3:6]}{gap}{national[6:]}"
    before = data.draw(st.sampled_from(["0", "+84 ", "84", "0084 ", "+84 (0)", ""]))
    number, found = recipient_of(before + grouped, KeyKind.PHONE)
    assert number == "84" + national
    assert [code for code, _ in found] in ([], ["zero_restored"])
    assert (before == "" and gap == "") == bool(found) or before == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "empty"), ("024 3333 4444", "not_a_phone"), ("0912 345 67", "not_a_phone"), ("không có", "not_a_phone"),
     ("0912345678 / 0987654321", "not_a_phone"), ("9,12E+08", "rounded"), ("+1 912 345 678", "not_a_phone")],
)  # fmt: skip
def test_what_is_no_phone_is_said(text: str, code: str) -> None:
    assert recipient_of(text, KeyKind.PHONE) == ("", [(code, {})])


# user ids and dossiers


def test_user_ids_are_digits_and_spreadsheets_spoil_long_ones() -> None:
    assert recipient_of("3333444455556666777", KeyKind.USER_ID) == ("3333444455556666777", [])
    assert recipient_of("'3333444455556666777", KeyKind.USER_ID) == ("3333444455556666777", [])
    assert recipient_of("3.33344E+18", KeyKind.USER_ID) == ("", [("rounded", {})])
    assert recipient_of("Ví Dụ", KeyKind.USER_ID) == ("", [("not_a_user_id", {})])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("000.00.01.H26-260930-0012", ("000.00.01.H26-260930-0012", [])),
        ("g09.20–20260609–0092637", ("G09.20-20260609-0092637", [])),
        ("000.00.01.H26-261330-0012", ("", [("not_a_dossier", {})])),
        ("12345", ("", [("not_a_dossier", {})])),
    ],
)
def test_a_dossier_is_told_by_its_code_in_one_form(text: str, found: tuple[str, list[Any]]) -> None:
    assert recipient_of(text, KeyKind.DOSSIER) == found
    assert is_dossier_code("G09.20-20260609-0092637")


# lines


def test_a_good_line_has_its_values_and_only_what_is_worth_saying() -> None:
    check = LineCheck(columns("Họ tên", "SĐT", "Ghi chú"))
    decomposed = unicodedata.normalize("NFD", "Lê Thị Thí Dụ")
    line = check.check(2, [decomposed, "0912 345 678"], {})
    assert (line.recipient, line.merged) == ("84912345678", {"Họ tên": "Lê Thị Thí Dụ", "Ghi chú": ""})
    assert (said(line), line.bad) == ([("Ghi chú", "empty_cell")], False)


def test_length_counts_composed_characters() -> None:
    check = LineCheck(columns("Tên", "SĐT"))
    fits = unicodedata.normalize("NFD", "ệ" * LONGEST_CELL)
    assert len(fits) > LONGEST_CELL
    assert not check.check(2, [fits, "0900000001"], {}).bad
    line = check.check(3, ["ệ" * (LONGEST_CELL + 1), "0900000002"], {})
    assert [problem.to_json() for problem in line.problems] == [
        {
            "column": "Tên", "code": "too_long", "severity": "error",
            "details": {"most": LONGEST_CELL, "length": LONGEST_CELL + 1},
        }
    ]  # fmt: skip


def test_cells_that_cannot_be_trusted_spoil_their_line_wherever_they_stand() -> None:
    check = LineCheck(columns("Tên", "SĐT", "Tiền *"))
    line = check.check(2, ["A", "0900000001", "5"], {1: "formula", 2: "rounded"})
    assert said(line) == [("SĐT", "formula"), ("Tiền", "rounded")]
    assert (line.bad, line.recipient) == (True, "")
    assert said(check.check(3, ["A", "0900000001", ""], {})) == [("Tiền", "empty")]
    assert said(check.check(4, ["A", "", "5"], {})) == [("SĐT", "empty")]
    beyond = check.check(5, ["A", "0900000001", "5", "thừa"], {})
    assert (said(beyond), beyond.bad) == ([("D", "beyond_columns")], False)


def test_the_first_good_line_of_a_recipient_counts() -> None:
    check = LineCheck(columns("Tên", "SĐT"))
    assert check.check(2, ["A", "0900000001"], {0: "formula"}).bad
    assert check.check(3, ["A", "0900 000 001"], {}).recipient == "84900000001"
    again = check.check(9, ["B", "+84900000001"], {})
    assert (again.recipient, again.bad) == ("", False)
    assert [problem.to_json() for problem in again.problems] == [
        {"column": "SĐT", "code": "duplicate", "severity": "warning", "details": {"first": 3}}
    ]


@given(st.lists(st.lists(st.text(max_size=40), max_size=5), max_size=10))
def test_no_line_does_more_than_be_bad_and_nobody_is_there_twice(rows: list[list[str]]) -> None:
    check = LineCheck(columns("Tên", "SĐT", "Tiền"))
    lines = [check.check(number, row, {}) for number, row in enumerate(rows, start=2)]
    people = [line.recipient for line in lines if line.recipient]
    assert len(people) == len(set(people))
    assert all(line.recipient == "" for line in lines if line.bad)
    assert all("84" not in str(problem.details) for line in lines for problem in line.problems if line.recipient)
