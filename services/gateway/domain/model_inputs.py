"""Does an input fit its model's JSON Schema, and what is wrong with it if not?

jsonschema decides; the words are ours (input_words.py), as its own repeat what the caller gave.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from itertools import islice
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry

from gateway.domain import input_words
from gateway.domain.file_inputs import misnamed, names_a_file
from gateway.domain.inputs import MOST_PROBLEMS, Problem, joined
from gateway.domain.titles import titled

PROMPT: Final = "prompt"

_FORMATS = FormatChecker(formats=())
_FORMATS.checks("uri")(lambda value: not isinstance(value, str) or names_a_file(value))
# Nothing is fetched for a schema that refers to another.
_NOTHING_ELSE: Registry[Any] = Registry()
_LONGEST_GUESSED = 60
MOST_GUESSED = 5  #: unknown names that are compared with the known ones
# How much is looked at: a schema is a stranger's, and a few alternatives of lists of choices take
# minutes for a short input. A step is some microseconds.
MOST_STEPS = 400_000
STEPS_AT_ONCE = 5_000
_COMPARED_IN_A_STEP = 16
_STEPS_OF_AN_ERROR = 5
# What is said of a value that is wrong in several ways.
_TELLING = {"ENUM": 0, "CONST": 1, "TYPE": 2, "FORMAT": 3}


class UnusableSchema(ValueError):
    """What the catalogue has for a model is no JSON Schema."""


class _TooMuch(Exception):
    """More steps than may be taken."""


_left: ContextVar[list[int]] = ContextVar("steps_left")


def _counted(check: Any) -> Callable[..., Iterator[ValidationError]]:
    """A keyword's *check*, which takes of the steps that are left."""

    def counted(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
        many = isinstance(wanted, list | dict)
        _take(1 + (len(wanted) // _COMPARED_IN_A_STEP if many else 0))
        for error in check(validator, wanted, instance, schema) or ():
            _take(_STEPS_OF_AN_ERROR)
            yield error

    return counted


def _take(steps: int) -> None:
    left = _left.get()
    left[0] -= steps
    if left[0] < 0:
        raise _TooMuch


_Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {word: _counted(check) for word, check in Draft202012Validator.VALIDATORS.items()},
)


class InputSchema:
    """The schema of one model, compiled. Its prompt is the property `prompt`."""

    def __init__(self, model: str, schema: Mapping[str, Any]) -> None:
        """Raises UnusableSchema."""
        self._model = model
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            raise UnusableSchema(f"{model}: {error.message[:200]}") from error
        self._validator = _Validator(schema, format_checker=_FORMATS, registry=_NOTHING_ELSE)
        properties = schema.get("properties")
        self._properties: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
        self._required = frozenset(schema.get("required", ()))
        self._places = {name: place for place, name in enumerate(self._in_order())}
        #: The inputs that are secret, of whatever type: a list of secrets is one.
        self.secrets = frozenset(name for name in self._places if _is_secret(self._of(name)))

    def problems(self, prompt: str, inputs: Mapping[str, object]) -> list[Problem]:
        """The first MOST_PROBLEMS violations, in the order of the model's inputs, and for each
        value the one that says most."""
        try:
            return self._problems(prompt, inputs, MOST_STEPS)
        except _TooMuch:
            said = f"takes too long to be checked with what {self._model} takes; give less"
            return [Problem("input", said, "INPUT_SIZE")]

    def problems_at_once(self, prompt: str, inputs: Mapping[str, object]) -> list[Problem] | None:
        """The same; None if that is not done within a moment."""
        try:
            return self._problems(prompt, inputs, STEPS_AT_ONCE)
        except _TooMuch:
            return None

    def _problems(
        self, prompt: str, inputs: Mapping[str, object], most_steps: int
    ) -> list[Problem]:
        _left.set([most_steps])
        whole = {PROMPT: prompt, **inputs} if prompt else inputs
        # What is told of the prompt is told where it was given.
        given = PROMPT if PROMPT not in inputs else f"input.{PROMPT}"
        found = list(islice(self._found(whole, given), MOST_PROBLEMS))
        found.sort(key=lambda each: (each[0], _TELLING.get(each[1].reason, len(_TELLING))))
        return list({problem.field: problem for _, problem in reversed(found)}.values())[::-1]

    def left_out(self, inputs: Mapping[str, object]) -> dict[str, object]:
        """What the model takes for the inputs that were not given, as far as it says."""
        return {
            name: self._properties[name]["default"]
            for name in self._places
            if name != PROMPT and name not in inputs and "default" in self._of(name)
            if name not in self.secrets
        }

    def title(self, prompt: str, inputs: Mapping[str, object]) -> str:
        """The words that people know such a job by. Empty if there are none."""
        whole = {**inputs, PROMPT: prompt} if prompt else inputs
        required = [name for name in self._places if name in self._required]
        for name in dict.fromkeys((PROMPT, *required, *self._places)):
            if name == PROMPT or self._takes_words(name):
                value = whole.get(name)
                if name not in self.secrets and isinstance(value, str) and (said := titled(value)):
                    return said
        return ""

    def _takes_words(self, name: str) -> bool:
        """It is free text: no choice, and no file."""
        said = self._of(name)
        kind = said.get("type", "string")
        return "string" in (kind, *kind) and not {"enum", "format"} & said.keys()

    def _found(
        self, whole: Mapping[str, object], prompt_path: str
    ) -> Iterator[tuple[int, Problem]]:
        def path(*keys: str | int) -> str:
            at = ""
            for key in keys:
                if not at:
                    at = prompt_path if key == PROMPT else joined("input", str(key))
                else:
                    at = f"{at}[{key}]" if isinstance(key, int) else joined(at, key)
            return at or "input"

        for error in _within(self._validator.iter_errors(whole)):
            keys = list(error.absolute_path)
            place = self._places.get(str(keys[0]) if keys else "", len(self._places))
            for name, problem in self._told(error, keys, path):
                yield self._places.get(name, place), problem

    def _told(self, error: ValidationError, keys: list[Any], path: Any) -> Iterator[Any]:
        """The problems of one error, each with the name of the input that it is about."""
        top = str(keys[0]) if keys else ""
        wanted: Any = error.validator_value
        given: Any = error.instance
        properties = error.schema.get("properties") if isinstance(error.schema, dict) else None
        known: Mapping[str, Any] = properties or {}
        match error.validator:
            case "required":
                # One error for each that is missing, and only its text says which: this is the one
                # for the first of them, and names them all.
                missing = [each for each in wanted if each not in given]
                if not error.message.startswith(repr(missing[0])):
                    return
                for name in missing:
                    words = input_words.required(known.get(name))
                    yield top or name, Problem(path(*keys, name), words, "REQUIRED")
            case "additionalProperties" if wanted is False:
                unknown = (each for each in given if each not in known)
                for number, name in enumerate(islice(unknown, MOST_PROBLEMS)):
                    words = self._unknown(name, list(known), guess=number < MOST_GUESSED)
                    yield top or name, Problem(path(*keys, name), words, "UNKNOWN_INPUT")
            case "format" if isinstance(given, str) and (words := misnamed(given)):
                yield top, Problem(path(*keys), words, "FORMAT")
            case _:
                told = input_words.told(error)
                yield top, Problem(path(*keys), told.description, told.reason)

    def _unknown(self, name: str, known: list[str], *, guess: bool) -> str:
        said = f"is not an input of {self._model}"
        guessed = name if guess and len(name) <= _LONGEST_GUESSED else ""
        if near := difflib.get_close_matches(guessed, known, n=1, cutoff=0.6):
            return f"{said}; did you mean {near[0]!r}?"
        taken = [each for each in self._places if each in known] or sorted(known)
        return f"{said}; it takes {input_words.listed(taken)}" if taken else said

    def _of(self, name: str) -> Mapping[str, Any]:
        found = self._properties[name]
        return found if isinstance(found, Mapping) else {}

    def _in_order(self) -> list[str]:
        """By x-order, as forms show them."""

        def order(name: str) -> tuple[float, str]:
            said = self._of(name).get("x-order")
            return (said if isinstance(said, int | float) else float("inf"), name)

        return sorted(self._properties, key=order)


def _is_secret(said: Mapping[str, Any]) -> bool:
    within = [said, said.get("items"), *said.get("anyOf", ())]
    return any(isinstance(each, Mapping) and each.get("x-cog-secret") is True for each in within)


def _within(errors: Iterator[ValidationError]) -> Iterator[ValidationError]:
    """*errors*, up to where a value is nested too deeply to go on."""
    try:
        yield from errors
    except RecursionError:
        return
