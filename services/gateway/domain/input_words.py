"""How is a violation of a model's schema said? By what may be given, and never by what was."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from jsonschema.exceptions import ValidationError

_LONGEST_LIST = 120
_LONGEST_VALUE = 40
_KINDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_FILE = "an https or data: URL, upload:… or artifact:…"
_SECRET = "x-cog-secret"  # pragma: allowlist secret


class Told(NamedTuple):
    """A violation, for people and for programs."""

    description: str
    reason: str


def told(error: ValidationError) -> Told:
    """What *error* is, without the value that it is about."""
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    keyword = str(error.validator)
    reason = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", keyword).upper()
    return Told(f"{_must(keyword, error.validator_value, schema)}{_otherwise(schema)}", reason)


def required(schema: object) -> str:
    """Of an input that has to be given."""
    known = schema if isinstance(schema, Mapping) else {}
    if isinstance(known.get("enum"), list):
        return f"is required; one of {listed(known['enum'])}"
    kind = _kind(known)
    return "is required" if kind in ("", _KINDS["string"]) else f"is required: {kind}"


def listed(values: Iterable[object]) -> str:
    """`1:1, 16:9, 21:9`, and how many more where they are many."""
    each = [shown(value) for value in values]
    text, taken = "", 0
    for value in each:
        longer = f"{text}, {value}" if text else value
        if taken and len(longer) > _LONGEST_LIST:
            return f"{text} … ({len(each)} in all)"
        text, taken = longer, taken + 1
    return text


def shown(value: object) -> str:
    """A value of a schema."""
    if isinstance(value, str):
        plain = value if value.strip() == value != "" and "," not in value else json.dumps(value)
        return plain if len(plain) <= _LONGEST_VALUE else f"{plain[: _LONGEST_VALUE - 1]}…"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _must(keyword: str, wanted: Any, schema: Mapping[str, Any]) -> str:
    match keyword:
        case "type" | "format":
            return f"must be {_kind(schema) or 'of another kind'}"
        case "enum":
            return f"must be one of {listed(wanted)}"
        case "const":
            return f"must be {shown(wanted)}"
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
            return f"must be {_range(schema)}"
        case "multipleOf":
            return f"must be a multiple of {shown(wanted)}"
        case "minLength":
            return f"must have at least {shown(wanted)} characters"
        case "maxLength":
            return f"must have at most {shown(wanted)} characters"
        case "minItems":
            return f"must have at least {shown(wanted)} entries"
        case "maxItems":
            return f"must have at most {shown(wanted)} entries"
        case "anyOf" | "oneOf":
            return f"must be {_either(wanted)}"
    return "is not what the model takes"


def _otherwise(schema: Mapping[str, Any]) -> str:
    if "default" not in schema or schema.get(_SECRET):
        return ""
    default = schema["default"]
    return f"; {shown(default)} if left out" if default not in ("", None) else "; may be left out"


def _range(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f"from {shown(least)} to {shown(most)}"
    bounds = {
        "at least": least,
        "at most": most,
        "more than": schema.get("exclusiveMinimum"),
        "less than": schema.get("exclusiveMaximum"),
    }
    return " and ".join(f"{words} {shown(n)}" for words, n in bounds.items() if n is not None)


def _kind(schema: Mapping[str, Any]) -> str:
    """`a whole number or null`."""
    kinds = schema.get("type")
    names: Sequence[str] = [kinds] if isinstance(kinds, str) else kinds or ()
    if schema.get("format") == "uri" and "string" in names:
        rest = [_KINDS[name] for name in names if name != "string" and name in _KINDS]
        return " or ".join([_FILE, *rest])
    return " or ".join(_KINDS[name] for name in names if name in _KINDS)


def _either(alternatives: object) -> str:
    """What any of several schemas takes, in short."""
    found: list[str] = []
    for each in alternatives if isinstance(alternatives, list) else ():
        if not isinstance(each, Mapping):
            continue
        words = f"one of {listed(each['enum'])}" if isinstance(each.get("enum"), list) else ""
        words = words or _kind(each)
        if words and words not in found:
            found.append(words)
    return ", or ".join(found) or "of another kind"
