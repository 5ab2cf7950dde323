"""What is made of a provider's document, friendly or hostile?"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from store.adapters.shipped import shipped
from store.domain.models import OutputKind
from store.domain.output_kinds import output_kind
from store.domain.schema_words import WORDS, SchemaUnusable
from store.domain.schemas import DIALECT, MOST_BYTES, read_document

#: All that a schema made here may say.
KEPT = {*WORDS, "properties", "items", "anyOf", "additionalProperties", "$schema"}
KEYWORDS = [
    *KEPT, "$ref", "allOf", "oneOf", "nullable", "pattern", "patternProperties", "not", "if",
    "$defs", "$id", "$dynamicRef", "unevaluatedProperties", "dependentSchemas", "prefixItems",
]  # fmt: skip
REFERENCES = [
    "#/components/schemas/Input", "#/components/schemas/a", "#/components/schemas/b", "#",
    "https://evil.example/schema.json", "#/components/schemas/", "file:///etc/passwd",
]  # fmt: skip

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["string", "integer", "object", "array", "null", "\x00", "\ud800", 10**400])
)  # fmt: skip
JUNK = st.recursive(
    SCALARS | st.sampled_from(REFERENCES),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYWORDS) | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=30,
)
SCHEMA = st.dictionaries(st.sampled_from(KEYWORDS), JUNK, max_size=8)


def document(taken: Any, given: Any = None, **named: Any) -> dict[str, Any]:
    return {"components": {"schemas": {"Input": taken, "Output": given, **named}}}


def made(taken: Any, **named: Any) -> dict[str, Any]:
    """The schema of the one input `x` of a document that says this of it."""
    inputs = {"type": "object", "properties": {"x": taken}}
    found: dict[str, Any] = read_document(document(inputs, **named)).input["properties"]["x"]
    return found


def words_of(schema: Any) -> set[str]:
    """The keywords in a schema, however deep."""
    if not isinstance(schema, dict):
        return set()
    inner = [schema.get("items"), *schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    return set(schema).union(*(words_of(each) for each in inner))


@settings(max_examples=80, suppress_health_check=list(HealthCheck), deadline=None)
@given(SCHEMA, SCHEMA, SCHEMA, SCHEMA)
def test_whatever_a_document_says_a_sound_schema_is_made_of_it(
    taken: Any, given: Any, a: Any, b: Any
) -> None:
    """It follows nothing, holds what Postgres takes, and a validator can be made of it."""
    before = copy.deepcopy(taken)
    try:
        found = read_document(document(taken, given, a=a, b=b))
    except SchemaUnusable:
        return
    assert repr(taken) == repr(before)
    for schema in (found.input, found.output):
        assert words_of(schema) <= KEPT
        text = json.dumps(schema, allow_nan=False, ensure_ascii=False)
        assert "\x00" not in text
        assert "\\u0000" not in text
        assert len(text.encode()) <= 6 * MOST_BYTES
        Draft202012Validator.check_schema(schema)
    assert found.input["type"] == "object"
    assert found.input["additionalProperties"] is False
    list(Draft202012Validator(found.input).iter_errors({"x": 1, "a": None}))
    assert isinstance(output_kind(found.input, found.output), OutputKind)


@given(JUNK)
def test_what_is_no_document_is_refused_in_words(junk: Any) -> None:
    """Never by another error."""
    for each in (junk, {"components": junk}, {"components": {"schemas": junk}}):
        with pytest.raises(SchemaUnusable, match="no schema of its inputs"):
            read_document(each)


CHOICE = {"type": "string", "enum": ["a"]}
EITHER = [{"type": "string"}, {"type": "integer"}]
FILES = {"type": "array", "items": {"type": "string", "format": "uri"}}
MARKED = {"x-order": 3, "x-cog-secret": True, "deprecated": True}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"type": "string", "pattern": "(a+)+$"}, {"type": "string"}),
        ({"minimum": 1.0, "maximum": 4}, {"minimum": 1, "maximum": 4}),
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": ["string", "null"]}, {"type": ["string", "null"]}),
        (CHOICE | {"nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"minimum": 0, "exclusiveMinimum": True}, {"exclusiveMinimum": 0}),
        ({"maximum": 1, "exclusiveMaximum": True}, {"exclusiveMaximum": 1}),
        ({"minimum": "0", "maxLength": -1, "multipleOf": 0}, {}),
        ({"type": "file"}, {}),
        ({"type": ["string", "file"]}, {}),
        ({"enum": ["a", "b\x00"]}, {}),
        ({"default": None}, {}),
        ({"default": {"a": [1.0, None]}}, {"default": {"a": [1, None]}}),
        ({"oneOf": EITHER}, {"anyOf": EITHER}),
        (FILES, FILES),
        (MARKED | {"x-order": 3.0, "x-else": 1}, MARKED),
        ({"title": "T" * 300}, {"title": "T" * 199 + "…"}),
        (
            {"properties": {"b": {}}, "required": ["a", "b"]},
            {"properties": {"b": {}}, "required": ["b"]},
        ),
    ],
)
def test_only_what_is_known_and_sound_is_kept(said: dict[str, Any], kept: dict[str, Any]) -> None:
    """Everything else is left to the provider's own check."""
    assert made(said) == kept


