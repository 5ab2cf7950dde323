"""Which model inputs are refused, beyond what a proto rule can state?

Works on plain JSON values, so that the strict parser can ask before a number is rounded to a double
and the servicer after.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from google.protobuf.struct_pb2 import Struct, Value

MOST_BYTES = 256 * 1024
MOST_LEVELS = 16
LARGEST_WHOLE = 2**53
# No caller is told more, so nothing looks for more: a hostile body has a hundred thousand.
MOST_PROBLEMS = 20
# A list of numbers takes 11 bytes for each "1.0,": 256 KiB of JSON stay below this as a Struct.
MOST_STRUCT_BYTES = 1024 * 1024

_LONGEST_NAME = 60
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")


class Problem(NamedTuple):
    """One thing wrong: where (a dotted path), what for people, what for programs."""

    field: str
    description: str
    reason: str


class Unset:
    """A google.protobuf.Value of no kind: neither null nor anything else."""


def problems(inputs: Mapping[str, object], path: str = "input") -> list[Problem]:
    """The first MOST_PROBLEMS things that are wrong with *inputs*, in their order.

    What is too large is only that: its size is known long before each value was looked at.
    """
    try:
        if _json_bytes(inputs) > MOST_BYTES:
            return [too_large(path)]
    except RecursionError:
        return [_too_deep(path)]
    return list(islice(_object(inputs, path, 1), MOST_PROBLEMS))


def too_large(path: str = "input") -> Problem:
    """The one refusal of an input beyond MOST_BYTES."""
    return Problem(path, "is larger than 256 KiB as JSON", "INPUT_SIZE")


def plain(inputs: Struct) -> dict[str, object]:
    """A Struct as JSON values; numbers stay doubles."""
    return {key: _plain(value) for key, value in inputs.fields.items()}


def text_problem(path: str, text: str) -> Problem | None:
    """What is wrong with a string anywhere in a request."""
    if "\x00" in text:
        return Problem(path, "must not contain the character U+0000", "NO_NUL")
    if _HALF_A_PAIR.search(text):
        return Problem(path, "must not contain half of a surrogate pair", "NOT_UNICODE")
    return None


def joined(path: str, key: str) -> str:
    """*path* with *key* behind it, readable whatever the key is."""
    if key.isascii() and key.isidentifier() and len(key) <= _LONGEST_NAME:
        return f"{path}.{key}" if path else key
    shown = key if len(key) <= _LONGEST_NAME else f"{key[: _LONGEST_NAME - 1]}…"
    return f"{path}[{json.dumps(shown)}]"


def _object(inputs: Mapping[str, object], path: str, level: int) -> Iterator[Problem]:
    if level > MOST_LEVELS:
        yield _too_deep(path)
        return
    for key, value in inputs.items():
        here = joined(path, key)
        if problem := text_problem(here, key):
            yield problem._replace(description=f"the name {problem.description}")
        yield from _value(value, here, level)


def _value(value: object, path: str, level: int) -> Iterator[Problem]:
    match value:
        case str():
            if problem := text_problem(path, value):
                yield problem
        case bool() | None:
            pass
        case int() | float():
            yield from _number(value, path)
        case Mapping():
            yield from _object(value, path, level + 1)
        case Sequence():
            if level + 1 > MOST_LEVELS:
                yield _too_deep(path)
                return
            for index, each in enumerate(value):
                yield from _value(each, f"{path}[{index}]", level + 1)
        case _:
            yield Problem(path, "has no value; give null if that is meant", "NO_VALUE")


def _number(value: int | float, path: str) -> Iterator[Problem]:
    if isinstance(value, float) and not math.isfinite(value):
        yield Problem(path, "must be a finite number", "NUMBER_FINITE")
    # Beyond 2^53 every double is a whole number, and not surely the one that was meant.
    elif abs(value) > LARGEST_WHOLE:
        yield Problem(
            path, "is beyond 2^53, where numbers lose digits; give it as a string", "NUMBER_RANGE"
        )


def _too_deep(path: str) -> Problem:
    return Problem(path, f"is nested deeper than {MOST_LEVELS} levels", "INPUT_DEPTH")


def _json_bytes(inputs: Mapping[str, object]) -> int:
    # Halves of surrogate pairs and values of no kind are weighed here, and refused after.
    text = json.dumps(inputs, ensure_ascii=False, separators=(",", ":"), default=lambda _: None)
    return len(text.encode(errors="surrogatepass"))


def _plain(value: Value) -> object:
    match value.WhichOneof("kind"):
        case "struct_value":
            return plain(value.struct_value)
        case "list_value":
            return [_plain(each) for each in value.list_value.values]
        case "string_value":
            return value.string_value
        case "number_value":
            return value.number_value
        case "bool_value":
            return value.bool_value
        case "null_value":
            return None
        case _:
            return Unset()
