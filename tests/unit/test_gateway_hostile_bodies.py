"""Does one caller's hostile body leave the gateway to the others?"""

from __future__ import annotations

import json
import time

import pytest

from gateway.domain import inputs
from gateway.http import strict_json
from gateway.rpc.checks import oversized
from mediagen.v1.generation_service_pb2 import ListJobsRequest, SubmitJobRequest
from mediagen.v1.job_pb2 import Job

# Each took 1 to 8 s before; the limit leaves a slow machine room.
MOST_SECONDS = 1.5


def numbers(one: bytes, count: int) -> bytes:
    return b'{"model":"a/b","input":{"x":[' + b",".join([one] * count) + b"]}}"


@pytest.mark.parametrize(
    ("body", "count", "reason"),
    [
        (json.dumps({f"{n:06}prompt": 1 for n in range(100_000)}).encode(), 20, "FIELD_UNKNOWN"),
        (numbers(b"1e300", 200_000), 1, "INPUT_SIZE"),
        (numbers(b"1", 1_000_000), 1, "INPUT_SIZE"),
        (numbers(b"1e300", 20_000), 20, "NUMBER_RANGE"),
        (json.dumps({"labels": dict.fromkeys(map(str, range(100_000)), 1)}).encode(), 20,
         "JSON_TYPE"),
        (json.dumps({"x" * 1_000_000: 1}).encode(), 1, "FIELD_UNKNOWN"),
    ],
    ids=["keys", "bad numbers", "numbers", "bad numbers of a right size", "labels", "long key"],
)  # fmt: skip
def test_a_large_body_is_refused_soon(body: bytes, count: int, reason: str) -> None:
    """Looking ends at what a caller is told, and size is known before each value is looked at."""
    begin = time.process_time()
    found = strict_json.read(body, SubmitJobRequest())
    assert time.process_time() - begin < MOST_SECONDS
    assert (len(found), {each.reason for each in found}) == (count, {reason})


def test_a_message_too_large_for_the_rules_is_refused_by_its_size() -> None:
    """Over gRPC, with the same words as a little too much has."""
    request = SubmitJobRequest(model="a/b")
    values = request.input.fields["x"].list_value.values
    for _ in range(100_000):
        values.add().number_value = 1e300
    [wrong] = oversized(request)
    assert (wrong.field, wrong.description, wrong.reason) == inputs.too_large()


def test_an_input_of_a_right_size_goes_on_to_the_rules() -> None:
    """Even the one whose message is largest beside its JSON: a list of the shortest doubles."""
    count = inputs.MOST_BYTES // len("1.0,") - 2
    request = SubmitJobRequest(model="a/b")
    request.input.update({"x": [1.0] * count})
    assert inputs.problems(inputs.plain(request.input)) == []
    assert oversized(request) == []


def test_entries_by_the_thousand_are_refused_uncounted() -> None:
    """A rule over each of them would hold up everyone."""
    labels = {str(number): "" for number in range(5000)}
    assert [each.field for each in oversized(SubmitJobRequest(labels=labels))] == ["labels"]
    assert [each.field for each in oversized(ListJobsRequest(labels=labels))] == ["labels"]
    assert [
        each.field for each in oversized(ListJobsRequest(states=[Job.STATE_PENDING] * 5000))
    ] == ["states"]


@pytest.mark.parametrize(
    "name", [name for name in SubmitJobRequest.DESCRIPTOR.fields_by_name if name != "input"]
)
def test_half_a_surrogate_pair_is_a_mistake_in_every_field(name: str) -> None:
    """The protobuf library fails on such a string, wherever it is given one."""
    half = "\ud800"
    for value in (half, {half: half}, {"a": half}, [half]):
        body = json.dumps({name: value, half: half}).encode()
        found = strict_json.read(body, SubmitJobRequest())
        assert [each.field for each in found][1:] == ['["\\ud800"]']
        assert found[0].field.startswith(name)
        for each in found:
            "".join(each).encode()
