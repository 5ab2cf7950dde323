"""Is nothing in a JSON body dropped, rounded or overwritten in silence?"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given
from hypothesis import strategies as st

from gateway.http import strict_json
from mediagen.v1.generation_service_pb2 import CancelJobRequest, SubmitJobRequest
from mediagen.v1.operator_service_pb2 import RedriveDeadLettersRequest

WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=20)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(-1e15, 1e15)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=12,
)
BODIES = st.fixed_dictionaries(
    {"model": WORDS},
    optional={
        "prompt": WORDS,
        "request_id": WORDS,
        "input": st.dictionaries(WORDS, VALUES, max_size=4),
        "labels": st.dictionaries(WORDS, WORDS, max_size=4),
        "timeout": st.integers(0, 10**6).map(lambda seconds: f"{seconds}s"),
        "priority": st.sampled_from(["PRIORITY_LOW", "PRIORITY_HIGH", 2]),
    },
)
FIELDS = {field.name for field in SubmitJobRequest.DESCRIPTOR.fields}
FIELDS |= {field.json_name for field in SubmitJobRequest.DESCRIPTOR.fields}


def read(body: bytes | dict[str, Any]) -> tuple[SubmitJobRequest, dict[str, str]]:
    """The message, and what is wrong by field."""
    message = SubmitJobRequest()
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return message, {each.field: each.reason for each in strict_json.read(raw, message)}


@given(BODIES)
def test_a_right_body_means_what_protobuf_says_it_means(body: dict[str, Any]) -> None:
    """Strictness changes no meaning: the same message as the library's own parser makes."""
    message, wrong = read(body)
    assert wrong == {}
    assert message == ParseDict(body, SubmitJobRequest())


@given(BODIES, WORDS.filter(lambda key: key not in FIELDS), VALUES)
def test_an_unknown_key_is_always_told_and_only_it(
    body: dict[str, Any], key: str, value: Any
) -> None:
    """Whatever else is right, and whatever its value."""
    _, wrong = read({**body, key: value})
    assert list(wrong.values()) == ["FIELD_UNKNOWN"]


@given(
    st.binary(max_size=200) | st.recursive(VALUES, st.lists).map(lambda v: json.dumps(v).encode())
)
def test_no_body_breaks_the_parser(body: bytes) -> None:
    """Any bytes give a message or problems, never an exception."""
    read(body)


@given(st.lists(st.sampled_from("abc"), max_size=5), st.sampled_from(["{}", '"x"', "1"]))
def test_a_key_given_twice_is_told_at_any_depth(path: list[str], value: str) -> None:
    """Which of the two was meant nobody knows."""
    body = f'{{"k": {value}, "k": {value}}}'
    for key in reversed(path):
        body = f'{{"{key}": {body}}}'
    _, wrong = read(f'{{"model": "a/b", "input": {body}}}'.encode())
    assert wrong == {".".join(["input", *path, "k"]): "KEY_TWICE"}


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"model": 7}, {"model": "JSON_TYPE"}),
        ({"prompt": ["a"]}, {"prompt": "JSON_TYPE"}),
        ({"prompt": True}, {"prompt": "JSON_TYPE"}),
        ({"input": []}, {"input": "JSON_TYPE"}),
        ({"labels": {"a": 1}}, {'labels["a"]': "JSON_TYPE"}),
        ({"labels": "a=b"}, {"labels": "JSON_TYPE"}),
        ({"timeout": 90}, {"timeout": "JSON_TYPE"}),
        ({"timeout": "soon"}, {"timeout": "DURATION_FORMAT"}),
        ({"priority": "high"}, {"priority": "ENUM_VALUE"}),
        ({"priority": True}, {"priority": "JSON_TYPE"}),
        ({"priority": 9}, {"priority": "ENUM_VALUE"}),
        ({"request_id": "a", "requestId": "a"}, {"request_id": "KEY_TWICE"}),
        ({"input": {"seed": 2**53 + 1}}, {"input.seed": "NUMBER_RANGE"}),
        (b'{"input": {"x": NaN}}', {"input.x": "NUMBER_FINITE"}),
        (b'{"input": {"x": 1e999}}', {"input.x": "NUMBER_FINITE"}),
        (b'{"input": {"x": %s}}' % (b"9" * 5000), {"input.x": "NUMBER_FINITE"}),
        (b'{"input": {"x": "\\ud800"}}', {"input.x": "NOT_UNICODE"}),
        (b'{"input": {"\\u0000": 1}}', {'input["\\u0000"]': "NO_NUL"}),
        (b'\xef\xbb\xbf{}', {"": "JSON_SYNTAX"}),
        (b"[" * 50_000, {"": "JSON_SYNTAX"}),
        (b"7", {"": "JSON_TYPE"}),
    ],
)  # fmt: skip
def test_a_mistake_names_its_field(body: Any, wrong: dict[str, str]) -> None:
    assert read(body)[1] == wrong


