"""Strong, weak and later: what a listing shows of a call whose answer was lost."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from generator.domain.answers import Prediction
from generator.domain.matching import Evidence, LostCall, could_be, evidence, is_strong, window

T0 = datetime(2026, 11, 22, 12, tzinfo=UTC)
INPUT = {"prompt": "a cat", "seed": 7, "num_outputs": 1}


def lost(token: str = "t", offset: float = 0, **changed: Any) -> LostCall:
    permit = T0 + timedelta(seconds=offset)
    earliest, latest = window(permit, permit + timedelta(seconds=5), timedelta())
    fields: dict[str, Any] = {"model": "a/b", "input": INPUT} | changed
    return LostCall(token, earliest=earliest, latest=latest, **fields)


def listed(identity: str = "p", offset: float = 1, **changed: Any) -> Prediction:
    fields: dict[str, Any] = {
        "status": "starting", "model": "a/b", "input": dict(INPUT),
        "created_at": T0 + timedelta(seconds=offset),
    }  # fmt: skip
    return Prediction(identity, **(fields | changed))


def shown(*listing: Prediction, owned: tuple[str, ...] = ()) -> Evidence:
    (only,) = evidence([lost()], listing, owned)
    return only


def test_the_same_request_in_the_window_is_strong() -> None:
    """By model and input; numbers compare by value."""
    found = shown(listed(input={"seed": 7.0, "prompt": "a cat", "num_outputs": 1}))
    assert found == Evidence("t", ("p",), 0, False)


def test_a_pinned_version_is_found_under_its_models_name() -> None:
    """The version shown is no sign: answers show another one."""
    assert is_strong(lost(model="a/b:" + "0" * 64), listed())


@pytest.mark.parametrize(
    "changed",
    [
        {"input": None}, {"input": {}}, {"data_removed": True}, {"model": ""},
        {"model": "internal/name"}, {"input": INPUT | {"go_fast": True}},
        {"input": {"prompt": "a cat"}}, {"created_at": None, "input": {}},
    ],
)  # fmt: skip
def test_what_is_not_provably_another_request_is_weak(changed: dict[str, Any]) -> None:
    """An emptied input, defaults added, keys dropped, an internal name."""
    found = shown(listed(**changed))
    assert (found.strong, found.weak) == ((), 1)


@pytest.mark.parametrize("changed", [{"prompt": "a dog"}, {"seed": 8}, {"num_outputs": 2}])
def test_another_value_is_another_request(changed: dict[str, Any]) -> None:
    """Provably."""
    assert shown(listed(input=INPUT | changed)) == Evidence("t", (), 0, False)


def test_an_inline_file_may_be_shown_as_an_address() -> None:
    """So that it proves nothing."""
    call = lost(input=INPUT | {"image": "data:image/png;base64,AA"})
    assert could_be(call, listed(input=INPUT | {"image": "https://x/y.png"}))


@pytest.mark.parametrize("offset", [-11, 46])
def test_outside_the_window_is_nothing(offset: float) -> None:
    """From ten seconds before the permit until the call could have been taken."""
    assert shown(listed(offset=offset)) == Evidence("t", (), 0, False)


@pytest.mark.parametrize("offset", [-9, 0, 5, 30, 44])
def test_the_window_allows_for_clocks_and_slow_calls(offset: float) -> None:
    assert shown(listed(offset=offset)).strong == ("p",)


def test_the_window_moves_with_the_providers_clock() -> None:
    """Read from its Date header."""
    earliest, latest = window(T0, T0, timedelta(minutes=2))
    assert earliest > T0 + timedelta(minutes=1)
    assert latest - earliest == timedelta(seconds=50)


def test_what_belongs_to_another_attempt_is_nobody_elses() -> None:
    """Owned ids are neither strong nor weak."""
    assert shown(listed(), owned=("p",)) == Evidence("t", (), 0, False)


def test_a_later_prediction_of_ours_shows_that_the_listing_is_fresh() -> None:
    """One within the window does not."""
    assert shown(listed("q", offset=60), owned=("q",)).shows_later
    assert not shown(listed("q", offset=20), owned=("q",)).shows_later
    assert not shown(listed("q", offset=60)).shows_later


def test_two_equal_candidates_are_both_shown() -> None:
    """The store then parks the attempt; it is never guessed."""
    assert shown(listed("p"), listed("q")).strong == ("p", "q")


def test_two_equal_calls_with_a_prediction_each_are_assigned_in_order() -> None:
    """One to one: equal requests are interchangeable."""
    calls = [lost("t1"), lost("t2", offset=3)]
    found = evidence(calls, [listed("q", offset=4), listed("p", offset=1)], ())
    assert [each.strong for each in found] == [("p",), ("q",)]
    assert [each.weak for each in found] == [0, 0]


def test_two_equal_calls_with_one_prediction_are_both_in_doubt() -> None:
    """It belongs to one of them, and nobody knows to which."""
    found = evidence([lost("t1"), lost("t2")], [listed("p")], ())
    assert [(each.strong, each.weak) for each in found] == [((), 1), ((), 1)]


def test_a_prediction_that_is_anothers_for_sure_is_no_candidate_here() -> None:
    """A call without a seed would else stay in doubt beside its twin with one."""
    bare = lost("t2", input={"prompt": "a cat"})
    found = evidence([lost("t1"), bare], [listed("p")], ())
    assert [(each.strong, each.weak) for each in found] == [(("p",), 0), ((), 0)]


def test_many_calls_in_a_long_listing_are_matched_within_seconds() -> None:
    """Each input is written out once, not once for each pair."""
    calls = [lost(f"t{n}", offset=n, input=INPUT | {"seed": n}) for n in range(200)]
    listing = [listed(f"p{n}", offset=n % 200, input=INPUT | {"seed": n}) for n in range(4_000)]
    began = time.process_time()
    found = evidence(calls, listing, ())
    assert time.process_time() - began < 10
    assert [each.strong for each in found] == [(f"p{n}",) for n in range(200)]
    assert all(each.weak == 0 for each in found)
