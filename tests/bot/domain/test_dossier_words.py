"""Moments, statuses and phones as other systems write them."""

import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import LOCAL_ZONE
from bot.domain.dossier import Status
from bot.domain.dossier_words import STATUS_WORDS, read_moment, read_phone, read_status
from bot.domain.text import fold

HALF_PAST_TWO = datetime(2026, 9, 30, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-30T14:30:00+07:00", "2026-09-30T07:30:00Z", "2026-09-30t07:30:00.000z", "2026-09-30 14:30",
        "2026-09-30T14:30:00+0700", "30/09/2026 14:30", "30/9/2026 14:30:00", "30-09-2026 14:30", "30.09.2026 14:30",
        "30/09/2026  2:30:00 PM", "30/09/2026 02:30 CH", "14:30 30/09/2026", "14:30:00, 30/09/2026",
        "14h30 ngày 30/09/2026", "30/09/2026 14h30", "30/09/2026 lúc 14:30", "30/09/2026, 14:30",
        "20260930143000", "202609301430", "2026/09/30 14:30", "\ufeff30/09/2026\u00a014:30",
    ],
)  # fmt: skip
def test_a_moment_is_read_in_every_spelling(text: str) -> None:
    assert read_moment(text) == HALF_PAST_TWO


@pytest.mark.parametrize("text", ["30/09/2026", "2026-09-30", "20260930", "30-9-2026", "2026/9/30"])
def test_a_day_alone_is_its_beginning_in_viet_nam(text: str) -> None:
    assert read_moment(text) == datetime(2026, 9, 30, tzinfo=LOCAL_ZONE)


@pytest.mark.parametrize(
    "text",
    [
        "", "31/02/2026", "30/13/2026", "09/30/2026", "30/09/26", "30/09-2026", "2026-02-30", "0001-01-01",
        "9999-12-31", "2026-09-30T25:00", "20261331", "hôm qua", "45565", "30/09/2026 13:00 PM", "1" * 5000,
        "30/09/2026 12:61", "٣٠/٠٩/٢٠٢٦", "2026-W40-3", "2026-09-30T10:00+99:00", "30/09/2026 abc",
    ],
)  # fmt: skip
def test_what_is_no_moment_is_none(text: str) -> None:
    assert read_moment(text) is None


@given(st.integers(631_152_000 + 86_400, 4_133_894_400))
def test_what_is_written_is_read_back(seconds: int) -> None:
    at = moment = datetime.fromtimestamp(seconds, LOCAL_ZONE)
    for shape in ("%d/%m/%Y %H:%M:%S", "%Y%m%d%H%M%S", "%H:%M:%S %d/%m/%Y"):
        text = at.strftime(shape)
        assert read_moment(text) == moment
    assert read_moment(moment.isoformat()) == moment == read_moment(moment.astimezone(UTC).isoformat())


@given(st.text(max_size=80))
def test_no_text_breaks_the_readers(text: str) -> None:
    read_moment(text), read_status(text), read_phone(text)


def test_every_name_of_a_status_is_known_with_and_without_accents() -> None:
    names = [(status, name) for status, many in STATUS_WORDS.items() for name in many]
    for status, name in names:
        for spelt in (name, name.upper(), fold(name), unicodedata.normalize("NFD", name), f"Hồ sơ {name.lower()}"):
            assert read_status(spelt) is status, spelt
    assert len({fold(name) for _, name in names}) == len(names)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("1", Status.REGISTERED), ("04", Status.PROCESSING), ("10", Status.RETURNED), ("9.0", Status.READY),
        ("4 - Đang xử lý", Status.PROCESSING), ("5. Yêu cầu bổ sung giấy tờ", Status.SUPPLEMENT),
        ("Trạng thái: Đã có kết quả", Status.READY), ("Yêu cầu bổ sung hồ sơ", Status.SUPPLEMENT),
        ("Đã trả kết quả cho công dân", Status.RETURNED), ("Từ chối hồ sơ", Status.REFUSED),
        ("8: lý do riêng của đơn vị", Status.STOPPED), ("Đã hủy", Status.STOPPED),
    ],
)  # fmt: skip
def test_numbers_and_longer_words_are_read(text: str, status: Status) -> None:
    assert read_status(text) is status


@pytest.mark.parametrize("text", ["", "0", "11", "-1", "4.5", "1e1", "Không rõ", "xử", "trạng thái", "١", "hồ sơ" * 50])
def test_unknown_statuses_are_none(text: str) -> None:
    assert read_status(text) is None


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("0900000001", "84900000001"), ("+84 900 000 001", "84900000001"), ("900000001", "84900000001"),
        ("0900000001; 0900000002", "84900000001"), ("0243 000 0000 / 0900.000.001", "84900000001"),
        ("không có", None), ("", None), ("0243 000 0000", None), ("\x000900000001", "84900000001"),
    ],
)  # fmt: skip
def test_the_first_mobile_number_is_read(text: str, phone: str | None) -> None:
    assert read_phone(text) == phone
