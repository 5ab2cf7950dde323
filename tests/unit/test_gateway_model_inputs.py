"""Does an input fit its model, and is all that is wrong with it said, in words of ours?"""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gateway.domain import inputs as plain_inputs
from gateway.domain.file_inputs import (
    LONGEST_PATH,
    MOST_FILES,
    FileInput,
    files_of,
    misnamed,
    names_a_file,
    of_another_kind,
)
from gateway.domain.inputs import MOST_PROBLEMS, Problem
from gateway.domain.model_inputs import InputSchema, UnusableSchema
from store.adapters.shipped import shipped
from tests.fakes.store_catalogue import INPUTS

Json = dict[str, Any]
MODEL = "a/b"
ID = "0198b2f0-0000-7000-8000-000000000000"
SEED = {each.name: each.schemas.input for each in shipped()}
COMPILED = {name: InputSchema(name, schema) for name, schema in SEED.items()}
SECRET = "hunter2-hunter2"  # pragma: allowlist secret

texts = st.text(max_size=30) | st.sampled_from(["1:1", "16:9", "webp", "1", "", f"upload:{ID}"])
scalars = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts
    | st.floats(allow_nan=False, allow_infinity=False)
)  # fmt: skip
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)  # fmt: skip


def of(schema: Json) -> InputSchema:
    return InputSchema(MODEL, schema)


def told(given: Json, prompt: str = "p", schema: Json = INPUTS) -> dict[str, Problem]:
    return {each.field: each for each in of(schema).problems(prompt, given)}


@st.composite
def asked(draw: st.DrawFn) -> tuple[str, str, Json]:
    """A shipped model, a prompt, and inputs that look a little like its own."""
    name = draw(st.sampled_from(sorted(SEED)))
    known = st.sampled_from(sorted(SEED[name]["properties"]))
    keys = draw(st.lists(known | st.text(max_size=12), max_size=6, unique=True))
    values = {key: draw(_like(SEED[name]["properties"].get(key, {})) | anything) for key in keys}
    prompt = "" if "prompt" in values else draw(st.text(max_size=10))
    return name, prompt, values


def _like(schema: Json) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    least, most = schema.get("minimum", 0), schema.get("maximum", 100)
    return st.integers(int(least) - 1, int(most) + 1)


@settings(max_examples=300, deadline=None)
@given(asked())
def test_the_verdict_is_that_of_the_library(case: tuple[str, str, Json]) -> None:
    """Any input of any shipped model: judged as jsonschema judges it, and told within bounds."""
    name, prompt, values = case
    found = COMPILED[name].problems(prompt, values)
    whole = {**values, **({"prompt": prompt} if prompt else {})}
    plain = list(Draft202012Validator(SEED[name]).iter_errors(whole))
    formats = [each for each in found if each.reason == "FORMAT"]
    assert bool(plain) <= bool(found)
    assert bool(found) == bool(plain or formats)
    assert len(found) <= MOST_PROBLEMS
    for each in found:
        assert 0 < len(each.description) <= 300, each
        assert len(each.field) <= 400
        assert each.reason.replace("_", "").isupper()


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=9), anything, max_size=5))
def test_any_json_is_judged(values: Json) -> None:
    """Against every shipped model, and nothing breaks; what is wrong comes in one order."""
    for compiled in COMPILED.values():
        assert len(compiled.problems("p", values)) <= MOST_PROBLEMS
        assert compiled.problems("p", values) == compiled.problems("p", dict(values))


def test_what_a_shipped_model_takes_by_default_it_takes() -> None:
    """Each default fits its own schema, and giving it is giving nothing else."""
    for name, schema in SEED.items():
        defaults = InputSchema(name, schema).left_out({})
        assert "prompt" not in defaults
        prompt = "" if "text" in schema["properties"] else "p"
        given = {**defaults, **({} if prompt else {"text": "words"})}
        assert InputSchema(name, schema).problems(prompt, given) == [], name
        assert InputSchema(name, schema).left_out(given) == {}


def test_everything_is_told_at_once_in_the_order_of_the_form() -> None:
    """Each with its path, the choices, the default, and a reason for programs."""
    found = of(INPUTS).problems(
        "",
        {
            "images": ["https://a.example/x.png", "ftp://a"],
            "num_outputs": 9,
            "aspect_ratio": "2:1",
            "steps": "four",
            "aspct_ratio": "16:9",
        },
    )
    assert [(each.field, each.reason) for each in found] == [
        ("prompt", "REQUIRED"),
        ("input.steps", "TYPE"),
        ("input.aspect_ratio", "ENUM"),
        ("input.num_outputs", "MAXIMUM"),
        ("input.images[1]", "FORMAT"),
        ("input.aspct_ratio", "UNKNOWN_INPUT"),
    ]
    words = {each.field: each.description for each in found}
    assert words["input.steps"] == "must be a whole number"
    assert words["input.aspect_ratio"] == "must be one of 1:1, 16:9, 9:16; 1:1 if left out"
    assert words["input.num_outputs"] == "must be from 1 to 4; 1 if left out"
    assert words["input.aspct_ratio"] == "is not an input of a/b; did you mean 'aspect_ratio'?"
    assert "upload:" in words["input.images[1]"]


