"""What does a JSON body say, and what is wrong with it?

Nothing is dropped, rounded or overwritten in silence: {"num_outputs": 4} beside "prompt" would pay
for the wrong picture. So an unknown key, a key given twice, a value of the wrong type and a number
that a double can not hold are refused, together; looking ends where no caller is told more.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from gateway.domain import inputs
from gateway.domain.inputs import Problem

M = TypeVar("M", bound=Message)

_LONGEST_NUMBER = 400
_DEEPEST_LOOK = 20
_LONGEST_GUESSED = 60
_SECONDS = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?s", re.ASCII)
_DURATION = "google.protobuf.Duration"
_STRUCT = "google.protobuf.Struct"
_NAMES = {str: "a string", bool: "a boolean", int: "a number", float: "a number", list: "an array"}


class _Object(dict[str, object]):
    """A JSON object that remembers which of its keys were given more than once."""

    twice: tuple[str, ...] = ()


def read(body: bytes, message: M, *, in_path: frozenset[str] = frozenset()) -> list[Problem]:
    """Fills *message* from *body* as far as that is right, and tells everything else.

    Fields *in_path* are given by the URL and may not be given again. At inputs.MOST_PROBLEMS the
    rest of the body is left unread.
    """
    try:
        value = _parsed(body)
    except ValueError as error:
        return [Problem("", str(error), "JSON_SYNTAX")]
    if not isinstance(value, _Object):
        return [Problem("", f"the body must be a JSON object, not {_name(value)}", "JSON_TYPE")]
    found = chain(_repeated(value, "", 1), _filled(message, value, in_path))
    return list(islice(found, inputs.MOST_PROBLEMS))


def _filled(message: Message, value: _Object, in_path: frozenset[str]) -> Iterator[Problem]:
    fields = _fields(message)
    given: set[str] = set()
    for key, each in value.items():
        known = fields.get(key)
        if known is None:
            yield _unknown(key, message)
        elif known.name in in_path:
            yield Problem(key, "is given in the path", "FIELD_IN_PATH")
        elif known.name in given:
            yield Problem(known.name, "is given twice, in two spellings", "KEY_TWICE")
        else:
            given.add(known.name)
            yield from _set(message, known, each)


def _fields(message: Message) -> dict[str, FieldDescriptor]:
    """By both spellings: as in the proto, and in lowerCamelCase."""
    fields: list[Any] = list(message.DESCRIPTOR.fields)
    return {name: field for field in fields for name in (field.name, field.json_name)}


def _parsed(body: bytes) -> object:
    """Raises ValueError with words for the caller."""
    if not body.strip():
        raise ValueError("the body is empty; give a JSON object")
    try:
        return json.loads(
            body.decode(),
            object_pairs_hook=_object,
            parse_int=_integer,
        )
    except UnicodeDecodeError:
        raise ValueError("the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(
            f"the body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        ) from None
    except RecursionError:
        raise ValueError("the body is nested too deeply") from None


def _object(pairs: list[tuple[str, object]]) -> _Object:
    made = _Object(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = [key for key, _ in pairs if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
        made.twice = tuple(dict.fromkeys(twice))
    return made


def _integer(digits: str) -> float:
    # Python refuses to read thousands of digits; they are out of range anyway.
    return int(digits) if len(digits) < _LONGEST_NUMBER else float("inf")


def _repeated(value: object, path: str, level: int) -> Iterator[Problem]:
    if level > _DEEPEST_LOOK:
        return
    if isinstance(value, _Object):
        for key in value.twice:
            yield Problem(inputs.joined(path, key), "is given twice", "KEY_TWICE")
        for key, each in value.items():
            if isinstance(each, (dict, list)):
                yield from _repeated(each, inputs.joined(path, key), level + 1)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            if isinstance(each, (dict, list)):
                yield from _repeated(each, f"{path}[{index}]", level + 1)


def _unknown(key: str, message: Message) -> Problem:
    names = [field.name for field in message.DESCRIPTOR.fields]
    said = "is not a field of this request"
    guessed = key if len(key) <= _LONGEST_GUESSED else ""
    if near := difflib.get_close_matches(guessed, names, n=1, cutoff=0.75):
        said += f"; did you mean {near[0]!r}?"
    elif "input" in names:
        shown = json.dumps(key if len(key) <= 40 else "…")
        said += f'; the model\'s own inputs belong in "input": {{"input": {{{shown}: …}}}}'
    return Problem(inputs.joined("", key), said, "FIELD_UNKNOWN")


def _set(message: Message, field: FieldDescriptor, value: object) -> Iterator[Problem]:
    """Sets *field*. As in all JSON of protos, null is the same as not given."""
    if value is None:
        return
    of_message = field.message_type
    if of_message is not None and of_message.GetOptions().map_entry:
        yield from _set_map(message, field, value)
    elif of_message is not None and of_message.full_name == _STRUCT:
        yield from _set_struct(message, field, value)
    elif of_message is not None and of_message.full_name == _DURATION:
        yield from _set_duration(message, field, value)
    elif field.enum_type is not None:
        yield from _set_enum(message, field, value)
    elif field.type == FieldDescriptor.TYPE_STRING:
        yield from _set_string(message, field, value)
    else:
        raise TypeError(f"{field.full_name} has a type that strict JSON does not know")


def _set_string(message: Message, field: FieldDescriptor, value: object) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield _wrong(field.name, "a string", value)
    elif (problem := inputs.text_problem(field.name, value)) and problem.reason != "NO_NUL":
        yield problem
    else:
        setattr(message, field.name, value)


def _set_map(message: Message, field: FieldDescriptor, value: object) -> Iterator[Problem]:
    if not isinstance(value, _Object):
        yield _wrong(field.name, "an object of strings", value)
        return
    for key, each in value.items():
        path = f"{field.name}[{json.dumps(key[:60])}]"
        if not isinstance(each, str):
            yield _wrong(path, "a string", each)
        elif problem := inputs.text_problem(path, key) or inputs.text_problem(path, each):
            yield problem
        else:
            getattr(message, field.name)[key] = each


def _set_struct(message: Message, field: FieldDescriptor, value: object) -> Iterator[Problem]:
    if not isinstance(value, _Object):
        yield _wrong(field.name, "an object", value)
        return
    found = inputs.problems(value, field.name)
    yield from found
    if not found:
        struct: Any = getattr(message, field.name)
        struct.SetInParent()
        json_format.ParseDict(value, struct)


def _set_duration(message: Message, field: FieldDescriptor, value: object) -> Iterator[Problem]:
    wanted = 'a string of seconds such as "90s"'
    if not isinstance(value, str):
        yield _wrong(field.name, wanted, value)
        return
    try:
        # The library reads with int(), which takes "1_0", " 10" and digits of every script.
        if not _SECONDS.fullmatch(value):
            raise ValueError
        getattr(message, field.name).FromJsonString(value)
    except ValueError:
        yield Problem(field.name, f"must be {wanted}", "DURATION_FORMAT")


def _set_enum(message: Message, field: FieldDescriptor, value: object) -> Iterator[Problem]:
    kind = field.enum_type
    assert kind is not None
    names = ", ".join(each.name for each in kind.values[1:])
    # Not values_by_name: the library fails on a string that has no UTF-8.
    numbers = {each.name: each.number for each in kind.values}
    if isinstance(value, str) and value in numbers:
        setattr(message, field.name, numbers[value])
    elif type(value) is int and value in numbers.values():
        setattr(message, field.name, value)
    elif isinstance(value, str) or type(value) is int:
        yield Problem(field.name, f"must be one of {names}", "ENUM_VALUE")
    else:
        yield _wrong(field.name, f"one of {names}", value)


def _wrong(path: str, wanted: str, value: object) -> Problem:
    return Problem(path, f"must be {wanted}, not {_name(value)}", "JSON_TYPE")


def _name(value: object) -> str:
    if value is None:
        return "null"
    return "an object" if isinstance(value, dict) else _NAMES[type(value)]
