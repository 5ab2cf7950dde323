"""How proto fields and rules become JSON Schema, on a small proto made for it."""

from __future__ import annotations

from typing import Any

import pytest
from buf.validate import validate_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from tools.openapi import rules
from tools.openapi.descriptors import index
from tools.openapi.schemas import Schemas

Json = dict[str, Any]
Field = FieldDescriptorProto


def field(name: str, kind: Field.Type.ValueType, **more: Any) -> FieldDescriptorProto:
    """A field of a message."""
    return Field(name=name, type=kind, **{"label": Field.LABEL_OPTIONAL, **more})


def schema_for(*fields: FieldDescriptorProto) -> Json:
    """The schema of a message of these fields."""
    message = DescriptorProto(name="Thing", field=fields)
    file = FileDescriptorProto(name="t.proto", package="t", message_type=[message])
    return Schemas(index(FileDescriptorSet(file=[file])), "t").message("t.Thing")


@pytest.mark.parametrize(
    ("kind", "json_type"),
    [
        (Field.TYPE_BOOL, "boolean"),
        (Field.TYPE_STRING, "string"),
        (Field.TYPE_INT32, "integer"),
        (Field.TYPE_UINT32, "integer"),
        (Field.TYPE_INT64, "string"),
        (Field.TYPE_UINT64, "string"),
        (Field.TYPE_DOUBLE, "number"),
        (Field.TYPE_BYTES, "string"),
    ],
)
def test_scalars_are_printed_as_proto3_json(kind: Field.Type.ValueType, json_type: str) -> None:
    """64-bit integers are strings, bytes are base64."""
    assert schema_for(field("x", kind))["properties"]["x"]["type"] == json_type


def test_repeated_fields_are_arrays() -> None:
    """Of their items."""
    schema = schema_for(field("x", Field.TYPE_STRING, label=Field.LABEL_REPEATED))
    assert schema["properties"]["x"] == {"type": "array", "items": {"type": "string"}}


def test_a_message_may_hold_itself() -> None:
    """The schema refers to itself, and building it ends."""
    itself = field("x", Field.TYPE_MESSAGE, type_name=".t.Thing")
    assert schema_for(itself)["properties"]["x"] == {"$ref": "#/components/schemas/Thing"}


def test_fields_given_elsewhere_are_left_out() -> None:
    """A path variable is not repeated in the body."""
    message = DescriptorProto(
        name="Thing", field=[field("id", Field.TYPE_STRING), field("x", Field.TYPE_STRING)]
    )
    file = FileDescriptorProto(name="t.proto", package="t", message_type=[message])
    schemas = Schemas(index(FileDescriptorSet(file=[file])), "t")
    assert list(schemas.message("t.Thing", without=["id"])["properties"]) == ["x"]


def test_rules_become_keywords() -> None:
    """Of the field, of the items of a list, and of the keys of a map."""
    schema: Json = {"type": "string"}
    rules.apply(
        validate_pb2.FieldRules(
            string=validate_pb2.StringRules(min_len=1, max_len=9, pattern="^a")
        ),
        schema,
    )
    assert schema == {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^a"}
    items: Json = {"type": "array", "items": {"type": "integer"}}
    each = validate_pb2.FieldRules(int32=validate_pb2.Int32Rules(gte=0, lt=5))
    rules.apply(
        validate_pb2.FieldRules(repeated=validate_pb2.RepeatedRules(max_items=2, items=each)),
        items,
    )
    assert items["maxItems"] == 2
    assert items["items"] == {"type": "integer", "minimum": 0, "exclusiveMaximum": 5}
    pairs: Json = {"type": "object", "additionalProperties": {"type": "string"}}
    keys = validate_pb2.FieldRules(string=validate_pb2.StringRules(max_len=3))
    rules.apply(validate_pb2.FieldRules(map=validate_pb2.MapRules(max_pairs=4, keys=keys)), pairs)
    assert pairs["maxProperties"] == 4
    assert pairs["propertyNames"] == {"maxLength": 3}


def test_limits_of_64_bit_integers_are_not_keywords() -> None:
    """They are strings in JSON, where `minimum` says nothing."""
    schema: Json = {"type": "string"}
    rules.apply(validate_pb2.FieldRules(int64=validate_pb2.Int64Rules(gte=0)), schema)
    assert schema == {"type": "string"}


def test_what_must_be_given_is_required() -> None:
    """By its rule."""
    given = field("x", Field.TYPE_STRING)
    given.options.Extensions[validate_pb2.field].string.min_len = 1
    assert schema_for(given, field("y", Field.TYPE_STRING))["required"] == ["x"]
