"""What was told of a dossier adds up to one state and one set of notices, in whatever order it arrived."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.dossier import RECURRING, Event, Kind, Outcome, Status, added_up, outcome, worth_telling

_START = datetime(2026, 9, 1, 1, 0, tzinfo=UTC)


def _at(hours: int) -> datetime:
    return _START + timedelta(hours=hours)


_events = st.lists(
    st.builds(
        lambda hours, status, due: Event(
            _at(hours), Status(status), {"due_at": _at(due).isoformat()} if due is not None else {}
        ),
        st.integers(0, 400),
        st.integers(1, 10),
        st.none() | st.integers(0, 900),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda event: (event.at, event.status),
)


@given(_events, st.randoms(use_true_random=False))
def test_any_order_of_arrival_ends_in_the_same_state(events: list[Event], chance: random.Random) -> None:
    shuffled = list(events)
    chance.shuffle(shuffled)
    assert added_up(shuffled) == added_up(events)


@given(_events)
def test_each_notice_stands_once_and_is_of_something_that_happened(events: list[Event]) -> None:
    state = added_up(events)
    once = [told.kind for told in state.notices if told.kind not in RECURRING]
    assert len(once) == len(set(once))
    statuses = {event.status for event in events}
    for told in state.notices:
        assert told.kind in {Kind.LATE, Kind.POSTED} or Status[told.kind.name] in statuses


@given(_events)
def test_hops_within_processing_are_silent(events: list[Event]) -> None:
    more = [*events, Event(max(e.at for e in events) + timedelta(hours=1), Status.PROCESSING)]
    again = [*more, Event(more[-1].at + timedelta(hours=1), Status.PROCESSING)]
    assert added_up(again).notices == added_up(more).notices


def test_an_unexpected_move_is_flagged_and_taken() -> None:
    state = added_up([Event(_at(0), Status.RETURNED), Event(_at(5), Status.PROCESSING)])
    assert state.status is Status.PROCESSING
    assert state.odd == ["10>4"]
    assert state.finished_at is None


def test_the_clock_stands_while_papers_or_a_fee_are_wanted() -> None:
    events = [
        Event(_at(0), Status.ACCEPTED),
        Event(_at(10), Status.SUPPLEMENT),
        Event(_at(20), Status.FEE),
        Event(_at(30), Status.PROCESSING),
        Event(_at(40), Status.SUPPLEMENT),
    ]
    state = added_up(events)
    assert state.pauses == [(_at(10), _at(30)), (_at(40), None)]
    assert [told.kind for told in state.notices] == [Kind.ACCEPTED, Kind.SUPPLEMENT, Kind.FEE, Kind.SUPPLEMENT]


def test_a_date_that_is_put_off_is_told_with_the_old_one() -> None:
    old, new = _at(100), _at(200)
    state = added_up(
        [
            Event(_at(0), Status.ACCEPTED, {"due_at": old.isoformat()}),
            Event(_at(50), Status.PROCESSING, {"due_at": new.isoformat()}),
        ]
    )
    late = state.notices[-1]
    assert late.kind is Kind.LATE
    assert (late.facts["old_due_at"], late.facts["due_at"]) == (old, new)
    assert (state.first_due_at, state.moved_from, state.due_at) == (old, old, new)


def test_a_date_that_moves_because_papers_were_wanted_is_no_delay() -> None:
    state = added_up(
        [
            Event(_at(0), Status.ACCEPTED, {"due_at": _at(100).isoformat()}),
            Event(_at(50), Status.SUPPLEMENT),
            Event(_at(60), Status.PROCESSING, {"due_at": _at(110).isoformat()}),
        ]
    )
    assert Kind.LATE not in {told.kind for told in state.notices}


def test_what_happened_long_ago_is_history() -> None:
    events = [Event(_at(0), Status.ACCEPTED), Event(_at(24 * 20), Status.READY)]
    assert [told.kind for told in worth_telling(events, _at(24 * 21))] == [Kind.READY]


def test_done_on_the_day_of_the_date_is_on_time() -> None:
    def day(moment: datetime) -> object:
        return moment.date()

    due = datetime(2026, 9, 10, 4, 0, tzinfo=UTC)
    assert outcome(Status.READY, due + timedelta(hours=5), due, day) == Outcome.ON_TIME
    assert outcome(Status.READY, due - timedelta(hours=1), due, day) == Outcome.ON_TIME
    assert outcome(Status.READY, due - timedelta(days=1), due, day) == Outcome.EARLY
    assert outcome(Status.RETURNED, due + timedelta(days=1), due, day) == Outcome.LATE
    assert outcome(Status.PROCESSING, None, due, day) == ""


def test_that_a_dossier_was_accepted_is_told_though_it_is_first_seen_while_it_is_processed() -> None:
    facts = {"received_at": _START.isoformat(), "due_at": _at(100).isoformat()}
    first = added_up([Event(_at(5), Status.PROCESSING, facts)])
    assert [(told.kind, told.at, told.facts["due_at"]) for told in first.notices] == [
        (Kind.ACCEPTED, _START, _at(100).isoformat())
    ]
    known = added_up([Event(_START, Status.ACCEPTED, facts), Event(_at(5), Status.PROCESSING, facts)])
    assert [told.kind for told in known.notices] == [Kind.ACCEPTED]
