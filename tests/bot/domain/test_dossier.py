"""What was told of a dossier adds up to one state and one set of notices, in whatever order it arrived."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.dossier import RECURRING, Event, Kind, Outcome, Status, added_up, due_by, outcome, worth_telling

_START = datetime(2026, 9, 1, 1, 0, tzinfo=UTC)


def _at(hours: int) -> datetime:
    return _START + timedelta(hours=hours)


_events = st.lists(
    st.builds(
        lambda hours, status, due: Event(
            _at(hours), Status(status), {"due_at": _at(due).isoformat(), "reason": str(due)} if due is not None else {}
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


def _due(hours: int, **more: object) -> dict[str, object]:
    return {"due_at": _at(hours).isoformat(), **more}


def test_what_was_wanted_in_one_run_of_a_status_is_not_told_in_the_next() -> None:
    wanted = {"reason": "Thiếu CCCD", "papers": ["Bản sao CCCD"], "limit_at": _at(40).isoformat()}
    state = added_up(
        [
            Event(_at(0), Status.ACCEPTED, _due(100, appointment_place="Quầy số 2")),
            Event(_at(10), Status.SUPPLEMENT, wanted),
            Event(_at(12), Status.SUPPLEMENT, {"fee_note": "nộp tại quầy"}),
            Event(_at(20), Status.PROCESSING),
            Event(_at(30), Status.PROCESSING, _due(200)),
            Event(_at(50), Status.SUPPLEMENT),
            Event(_at(60), Status.STOPPED),
        ]
    )
    accepted, first, late, second, stopped = state.notices
    assert {name: first.facts[name] for name in wanted} == wanted
    assert first.facts["fee_note"] == "nộp tại quầy", "a run adds up"
    assert (late.kind, second.kind, stopped.kind) == (Kind.LATE, Kind.SUPPLEMENT, Kind.STOPPED)
    for told in (accepted, late, second, stopped):
        assert not {"reason", "papers", "limit_at", "fee_note"} & set(told.facts), told.kind
        assert told.facts["appointment_place"] == "Quầy số 2"
    assert "papers" not in state.facts, "nor is it shown any more"


def test_an_apology_and_a_parcel_tell_what_their_own_event_told() -> None:
    state = added_up(
        [
            Event(_at(0), Status.PROCESSING, _due(100, reason="chuyển bước")),
            Event(_at(10), Status.PROCESSING, _due(120)),
            Event(_at(20), Status.PROCESSING, _due(140, reason="Chờ xác minh")),
            Event(_at(30), Status.READY, {"reason": "xong"}),
            Event(_at(31), Status.READY, {"post_code": "EE123"}),
        ]
    )
    late = [told.facts.get("reason") for told in state.notices if told.kind is Kind.LATE]
    assert late == [None, "Chờ xác minh"]
    (posted,) = [told.facts for told in state.notices if told.kind is Kind.POSTED]
    assert (posted["post_code"], posted.get("reason")) == ("EE123", None)


def test_a_date_by_law_that_staff_put_off_is_told_with_the_old_one() -> None:
    apology = _due(200, old_due_at=_at(100).isoformat(), reason="Chờ xác minh")
    state = added_up([Event(_at(0), Status.ACCEPTED), Event(_at(90), Status.PROCESSING, apology)])
    late = state.notices[-1]
    assert (late.kind, late.facts["old_due_at"], late.facts["due_at"]) == (Kind.LATE, _at(100), _at(200))
    assert (state.due_at, state.fair_due_at) == (_at(200), _at(100))
    assert "old_due_at" not in state.facts


def test_the_office_is_judged_by_the_date_before_its_own_delay() -> None:
    late = [Event(_at(0), Status.ACCEPTED, _due(100)), Event(_at(50), Status.PROCESSING, _due(200))]
    assert added_up(late).fair_due_at == _at(100)
    assert added_up([*late, Event(_at(60), Status.PROCESSING, _due(300))]).fair_due_at == _at(100)
    assert added_up([*late, Event(_at(60), Status.PROCESSING, _due(90))]).fair_due_at == _at(90)
    at_the_end = [late[0], Event(_at(250), Status.READY, _due(260))]
    assert added_up(at_the_end).fair_due_at == _at(100), "a date that is changed as the work is done"
    pause = [*late, Event(_at(60), Status.SUPPLEMENT), Event(_at(80), Status.PROCESSING, _due(220))]
    assert added_up(pause).fair_due_at == _at(120), "a pause moves it by as much as the promise"
    assert added_up(
        [late[0], Event(_at(10), Status.FEE), Event(_at(30), Status.PROCESSING, _due(120))]
    ).fair_due_at == (_at(120))


def test_a_date_told_before_a_pause_is_held_against_the_laws() -> None:
    appointed, law = _at(100), _at(150)
    pauses = [(_at(10), _at(60))]
    assert due_by(appointed, _at(0), law, pauses) == law
    assert due_by(law, _at(0), appointed, pauses) == law
    assert due_by(appointed, _at(60), law, pauses) == appointed, "told anew after the pause"
    assert due_by(appointed, _at(0), law, []) == appointed
    assert due_by(appointed, _at(0), None, pauses) == appointed
    assert due_by(None, None, law, pauses) == law
    known = added_up([Event(_at(0), Status.ACCEPTED, _due(100)), Event(_at(10), Status.PROCESSING, _due(100))])
    assert known.due_told_at == _at(0), "the same date told again is no new one"
