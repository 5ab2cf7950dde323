"""Do the gateway's pure parts keep their rules? Inputs, ranges, how a file is shown, errors."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct, Value
from google.rpc import code_pb2
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import errors, inputs
from gateway.domain.ranges import Wanted, wanted
from gateway.rpc.errors import STATUSES, status_of
from mediagen.v1 import error_reason_pb2, job_pb2
from servicekit import presentation
from servicekit.printing import as_json


def leaves(kind: type) -> list[type]:
    below = kind.__subclasses__()
    return [each for one in below for each in leaves(one)] if below else [kind]


def test_every_error_has_a_code_and_a_reason() -> None:
    """The table is complete, and says nothing of classes that nobody raises."""
    assert set(STATUSES) == set(leaves(errors.GatewayError))
    for kind in STATUSES:
        assert kind.code in error_reason_pb2.ErrorReason.values()


def test_an_error_that_nobody_foresaw_tells_nothing() -> None:
    """Its text may hold a secret; the log has it."""
    status = status_of(RuntimeError("password=hunter2"))
    assert (status.code, status.message) == (code_pb2.INTERNAL, "Internal error.")


def problems(value: Any) -> dict[str, str]:
    return {each.field: each.reason for each in inputs.problems(value)}


def nested(levels: int) -> Any:
    value: Any = 1
    for number in range(levels):
        value = {"a": value} if number % 2 else [value]
    return {"a": value}


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ({"a": 2**53, "b": -(2**53), "c": 0.5, "d": True, "e": None}, {}),
        ({"a": 2**53 + 1}, {"input.a": "NUMBER_RANGE"}),
        ({"a": [1, -(2.0**60)]}, {"input.a[1]": "NUMBER_RANGE"}),
        ({"a": float("nan")}, {"input.a": "NUMBER_FINITE"}),
        ({"a": float("-inf")}, {"input.a": "NUMBER_FINITE"}),
        ({"a b": "\x00"}, {'input["a b"]': "NO_NUL"}),
        ({"a": "x" * (256 * 1024 - 8)}, {}),
        ({"a": "x" * (256 * 1024)}, {"input": "INPUT_SIZE"}),
        ({"a": "é" * (128 * 1024)}, {"input": "INPUT_SIZE"}),
    ],
)  # fmt: skip
def test_inputs_that_can_not_be_kept_are_refused(value: Any, wrong: dict[str, str]) -> None:
    """Each by its path, all at once."""
    assert problems(value) == wrong


def test_inputs_have_at_most_sixteen_levels() -> None:
    """The input itself is the first; however deep the rest is, looking stops there."""
    assert problems(nested(15)) == {}
    assert list(problems(nested(16)).values()) == ["INPUT_DEPTH"]
    assert list(problems(nested(500)).values()) == ["INPUT_DEPTH"]


def test_a_value_of_no_kind_is_refused() -> None:
    """gRPC can send one; JSON has no word for it."""
    struct = Struct(fields={"a": Value()})
    assert problems(inputs.plain(struct)) == {"input.a": "NO_VALUE"}


@given(st.dictionaries(st.text(max_size=8), st.floats() | st.text(max_size=8), max_size=5))
def test_what_is_accepted_can_be_stored(value: dict[str, Any]) -> None:
    """No NUL and no NaN, which PostgreSQL's jsonb refuses, passes."""
    if not problems(value):
        assert "\\u0000" not in repr(as_json(job_pb2.JobRequest(input=_struct(value))))
        assert all(each == each for each in value.values())


def _struct(value: dict[str, Any]) -> Struct:
    struct = Struct()
    struct.update(value)
    return struct


def test_whole_numbers_stay_whole_in_json() -> None:
    """A Struct holds doubles only; a caller who gave 4 gets 4."""
    request = job_pb2.JobRequest(input=_struct({"a": 4, "b": [1.5, -2.0]}))
    printed = as_json(request)["input"]
    assert (str(printed["a"]), str(printed["b"])) == ("4", "[1.5, -2]")


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({}, Wanted(200, 0, 100)),
        ({"range": "bytes=0-0"}, Wanted(206, 0, 1)),
        ({"range": "bytes=90-"}, Wanted(206, 90, 100)),
        ({"range": "bytes=90-500"}, Wanted(206, 90, 100)),
        ({"range": "bytes=-10"}, Wanted(206, 90, 100)),
        ({"range": "bytes=-500"}, Wanted(206, 0, 100)),
        ({"range": "bytes=100-"}, Wanted(416)),
        ({"range": "bytes=-0"}, Wanted(416)),
        ({"range": "bytes=5-2"}, Wanted(200, 0, 100)),
        ({"range": "bytes=-"}, Wanted(200, 0, 100)),
        ({"range": "bytes=0-1,5-6"}, Wanted(200, 0, 100)),
        ({"range": "pages=1-2"}, Wanted(200, 0, 100)),
        ({"range": "bytes=٣-"}, Wanted(200, 0, 100)),
        ({"range": "bytes=0-1", "if-range": '"e"'}, Wanted(206, 0, 2)),
        ({"range": "bytes=0-1", "if-range": 'W/"e"'}, Wanted(200, 0, 100)),
        ({"range": "bytes=0-1", "if-range": "Sun, 22 Nov 2026 00:00:00 GMT"}, Wanted(200, 0, 100)),
        ({"if-none-match": 'W/"x", "e"'}, Wanted(304)),
        ({"if-none-match": "*"}, Wanted(304)),
        ({"if-none-match": '"x"', "range": "bytes=0-1"}, Wanted(206, 0, 2)),
        ({"if-match": '"x"'}, Wanted(412)),
        ({"if-match": '"e"'}, Wanted(200, 0, 100)),
    ],
)
def test_ranges_and_conditions_are_as_the_rfc_has_them(
    headers: dict[str, str], answer: Wanted
) -> None:
    """RFC 9110, 13 and 14."""
    assert wanted(headers, etag='"e"', size=100) == answer


@given(st.text(max_size=20) | st.from_regex(r"bytes=\d*-\d*"), st.integers(0, 50))
def test_no_range_reaches_outside_the_artifact(text: str, size: int) -> None:
    """Whatever a header says."""
    answer = wanted({"range": text}, etag='"e"', size=size)
    assert answer.status in (200, 206, 416)
    if answer.status == 206:
        assert 0 <= answer.start < answer.end <= size


def test_head_is_never_partial() -> None:
    """Range is defined for GET only."""
    assert wanted({"range": "bytes=0-1"}, etag='"e"', size=9, head=True) == Wanted(200, 0, 9)


@pytest.mark.parametrize(
    ("media_type", "shown", "kind"),
    [
        ("image/webp", "inline", "image/webp"),
        ("video/mp4", "inline", "video/mp4"),
        ("text/plain", "inline", "text/plain; charset=utf-8"),
        ("text/html", "attachment", "text/html"),
        ("image/svg+xml", "attachment", "image/svg+xml"),
        ("IMAGE/SVG+XML; charset=x", "attachment", "image/svg+xml"),
        ("application/pdf", "attachment", "application/pdf"),
        ("image/png\r\nset-cookie: a=b", "attachment", "application/octet-stream"),
        ("", "attachment", "application/octet-stream"),
    ],
)
def test_only_what_can_not_carry_script_is_shown(media_type: str, shown: str, kind: str) -> None:
    """The rest is saved, and sandboxed."""
    told = presentation.headers("job-0", media_type)
    assert told["content-disposition"].startswith(shown)
    assert told["content-type"] == kind
    assert ("content-security-policy" in told) == (shown == "attachment")
