"""Which notices stay silent, in which order ways are tried, and when a notice may leave."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import to_local
from bot.domain.dossier import KIND_OF, TELL_WITHIN, TOLD_BY_DEFAULT, Kind, Status
from bot.domain.dossier_notice import (
    JUST_WRITTEN,
    RATE_WITHIN,
    TEMPLATE_WAYS,
    Candidate,
    Fact,
    Silence,
    Way,
    dong,
    in_order,
    leaves_at,
    may_be_rated,
    number_of,
    others_told,
    silence,
    told_kinds,
)

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
ALL = frozenset(Kind)
moments = st.integers(0, 6 * 24).map(lambda h: NOW - timedelta(hours=h))
facts = st.tuples(st.sampled_from(Kind), moments).map(lambda made: Fact(*made))
candidates = st.lists(
    st.builds(
        Candidate,
        st.sampled_from(Way),
        st.sampled_from(["oa", "bot"]),
        st.sampled_from(["", "a", "b", "c"]),
        st.sampled_from(["", "p", "q"]),
        st.one_of(st.none(), st.integers(0, 999).map(lambda h: NOW - timedelta(hours=h))),
    ),
    max_size=8,
)


def why(notice: Fact, *others: Fact, status: Status = Status.ACCEPTED, online: bool | None = True) -> Silence | None:
    return silence(notice, others, status=status, chosen=ALL, online=online, now=NOW)


def test_only_what_a_unit_has_chosen_is_told() -> None:
    assert told_kinds(None) == TOLD_BY_DEFAULT
    assert told_kinds([]) == frozenset()
    assert told_kinds(["ready", "nonsense"]) == {Kind.READY}
    notice = Fact(Kind.ACCEPTED, NOW)
    chosen = told_kinds(["ready"])
    assert silence(notice, (), status=Status.ACCEPTED, chosen=chosen, online=True, now=NOW) is Silence.NOT_CHOSEN


@pytest.mark.parametrize(
    ("online", "expected"), [(True, None), (False, Silence.NOT_ONLINE), (None, Silence.NOT_ONLINE)]
)
def test_registered_is_told_of_what_was_filed_online(online: bool | None, expected: Silence | None) -> None:
    assert why(Fact(Kind.REGISTERED, NOW), online=online) is expected


def test_what_is_old_is_not_told() -> None:
    at = NOW - TELL_WITHIN - timedelta(seconds=1)
    assert why(Fact(Kind.READY, at), status=Status.READY) is Silence.TOO_OLD


def test_a_later_status_overtakes_and_a_posted_result_need_not_be_fetched() -> None:
    hour = timedelta(hours=1)
    accepted, ready = Fact(Kind.ACCEPTED, NOW - hour), Fact(Kind.READY, NOW)
    assert why(accepted, ready) is Silence.OVERTAKEN
    assert why(ready, accepted) is None
    assert why(ready, Fact(Kind.POSTED, NOW)) is Silence.OVERTAKEN
    assert why(Fact(Kind.RETURNED, NOW), Fact(Kind.POSTED, NOW)) is None
    assert why(Fact(Kind.LATE, NOW - hour), ready) is Silence.OVERTAKEN
    assert why(Fact(Kind.LATE, NOW - hour), Fact(Kind.LATE, NOW)) is Silence.OVERTAKEN
    assert why(Fact(Kind.ACCEPTED, NOW - hour), Fact(Kind.LATE, NOW)) is None


@given(
    st.sampled_from([Status.SUPPLEMENT, Status.FEE, Status.REFUSED]),
    st.lists(facts, max_size=6),
    st.sampled_from(Status),
)
def test_what_is_wanted_of_people_is_told_as_long_as_it_is_wanted(
    wanted: Status, others: list[Fact], status: Status
) -> None:
    notice = Fact(KIND_OF[wanted], NOW - timedelta(days=1))
    newer = any(other.kind is notice.kind and other.at > notice.at for other in others)
    found = why(notice, *others, status=status)
    assert found is (None if status is wanted and not newer else Silence.OVERTAKEN)


def test_what_two_sources_time_differently_is_wanted_of_people_once() -> None:
    wants = (None, None, None, 150000)
    midnight = NOW.replace(day=22, hour=17)
    early, later = Fact(Kind.FEE, midnight, wants), Fact(Kind.FEE, NOW, wants)
    assert why(early, later, status=Status.FEE) is Silence.OVERTAKEN
    assert why(later, early, status=Status.FEE) is None
    for state in ("leaving", "told"):
        assert why(later, early._replace(state=state), status=Status.FEE) is Silence.OVERTAKEN
    told = early._replace(state="told")
    assert why(early, later._replace(state="silent"), status=Status.FEE) is None, "not each silent for the other"
    assert why(later._replace(wants=(None, None, None, 200000)), told, status=Status.FEE) is None
    assert why(later, told._replace(at=midnight - timedelta(seconds=1)), status=Status.FEE) is None, "another day"
    assert why(Fact(Kind.SUPPLEMENT, NOW, wants), told, status=Status.SUPPLEMENT) is None


@given(st.lists(moments, min_size=1, max_size=8, unique=True))
def test_of_what_is_wanted_of_people_one_is_told_in_whatever_order_it_is_looked_at(all_: list[datetime]) -> None:
    rows = [Fact(Kind.FEE, at) for at in all_]
    for at, row in enumerate(rows):
        silent = why(row, *rows[:at], *rows[at + 1 :], status=Status.FEE) is not None
        rows[at] = row._replace(state="silent" if silent else "told")
    latest = max(row.at for row in rows)
    told = [row for row in rows if row.state == "told"]
    assert [row.at for row in told] == [latest]


@given(st.lists(facts, min_size=1, max_size=8, unique=True))
def test_of_statuses_at_most_the_latest_is_told_beside_what_is_wanted(all_: list[Fact]) -> None:
    told = [
        one
        for one in all_
        if why(one, *(other for other in all_ if other is not one), status=Status.PROCESSING) is None
    ]
    steps = [one for one in told if one.kind not in {Kind.LATE, Kind.POSTED}]
    assert len(steps) <= 1
    if steps and steps[0].kind in KIND_OF.values():
        assert all(other.at <= steps[0].at for other in all_ if other.kind in KIND_OF.values())


@given(candidates, st.sets(st.sampled_from([f"{way.value}:{who}" for way in Way for who in ("a", "b", "oa")])))
def test_ways_are_tried_in_their_order_and_none_twice(all_: list[Candidate], tried: set[str]) -> None:
    ordered = in_order(all_, tried)
    assert [list(Way).index(one.way) for one in ordered] == sorted(list(Way).index(one.way) for one in ordered)
    assert not {one.key for one in ordered} & tried
    assert {one.key for one in ordered} == {one.key for one in all_} - tried
    rest = in_order(all_, tried, {"p"})
    assert [one for one in ordered if one.person != "p"] == rest
    if ordered:
        also = others_told(ordered, ordered[0])
        people = [one.person for one in also]
        assert len(people) == len(set(people))
        assert ordered[0].person not in people
        assert not {one.way for one in also} & TEMPLATE_WAYS


@given(
    st.sampled_from(Way),
    st.integers(0, 48 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    st.one_of(st.none(), st.integers(0, 100)),
)
def test_nothing_rings_at_night(way: Way, now: datetime, ago: int | None) -> None:
    heard = None if ago is None else now - timedelta(minutes=ago)
    at = leaves_at(Candidate(way, "oa", "a", "p", heard), now)
    assert now <= at < now + timedelta(hours=10)
    awake = heard is not None and now - heard <= JUST_WRITTEN and way not in TEMPLATE_WAYS
    first = 6 if way in TEMPLATE_WAYS else 7
    assert at == now if awake else first <= to_local(at).hour < 22
    if first <= to_local(now).hour < 22:
        assert at == now


def test_ratings_are_taken_for_a_month_and_changed_once() -> None:
    returned = NOW - RATE_WITHIN
    assert may_be_rated(Status.RETURNED, returned, 0, NOW)
    assert may_be_rated(Status.RETURNED, returned, 1, NOW)
    assert not may_be_rated(Status.RETURNED, returned, 2, NOW)
    assert not may_be_rated(Status.RETURNED, returned - timedelta(seconds=1), 0, NOW)
    assert not may_be_rated(Status.READY, NOW, 0, NOW)


@pytest.mark.parametrize(
    ("value", "amount", "words"),
    [(150000, 150000, "150.000"), ("20000", 20000, "20.000"), (0, None, ""), ("", None, ""), ("x", None, "")],
)
def test_amounts(value: object, amount: int | None, words: str) -> None:
    assert number_of(value) == amount
    assert dong(amount) == words