def test_no_value_is_told_again() -> None:
    """A prompt or a key may be a secret; errors are logged and shown."""
    given: Json = {
        "steps": SECRET, "aspect_ratio": SECRET, "image": SECRET, "images": [SECRET, {SECRET: 1}],
        "seed": [SECRET], "num_outputs": {"a": SECRET},
    }  # fmt: skip
    found = of(INPUTS).problems(SECRET, given)
    assert len(found) >= 6
    assert SECRET not in repr([(each.description, each.reason) for each in found])


@pytest.mark.parametrize(
    ("value", "fits"),
    [(4.0, True), (4, True), (4.5, False), (True, False), ("4", False), (None, False), (51, False)],
)
def test_a_whole_number_is_one_by_its_value(value: object, fits: bool) -> None:
    """A Struct has doubles only. null is a value, and only where the schema takes it."""
    assert (told({"steps": value}) == {}) == fits


def test_null_where_the_schema_takes_it() -> None:
    """It is not the same as left out."""
    assert told({"seed": None, "image": None}) == {}
    assert told({"aspect_ratio": None})["input.aspect_ratio"].reason == "ENUM"


def test_the_prompt_is_told_where_it_was_given() -> None:
    """In its own field, or among the inputs; and a model without one says so."""
    schema: Json = {"properties": {"prompt": {"type": "string", "maxLength": 3}}}
    assert set(told({}, "too long", schema)) == {"prompt"}
    assert set(told({"prompt": "too long"}, "", schema)) == {"input.prompt"}
    promptless: Json = {**schema, "properties": {"image": {}}, "additionalProperties": False}
    assert told({}, "p", promptless)["prompt"].reason == "UNKNOWN_INPUT"


def test_an_unknown_input_without_a_likeness_lists_what_there_is() -> None:
    """Also one with a hostile name."""
    problems = told({"x" * 100_000: 1, "zzz": 2, "\x00": 3})
    assert "it takes prompt, steps, aspect_ratio" in problems["input.zzz"].description
    assert all(len(each) < 400 for each in problems)


def test_a_hostile_input_is_told_of_soon() -> None:
    """Twenty problems are enough, of a hundred thousand."""
    many: Json = {f"k{n}": n for n in range(20_000)}
    begin = time.process_time()
    assert len(of(INPUTS).problems("p", many)) == MOST_PROBLEMS
    assert len(of(INPUTS).problems("p", {"images": [0] * 60_000})) == MOST_PROBLEMS
    assert time.process_time() - begin < 5


@pytest.mark.parametrize(
    ("schema", "given"),
    [
        ({"items": {"enum": [str(n) for n in range(1000)]}}, ["999"] * 20_000),
        ({"anyOf": [{"items": {"type": "string", "format": "uri"}}] * 50}, [0] * 60_000),
        ({"items": {"anyOf": [*[{"anyOf": [{"const": "x"}] * 40}] * 49, {}]}}, [1] * 60_000),
    ],
)
def test_a_hostile_schema_is_not_checked_for_ever(schema: Json, given: list[Any]) -> None:
    """Whose models may be used may also write schemas that take hours; a moment shows that."""
    compiled = of({"properties": {"a": schema}})
    assert compiled.problems_at_once("", {"a": given}) is None
    assert compiled.problems("", {"a": given})[0].reason == "INPUT_SIZE"


def test_a_long_list_of_numbers_is_checked_whole() -> None:
    """Nothing that an input of 256 KiB may hold is too much for a plain schema."""
    numbers = {"items": {"type": "integer", "minimum": 0, "maximum": 5}}
    compiled = of({"properties": {"a": numbers}})
    assert compiled.problems("", {"a": [1] * 129_999 + [7]})[0].reason == "MAXIMUM"


def test_alternatives_are_told_in_short() -> None:
    """anyOf, as some models have it."""
    schema: Json = {
        "properties": {
            "size": {"anyOf": [{"type": "integer"}, {"enum": ["auto", "full"]}], "default": "auto"}
        }
    }
    found = told({"size": "vast"}, "", schema)
    said = "must be a whole number, or one of auto, full; auto if left out"
    assert found["input.size"] == Problem("input.size", said, "ANY_OF")


def test_a_schema_that_is_none_is_refused() -> None:
    """It must not break a submit later."""
    for broken in ({"type": "strange"}, {"properties": 7}, {"required": "prompt"}):
        with pytest.raises(UnusableSchema):
            of(broken)


