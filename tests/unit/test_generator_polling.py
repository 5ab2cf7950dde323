"""When is a prediction looked at whose webhooks are counted on, or are lost?"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.domain.polling import (
    LONG_CAP,
    SILENCE_FIRST,
    SILENCE_LATER,
    TROUBLE_CAP,
    UNHEARD_CAP,
    UNHEARD_FIRST,
    Ears,
    Hearing,
    Rhythm,
)

RUNNING = st.sampled_from(["starting", "processing", "a word of tomorrow"])
STEPS = st.one_of(
    st.tuples(st.just("answered"), RUNNING),
    st.tuples(st.sampled_from(["heard", "ending", "troubled"]), st.just("")),
)


def after(rhythm: Rhythm, step: tuple[str, str], running_for: float = 1.0) -> Rhythm:
    name, status = step
    if name == "answered":
        return rhythm.answered(running_for, status)
    following: Rhythm = getattr(rhythm, name)()
    return following


@given(st.booleans(), st.lists(STEPS, max_size=30), st.floats(0, 4000))
def test_there_is_always_a_next_look_and_never_later_than_a_minute(
    listens: bool, steps: list[tuple[str, str]], running_for: float
) -> None:
    """Whatever is heard, lost, late or refused: the safety net holds."""
    rhythm = Rhythm.listening() if listens else Rhythm()
    for step in steps:
        rhythm = after(rhythm, step, running_for)
        assert 0 < rhythm.interval <= SILENCE_LATER
        if rhythm.ears in (Ears.SHUT, Ears.ENDING):
            assert rhythm.interval <= max(LONG_CAP, TROUBLE_CAP)
        if rhythm.ears is Ears.OPEN:
            assert rhythm.interval <= UNHEARD_CAP


@given(st.lists(STEPS, max_size=30))
def test_once_its_end_is_told_nothing_that_comes_late_slows_the_looks(
    steps: list[tuple[str, str]],
) -> None:
    """Webhooks of its run may come after that of its end."""
    rhythm = Rhythm.listening().ending()
    assert rhythm.interval == 0.5
    for step in steps:
        rhythm = after(rhythm, step)
        assert rhythm.ears is Ears.ENDING


@given(st.lists(STEPS, max_size=30))
def test_a_prediction_counts_as_missed_only_while_none_was_heard(
    steps: list[tuple[str, str]],
) -> None:
    """And at most once: after that it is polled, and nothing more is expected."""
    rhythm, missed = Rhythm.listening(), 0
    for step in steps:
        if step[0] == "answered":
            missed += rhythm.missed(step[1])
        rhythm = after(rhythm, step)
    first = next((name for name, _ in steps if name in ("heard", "ending")), None)
    index = [name for name, _ in steps].index(first) if first else len(steps)
    began = any(name == "answered" and status != "starting" for name, status in steps[:index])
    assert missed == began


def test_without_a_word_the_first_look_is_after_ten_seconds_and_those_of_a_queue_ever_later() -> (
    None
):
    """A cold start takes minutes and has no webhook."""
    rhythm = Rhythm.listening()
    assert rhythm.interval == UNHEARD_FIRST
    seen = []
    for _ in range(4):
        rhythm = rhythm.answered(1.0, "starting")
        seen.append(rhythm.interval)
    assert seen == [15, 22.5, 30, 30]


def test_a_run_that_was_never_told_of_is_polled() -> None:
    """Its start should have been told: two seconds, later five."""
    rhythm = Rhythm.listening().answered(1.0, "processing")
    assert (rhythm.interval, rhythm.ears) == (2, Ears.SHUT)
    assert Rhythm.listening().answered(61.0, "processing").interval == 5


@pytest.mark.parametrize("first", [Rhythm(), Rhythm.listening(), Rhythm().troubled()])
def test_what_is_heard_is_looked_at_after_silence_only(first: Rhythm) -> None:
    """30 s, then every minute; each webhook begins it again. Also one that was given up on."""
    rhythm = first.heard()
    assert rhythm.interval == SILENCE_FIRST
    rhythm = rhythm.answered(1.0, "processing")
    assert rhythm.interval == SILENCE_LATER
    assert rhythm.heard().interval == SILENCE_FIRST


def test_an_aborted_prediction_is_no_sign_of_deafness() -> None:
    """No webhook is promised for it."""
    assert not Rhythm.listening().missed("aborted")
    assert Rhythm.listening().missed("succeeded")


def test_trouble_keeps_what_is_expected() -> None:
    """A look that failed says nothing about webhooks."""
    for rhythm in (Rhythm.listening(), Rhythm().heard(), Rhythm(), Rhythm().ending()):
        assert rhythm.troubled().ears is rhythm.ears


@given(st.lists(st.booleans(), max_size=40))
def test_a_worker_counts_on_webhooks_until_three_in_a_row_were_missed(told: list[bool]) -> None:
    """And again as soon as one is heard."""
    hearing = Hearing(asked=True)
    for heard in told:
        if heard:
            hearing.heard()
        else:
            hearing.missed()
    in_a_row = len(list(itertools.takewhile(lambda heard: not heard, reversed(told))))
    assert hearing.deaf == (in_a_row >= 3)
    assert hearing.rhythm() == (Rhythm() if hearing.deaf else Rhythm.listening())


def test_without_a_public_address_nothing_is_expected() -> None:
    """Every prediction is polled."""
    assert Hearing().rhythm() == Rhythm()
