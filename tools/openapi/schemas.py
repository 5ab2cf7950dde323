"""How does a proto message look as JSON, in JSON Schema's words?

The JSON is proto3's with the protos' own field names, as the edge and the gateway write it.
"""

from collections.abc import Collection
from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto

from tools.openapi import rules
from tools.openapi.descriptors import Declarations

Json = dict[str, Any]
Field = FieldDescriptorProto

WELL_KNOWN: dict[str, Json] = {
    "google.protobuf.Any": {
        "type": "object",
        "required": ["@type"],
        "properties": {"@type": {"type": "string"}},
        "additionalProperties": True,
    },
    "google.protobuf.Duration": {
        "type": "string",
        "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$",
        "examples": ["1.500s"],
    },
    "google.protobuf.Struct": {"type": "object", "additionalProperties": True},
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Value": {},
}
INT32: Json = {"type": "integer", "format": "int32"}
UINT32: Json = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
INT64: Json = {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}
UINT64: Json = {"type": "string", "format": "uint64", "pattern": "^[0-9]+$"}
SCALARS: dict[int, Json] = {
    Field.TYPE_BOOL: {"type": "boolean"},
    Field.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
    Field.TYPE_DOUBLE: {"type": "number", "format": "double"},
    Field.TYPE_FLOAT: {"type": "number", "format": "float"},
    Field.TYPE_STRING: {"type": "string"},
    **dict.fromkeys((Field.TYPE_INT32, Field.TYPE_SINT32, Field.TYPE_SFIXED32), INT32),
    **dict.fromkeys((Field.TYPE_UINT32, Field.TYPE_FIXED32), UINT32),
    **dict.fromkeys((Field.TYPE_INT64, Field.TYPE_SINT64, Field.TYPE_SFIXED64), INT64),
    **dict.fromkeys((Field.TYPE_UINT64, Field.TYPE_FIXED64), UINT64),
}


class Schemas:
    """The schemas that were referred to so far, by their name in the document."""

    def __init__(self, declarations: Declarations, home: str) -> None:
        self._declarations = declarations
        self._home = f"{home}."
        self.used: dict[str, Json] = {}

    def reference(self, type_name: str) -> Json:
        """A $ref to a message or enum, whose schema is added if it is new."""
        full_name = type_name.lstrip(".")
        if full_name in WELL_KNOWN:
            return dict(WELL_KNOWN[full_name])
        name = full_name.removeprefix(self._home)
        if name not in self.used:
            self.used[name] = {}  # a message may refer to itself
            is_enum = full_name in self._declarations.enums
            self.used[name] = self._enum(full_name) if is_enum else self.message(full_name)
        return {"$ref": f"#/components/schemas/{name}"}

    def message(self, full_name: str, without: Collection[str] = ()) -> Json:
        """The schema of a message, less the fields that a caller gives elsewhere."""
        message = self._declarations.messages[full_name]
        fields = [field for field in message.field if field.name not in without]
        description = self._declarations.comment(full_name)
        if told := rules.message_messages(message.options):
            description += "\n\nRules: " + "; ".join(told) + "."
        schema: Json = {"type": "object", "description": description}
        schema["properties"] = {field.name: self.field(field, full_name) for field in fields}
        if required := [f.name for f in fields if self.is_required(f, full_name)]:
            schema["required"] = required
        if choices := _choices(message):
            schema["oneOf"] = [{"required": [name]} for name in choices]
        return schema

    def field(self, field: FieldDescriptorProto, owner: str) -> Json:
        """The schema of a field of the message `owner`."""
        schema = self._value(field)
        constraints = rules.field_rules(field)
        rules.apply(constraints, schema)
        words = [self._declarations.comment(f"{owner}.{field.name}")]
        if told := rules.field_messages(constraints):
            words.append("Rules: " + "; ".join(told) + ".")
        if description := "\n\n".join(filter(None, words)):
            schema["description"] = description
        if field.options.deprecated:
            schema["deprecated"] = True
        return schema

    def is_required(self, field: FieldDescriptorProto, owner: str) -> bool:
        """Whether a caller must give it: a rule says so, or its comment does."""
        constraints = rules.field_rules(field)
        said = self._declarations.comment(f"{owner}.{field.name}").startswith("Required.")
        return said or constraints.required or constraints.string.min_len > 0

    def is_message(self, field: FieldDescriptorProto) -> bool:
        """Whether its JSON is an object of our own making."""
        return field.type == Field.TYPE_MESSAGE and field.type_name.lstrip(".") not in WELL_KNOWN

    def _value(self, field: FieldDescriptorProto) -> Json:
        entry = self._declarations.messages.get(field.type_name.lstrip("."))
        if entry is not None and entry.options.map_entry:
            return {"type": "object", "additionalProperties": self._value(entry.field[1])}
        if field.type == Field.TYPE_ENUM:
            schema = self._enum_of(field)
        elif field.type == Field.TYPE_MESSAGE:
            schema = self.reference(field.type_name)
        else:
            schema = dict(SCALARS[field.type])
        if field.label == Field.LABEL_REPEATED:
            return {"type": "array", "items": schema}
        return schema

    def _enum_of(self, field: FieldDescriptorProto) -> Json:
        """A reference, or the values that are left where a rule excludes some."""
        excluded = rules.excluded_enum_numbers(rules.field_rules(field))
        if not excluded:
            return self.reference(field.type_name)
        enum = self._declarations.enums[field.type_name.lstrip(".")]
        names = [value.name for value in enum.value if value.number not in excluded]
        return {"type": "string", "enum": names}

    def _enum(self, full_name: str) -> Json:
        enum = self._declarations.enums[full_name]
        comment = self._declarations.comment
        values = [f"- `{v.name}`: {comment(f'{full_name}.{v.name}')}" for v in enum.value]
        description = "\n".join([comment(full_name), "", *values])
        names = [value.name for value in enum.value]
        return {"type": "string", "enum": names, "description": description.strip()}


def _choices(message: DescriptorProto) -> list[str]:
    """The members of a message's oneof. Of several oneofs none can be told by `oneOf` alone."""
    if len([o for o in message.oneof_decl if not o.name.startswith("_")]) != 1:
        return []
    return [f.name for f in message.field if f.HasField("oneof_index") and not f.proto3_optional]
