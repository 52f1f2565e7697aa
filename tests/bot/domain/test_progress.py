"""How far a run has come adds up whatever the counts, and nothing is promised that does not move."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.progress import Progress, expected_end, progress, rate, together
from bot.store.results import Tally

NOW = datetime(2026, 11, 27, 2, 0, tzinfo=UTC)
STATES = ("queued", "sending", "unknown", "sent", "delivered", "seen", "failed", "cancelled")
TALLIES = st.lists(
    st.builds(
        Tally, st.just(1), st.sampled_from(STATES), st.sampled_from(("", "gone", "opted_out", "stopped")),
        st.integers(1, 1_000_000), st.integers(0, 1000),
    ),
    max_size=12,
)  # fmt: skip


@given(TALLIES)
def test_everybody_is_counted_once(counts: list[Tally]) -> None:
    found = progress(counts)
    assert found.total == sum(each.number for each in counts)
    assert found.left == sum(each.number for each in counts if each.state in STATES[:3])
    assert found.sent == sum(each.number for each in counts if each.state in STATES[3:6])
    assert sum(found.failures.values()) == found.failed + found.cancelled + found.decided
    assert found.seen <= found.arrived <= found.sent


@given(TALLIES)
def test_a_bar_is_as_wide_as_it_is_however_small_its_pieces(counts: list[Tally]) -> None:
    pieces = progress(counts).bar(1000)
    assert all(wide >= 2 for _, _, wide in pieces)
    assert all(0 <= start <= 1000 for _, start, _ in pieces)
    assert [start for _, start, _ in pieces] == sorted(start for _, start, _ in pieces)
    assert not pieces or abs(pieces[-1][1] + pieces[-1][2] - 1000) <= 2


@given(TALLIES, TALLIES)
def test_parts_sum_up(one: list[Tally], other: list[Tally]) -> None:
    assert together([progress(one), progress(other)]) == progress([*one, *other])
    assert together([]) == Progress()


def test_who_had_said_stop_is_told_from_what_was_stopped() -> None:
    found = progress([Tally(1, "cancelled", "opted_out", 2, 0), Tally(1, "cancelled", "stopped", 3, 0)])
    assert (found.decided, found.cancelled) == (2, 3)


def test_the_rate_counts_the_time_since_it_was_begun_and_the_end_follows_from_it() -> None:
    assert rate(100, NOW - timedelta(hours=1), NOW) == 20
    assert rate(100, NOW - timedelta(minutes=2), NOW) == 50
    assert rate(100, NOW, NOW) == 400, "what has just begun is no infinite rate"
    assert rate(0, NOW, NOW) == 0
    assert rate(5, None, NOW) == 0
    assert expected_end(100, 50, NOW) == NOW + timedelta(minutes=2)
    assert expected_end(0, 50, NOW) is None
    assert expected_end(100, 0, NOW) is None
