"""Tests of finding villages in a text."""

import pytest

from bot.domain.areas import find_area

AREAS = [
    ("kim-lam", ("Thôn Kim Lâm",)),
    ("kim-lam-thuong", ("Thôn Kim Lâm Thượng", "Lâm Thượng")),
    ("dong", ("Thôn Đông",)),
    ("to-5", ("Tổ dân phố số 5",)),
    ("thon-1", ("Thôn 1",)),
    ("van-quan", ("thôn Văn Quán",)),
    ("van-quan-2", ("thôn Vân Quan",)),
]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("đường thôn Kim Lâm hỏng", ["kim-lam"]),
        ("duong kim lam hong", ["kim-lam"]),
        ("kim lãm", ["kim-lam"]),
        ("xóm Kim Lâm Thượng ngập", ["kim-lam-thuong"]),
        ("Kim Lâm và Kim Lâm Thượng", ["kim-lam", "kim-lam-thuong"]),
        ("rất đông người", []),
        ("thon dong", ["dong"]),
        ("TDP 5", ["to-5"]),
        ("tổ 5", ["to-5"]),
        ("tổ 50", []),
        ("thôn 10", []),
        ("Thôn 1.", ["thon-1"]),
        ("thôn Văn Quán", ["van-quan"]),
        ("thon van quan", ["van-quan", "van-quan-2"]),
        ("", []),
    ],
)
def test_areas_are_found_by_name(text: str, ids: list[str]) -> None:
    assert find_area(text, AREAS) == ids