def test_references_are_written_out() -> None:
    """Cog says an enum so; what stands beside the reference counts more."""
    ratio = {"type": "string", "enum": ["1:1", "16:9"], "description": "An enumeration."}
    said = {"allOf": [{"$ref": "#/components/schemas/ratio"}], "default": "1:1", "description": "D"}
    assert made(said, ratio=ratio) == {
        "type": "string", "enum": ["1:1", "16:9"], "default": "1:1", "description": "D",
    }  # fmt: skip


def test_the_parts_of_all_of_hold_together() -> None:
    """The narrower bound, the choices of both, the properties of each."""
    parts = [
        {"type": "number", "minimum": 1, "enum": [1, 2, 3], "properties": {"a": CHOICE}},
        {"type": "integer", "minimum": 2, "enum": [2, 3, 4], "properties": {"b": {}}},
    ]  # fmt: skip
    assert made({"allOf": parts}) == {
        "type": "integer", "minimum": 2, "enum": [2, 3],
        "properties": {"a": CHOICE, "b": {}},
    }  # fmt: skip


def test_a_reference_to_itself_is_anything() -> None:
    """In one step or in several, alone or in a list."""
    again = {"type": "array", "items": {"$ref": "#/components/schemas/a"}}
    found = made({"$ref": "#/components/schemas/a"}, a=again)
    assert found == {"type": "array", "items": {}}
    assert made({"$ref": "#/components/schemas/a"}, a={"$ref": "#/components/schemas/a"}) == {}


def test_references_that_multiply_are_refused() -> None:
    """A dozen lines can stand for more than any memory holds."""
    named = {
        f"n{level}": {
            "properties": {
                str(n): {"$ref": f"#/components/schemas/n{level + 1}"} for n in range(10)
            }
        }
        for level in range(9)
    }
    with pytest.raises(SchemaUnusable, match="too large"):
        made({"$ref": "#/components/schemas/n0"}, **named)


def test_what_is_very_deep_is_anything() -> None:
    """A thousand lists in each other."""
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(1000):
        deep = {"type": "array", "items": deep}
    assert json.dumps(made(deep)).count("array") < 20


@pytest.mark.parametrize(
    ("taken", "why"),
    [
        ({"properties": {f"p{n}": {} for n in range(201)}}, "more than 200 inputs"),
        ({"properties": {f"p{n}": {"description": "x" * 2000} for n in range(200)}}, "too large"),
        ({"properties": {"x": {"enum": list(range(1000))}, **{
            f"p{n}": {"enum": list(range(1000))} for n in range(30)}}}, "too large"),
    ],
)  # fmt: skip
def test_what_is_too_large_is_refused(taken: dict[str, Any], why: str) -> None:
    """And not cut: an input that is left out would be refused as unknown."""
    with pytest.raises(SchemaUnusable, match=why):
        read_document(document(taken))


@pytest.mark.parametrize("model", shipped(), ids=lambda model: model.name)
def test_what_is_shipped_can_be_checked_with(model: Any) -> None:
    """Every default is one that its own schema takes, and what a model makes is what it is read as
    if the shipped word for it were not there."""
    Draft202012Validator.check_schema(model.schemas.input)
    assert model.schemas.input["$schema"] == DIALECT
    properties = model.schemas.input["properties"]
    assert "prompt" in properties or "text" in properties
    for name, schema in properties.items():
        if "default" in schema:
            assert Draft202012Validator(schema).is_valid(schema["default"]), name
    assert output_kind(model.schemas.input, model.schemas.output) is model.output_kind


@pytest.mark.parametrize(
    ("taken", "given", "kind"),
    [
        ({}, {}, OutputKind.UNSPECIFIED),
        ({}, {"type": "string"}, OutputKind.TEXT),
        ({}, {"type": "array", "items": {"type": "string"}}, OutputKind.TEXT),
        ({}, {"type": "string", "format": "uri"}, OutputKind.UNSPECIFIED),
        ({"fps": {}, "aspect_ratio": {}}, {"format": "uri"}, OutputKind.VIDEO),
        ({"format": {"enum": ["mp3"]}}, {"anyOf": [{"format": "uri"}]}, OutputKind.AUDIO),
        ({"width": {}}, {"properties": {"image": {"format": "uri"}}}, OutputKind.IMAGE),
    ],
)
def test_what_a_model_makes_is_read_off_its_schemas(
    taken: dict[str, Any], given: dict[str, Any], kind: OutputKind
) -> None:
    """Not known where nothing tells."""
    assert output_kind({"properties": taken}, given) is kind
