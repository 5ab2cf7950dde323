"""Which descriptions of a model could harm who reads them? Schemas by name, for the faults."""

import copy
from collections.abc import Callable
from typing import Any

Document = dict[str, Any]

COVERS = ("svg", "html", "bomb", "broken", "huge", "redirect")


def hostile_schema(name: str, document: Document) -> Any:
    """The model's own OpenAPI document with the named harm done to it."""
    return SCHEMAS[name](copy.deepcopy(document))


def _properties(document: Document) -> Document:
    found: Document = document["components"]["schemas"]["Input"]["properties"]
    return found


def _deep(document: Document) -> Document:
    """An input of arrays of arrays, five hundred of them."""
    inner: Document = {"type": "string"}
    for _ in range(500):
        inner = {"type": "array", "items": inner}
    _properties(document)["deep"] = inner
    return document


def _wide(document: Document) -> Document:
    """Twenty thousand inputs."""
    _properties(document).update({f"input_{n}": {"type": "string"} for n in range(20_000)})
    return document


def _cycle(document: Document) -> Document:
    """References that lead back to where they came from."""
    schemas = document["components"]["schemas"]
    schemas["One"] = {"allOf": [{"$ref": "#/components/schemas/Other"}]}
    schemas["Other"] = {"allOf": [{"$ref": "#/components/schemas/One"}]}
    _properties(document)["round"] = {"$ref": "#/components/schemas/One"}
    return document


def _laughs(document: Document) -> Document:
    """References that double with each level: a billion laughs."""
    schemas = document["components"]["schemas"]
    schemas["Laugh0"] = {"type": "string"}
    for level in range(1, 40):
        before = {"$ref": f"#/components/schemas/Laugh{level - 1}"}
        schemas[f"Laugh{level}"] = {"anyOf": [before, before]}
    _properties(document)["laugh"] = {"$ref": "#/components/schemas/Laugh39"}
    return document


def _pattern(document: Document) -> Document:
    """A regular expression that takes for ever."""
    _properties(document)["prompt"] = {"type": "string", "pattern": "^(a+)+$", "x-order": 0}
    return document


def _elsewhere(document: Document) -> Document:
    """References to files and other hosts."""
    properties = _properties(document)
    properties["local"] = {"$ref": "file:///etc/passwd"}
    properties["remote"] = {"$ref": "http://foreign.invalid/schema.json"}
    return document


def _odd(document: Document) -> Document:
    """Keywords of the wrong types."""
    _properties(document)["odd"] = {
        "type": ["string", 7, None],
        "enum": {"a": 1},
        "minimum": "low",
        "default": {"x": [{}] * 50},
        "title": 12,
        "x-order": "first",
        "items": True,
    }
    return document


def _names(document: Document) -> Document:
    """Inputs whose names are none."""
    _properties(document).update({name: {"type": "string"} for name in ("", "\x00", "a" * 100_000)})
    return document


def _no_input(document: Document) -> Document:
    """No Input at all."""
    del document["components"]["schemas"]["Input"]
    return document


def _number(document: Document) -> int:
    """Not even an object."""
    return 42


SCHEMAS: dict[str, Callable[[Document], Any]] = {
    "deep": _deep,
    "wide": _wide,
    "cycle": _cycle,
    "laughs": _laughs,
    "pattern": _pattern,
    "elsewhere": _elsewhere,
    "odd": _odd,
    "names": _names,
    "no_input": _no_input,
    "number": _number,
}
