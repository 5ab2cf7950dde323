"""What does a JSON body say, and what is wrong with it?

Nothing is dropped, rounded or overwritten in silence: {"num_outputs": 4} beside "prompt" would pay
for the wrong picture. So an unknown key, a key given twice, a value of the wrong type and a number
that a double can not hold are refused, together; looking ends where no caller is told more.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from gateway.domain import inputs
from gateway.domain.inputs import Problem
from gateway.http.strict_values import (
    WELL_KNOWN,
    named,
    set_list,
    set_map,
    set_scalar,
    wrong,
)

M = TypeVar("M", bound=Message)

_LONGEST_NUMBER = 400
_DEEPEST_LOOK = 20
_LONGEST_GUESSED = 60


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
        return [Problem("", f"the body must be a JSON object, not {named(value)}", "JSON_TYPE")]
    found = chain(_repeated(value, "", 1), _filled(message, value, "", in_path))
    return list(islice(found, inputs.MOST_PROBLEMS))


def _filled(
    message: Message, value: _Object, path: str, in_path: frozenset[str] = frozenset()
) -> Iterator[Problem]:
    fields = _fields(message)
    given: set[str] = set()
    for key, each in value.items():
        known = fields.get(key)
        if known is None:
            yield _unknown(key, message, path)
        elif known.name in in_path:
            yield Problem(key, "is given in the path", "FIELD_IN_PATH")
        elif known.name in given:
            here = inputs.joined(path, known.name)
            yield Problem(here, "is given twice, in two spellings", "KEY_TWICE")
        else:
            given.add(known.name)
            yield from _set(message, known, each, inputs.joined(path, known.name))


def _set(message: Message, field: FieldDescriptor, value: object, path: str) -> Iterator[Problem]:
    """Sets *field*. As in all JSON of protos, null is the same as not given."""
    if value is None:
        return
    of_message = field.message_type
    if of_message is not None and of_message.GetOptions().map_entry:
        yield from set_map(message, field, value, path)
    elif field.is_repeated:
        yield from set_list(message, field, value, path)
    elif of_message is None:
        yield from set_scalar(message, field, value, path)
    elif of_message.full_name in WELL_KNOWN:
        yield from WELL_KNOWN[of_message.full_name](message, field, value, path)
    elif isinstance(value, _Object):
        inner: Message = getattr(message, field.name)
        inner.SetInParent()
        yield from _filled(inner, value, path)
    else:
        yield wrong(path, "an object", value)


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


def _unknown(key: str, message: Message, path: str) -> Problem:
    names = [field.name for field in message.DESCRIPTOR.fields]
    said = f"is not a field of {path or 'this request'}"
    guessed = key if len(key) <= _LONGEST_GUESSED else ""
    if near := difflib.get_close_matches(guessed, names, n=1, cutoff=0.75):
        said += f"; did you mean {near[0]!r}?"
    elif "input" in names:
        shown = json.dumps(key if len(key) <= 40 else "…")
        said += f'; the model\'s own inputs belong in "input": {{"input": {{{shown}: …}}}}'
    return Problem(inputs.joined(path, key), said, "FIELD_UNKNOWN")
