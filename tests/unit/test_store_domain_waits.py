"""How long does a job wait, and how many are dispatched? The numbers of the design, exactly."""

from __future__ import annotations

from datetime import timedelta

import pytest

from store.domain.admission import room
from store.domain.retries import RetryPolicy, postponement, takeover_delay


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


@pytest.mark.parametrize(("retry", "least", "most"), [(1, 2, 2.2), (2, 4, 4.4), (3, 8, 8.8)])
def test_retries_wait_2_4_and_8_seconds_and_at_most_a_tenth_more(
    retry: int, least: float, most: float
) -> None:
    """MAX_RETRIES 3 and RETRY_BACKOFF_BASE 2.0, as in the original service."""
    policy = RetryPolicy()
    assert policy.delay(retry, None, 0.0) == after(least)
    assert after(least) < policy.delay(retry, None, 0.999) < after(most)


def test_a_longer_retry_after_wins_and_a_shorter_does_not() -> None:
    """The provider knows when; it never makes us hurry."""
    assert RetryPolicy().delay(1, after(30), 0.5) == after(30)
    assert RetryPolicy().delay(3, after(1), 0.0) == after(8)


def test_no_retry_waits_for_more_than_an_hour_and_a_tenth() -> None:
    """However high the settings."""
    assert RetryPolicy(20, 60.0).delay(20, None, 0.0) == after(3600)


@pytest.mark.parametrize(("most", "retries", "over"), [(3, 2, False), (3, 3, True), (0, 0, True)])
def test_retries_are_exhausted_at_their_number(most: int, retries: int, over: bool) -> None:
    """Three retries are four attempts; none is one."""
    assert RetryPolicy(max_retries=most).exhausted(retries) is over


@pytest.mark.parametrize(
    ("count", "seconds"), [(0, 1), (1, 2), (2, 4), (6, 64), (7, 120), (9, 120), (5000, 120)]
)
def test_what_is_nobody_s_fault_waits_a_second_doubling_to_two_minutes(
    count: int, seconds: float
) -> None:
    """A postponement counts for its delay only."""
    assert postponement(count, None, 0.0) == after(seconds)
    assert postponement(count, None, 0.999) <= after(120)


def test_a_postponement_honours_retry_after() -> None:
    """A 429 says when to come back."""
    assert postponement(0, after(300), 0.0) == after(300)


@pytest.mark.parametrize(
    ("losses", "seconds"), [(0, 0), (1, 5), (2, 10), (3, 20), (6, 160), (7, 300), (5000, 300)]
)
def test_takeovers_back_off_from_nothing_to_five_minutes(losses: int, seconds: float) -> None:
    """The first is at once: a worker that dies once is ordinary."""
    assert takeover_delay(losses) == after(seconds)


@pytest.mark.parametrize(
    ("slots", "running", "rate", "dispatched", "more"),
    [
        (0, 0, 0.0, 0, 16),  # no worker is known: a new one finds work at once
        (0, 0, 0.0, 16, 0),
        (100, 40, 10.0, 0, 80),  # the free slots, and what is finished within two seconds
        (100, 40, 10.0, 79, 1),
        (100, 95, 10.0, 0, 36),
        (600, 0, 0.0, 0, 16),  # free slots of workers that take nothing: slow, or dead
        (600, 0, 2.5, 0, 30),  # ten seconds' work, and not 600 that would wait for minutes
        (600, 0, 2.5, 200, 0),
        (10, 50, 0.0, 40, 0),  # never less than none
    ],
)
def test_admission_gives_out_what_workers_can_take_soon(
    slots: int, running: int, rate: float, dispatched: int, more: int
) -> None:
    """Free slots, but no more than ten seconds' work, at least 16; and two seconds' work; less
    what is already out."""
    found = room(slots=slots, running=running, finished_per_second=rate, dispatched=dispatched)
    assert found == more
