"""What do several schemas say together, and what is one that takes null besides?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

Schema = dict[str, Any]


def merged(parts: Sequence[Schema]) -> Schema:
    """What all of *parts* say. Of what they say otherwise about one thing, the last one counts, or
    for a bound the narrower."""
    made: Schema = {}
    for part in parts:
        for word, value in part.items():
            made[word] = _both(word, made[word], value) if word in made else value
    return made


def _both(word: str, first: Any, second: Any) -> Any:
    join = _JOINED.get(word)
    return second if join is None else join(first, second)


def with_null(schema: Schema) -> Schema:
    """The same, or null."""
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        schema = schema | {"type": [*kinds, *([] if "null" in kinds else ["null"])]}
    if "enum" in schema and None not in schema["enum"]:
        schema = schema | {"enum": [*schema["enum"], None]}
    if "const" in schema:
        schema = schema | {"enum": [schema["const"], None]}
        del schema["const"]
    if "anyOf" in schema:
        schema = schema | {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    return schema


def _types(first: Any, second: Any) -> Any:
    ours, theirs = (each if isinstance(each, list) else [each] for each in (first, second))
    both = [
        each for each in dict.fromkeys((*ours, *theirs))
        if _fits(each, ours) and _fits(each, theirs)
    ]  # fmt: skip
    if not both:
        return second
    return both[0] if len(both) == 1 else both


def _fits(kind: str, kinds: Sequence[str]) -> bool:
    return kind in kinds or (kind == "integer" and "number" in kinds)


def _choices(first: list[Any], second: list[Any]) -> list[Any]:
    return [each for each in second if each in first] or second


def _properties(first: Schema, second: Schema) -> Schema:
    same = {name: merged([first[name], second[name]]) for name in first if name in second}
    return first | second | same


def _names(first: list[str], second: list[str]) -> list[str]:
    return list(dict.fromkeys((*first, *second)))


_JOINED: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "type": _types,
    "enum": _choices,
    "properties": _properties,
    "required": _names,
    "items": lambda first, second: merged([first, second]),
    "minimum": max,
    "exclusiveMinimum": max,
    "minLength": max,
    "minItems": max,
    "maximum": min,
    "exclusiveMaximum": min,
    "maxLength": min,
    "maxItems": min,
}
