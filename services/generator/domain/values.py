"""How do JSON values travel in protobuf? And which JSON is sent for a Struct?

A Struct holds every number as a double, so 4 arrives as 4.0; a model that asks for an integer
refuses that. Doubles without a fraction become integers before they are hashed or sent.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from google.protobuf.struct_pb2 import ListValue, Struct, Value

_EXACT = 2**53
DEEPEST = 24  #: levels of a value; protobuf reads 100 messages deep, and a level is up to four


def from_struct(struct: Struct) -> dict[str, Any]:
    return {key: from_value(value) for key, value in struct.fields.items()}


def from_value(value: Value) -> Any:
    """The JSON value. One that was never set is None."""
    match value.WhichOneof("kind"):
        case "number_value":
            return normal_number(value.number_value)
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return from_struct(value.struct_value)
        case "list_value":
            return [from_value(each) for each in value.list_value.values]
    return None


def to_struct(values: Mapping[str, Any], depth: int = 0) -> Struct:
    return Struct(fields={key: to_value(value, depth + 1) for key, value in values.items()})


def to_value(value: Any, depth: int = 0) -> Value:
    """Numbers that no JSON has (infinite, not a number) become null.

    What lies deeper than protobuf reads becomes its JSON text: an output is paid for, and must not
    be refused for its shape.
    """
    if depth >= DEEPEST and isinstance(value, Mapping | list | tuple):
        return Value(string_value=json.dumps(value, ensure_ascii=False))
    match value:
        case None:
            return Value(null_value=0)  # type: ignore[arg-type]
        case bool():
            return Value(bool_value=value)
        case int() | float():
            number = _double(value)
            return to_value(None) if number is None else Value(number_value=number)
        case str():
            return Value(string_value=value)
        case Mapping():
            fields = {str(key): each for key, each in value.items()}
            return Value(struct_value=to_struct(fields, depth))
        case list() | tuple():
            values = [to_value(each, depth + 1) for each in value]
            return Value(list_value=ListValue(values=values))
    return Value(string_value=str(value))


def normal_number(number: float) -> int | float:
    """4.0 as 4; what a double can not hold exactly stays a double."""
    if isinstance(number, float) and number.is_integer() and abs(number) <= _EXACT:
        return int(number)
    return number


def canonical(value: Any) -> str:
    """The one JSON text of a value: keys sorted, integral doubles as integers."""
    return json.dumps(_normal(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _normal(value: Any) -> Any:
    match value:
        case bool():
            return value
        case float():
            return normal_number(value)
        case Mapping():
            return {str(key): _normal(each) for key, each in value.items()}
        case list() | tuple():
            return [_normal(each) for each in value]
    return value


def _double(number: float) -> float | None:
    try:
        double = float(number)
    except OverflowError:
        return None
    return double if math.isfinite(double) else None
