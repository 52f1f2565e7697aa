"""Readers of single values: ids, phones, times, coordinates, addresses."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.zalo import payload

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.characters(categories=["Cs"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("given_phone", "phone"),
    [
        ("84900000001", "84900000001"),
        (84900000001, "84900000001"),
        ("0900000001", "84900000001"),
        ("+84 900 000 001", "84900000001"),
        ("0084.900.000.001", "84900000001"),
        (900000001, "84900000001"),
        ("841234567", "84841234567"),
        ("+1 650 253 0000", "16502530000"),
        ("", ""),
        ("không có", ""),
        ("12", ""),
        (None, ""),
        (True, ""),
        ("1" * 40, ""),
    ],
)
def test_phones_become_digits_with_the_country_first(given_phone: Any, phone: str) -> None:
    assert payload.phone_of(given_phone) == phone


@pytest.mark.parametrize("stamp", ["1795420861", "1795420861017", "1795420861017000", 1795420861017, 1795420861017.0])
def test_times_in_seconds_milliseconds_and_microseconds(stamp: Any) -> None:
    moment = payload.moment_of(stamp)
    assert moment is not None
    assert moment.replace(microsecond=0) == datetime(2026, 11, 23, 8, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("stamp", [None, "", "soon", "-5", 0, 99, "99999999999999999999", float("nan"), True, [], {}])
def test_absurd_times_are_none(stamp: Any) -> None:
    assert payload.moment_of(stamp) is None


def test_ids_beyond_64_bits_stay_exact() -> None:
    assert payload.id_of(payload.read_object(b'{"id": 33334444555566667777}')["id"]) == "33334444555566667777"
    assert payload.id_of(payload.read_object(b'{"id": 3333444455556666777}')["id"]) == "3333444455556666777"


def test_an_id_that_is_too_long_or_no_id_is_nothing() -> None:
    values: list[Any] = ["x" * 129, 1.5, True, None, [], {}]
    for value in values:
        assert payload.id_of(value) == ""


def test_text_is_composed_and_free_of_controls() -> None:
    assert payload.text_of("Phu\u031bo\u031b\u0300ng\x00 \ud800") == "Phường"


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("http://f6.photo.talk.zdn.vn/a.jpg", True),
        ("https://zaloapp.com/qr", True),
        ("javascript:alert(1)", False),
        ("file:///etc/passwd", False),
        ("http://x/" + "a" * 5000, False),
        ("http://x/\x00", False),
        (5, False),
    ],
)
def test_only_web_addresses_are_kept(address: Any, *, kept: bool) -> None:
    assert (payload.url_of(address) is not None) is kept


def test_coordinates_come_as_text_or_number_and_must_be_on_earth() -> None:
    assert payload.degrees_of("10.7769331", 90) == payload.degrees_of(10.7769331, 90)
    values: list[Any] = ["91", "nan", "inf", "", None, [], True]
    for value in values:
        assert payload.degrees_of(value, 90) is None


def test_broken_utf8_and_byte_order_marks_are_read() -> None:
    assert payload.read_object(b'\xef\xbb\xbf{"a": "\xff\xfeb"}') == {"a": "\ufffd\ufffdb"}


@pytest.mark.parametrize("raw", [b"", b"[]", b"5", b"null", b"{", b'{"a": NaN}', b"[" * 100_000, b"\xff\xfe\x00"])
def test_what_is_no_object_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        payload.read_object(raw)


@given(ANYTHING)
def test_no_reader_raises(value: Any) -> None:
    for reader in (payload.text_of, payload.id_of, payload.integer_of, payload.url_of, payload.phone_of):
        reader(value)
    payload.moment_of(value)
    payload.degrees_of(value, 90)
    details = payload.details_of({"a": value}, frozenset())
    assert len(details) <= payload.MAX_DETAILS
    assert all(len(text) <= payload.MAX_DETAIL for text in details.values())