def test_null_is_the_same_as_not_given() -> None:
    """As in all JSON of protos."""
    assert read({"model": "a/b", "prompt": None, "input": None}) == (
        SubmitJobRequest(model="a/b"),
        {},
    )


def test_a_slip_of_the_pen_is_guessed() -> None:
    """And what is no slip is sent to where models' inputs belong."""
    slip, foreign = strict_json.read(b'{"promt": "x", "num_outputs": 4}', SubmitJobRequest())
    assert "did you mean 'prompt'?" in slip.description
    assert '{"input": {"num_outputs": …}}' in foreign.description


def test_a_field_of_the_path_is_not_given_again() -> None:
    message = CancelJobRequest(job_id="a")
    [wrong] = strict_json.read(b'{"job_id": "b"}', message, in_path=frozenset({"job_id"}))
    assert (wrong.reason, message.job_id) == ("FIELD_IN_PATH", "a")


TIMES = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1)).map(lambda t: f"{t.isoformat()}Z")
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "states": st.lists(st.sampled_from(["STATE_DEAD", "STATE_PARKED", 2])),
        "tenant": WORDS,
        "charges": st.lists(st.sampled_from(["CHARGE_NO", 3])),
        "createTimeFrom": TIMES,
        "create_time_before": TIMES,
    },
)
DECISIONS = st.fixed_dictionaries(
    {},
    optional={
        "job_ids": st.lists(WORDS),
        "filter": FILTERS,
        "force": st.booleans(),
        "limit": st.integers(-(2**31), 2**31 - 1) | st.just(5.0),
    },
)


@given(DECISIONS)
def test_lists_numbers_times_and_messages_mean_what_protobuf_says(body: dict[str, Any]) -> None:
    """An empty filter is one that is there."""
    message = RedriveDeadLettersRequest()
    assert strict_json.read(json.dumps(body).encode(), message) == []
    assert message == ParseDict(body, RedriveDeadLettersRequest())


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"filter": {"all": True, "tenant": 5}},
         {"filter.all": "FIELD_UNKNOWN", "filter.tenant": "JSON_TYPE"}),
        ({"filter": {"createTimeFrom": "x", "create_time_from": "y"}},
         {"filter.create_time_from": "KEY_TWICE"}),
        ({"filter": "all"}, {"filter": "JSON_TYPE"}),
        ({"filter": {"states": ["DEAD", None, "STATE_DEAD"]}},
         {"filter.states[0]": "ENUM_VALUE", "filter.states[1]": "JSON_TYPE"}),
        ({"filter": {"create_time_from": "2026-11-22"}},
         {"filter.create_time_from": "TIMESTAMP_FORMAT"}),
        ({"filter": {"create_time_from": "2026-11-31T00:00:00Z"}},
         {"filter.create_time_from": "TIMESTAMP_FORMAT"}),
        ({"filter": {"create_time_from": 0}}, {"filter.create_time_from": "JSON_TYPE"}),
        ({"limit": "5"}, {"limit": "JSON_TYPE"}),
        ({"limit": True}, {"limit": "JSON_TYPE"}),
        ({"limit": 2**31}, {"limit": "NUMBER_RANGE"}),
        ({"limit": 1.5}, {"limit": "NUMBER_RANGE"}),
        (b'{"limit": 1e999}', {"limit": "NUMBER_RANGE"}),
        (b'{"limit": NaN}', {"limit": "NUMBER_RANGE"}),
        ({"force": 1}, {"force": "JSON_TYPE"}),
        ({"job_ids": {"0": "a"}}, {"job_ids": "JSON_TYPE"}),
        (b'{"job_ids": ["\\ud800"]}', {"job_ids[0]": "NOT_UNICODE"}),
    ],
    ids=lambda value: str(value)[:50],
)  # fmt: skip
def test_a_mistake_within_is_named_by_its_path(
    body: bytes | dict[str, Any], wrong: dict[str, str]
) -> None:
    """In an element of a list, or in a message within the request."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    found = strict_json.read(raw, RedriveDeadLettersRequest())
    assert {each.field: each.reason for each in found} == wrong
