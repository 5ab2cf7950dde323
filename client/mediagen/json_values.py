"""Which Python values can be sent, in the JSON of a model's inputs and as text?

What would be changed or lost on the way is told as the server would tell it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.struct_pb2 import Struct

from mediagen.errors import Violation

# google.protobuf.Struct keeps every number as a double, exact for whole numbers up to here.
_LARGEST_WHOLE = 2**53
_DEEPEST = 64


def struct(values: Mapping[str, Any]) -> Struct:
    """*values*, which break no rule."""
    struct = Struct()
    struct.update(_plain(values))
    return struct


def text_violations(texts: Mapping[str, str]) -> list[Violation]:
    """Which of these texts, by the field they are for, are none that protobuf can carry."""
    return [
        Violation(field, wrong, "utf8")
        for field, text in texts.items()
        if (wrong := _not_text(text))
    ]


def value_violations(path: str, value: object, depth: int) -> list[Violation]:
    """What of *value* JSON does not have, or a double would change."""
    if depth > _DEEPEST:
        return [Violation(path, "is nested too deep", "depth")]
    if value is None or isinstance(value, bool):
        return []
    if isinstance(value, str):
        return text_violations({path: value})
    if isinstance(value, int):
        wrong = "is larger than 2^53 and would lose digits" if abs(value) > _LARGEST_WHOLE else ""
    elif isinstance(value, float):
        wrong = "" if math.isfinite(value) else "is not a number that JSON has"
    elif isinstance(value, Mapping):
        return _mapping_violations(path, value, depth)
    elif isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [
            wrong
            for place, each in enumerate(value)
            for wrong in value_violations(f"{path}[{place}]", each, depth + 1)
        ]
    else:
        wrong = f"must be a JSON value, not {type(value).__name__}"
    return [Violation(path, wrong, "json")] if wrong else []


def _mapping_violations(path: str, value: Mapping[Any, object], depth: int) -> list[Violation]:
    found = []
    for key, each in value.items():
        if wrong := _not_text(key):
            found.append(Violation(path, f"a name in it {wrong}", "json"))
        else:
            found += value_violations(f"{path}.{key}", each, depth + 1)
    return found


def _not_text(value: object) -> str:
    if not isinstance(value, str):
        return f"must be text, not {type(value).__name__}"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "is not valid Unicode text"
    return ""


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value
