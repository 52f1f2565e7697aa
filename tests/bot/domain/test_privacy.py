"""Tests of hiding identity and phone numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.privacy import initials, mask_identity, mask_phone, normalise_phone

CCCD = "•••••••••345"
CMND = "••••••678"
# Numbers and what stands between them or gives them a meaning: the soup in which masking must not slip.
NUMBERS = ["0", "1", "84", "+84", "001", "099", "345", "2026", "15", "012345678", "001099012345", "0900000001"]
BETWEEN = [" ", ".", "-", " - ", "/", ",", "(", ")", "•", "đ", " đồng", "k", "PA-7K3M9", "G09", "CCCD ", "a", "\n"]
NUMBERISH = st.lists(st.sampled_from([*NUMBERS, *BETWEEN]), max_size=14).map("".join)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("CCCD 001099012345", f"CCCD {CCCD}"),
        ("CCCD001099012345.", f"CCCD{CCCD}."),
        ("cccd:001 099 012 345", f"cccd:{CCCD}"),
        ("0010.9901.2345", CCCD),
        ("001-099-012-345", CCCD),
        ("001099 012345", CCCD),
        ("001 - 099 - 012345", CCCD),
        ("001 099 012 345 - 5 người", f"{CCCD} - 5 người"),
        ("CMND 012345678 cấp ngày 15.06.1985", f"CMND {CMND} cấp ngày 15.06.1985"),
        ("012 345 678", CMND),
        ("012.345.678", CMND),
        ("số 123-456-789 ạ", "số ••••••789 ạ"),
        ("123456789 đồng ý", "••••••789 đồng ý"),
        ("012345678 đ/c A", f"{CMND} đ/c A"),
        ("012345678 k có", f"{CMND} k có"),
        ("012345678 001099012345", f"{CMND} {CCCD}"),
        ("ĐT 0900000001, CCCD 001099012345", f"ĐT 0900000001, CCCD {CCCD}"),
        ("0900 000 001 001 099 012 345", f"0900 000 001 {CCCD}"),
        ("•001099012345", f"•{CCCD}"),
        ("sinh 15/06/1985-012345678", f"sinh 15/06/1985-{CMND}"),
        ("nhà 15. 001 099 012 345", f"nhà 15. {CCCD}"),
    ],
)
def test_identity_numbers_are_hidden(text: str, shown: str) -> None:
    assert mask_identity(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "0900000001",
        "0900 000 001",
        "0900.000.001",
        "090 000 0001",
        "+84900000001",
        "+84 900 000 001",
        "(+84) 900 000 001",
        "84 900000001",
        "+84 (0) 900 000 001",
        "0084 900 000 001",
        "024 3812 3456",
        "+84 24 3812 3456",
        "1900 56 56 56",
        "số nhà 15 0900 000 001",
        "số nhà 015-0900000001",
        "tổ 01 0900000001",
        "000.00.01.H26-260930-0012",
        "G09.20-20260609-0092637",
        "G09.20–20260609–0092637",
        "G0920-20260609-0092637",
        "H26 260930 0012",
        "PA-7K3M9",
        "PA 22345",
        "ngày 30.09.2026 - 15.10.2026",
        "2026-09-30",
        "từ 01-09-2026 đến 30-09-2026",
        "120.000.000 đồng",
        "120 000 000",
        "250000000 đ",
        "250000000đ",
        "123.456.789 VNĐ",
        "123.456.789,50 đồng",
        "123456789k",
        "số tiền 123456789",
        "123456789 m2",
        "1.200.000.000 đồng",
        "1234567890123",
        "thẻ BHYT GD4010123456789",
        "https://zalo.me/001099012345",
        "",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert mask_identity(text) == text


@given(NUMBERISH | ANY_TEXT)
def test_masking_is_idempotent_and_never_lengthens(text: str) -> None:
    masked = mask_identity(text)
    assert len(masked) <= len(text)
    assert mask_identity(masked) == masked


@given(st.text(st.characters(categories=("L", "M", "P", "S", "Z", "C"))))
def test_text_without_digits_is_unchanged(text: str) -> None:
    assert mask_identity(text) == text


@given(st.from_regex("0[0-9]{11}", fullmatch=True), st.sampled_from(["", "{}", " {} ", "số {}, cấp", "CCCD:{}\n"]))
def test_every_unbroken_citizen_number_is_hidden(number: str, around: str) -> None:
    text = around.format(number) if around else number
    assert number not in mask_identity(text)
    assert number[-3:] in mask_identity(text)


@given(st.sampled_from("35789"), st.from_regex("[0-9]{8}", fullmatch=True), st.sampled_from(["", " ", ".", "-"]))
def test_no_mobile_number_is_hidden_in_any_spelling(first: str, rest: str, gap: str) -> None:
    local = f"{first}{rest}"
    for text in (f"0{local}", f"0{local[:3]}{gap}{local[3:6]}{gap}{local[6:]}", f"+84{gap}{local}"):
        assert mask_identity(text) == text
        assert normalise_phone(text) == f"84{local}"


@pytest.mark.parametrize(
    "s",
    [
        "84900000001",
        "0900000001",
        " 0900 000 001 ",
        "0900.000.001",
        "0900-000-001",
        "+84900000001",
        "(+84) 900 000 001",
        "+84 (0)900 000 001",
        "0084900000001",
        "900000001",
        "900000001.0",
        "840900000001",
        "０９００ ０００ ００１",
        "(090) 0000001",
    ],
)
def test_every_spelling_of_a_mobile_number_is_read(s: str) -> None:
    assert normalise_phone(s) == "84900000001"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("01680000001", "84380000001"),
        ("01200000001", "84700000001"),
        ("+84 123 000 0001", "84830000001"),
        ("849000001", "84849000001"),
    ],
)
def test_renumbered_and_shortened_numbers_are_read(old: str, new: str) -> None:
    assert normalise_phone(old) == new


@pytest.mark.parametrize(
    "s",
    [
        "",
        "abc",
        "0900",
        "02438123456",
        "+1 900 000 0001",
        "0100000001",
        "0900000001/0900000002",
        "09000000011",
        "+",
        ".",
    ],
)
def test_other_strings_are_no_mobile_number(s: str) -> None:
    assert normalise_phone(s) is None


@given(ANY_TEXT | st.text("0123456789+84 .()"))
def test_a_normal_number_stays_normal(s: str) -> None:
    normal = normalise_phone(s)
    if normal is not None:
        assert normal.startswith("84")
        assert len(normal) == 11
        assert normalise_phone(normal) == normal


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("84900000001", "0900•••001"),
        ("0900 000 001", "0900•••001"),
        ("02438123456", "•••456"),
        ("12", "•••"),
        ("", "•••"),
    ],
)
def test_phones_are_masked_for_screens(phone: str, shown: str) -> None:
    assert mask_phone(phone) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Nguyễn Thị Hoà", "N. T. H."), ("bình", "B."), ("", ""), ("🙂 Đức 3", "Đ."), ("Mr. X", "M. X.")],
)
def test_initials_hide_a_name(name: str, shown: str) -> None:
    assert initials(name) == shown
