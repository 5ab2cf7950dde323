"""How does a model describe its inputs? Cog's OpenAPI shape, from one line per input."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """One input: `schema` holds its JSON Schema keywords, `choices` becomes an enum of its own."""

    name: str
    schema: Mapping[str, Any]
    required: bool = False
    choices: tuple[str, ...] | tuple[int, ...] = field(default=())

    @property
    def default(self) -> Any:
        return self.schema.get("default")


def text(name: str, description: str, default: str | None = None, required: bool = False) -> Field:
    return _field(name, "string", description, default, required=required)


def choice(
    name: str, description: str, choices: tuple[str, ...] | tuple[int, ...], default: Any = None
) -> Field:
    default = choices[0] if default is None else default
    return Field(name, {"description": description, "default": default}, choices=choices)


def integer(
    name: str,
    description: str,
    default: int | None = None,
    least: int | None = None,
    most: int | None = None,
) -> Field:
    return _field(name, "integer", description, default, minimum=least, maximum=most)


def number(name: str, description: str, default: float, least: float, most: float) -> Field:
    return _field(name, "number", description, default, minimum=least, maximum=most)


def flag(name: str, description: str, default: bool = False) -> Field:
    return _field(name, "boolean", description, default)


def uri(name: str, description: str) -> Field:
    return _field(name, "string", description, None, format="uri")


def uris(name: str, description: str) -> Field:
    items = {"type": "string", "format": "uri"}
    return _field(name, "array", description, None, items=items)


def _field(
    name: str, kind: str, description: str, default: Any, required: bool = False, **more: Any
) -> Field:
    schema: dict[str, Any] = {"type": kind, "description": description}
    schema |= {key: value for key, value in more.items() if value is not None}
    if default is not None:
        schema["default"] = default
    return Field(name, schema, required)


def openapi_schema(fields: Sequence[Field], output: Mapping[str, Any]) -> dict[str, Any]:
    """The document that a version carries: Input and Output under components.schemas."""
    schemas: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    for order, item in enumerate(fields):
        title = item.name.replace("_", " ").capitalize()
        if item.choices:
            kind = "integer" if isinstance(item.choices[0], int) else "string"
            schemas[item.name] = {
                "type": kind,
                "title": item.name,
                "enum": list(item.choices),
                "description": "An enumeration.",
            }
            reference = {"allOf": [{"$ref": f"#/components/schemas/{item.name}"}]}
            properties[item.name] = dict(item.schema) | reference | {"x-order": order}
        else:
            properties[item.name] = dict(item.schema) | {"title": title, "x-order": order}
    required = [item.name for item in fields if item.required]
    schemas["Input"] = {"type": "object", "title": "Input", "properties": properties}
    if required:
        schemas["Input"]["required"] = required
    schemas["Output"] = dict(output) | {"title": "Output"}
    return {
        "openapi": "3.0.2",
        "info": {"title": "Cog", "version": "0.1.0"},
        "paths": {},
        "components": {"schemas": schemas},
    }


ONE_FILE: Mapping[str, Any] = {"type": "string", "format": "uri"}
FILES: Mapping[str, Any] = {"type": "array", "items": {"type": "string", "format": "uri"}}
