"""Codes for transfers are what NAPAS' profile of EMVCo's merchant code says, whoever is paid what for."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.vietqr import checksum, payload, plain

GOLDEN = (
    (
        (None, ""),
        "00020101021138570010A00000072701270006970403011300110123456780208QRIBFTTA53037045802VN63049E6F",
    ),
    (
        (180000, "thanh toan don hang"),
        "00020101021238570010A00000072701270006970403011300110123456780208QRIBFTTA530370454061800005802VN62230819",
    ),
)
"""An account that anybody pays into as they like, from the profile's own examples; and one that names an amount."""


def fields(text: str) -> dict[str, str]:
    """Read the fields of a code back: two digits of name, two of length, then the value."""
    found, at = {}, 0
    while at < len(text):
        name, size = text[at : at + 2], int(text[at + 2 : at + 4])
        found[name] = text[at + 4 : at + 4 + size]
        at += 4 + size
    return found


def test_the_checksum_is_the_one_of_the_standard() -> None:
    assert checksum("123456789") == "29B1"
    assert checksum("00020101021238570010A00000072701270006970403011300110123456780208QRIBFTTA530370454061800005802VN"
                    "62340107NPS68690819thanh toan don hang6304") == "2E2E"  # fmt: skip


@pytest.mark.parametrize(("what", "expected"), GOLDEN)
def test_codes_of_the_profile(what: tuple[int | None, str], expected: str) -> None:
    made = payload("970403", "0011012345678", *what)
    assert made.startswith(expected)


@given(
    st.text(string.digits, min_size=6, max_size=6),
    st.text(string.ascii_letters + string.digits, min_size=1, max_size=19),
    st.one_of(st.none(), st.integers(1, 10**13 - 1)),
    st.text(max_size=60),
)
def test_what_a_code_says_can_be_read_back(bin_: str, account: str, amount: int | None, purpose: str) -> None:
    made = payload(bin_, account, amount, purpose)
    assert made.isascii()
    assert checksum(made[:-4]) == made[-4:]
    read = fields(made)
    to = fields(read["38"])
    assert fields(to["01"]) == {"00": bin_, "01": account}
    assert (to["00"], to["02"], read["53"], read["58"]) == ("A000000727", "QRIBFTTA", "704", "VN")
    assert (read["01"], read.get("54")) == (("11", None) if amount is None else ("12", str(amount)))
    words = fields(read["62"])["08"] if "62" in read else ""
    assert plain(purpose).startswith(words)
    assert len(words) <= 25


def test_words_lose_their_accents() -> None:
    assert plain("Lệ phí hồ sơ Đặng Thị Ước") == "Le phi ho so Dang Thi Uoc"


@pytest.mark.parametrize(
    ("bin_", "account", "amount"),
    [("97040", "1", 1), ("970403", "", 1), ("970403", "0 1", 1), ("970403", "1", 0), ("970403", "1", 10**13)],
)
def test_what_no_code_can_name(bin_: str, account: str, amount: int) -> None:
    with pytest.raises(ValueError, match="no "):
        payload(bin_, account, amount)
