"""Which models may jobs name, and when is the provider asked about one?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.domain.models import (
    FIRST_BACKOFF,
    LONGEST_BACKOFF,
    Allowed,
    Outcome,
    ReadState,
    next_look,
    next_try,
    outcome,
    similar,
    split,
)
from store.domain.statistics import unfinished_after

HASH = "0f" * 32
CHANCE = st.floats(min_value=0, max_value=1)


@pytest.mark.parametrize(
    ("setting", "yes", "no"),
    [
        ("catalogue", "s/shipped", "o/other"),
        ("o/other", "o/other", "s/shipped"),
        ("o/*", "o/other", "oo/other"),
        (" o/* , catalogue,", "s/shipped", "p/other"),
        ("*", "any/thing", "no name"),
        ("*", "a/b.c-d_e", "a/b/c"),
    ],
)
def test_the_setting_allows_names_owners_all_or_what_is_shipped(
    setting: str, yes: str, no: str
) -> None:
    """And nothing that can not be a model's name."""
    allowed = Allowed.of(setting, ["s/shipped"])
    assert allowed.allows(yes)
    assert not allowed.allows(no)


@pytest.mark.parametrize("setting", ["o", "*/x", "o/x:latest", "o/**", "catalog", "a/b c/d"])
def test_a_setting_that_can_not_be_meant_is_refused(setting: str) -> None:
    """With what is wrong in it."""
    with pytest.raises(ValueError, match="none of these"):
        Allowed.of(setting)


def test_a_version_is_64_digits() -> None:
    """What follows a colon and is none belongs to the name, which is then no name."""
    assert split(f"o/m:{HASH}") == ("o/m", HASH)
    assert split("o/m") == ("o/m", "")
    assert split("o/m:latest") == ("o/m:latest", "")


@pytest.mark.parametrize(
    ("model", "version", "found"),
    [
        (None, None, Outcome.UNREAD),
        (ReadState.UNREAD, None, Outcome.UNREAD),
        (ReadState.UNREAD, ReadState.KNOWN, Outcome.FOUND),
        (ReadState.KNOWN, ReadState.KNOWN, Outcome.FOUND),
        (ReadState.KNOWN, ReadState.MISSING, Outcome.MISSING),
        (ReadState.MISSING, ReadState.KNOWN, Outcome.MISSING),
    ],
)
def test_what_there_is_of_a_model_and_a_version(
    model: ReadState | None, version: ReadState | None, found: Outcome
) -> None:
    """A version that is known can be run before its model was read."""
    assert outcome(model, version) is found


@given(st.integers(min_value=-1, max_value=10**6), CHANCE)
def test_the_provider_is_left_alone_longer_and_longer(problems: int, chance: float) -> None:
    """From 30 seconds to an hour, and a little more by chance."""
    wait = next_try(problems, chance)
    assert FIRST_BACKOFF <= wait <= LONGEST_BACKOFF * 1.1
    assert next_try(problems + 1, chance) >= wait


@given(st.floats(min_value=1, max_value=1e6), CHANCE)
def test_models_are_not_all_read_at_once(seconds: float, chance: float) -> None:
    """Each within a tenth of the time."""
    refresh = timedelta(seconds=seconds)
    assert refresh * 0.899 <= next_look(refresh, chance) <= refresh * 1.101


@given(st.text(max_size=30), st.lists(st.text(max_size=30), max_size=20))
def test_only_names_that_are_much_alike_are_offered(name: str, known: list[str]) -> None:
    """At most three, of those that there are."""
    found = similar(name, known)
    assert len(found) <= 3
    assert set(found) <= set(known)


def test_the_most_alike_comes_first() -> None:
    """By the whole name, or by what follows the owner."""
    known = ["black-forest-labs/flux-dev", "black-forest-labs/flux-schnell", "x/other"]
    assert similar("black-forest-labs/flux-shnell", known)[0] == known[1]
    assert similar("someone/FLUX-dev", known)[0] == known[0]


def test_the_unfinished_of_past_steps_are_counted_back() -> None:
    """From how many are left now."""
    assert unfinished_after([3, 0, 2], [1, 1, 0], 5) == [4, 3, 5]
    assert unfinished_after([], [], 5) == []
    assert unfinished_after([9], [0], 0) == [0]
