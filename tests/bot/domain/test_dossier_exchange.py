"""One item of a push: what is read under which name, and that the description of it says the same."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.dossier import FACTS, Status
from bot.domain.dossier_exchange import AHEAD, FIELDS, MOMENT_OF, ExchangeField, read_item
from handlers.api.openapi_schemas import schemas

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
WHOLE: dict[str, Any] = {each.name: each.example for each in FIELDS}


def test_every_example_is_read_and_becomes_a_fact_that_is_kept() -> None:
    item = read_item(WHOLE, NOW + timedelta(days=30))
    assert item.problems == []
    assert item.taken
    assert set(item.facts) <= set(FACTS)
    assert set(FACTS) - set(item.facts) == {"unit_code", "old_due_at"}, "one the unit of the item gives, one staff"
    assert (item.code, item.status, item.phone) == (WHOLE["MaHoSo"], Status.ACCEPTED, "84900000001")
    assert (item.applicant, item.unit, item.unit_name) == ("Nguyễn Văn Mẫu", "10183", "UBND xã Thanh Oai")
    assert item.facts["fee"] == 50000
    assert item.facts["online"] is True


def test_names_are_not_shared() -> None:
    names = [name.lower() for each in FIELDS for name in (each.name, *each.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("each", FIELDS, ids=lambda each: each.name)
def test_an_alias_counts_where_the_name_is_empty(each: ExchangeField) -> None:
    for alias in each.aliases:
        empties: list[Any] = [None, "", " \u200b ", []]
        for empty in empties:
            told = {**WHOLE, each.name: empty, alias.upper(): each.example}
            assert read_item(told, NOW + timedelta(days=30)) == read_item(WHOLE, NOW + timedelta(days=30)), alias


@pytest.mark.parametrize(("status", "dates"), MOMENT_OF.items())
def test_a_date_says_when_where_no_moment_is_told(status: Status, dates: tuple[str, ...]) -> None:
    name = next(each.name for each in FIELDS if each.to == dates[0])
    item = read_item({"MaHoSo": WHOLE["MaHoSo"], "TrangThaiHoSo": int(status), name: "23/11/2026 08:30"}, NOW)
    assert item.at == datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
    assert item.taken


def test_clocks_may_be_ahead_a_little() -> None:
    for ahead, codes in ((AHEAD, []), (AHEAD + timedelta(seconds=1), ["in_future"])):
        item = read_item({**WHOLE, "ThoiGian": (NOW + ahead).isoformat()}, NOW)
        assert [problem.code for problem in item.problems] == codes


_ANY: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=20),
    "integer": st.integers(0, 10**12),
    "boolean": st.booleans(),
    "array": st.lists(st.text(max_size=5) | st.dictionaries(st.just("TenGiayTo"), st.text(max_size=5)), max_size=3),
    "null": st.none(),
}


@given(st.data())
def test_what_the_description_allows_is_never_of_the_wrong_type(data: st.DataObject) -> None:
    properties = schemas()["Item"]["properties"]
    name = data.draw(st.sampled_from(sorted(properties)))
    value = data.draw(_ANY[data.draw(st.sampled_from(properties[name]["type"]))])
    item = read_item({**WHOLE, name: value}, NOW)
    assert "type" not in {problem.code for problem in item.problems}


@pytest.mark.parametrize("each", FIELDS, ids=lambda each: each.name)
def test_other_types_are_named(each: ExchangeField) -> None:
    for value in ({"a": 1}, 1.5):
        item = read_item({**WHOLE, each.name: value}, NOW)
        assert [(p.field, p.code) for p in item.problems if p.code != "in_future"][:1] == [(each.name, "type")]
