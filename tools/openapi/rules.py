"""Which JSON Schema keywords say the same as a protovalidate rule?

Rules without a keyword of their own (CEL, durations) are told in words by the field's comment and
by their own message.
"""

from collections.abc import Iterator
from typing import Any

from buf.validate import validate_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, MessageOptions
from google.protobuf.message import Message

Json = dict[str, Any]

STRING = {"min_len": "minLength", "max_len": "maxLength", "pattern": "pattern", "const": "const"}
STRING_FORMATS = frozenset({"uuid", "uri", "email", "hostname", "ipv4", "ipv6"})
REPEATED = {"min_items": "minItems", "max_items": "maxItems", "unique": "uniqueItems"}
MAP = {"min_pairs": "minProperties", "max_pairs": "maxProperties"}
NUMBER = {
    "gte": "minimum",
    "lte": "maximum",
    "gt": "exclusiveMinimum",
    "lt": "exclusiveMaximum",
    "const": "const",
}
# 64-bit integers are strings in JSON, where these keywords mean nothing.
NUMBERS = frozenset(
    {"int32", "uint32", "sint32", "fixed32", "sfixed32", "float", "double"},
)


def field_rules(field: FieldDescriptorProto) -> validate_pb2.FieldRules:
    """The rules on a field; empty if it has none."""
    return field.options.Extensions[validate_pb2.field]


def apply(rules: validate_pb2.FieldRules, schema: Json) -> None:
    """Add the keywords for `rules` to the schema of the field or item that they are on."""
    kind = rules.WhichOneof("type")
    if kind is None:
        return
    for name, value in _set_fields(getattr(rules, kind)):
        if kind == "string":
            _string(name, value, schema)
        elif kind == "repeated" and name == "items":
            apply(value, schema["items"])
        elif kind == "repeated" and name in REPEATED:
            schema[REPEATED[name]] = value
        elif kind == "map" and name == "keys":
            apply(value, schema.setdefault("propertyNames", {}))
        elif kind == "map" and name == "values":
            apply(value, schema["additionalProperties"])
        elif kind == "map" and name in MAP:
            schema[MAP[name]] = value
        elif kind in NUMBERS and name in NUMBER:
            schema[NUMBER[name]] = value


def excluded_enum_numbers(rules: validate_pb2.FieldRules) -> set[int]:
    """Values of an enum that a field, or the items of a list, may not have."""
    if rules.WhichOneof("type") == "repeated":
        rules = rules.repeated.items
    return set(rules.enum.not_in) if rules.WhichOneof("type") == "enum" else set()


def field_messages(rules: validate_pb2.FieldRules) -> list[str]:
    """What a field's CEL rules say in words."""
    return [rule.message for rule in rules.cel if rule.message]


def message_messages(options: MessageOptions) -> list[str]:
    """What a message's CEL rules say in words."""
    return [rule.message for rule in options.Extensions[validate_pb2.message].cel if rule.message]


def _string(name: str, value: Any, schema: Json) -> None:
    if name in STRING:
        schema[STRING[name]] = value
    elif name == "len":
        schema["minLength"] = schema["maxLength"] = value
    elif name == "in":
        schema["enum"] = list(value)
    elif name in STRING_FORMATS and value:
        schema["format"] = name


def _set_fields(rules: Message) -> Iterator[tuple[str, Any]]:
    for field, value in rules.ListFields():
        yield field.name, value
