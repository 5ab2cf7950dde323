"""Is a text of the wrong form told what form is meant, in words?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.rpc.pattern_words import PATTERN_WORDS
from mediagen.v1 import (
    generation_service_pb2,
    input_service_pb2,
    model_service_pb2,
    operator_service_pb2,
    webhook_endpoint_service_pb2,
    webhook_pb2,
    webhook_service_pb2,
)
from mediagen.v1.generation_service_pb2 import ListJobsRequest, SubmitJobRequest
from servicekit import validation

FILES = (
    generation_service_pb2, input_service_pb2, model_service_pb2, operator_service_pb2,
    webhook_endpoint_service_pb2, webhook_pb2, webhook_service_pb2,
)  # fmt: skip


def patterns(message: Descriptor) -> Iterator[str]:
    for field in message.fields:
        yield from _within(_rules(field))
    for inner in message.nested_types:
        yield from patterns(inner)


def _rules(field: FieldDescriptor) -> Any:
    return field.GetOptions().Extensions[validate_pb2.field]


def _within(rules: Any) -> Iterator[str]:
    if rules.string.HasField("pattern"):
        yield rules.string.pattern
    for inner in (rules.repeated.items, rules.map.keys, rules.map.values):
        if inner.ByteSize():
            yield from _within(inner)


def test_every_pattern_of_the_contract_has_words() -> None:
    """A regular expression tells most people nothing."""
    every = {
        pattern
        for file in FILES
        for message in file.DESCRIPTOR.message_types_by_name.values()
        for pattern in patterns(message)
    }
    assert every == set(PATTERN_WORDS)


@pytest.mark.parametrize(
    ("request_", "field", "words"),
    [
        (SubmitJobRequest(labels={"Team A": "x"}), 'labels["Team A"]', "lower-case letters"),
        (SubmitJobRequest(labels={"a": "\0"}), 'labels["a"]', "U+0000"),
        (ListJobsRequest(labels=["Team A=x"]), "labels[0]", "must be key=value"),
        (SubmitJobRequest(request_id="a b"), "request_id", "at most 128"),
    ],
)
def test_a_wrong_text_is_told_its_form(request_: Any, field: str, words: str) -> None:
    """Under the rule's own name, for programs."""
    found = {each.field: each for each in validation.violations(request_, PATTERN_WORDS)}
    assert words in found[field].description
    assert "regex" not in found[field].description
    assert found[field].reason == "STRING_PATTERN"
