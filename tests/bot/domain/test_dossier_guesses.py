"""Ten wrong codes an hour are answered; then pauses grow, and time forgives."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.dossier_guesses import LONGEST_PAUSE, MOST, Guesses, blocked_until, missed

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def after(number: int, start: Guesses | None = None) -> Guesses:
    found = start
    for _ in range(number):
        found = missed(found, [], NOW)
    assert found is not None
    return found


def test_the_tenth_wrong_code_begins_a_pause() -> None:
    assert blocked_until([after(MOST - 1)], NOW) is None
    assert blocked_until([after(MOST)], NOW) == NOW + timedelta(minutes=10)


def test_codes_of_all_chats_of_a_person_count_together() -> None:
    other = after(MOST - 1)
    now = missed(None, [other], NOW)
    assert blocked_until([now, other], NOW) == NOW + timedelta(minutes=10)


def test_an_hour_forgives_a_few_and_a_day_a_pause() -> None:
    later = NOW + timedelta(hours=1)
    assert missed(after(MOST - 1), [], later) == Guesses(later, 1)
    again = missed(after(MOST), [], NOW + timedelta(hours=2))
    assert again.blocked_until == NOW + timedelta(hours=2, minutes=20)
    late = NOW + timedelta(hours=25)
    assert missed(after(MOST), [], late) == Guesses(late, 1)


@given(st.integers(MOST, 10_000))
def test_pauses_grow_up_to_a_day(number: int) -> None:
    found = missed(Guesses(NOW, number, NOW), [], NOW).blocked_until
    assert found is not None
    assert NOW + timedelta(minutes=20) <= found <= NOW + LONGEST_PAUSE
