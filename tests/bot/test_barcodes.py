"""Codes are read from photos as people take them: turned, small, noisy; from anything else nothing is."""

import pytest

from bot.barcodes import texts_in
from bot.pictures import read_picture
from tests.dossier_world import CODE, receipt

ADDRESS = f"https://dichvucong.gov.vn/tra-cuu?ma={CODE}"


@pytest.mark.parametrize(
    "photo",
    [
        receipt(ADDRESS),
        *(receipt(ADDRESS, angle=angle) for angle in (17, 90, 180, 275)),
        receipt(ADDRESS, scale=3, angle=5),
        receipt(ADDRESS, noise=80, angle=8),
    ],
    ids=["plain", "17", "90", "180", "275", "small", "noisy"],
)
def test_a_receipts_code_is_read(photo: bytes) -> None:
    assert texts_in(read_picture(photo).data) == [ADDRESS]


def test_what_holds_no_code_says_nothing() -> None:
    assert texts_in(b"") == []
    assert texts_in(b"\xff\xd8\xff broken") == []
    assert texts_in(receipt("x" * 3)[:2000]) == []
