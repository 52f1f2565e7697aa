"""Tests of routing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.routing import Report, Routed, Rule, route

REPORT = Report("ha-tang", "kim-lam", "Có ổ gà to trước nhà văn hóa", "phan-anh")


def rule(
    position: int,
    unit: str = "u1",
    *,
    category: str | None = None,
    area: str | None = None,
    words: tuple[str, ...] = (),
    kind: str | None = None,
) -> Rule:
    return Rule(f"r{position}", position, category, area, words, kind, unit)


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (rule(1, category="ha-tang"), ("category:ha-tang",)),
        (rule(1, area="kim-lam"), ("area:kim-lam",)),
        (rule(1, kind="phan-anh"), ("kind:phan-anh",)),
        (rule(1, words=("mất điện", "ổ gà")), ("word:ổ gà",)),
        (rule(1, words=("o ga",)), ("word:o ga",)),
        (rule(1, category="ha-tang", words=("ổ gà",)), ("category:ha-tang", "word:ổ gà")),
        (rule(1), ("always",)),
    ],
)
def test_a_rule_whose_conditions_hold_is_taken_and_says_why(one: Rule, reason: tuple[str, ...]) -> None:
    assert route(REPORT, [one], "last") == Routed("u1", "r1", reason)


@pytest.mark.parametrize(
    "one",
    [
        rule(1, category="moi-truong"),
        rule(1, area="dong"),
        rule(1, kind="cau-hoi"),
        rule(1, words=("rác",)),
        rule(1, words=("gà t",)),
        rule(1, category="ha-tang", area="dong"),
        rule(1, category="ha-tang", words=("rác",)),
    ],
)
def test_one_condition_that_fails_is_enough(one: Rule) -> None:
    assert route(REPORT, [one], "last") == Routed("last", None, ("fallback",))


def test_words_match_what_is_typed_without_accents() -> None:
    bare = Report(None, None, "co o ga to", None)
    assert route(bare, [rule(1, words=("ổ gà",))], "last").rule_id == "r1"
    assert route(Report(None, None, "công an", None), [rule(1, words=("cống",))], "last").rule_id is None


def test_words_that_are_blank_are_no_condition() -> None:
    assert route(REPORT, [rule(1, words=("", "!"))], "last").reason == ("always",)


def test_the_first_position_wins_whatever_the_order_given() -> None:
    rules = [rule(3, "u3"), rule(1, "u1", category="moi-truong"), rule(2, "u2")]
    assert route(REPORT, rules, "last").unit_id == "u2"
    assert route(REPORT, reversed(rules), "last").unit_id == "u2"


def test_the_unit_complained_about_is_passed_over_and_named() -> None:
    rules = [rule(1, "bad"), rule(2, "good")]
    assert route(REPORT, rules, "last", frozenset({"bad"})) == Routed("good", "r2", ("excluded:r1", "always"))
    assert route(REPORT, rules[:1], "last", frozenset({"bad"})) == Routed("last", None, ("excluded:r1", "fallback"))
    assert route(REPORT, rules, "bad", frozenset({"bad", "good"})).unit_id is None


UNITS = st.sampled_from(["a", "b", "c"])
RULES = st.lists(
    st.builds(
        Rule,
        id=st.text("rs", min_size=1, max_size=3),
        position=st.integers(0, 5),
        unit_id=UNITS,
        category_id=st.sampled_from([None, "ha-tang", "x"]),
        area_id=st.none(),
        words=st.sampled_from([(), ("ổ gà",), ("rác",)]),
        kind=st.none(),
    )
)


@given(RULES, UNITS, st.frozensets(UNITS))
def test_an_excluded_unit_is_never_chosen_and_a_reason_is_always_given(
    rules: list[Rule], fallback: str, excluded: frozenset[str]
) -> None:
    routed = route(REPORT, rules, fallback, excluded)
    assert routed.unit_id not in excluded
    assert routed.reason
    assert (routed.unit_id is None) == (routed.reason[-1] == "nobody")
