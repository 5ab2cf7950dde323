"""Is one JSON value what its field takes? Set as it stands, or told and not set."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from gateway.domain import inputs
from gateway.domain.inputs import Problem

_SECONDS = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?s", re.ASCII)
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_NAMES = {str: "a string", bool: "a boolean", int: "a number", float: "a number", list: "an array"}

Setter = Callable[[Message, FieldDescriptor, object, str], Iterator[Problem]]


class _Read(NamedTuple):
    """A value as its field takes it, or what is wrong with it."""

    value: Any = None
    problem: Problem | None = None


def wrong(path: str, wanted: str, value: object) -> Problem:
    """A value of another type than is *wanted*."""
    return Problem(path, f"must be {wanted}, not {named(value)}", "JSON_TYPE")


def named(value: object) -> str:
    """The type of a JSON value, in words."""
    if value is None:
        return "null"
    return "an object" if isinstance(value, dict) else _NAMES[type(value)]


def set_scalar(
    message: Message, field: FieldDescriptor, value: object, path: str
) -> Iterator[Problem]:
    """Sets a field of one string, number, boolean or enum value."""
    read = _scalar(field, value, path)
    if read.problem:
        yield read.problem
    else:
        setattr(message, field.name, read.value)


def set_list(
    message: Message, field: FieldDescriptor, value: object, path: str
) -> Iterator[Problem]:
    """Sets a repeated field of such values."""
    if not isinstance(value, list):
        yield wrong(path, "an array", value)
        return
    values = getattr(message, field.name)
    for index, each in enumerate(value):
        read = _scalar(field, each, f"{path}[{index}]")
        if read.problem:
            yield read.problem
        else:
            values.append(read.value)


def set_map(
    message: Message, field: FieldDescriptor, value: object, path: str
) -> Iterator[Problem]:
    """Sets a map of strings."""
    if not isinstance(value, dict):
        yield wrong(path, "an object of strings", value)
        return
    for key, each in value.items():
        here = f"{path}[{json.dumps(key[:60])}]"
        if not isinstance(each, str):
            yield wrong(here, "a string", each)
        elif problem := inputs.text_problem(here, key) or inputs.text_problem(here, each):
            yield problem
        else:
            getattr(message, field.name)[key] = each


def _set_struct(
    message: Message, field: FieldDescriptor, value: object, path: str
) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield wrong(path, "an object", value)
        return
    found = inputs.problems(value, path)
    yield from found
    if not found:
        struct: Any = getattr(message, field.name)
        struct.SetInParent()
        json_format.ParseDict(value, struct)


def _set_duration(
    message: Message, field: FieldDescriptor, value: object, path: str
) -> Iterator[Problem]:
    wanted = 'a string of seconds such as "90s"'
    # The library reads with int(), which takes "1_0", " 10" and digits of every script.
    yield from _set_text(message, field, value, path, wanted, _SECONDS, "DURATION_FORMAT")


def _set_timestamp(
    message: Message, field: FieldDescriptor, value: object, path: str
) -> Iterator[Problem]:
    wanted = 'a string such as "2026-11-22T20:00:00Z"'
    yield from _set_text(message, field, value, path, wanted, _TIME, "TIMESTAMP_FORMAT")


def _set_text(
    message: Message, field: FieldDescriptor, value: object, path: str,
    wanted: str, form: re.Pattern[str], reason: str,
) -> Iterator[Problem]:  # fmt: skip
    if not isinstance(value, str):
        yield wrong(path, wanted, value)
        return
    try:
        if not form.fullmatch(value):
            raise ValueError
        getattr(message, field.name).FromJsonString(value)
    except ValueError:
        message.ClearField(field.name)
        yield Problem(path, f"must be {wanted}", reason)


WELL_KNOWN: dict[str, Setter] = {
    "google.protobuf.Struct": _set_struct,
    "google.protobuf.Duration": _set_duration,
    "google.protobuf.Timestamp": _set_timestamp,
}


def _scalar(field: FieldDescriptor, value: object, path: str) -> _Read:
    if field.enum_type is not None:
        return _enum(field, value, path)
    if field.type == FieldDescriptor.TYPE_STRING:
        return _string(value, path)
    if field.type == FieldDescriptor.TYPE_BOOL:
        known = type(value) is bool
        return _Read(value) if known else _Read(problem=wrong(path, "true or false", value))
    if field.type == FieldDescriptor.TYPE_INT32:
        return _int32(value, path)
    raise TypeError(f"{field.full_name} has a type that strict JSON does not know")


def _string(value: object, path: str) -> _Read:
    if not isinstance(value, str):
        return _Read(problem=wrong(path, "a string", value))
    problem = inputs.text_problem(path, value)
    # The proto's own rules say where U+0000 may not stand.
    return _Read(problem=problem) if problem and problem.reason != "NO_NUL" else _Read(value)


def _int32(value: object, path: str) -> _Read:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return _Read(problem=wrong(path, "a whole number", value))
    if not -(2**31) <= value < 2**31 or value != int(value):
        said = "must be a whole number from -2147483648 to 2147483647"
        return _Read(problem=Problem(path, said, "NUMBER_RANGE"))
    return _Read(int(value))


def _enum(field: FieldDescriptor, value: object, path: str) -> _Read:
    kind = field.enum_type
    assert kind is not None
    names = ", ".join(each.name for each in kind.values[1:])
    # Not values_by_name: the library fails on a string that has no UTF-8.
    numbers = {each.name: each.number for each in kind.values}
    if isinstance(value, str) and value in numbers:
        return _Read(numbers[value])
    if type(value) is int and value in numbers.values():
        return _Read(value)
    if isinstance(value, str) or type(value) is int:
        return _Read(problem=Problem(path, f"must be one of {names}", "ENUM_VALUE"))
    return _Read(problem=wrong(path, f"one of {names}", value))