def test_nothing_is_fetched_for_a_schema() -> None:
    """A reference to elsewhere is not followed."""
    schema = of({"properties": {"a": {"$ref": "http://127.0.0.1:1/schema"}}})
    with pytest.raises(Exception, match="Unresolvable"):
        schema.problems("", {"a": 1})


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("https://example.com/a.png?x=1", True),
        ("HTTPS://example.com", True),
        ("data:image/png;base64,iVBORw0K", True),
        ("data:,hello", True),
        (f"upload:{ID}", True),
        (f"artifact:{ID}/0", True),
        ("http://example.com/a.png", False),
        ("file:///etc/passwd", False),
        ("https://user@example.com/a", False),
        ("https:///a", False),
        ("https://a b/", False),
        ("upload:1", False),
        (f"upload:{ID.upper()}x", False),
        (f"artifact:{ID}", False),
        (f"artifact:{ID}/-1", False),
        ("", False),
    ],
)
def test_what_names_a_file(text: str, is_one: bool) -> None:
    """Nothing that would be read on a machine of ours, or the provider's."""
    assert names_a_file(text) is is_one


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("upload:0198", "36 characters"),
        (f"artifact:{ID}", "artifact:JOB_ID/INDEX"),
        ("data:nothing", "data: URL"),
        ("http://example.com/a.png", "must be https"),
        ("https://exa mple.com/", "without spaces"),
        ("photo.png", "must be an https or data: URL"),
    ],
)
def test_what_names_no_file_is_told_what_is_wrong_with_it(text: str, words: str) -> None:
    """By the form that was meant; and never by what was given."""
    schema = {"type": "object", "properties": {"image": {"type": "string", "format": "uri"}}}
    problem = told({"image": text}, "", schema)["input.image"]
    assert (words in problem.description, problem.reason) == (True, "FORMAT")
    assert (misnamed(text) == problem.description) is (text != "photo.png")
    assert text not in problem.description


def test_files_are_found_wherever_a_string_stands() -> None:
    """By JSON pointer, in the order of these; what the provider fetches is none of ours."""
    found, problems = files_of(
        {
            "z": f"upload:{ID}",
            "list": [{"a/b": f"artifact:{ID}/12"}, "https://example.com/x"],
            "data": "data:text/plain;base64,aGVsbG8=",
            "url": "data:text/plain,a%20b",
            "words": f"not upload:{ID} but words, and data: too",
        }
    )
    assert problems == []
    assert [(each.path, each.field, each.uri, each.content) for each in found] == [
        ("/data", "input.data", "", b"hello"),
        ("/list/0/a~1b", 'input.list[0]["a/b"]', f"artifact:{ID}/12", b""),
        ("/url", "input.url", "", b"a b"),
        ("/z", "input.z", f"upload:{ID}", b""),
    ]


def test_too_many_files_and_broken_ones_are_told() -> None:
    """Before anything is asked of the store."""
    _, problems = files_of({"a": [f"upload:{ID}"] * (MOST_FILES + 1)})
    assert [each.reason for each in problems] == ["TOO_MANY_FILES"]
    _, problems = files_of({"a": "data:image/png;base64,***"})
    assert [(each.field, each.reason) for each in problems] == [("input.a", "DATA_URL")]
    name = "n" * LONGEST_PATH
    found, problems = files_of({name: [f"upload:{ID}", "data:,no file"], "a": f"upload:{ID}"})
    assert [each.path for each in found] == ["/a"]
    assert [each.reason for each in problems] == ["PATH_LENGTH"]


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=9), anything, max_size=5))
def test_every_input_that_passes_as_json_has_its_files_read(values: Json) -> None:
    """Whatever else is wrong with it."""
    if not plain_inputs.problems(values):
        files, _ = files_of(values)
        assert len(files) <= MOST_FILES


@pytest.mark.parametrize(
    ("path", "media_type", "fits"),
    [
        ("/input_image", "image/webp", True),
        ("/input_image", "audio/mpeg", False),
        ("/style_reference_images/3", "text/plain", False),
        ("/mask", "video/mp4", False),
        ("/start_video", "video/mp4", True),
        ("/audio", "image/png", False),
        # Nothing is known of the bytes, or the name says nothing, or two things.
        ("/input_image", "application/octet-stream", True),
        ("/source", "text/plain", True),
        ("/image_or_video", "video/mp4", True),
    ],
)
def test_a_file_is_of_the_kind_that_its_input_is_named_for(
    path: str, media_type: str, fits: bool
) -> None:
    """A model that is given a sound for a picture takes it, fails, and may be paid for it."""
    problem = of_another_kind(FileInput(path, f"input.{path[1:]}", "upload:x"), media_type)
    assert (problem is None) == fits
    if problem is not None:
        assert media_type in problem.description and problem.reason == "MEDIA_TYPE"
