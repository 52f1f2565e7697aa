"""Tests of quiet hours and of the label of advertising."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import LOCAL_ZONE, to_local
from bot.domain.quiet import QUIET, labelled, opens_at

MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is given beside
KINDS = st.sampled_from(sorted(QUIET))


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL_ZONE).astimezone(UTC)


@pytest.mark.parametrize(
    ("kind", "asked", "opens"),
    [
        ("notice", "2026-11-27 05:59", "2026-11-27 06:00"),
        ("notice", "2026-11-27 06:00", "2026-11-27 06:00"),
        ("notice", "2026-11-27 21:59", "2026-11-27 21:59"),
        ("notice", "2026-11-27 22:00", "2026-11-28 06:00"),
        ("notice", "2026-11-27 23:30", "2026-11-28 06:00"),
        ("notice", "2026-12-31 22:00", "2027-01-01 06:00"),
        ("advert", "2026-11-27 06:30", "2026-11-27 07:00"),
        ("advert", "2026-11-27 22:00", "2026-11-28 07:00"),
        ("emergency", "2026-11-27 03:00", "2026-11-27 03:00"),
        ("unheard-of", "2026-11-27 06:30", "2026-11-27 07:00"),
    ],
)
def test_messages_wait_for_the_morning(kind: str, asked: str, opens: str) -> None:
    assert opens_at(kind, local(asked)) == local(opens)


@given(KINDS, MOMENTS)
def test_what_opens_is_open_and_not_before_it_was_asked(kind: str, moment: datetime) -> None:
    opened = opens_at(kind, moment)
    assert moment <= opened < moment + timedelta(hours=10)
    assert opens_at(kind, opened) == opened
    hours = QUIET[kind]
    assert hours is None or hours[0] <= to_local(opened).time() < hours[1]


@given(MOMENTS)
def test_nobody_is_kept_waiting_by_day(moment: datetime) -> None:
    if time(7) <= to_local(moment).time() < time(22):
        assert all(opens_at(kind, moment) == moment for kind in QUIET)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("advert", "Chợ phiên OCOP", "[QC] Chợ phiên OCOP"),
        ("advert", "[QC] Chợ phiên OCOP", "[QC] Chợ phiên OCOP"),
        ("advert", " [qc]Chợ phiên OCOP", "[QC] Chợ phiên OCOP"),
        ("advert", "[QC] [ QC ] Chợ phiên OCOP", "[QC] Chợ phiên OCOP"),
        ("advert", "  ", "  "),
        ("notice", "Chi trả trợ cấp", "Chi trả trợ cấp"),
        ("emergency", "[QC] Bão", "[QC] Bão"),
    ],
)
def test_what_is_like_advertising_says_so_once(kind: str, text: str, expected: str) -> None:
    assert labelled(kind, text) == expected


@given(KINDS, st.text())
def test_a_label_is_never_put_twice(kind: str, text: str) -> None:
    once = labelled(kind, text)
    assert labelled(kind, once) == once
