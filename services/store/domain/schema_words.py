"""Which keywords of a foreign schema are kept, and which values of theirs? None: left out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

TYPES: Final = ("string", "integer", "number", "boolean", "array", "object", "null")
MOST_CHOICES = 1000
LONGEST_CHOICE = 2_000
LONGEST_DEFAULT = 20_000
LONGEST_TITLE = 200
LONGEST_DESCRIPTION = 2_000
DEEPEST_VALUE = 6
WHOLE = 2**53  #: whole numbers beyond are not told apart on the wire


class SchemaUnusable(ValueError):
    """The document can not be used; the message says why, for people."""


class Budget:
    """How many schemas and values may still be made of one document: a few references to each other
    can stand for more than any memory holds."""

    def __init__(self, pieces: int) -> None:
        self._left = pieces

    def take(self) -> None:
        """One more. SchemaUnusable if that is too many."""
        self._left -= 1
        if self._left < 0:
            raise SchemaUnusable("Its schema is too large.")


def is_text(value: object, longest: int) -> bool:
    """A string that Postgres and the wire can hold."""
    if not isinstance(value, str) or len(value) > longest or "\x00" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def number(value: object) -> int | float | None:
    """A finite number; a whole one as such."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        as_float = float(value)
    except OverflowError:
        return None
    if not math.isfinite(as_float):
        return None
    return int(as_float) if as_float.is_integer() and abs(as_float) <= WHOLE else as_float


def plain(value: object, budget: Budget, longest: int, depth: int = 0) -> Any:
    """A JSON value that is neither null nor holds what can not be kept; None otherwise."""
    budget.take()
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value if is_text(value, longest) else None
    if isinstance(value, list | dict) and depth < DEEPEST_VALUE:
        return _filled(value, budget, longest, depth + 1)
    return number(value)


def _filled(
    value: list[Any] | dict[Any, Any], budget: Budget, longest: int, depth: int
) -> list[Any] | dict[str, Any] | None:
    items = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    made: dict[Any, Any] = {}
    for key, each in items:
        kept = None if each is None else plain(each, budget, longest, depth)
        named = not isinstance(value, dict) or is_text(key, LONGEST_TITLE)
        if not named or (kept is None and each is not None):
            return None
        made[key] = kept
    return made if isinstance(value, dict) else list(made.values())


def _types(value: object, _: Budget) -> str | list[str] | None:
    given = value if isinstance(value, list) else [value]
    known = [each for each in TYPES if each in given]
    if not known or len(known) != len(given):
        return None  # one that is not known may be the one that is meant
    return known[0] if len(known) == 1 else known


def _choices(value: object, budget: Budget) -> list[Any] | None:
    """All of them or none: one that is left out would be refused."""
    if not isinstance(value, list) or not 0 < len(value) <= MOST_CHOICES:
        return None
    found = [None if each is None else plain(each, budget, LONGEST_CHOICE) for each in value]
    lost = any(kept is None and each is not None for kept, each in zip(found, value, strict=True))
    return None if lost else found


def _number(value: object, _: Budget) -> int | float | None:
    return number(value)


def _positive(value: object, _: Budget) -> int | float | None:
    found = number(value)
    return found if found is not None and found > 0 else None


def _count(value: object, _: Budget) -> int | None:
    found = number(value)
    return found if isinstance(found, int) and found >= 0 else None


def _place(value: object, _: Budget) -> int | None:
    found = number(value)
    return found if isinstance(found, int) else None


def _names(value: object, _: Budget) -> list[str] | None:
    if not isinstance(value, list) or len(value) > MOST_CHOICES:
        return None
    return list(dict.fromkeys(each for each in value if is_text(each, LONGEST_TITLE))) or None


def _yes(value: object, _: Budget) -> bool | None:
    return True if value is True else None


def _words(longest: int) -> Callable[[object, Budget], str | None]:
    def read(value: object, _: Budget) -> str | None:
        if not isinstance(value, str):
            return None
        cut = value if len(value) <= longest else value[: longest - 1] + "…"
        return cut if is_text(cut, longest) else None

    return read


#: The known ones, but for those that hold schemas.
WORDS: Final[dict[str, Callable[[object, Budget], Any]]] = {
    "title": _words(LONGEST_TITLE),
    "description": _words(LONGEST_DESCRIPTION),
    "type": _types,
    "format": _words(LONGEST_TITLE),
    "enum": _choices,
    "const": lambda value, budget: plain(value, budget, LONGEST_CHOICE),
    "default": lambda value, budget: plain(value, budget, LONGEST_DEFAULT),
    "minimum": _number,
    "maximum": _number,
    "exclusiveMinimum": _number,
    "exclusiveMaximum": _number,
    "multipleOf": _positive,
    "minLength": _count,
    "maxLength": _count,
    "minItems": _count,
    "maxItems": _count,
    "required": _names,
    "x-order": _place,
    "x-cog-secret": _yes,
    "deprecated": _yes,
}
