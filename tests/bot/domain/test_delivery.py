"""What becomes of a message after each try."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import delivery
from bot.domain.delivery import DeliveryState, SendError, next_step

NOW = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
ERRORS = [
    delivery.ConnectionFailedError,
    delivery.ThrottledError,
    delivery.TemporaryError,
    delivery.QuotaExhaustedError,
    delivery.NightError,
    delivery.UploadExpiredError,
    delivery.RecipientGoneError,
    delivery.MessageInvalidError,
    delivery.AccountStoppedError,
    delivery.UnknownOutcomeError,
]


@pytest.mark.parametrize("kind", [delivery.RecipientGoneError, delivery.MessageInvalidError])
def test_what_will_never_succeed_fails_at_once(kind: type[SendError]) -> None:
    step = next_step(kind("why"), 1, NOW, 0)
    assert (step.state, step.at, step.reason) == (DeliveryState.FAILED, None, "why")


def test_pauses_grow_and_end() -> None:
    error = delivery.TemporaryError("busy")
    steps = [next_step(error, n, NOW, 0) for n in range(1, delivery.MAX_ATTEMPTS + 1)]
    waits = [s.at - NOW for s in steps if s.at]
    assert waits == sorted(waits)
    assert steps[-1].state is DeliveryState.FAILED


def test_the_providers_own_wait_is_used_and_never_counts_as_a_failure() -> None:
    step = next_step(delivery.ThrottledError("slow", retry_after=17), 99, NOW, 0)
    assert step.at == NOW + timedelta(seconds=17)
    assert step.attempts == 98


def test_being_throttled_for_hours_uses_up_no_tries() -> None:
    attempts = 0
    for _ in range(500):
        step = next_step(delivery.ThrottledError("slow"), attempts + 1, NOW, 0.5)
        assert step.state is delivery.DeliveryState.QUEUED
        assert step.attempts is not None
        attempts = step.attempts
    later = next_step(delivery.TemporaryError("provider_error"), attempts + 1, NOW, 0)
    assert (later.state, later.attempts) == (delivery.DeliveryState.QUEUED, None)


def test_night_ends_at_six_in_viet_nam() -> None:
    step = next_step(delivery.NightError("night"), 1, NOW, 0)
    assert step.at == datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
    after_midnight = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
    assert next_step(delivery.NightError("night"), 1, after_midnight, 0).at == datetime(2026, 11, 23, 23, 0, tzinfo=UTC)


def test_a_used_up_quota_waits_for_the_next_day() -> None:
    assert next_step(delivery.QuotaExhaustedError("q"), 1, NOW, 0).at == datetime(2026, 11, 23, 23, 0, tzinfo=UTC)


def test_an_upload_is_repeated_once() -> None:
    assert next_step(delivery.UploadExpiredError("u"), 1, NOW, 0).state is DeliveryState.QUEUED
    assert next_step(delivery.UploadExpiredError("u"), 2, NOW, 0).state is DeliveryState.FAILED


def test_a_stopped_account_keeps_its_messages() -> None:
    step = next_step(delivery.AccountStoppedError("token"), 1, NOW, 0)
    assert step.stops_account
    assert step.state is DeliveryState.QUEUED


@given(st.sampled_from(ERRORS), st.integers(1, 200), st.floats(0, 1), st.none() | st.floats(0, 10_000))
def test_every_error_leads_somewhere(kind: type[SendError], attempts: int, jitter: float, wait: float | None) -> None:
    step = next_step(kind("why", retry_after=wait), attempts, NOW, jitter)
    if step.state is DeliveryState.QUEUED:
        assert step.at is not None
        assert step.at >= NOW
    assert step.reason == "why"
