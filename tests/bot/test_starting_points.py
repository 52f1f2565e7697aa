"""What the office begins everyday announcements with can be sent as it is."""

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.broadcast import fields_of
from bot.domain.calendar import WorkingCalendar
from bot.domain.quiet import QUIET, labelled, opens_at
from bot.domain.schedule import problems, upcoming
from bot.domain.text import clean
from bot.starting_points import FOLDER, StartingPoint, starting_point, starting_points

NOW = datetime(2026, 11, 27, 2, 30, tzinfo=UTC)
each = pytest.mark.parametrize("point", starting_points(), ids=lambda point: point.key)


def test_everyday_uses_are_there_in_order() -> None:
    assert [point.key for point in starting_points()] == [
        "allowance", "id_card", "digital_signature", "tuition", "fee", "market_day", "ocop", "village_meeting", "storm",
        "supply_cut",
    ]  # fmt: skip
    assert len(starting_points()) == len(list(FOLDER.iterdir()))
    assert starting_point("storm") is not None
    assert starting_point("../storm") is None


@each
def test_one_reads_well_once_it_is_filled_in(point: StartingPoint) -> None:
    message = point.example
    for text in (message.title, message.text, point.name, point.topic):
        assert text
        assert text == clean(text) == unicodedata.normalize("NFC", text)
        assert not {"{", "}"} & set(text)
    assert len(message.title) <= 100
    assert len(message.text) <= 1000
    assert len(point.text) <= 1000


@each
def test_one_names_only_fields_that_it_lists(point: StartingPoint) -> None:
    assert set(point.shared) <= point.fields <= {*point.columns, *point.shared}
    assert set(point.columns) - point.fields <= {"Số điện thoại"}
    assert not set(point.columns) & set(point.shared)
    assert not point.columns or "Số điện thoại" in point.columns


@each
def test_one_begins_with_what_is_the_same_for_everybody(point: StartingPoint) -> None:
    title, text = point.begun({**point.shared, "Tên": "không phải của chung"})
    assert all(value in title + text for value in point.shared.values())
    assert "không phải của chung" not in text
    message = point.example.__class__(text=text, title=title)
    assert fields_of(message) == point.fields - set(point.shared)
    assert point.begun({}) == (point.title, point.text)


@each
def test_one_leaves_when_its_kind_may(point: StartingPoint) -> None:
    assert point.kind in QUIET
    assert labelled(point.kind, point.title) == point.title
    wrong = [(error.field, error.code) for error in problems(point.schedule, NOW)]
    assert wrong == ([("at", "empty")] if point.schedule.kind == "once" else [])
    for moment in upcoming(point.schedule, NOW, WorkingCalendar(), 5):
        assert moment < NOW + timedelta(days=200)
        assert opens_at(point.kind, moment) == moment


def test_only_the_storm_is_an_emergency_and_only_products_are_advertised() -> None:
    kinds = {point.key: point.kind for point in starting_points() if point.kind != "notice"}
    assert kinds == {"ocop": "advert", "storm": "emergency"}
