"""What does a model take, and give? Its OpenAPI document as Cog makes it, as plain JSON Schemas.

The document is a stranger's, so it counts as hostile: what is not known is left out, and what is
too large to be of use is refused. References are written out, so that who checks an input follows
none. Regular expressions are left out: matching a foreign one can take for ever. What is left out
here is checked by the provider alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from store.domain.schema_merging import merged, with_null
from store.domain.schema_words import WORDS, Budget, SchemaUnusable, is_text

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
DEEPEST = 12  #: what lies deeper is anything
MOST_PROPERTIES = 200
MOST_PARTS = 50  #: of an anyOf or allOf
MOST_PIECES = 5_000  #: schemas and values in all, once references are written out
MOST_BYTES = 256 << 10  #: of one schema as JSON
LONGEST_NAME = 200

Schema = dict[str, Any]

_REFERENCE = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Schemas:
    """What a version takes, and what it gives; {}: it does not say."""

    input: Schema
    output: Schema


def read_document(document: object) -> Schemas:
    """The schemas of Cog's OpenAPI *document*. SchemaUnusable says, for people, why not."""
    named = document
    for key in ("components", "schemas"):
        named = named.get(key) if isinstance(named, dict) else None
    if not isinstance(named, dict) or not isinstance(named.get("Input"), dict):
        raise SchemaUnusable("It tells no schema of its inputs.")
    properties = named["Input"].get("properties")
    if isinstance(properties, dict) and len(properties) > MOST_PROPERTIES:
        raise SchemaUnusable(f"It has more than {MOST_PROPERTIES} inputs.")
    given = _Reading(named).schema(named["Input"])
    given.setdefault("properties", {})
    given |= {"$schema": DIALECT, "type": "object", "additionalProperties": False}
    returned = _Reading(named).schema(named.get("Output"))
    for each in (given, returned):
        if len(json.dumps(each)) > MOST_BYTES:
            raise SchemaUnusable("Its schema is too large.")
    return Schemas(given, returned)


class _Reading:
    """One schema of a document, with all that it refers to."""

    def __init__(self, named: Mapping[str, Any]) -> None:
        self._named = named
        self._budget = Budget(MOST_PIECES)

    def schema(self, given: object, depth: int = 0, within: frozenset[str] = frozenset()) -> Schema:
        """{}: anything. *within*: the references that are being followed."""
        if not isinstance(given, dict) or depth > DEEPEST:
            return {}
        self._budget.take()
        parts = [self._referred(given.get("$ref"), depth, within)]
        together = given.get("allOf")
        if isinstance(together, list):
            parts += [self.schema(each, depth + 1, within) for each in together[:MOST_PARTS]]
        made = merged([*parts, self._own(given, depth, within)])
        return with_null(made) if given.get("nullable") is True else made

    def _referred(self, reference: object, depth: int, within: frozenset[str]) -> Schema:
        if not isinstance(reference, str) or not reference.startswith(_REFERENCE):
            return {}
        name = reference.removeprefix(_REFERENCE)
        if name in within:
            return {}
        return self.schema(self._named.get(name), depth + 1, within | {name})

    def _own(self, given: Mapping[Any, Any], depth: int, within: frozenset[str]) -> Schema:
        """The keywords of its own, each if it is known and says something."""
        made: Schema = {}
        for word, read in WORDS.items():
            if word in given and (value := read(given[word], self._budget)) is not None:
                made[word] = value
        if isinstance(given.get("items"), dict):
            made["items"] = self.schema(given["items"], depth + 1, within)
        properties = given.get("properties")
        if isinstance(properties, dict) and len(properties) <= MOST_PROPERTIES:
            made["properties"] = {
                name: self.schema(each, depth + 1, within)
                for name, each in properties.items()
                if is_text(name, LONGEST_NAME)
            }
            if "required" in made:
                made["required"] = [each for each in made["required"] if each in properties]
        # What made two of oneOf differ may have been left out, so that one input fits both.
        either = given.get("anyOf", given.get("oneOf"))
        if isinstance(either, list) and 0 < len(either) <= MOST_PARTS:
            made["anyOf"] = [self.schema(each, depth + 1, within) for each in either]
        return _exclusive(given, made)


def _exclusive(given: Mapping[Any, Any], made: Schema) -> Schema:
    """OpenAPI 3.0 says `exclusiveMinimum: true` beside the minimum, JSON Schema the number."""
    for bound, word in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if given.get(word) is True and bound in made:
            made[word] = made.pop(bound)
    return made
