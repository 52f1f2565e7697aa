"""No JSON breaks the door, on either database."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.dossier_exchange import FIELDS
from tests.handlers.api.conftest import CODE, System, item

_TEXTS = st.one_of(st.text(max_size=30), st.sampled_from(["\x00", "\ud800", "e\u0301", "10", "31/12/2026", CODE, "2"]))
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), _TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_TEXTS, inner, max_size=4)),
    max_leaves=8,
)
_NAMES = [name for each in FIELDS for name in (each.name, *each.aliases)]
_ITEMS = st.one_of(
    _JSON, st.dictionaries(st.sampled_from(_NAMES), _JSON, max_size=8).map(lambda odd: {**item(), **odd})
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_ITEMS, min_size=1, max_size=5))
async def test_no_json_breaks_the_door(system: System, items: list[Any]) -> None:
    system.calls.limit = 100_000
    answer = await system.push(*items)
    assert answer.status == 200, answer.content
    assert len(answer.content["results"]) == len(items)
