"""Plain Python values become requests, or are refused before they are changed on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st

from mediagen import InvalidRequest, Job, Priority
from mediagen.connection import target
from mediagen.requests import list_request, submit_request
from mediagen.retries import Backoff
from mediagen.v1.generation_service_pb2 import SubmitJobRequest


def submission(prompt: str = "a fox", **changes: Any) -> SubmitJobRequest:
    values: dict[str, Any] = dict.fromkeys(("input", "timeout", "labels", "priority", "webhook"))
    return submit_request(prompt, **{**values, "model": "a/b", "request_id": "r", **changes})


whole = st.integers(-(2**53), 2**53)
text = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none() | st.booleans() | whole | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(text, json_values, max_size=5))
def test_an_input_arrives_as_it_was_given(given_input: dict[str, Any]) -> None:
    """Any JSON object, whole numbers up to 2^53 among it."""
    request = submission(input=given_input)
    assert MessageToDict(request.input) == given_input


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"input": {"seed": 2**53 + 1}}, "input.seed"),
        ({"input": {"a": {"b": [1, float("nan")]}}}, "input.a.b[1]"),
        ({"input": {"a": float("inf")}}, "input.a"),
        ({"input": {"a": b"bytes"}}, "input.a"),
        ({"input": {"a": object()}}, "input.a"),
        ({"input": {1: "a"}}, "input"),
        ({"prompt": "\ud800"}, "prompt"),
        ({"labels": {"team": "\udcff"}}, "labels.team"),
        ({"priority": "urgent"}, "priority"),
        ({"timeout": float("nan")}, "timeout"),
        ({"timeout": 1e300}, "timeout"),
    ],
)
def test_what_would_be_changed_on_the_way_is_refused(changes: dict[str, Any], field: str) -> None:
    """Doubles round beyond 2^53, and protobuf has no bytes, NaN or lone surrogates in JSON."""
    with pytest.raises(InvalidRequest) as caught:
        submission(**changes)
    assert [each.field for each in caught.value.violations] == [field]


def test_every_violation_is_told_at_once() -> None:
    """One round trip for a person, not one per mistake."""
    with pytest.raises(InvalidRequest) as caught:
        submission(prompt="\ud800", input={"a": 2**60, "b": {1, 2}})
    assert len(caught.value.violations) == 3


def test_an_endless_nesting_is_refused() -> None:
    """A value that contains itself has no end."""
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InvalidRequest):
        submission(input={"a": endless})


@pytest.mark.parametrize("timeout", [600, 600.0, timedelta(minutes=10)])
def test_a_timeout_is_seconds_or_a_timedelta(timeout: float | timedelta) -> None:
    """Both are common in Python."""
    assert submission(timeout=timeout).timeout.seconds == 600


@pytest.mark.parametrize("priority", ["high", "HIGH", "PRIORITY_HIGH", Priority.PRIORITY_HIGH])
def test_a_priority_is_a_word_or_the_enum(priority: Any) -> None:
    """Words for people, the enum for type checkers."""
    assert submission(priority=priority).priority == Priority.PRIORITY_HIGH


def test_a_filter_says_what_it_was_given() -> None:
    """States by word or enum; times with their zone."""
    since = datetime(2026, 1, 1, 12, tzinfo=UTC)
    request = list_request(
        20,
        "",
        {
            "states": ["failed", Job.STATE_CANCELED],
            "labels": {"team": "design"},
            "create_time_from": since,
        },
    )
    assert list(request.states) == [Job.STATE_FAILED, Job.STATE_CANCELED]
    assert list(request.labels) == ["team=design"]
    assert request.create_time_from.ToDatetime(UTC) == since
    assert not request.HasField("create_time_before")


@pytest.mark.parametrize(
    ("address", "dialed", "secure"),
    [
        ("localhost:50051", "localhost:50051", False),
        ("http://localhost:8000/", "localhost:8000", False),
        ("https://media.example.com", "media.example.com:443", True),
        ("https://[::1]", "[::1]:443", True),
        ("https://[::1]:8443", "[::1]:8443", True),
        ("dns:///localhost:50051", "dns:///localhost:50051", False),
        ("unix:///tmp/socket", "unix:///tmp/socket", False),
    ],
)
def test_an_address_may_be_a_url(address: str, dialed: str, secure: bool) -> None:
    """People paste what the banner shows."""
    assert target(address, tls=False) == (dialed, secure)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_delay_grows_and_stays_within_its_bounds(attempt: int, randomness: float) -> None:
    """At least half of the doubled delay, never more than the longest."""
    backoff = Backoff(first=0.2, longest=5.0)
    assert 0.1 <= backoff.delay(attempt, randomness) <= 5.0
    assert backoff.delay(1, 1.0) == 0.2
