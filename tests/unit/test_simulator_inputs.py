"""What the simulator takes and refuses, before anything is created."""

from typing import Any

import pytest

from simulator.catalogue import BY_SLUG, MODELS
from simulator.inputs import (
    check_body,
    check_input,
    find_model,
    parse_cancel_after,
    parse_prefer_wait,
)
from simulator.shelf import Shelf
from simulator.sizing import picture_size

SCHNELL = BY_SLUG["black-forest-labs/flux-schnell"]
SDXL = BY_SLUG["stability-ai/sdxl"]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("30", 30), ("5s", 5), ("5m", 300), ("24h", 86_400), ("1h30m45s", 5445), (" 90 ", 90)],
)
def test_cancel_after_reads_every_documented_form(header: str, seconds: float) -> None:
    """Integer seconds, or h, m and s combined."""
    assert parse_cancel_after(header) == seconds


@pytest.mark.parametrize(
    "header", ["", "4", "4s", "25h", "1.5", "-5", "5d", "s", "9" * 5000, "٣٠", "30s5m"]
)
def test_cancel_after_refuses_the_rest(header: str) -> None:
    """Under 5 s, over 24 h, and everything malformed."""
    assert parse_cancel_after(header) is None


def test_prefer_wait_is_bounded() -> None:
    """Plain wait is 60 s; 61 to 99 pass the expression and count as 60."""
    assert parse_prefer_wait("wait") == 60
    assert parse_prefer_wait("wait=7") == 7
    assert parse_prefer_wait("wait=99") == 60
    assert parse_prefer_wait("wait=0") is None
    assert parse_prefer_wait("respond-async") is None


def test_an_unknown_key_beside_input_is_refused() -> None:
    """The request schema says additionalProperties: false; the field is the top level."""
    wrong = check_body({"version": "a/b", "input": {}, "signal": 1}, needs_version=True)
    assert [(field.type, field.field) for field in wrong] == [
        ("additional_property_not_allowed", "")
    ]


def test_a_version_beside_a_model_path_is_refused() -> None:
    """The model endpoint takes no version."""
    assert check_body({"version": "a/b", "input": {}}, needs_version=False)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"version": "a/b"},
        {"version": 3, "input": {}},
        {"version": "a/b", "input": []},
        {"version": "a/b", "input": {}, "webhook": "ftp://x"},
        {"version": "a/b", "input": {}, "webhook_events_filter": ["done"]},
        {"version": "a/b", "input": {}, "stream": "yes"},
    ],
)
def test_a_body_of_wrong_types_is_refused(body: dict[str, Any]) -> None:
    """Each of these names at least one invalid field."""
    assert check_body(body, needs_version=True)


def test_versions_are_found_in_their_three_forms() -> None:
    """owner/name for official models, a digest, or both; an old digest runs the newest."""
    newest, old = SDXL.version_ids
    assert find_model(Shelf(), SCHNELL.slug) == (SCHNELL, "hidden")
    assert find_model(Shelf(), newest) == (SDXL, newest)
    assert find_model(Shelf(), f"{SDXL.slug}:{old}") == (SDXL, newest)


@pytest.mark.parametrize(
    "version",
    [
        *("stability-ai/sdxl", "stability-ai/sdxl:latest", "black-forest-labs/flux-schnell:"),
        *("nobody/nothing", "", "0" * 64, f"nobody/else:{SDXL.version_ids[0]}"),
    ],
)
def test_other_versions_are_not_permitted(version: str) -> None:
    """A community model without version, a tag, and what does not exist."""
    assert find_model(Shelf(), version) is None


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({}, "required"),
        ({"prompt": None}, "required"),
        ({"prompt": 5}, "invalid_type"),
        ({"prompt": "x", "num_outputs": 5}, "number_lte"),
        ({"prompt": "x", "num_outputs": 0}, "number_gte"),
        ({"prompt": "x", "num_outputs": True}, "invalid_type"),
        ({"prompt": "x", "num_outputs": 1.5}, "invalid_type"),
        ({"prompt": "x", "aspect_ratio": "7:1"}, "enum"),
        ({"prompt": "x", "megapixels": 1}, "enum"),
        ({"prompt": "x", "colour": "red"}, "additional_property_not_allowed"),
    ],
)
def test_input_is_checked_against_the_schema(given: dict[str, Any], kind: str) -> None:
    """One invalid field, of the validator's type."""
    assert [field.type for field in check_input(SCHNELL, given, True)] == [kind]


def test_unknown_inputs_are_dropped_unless_told_otherwise() -> None:
    """Cog drops them in silence."""
    assert check_input(SCHNELL, {"prompt": "x", "colour": "red"}, False) == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.slug)
def test_every_model_describes_itself(model: Any) -> None:
    """Input and Output schemas, references that resolve, defaults that pass their own check."""
    schemas = model.schema["components"]["schemas"]
    for name, given in schemas["Input"]["properties"].items():
        assert "x-order" in given, name
        for reference in given.get("allOf", []):
            assert reference["$ref"].rpartition("/")[2] in schemas
    defaults = {item.name: item.default for item in model.fields} | {
        item.name: "x" for item in model.fields if item.required
    }
    assert check_input(model, defaults, True) == []
    assert schemas["Output"]["type"] == ("array" if model.many else "string")


@pytest.mark.parametrize(
    ("slug", "given", "size"),
    [
        ("black-forest-labs/flux-schnell", {}, (1024, 1024)),
        ("black-forest-labs/flux-schnell", {"aspect_ratio": "16:9"}, (1344, 768)),
        ("black-forest-labs/flux-schnell", {"megapixels": "0.25"}, (512, 512)),
        ("stability-ai/sdxl", {"width": 768, "height": 512}, (768, 512)),
        (
            "black-forest-labs/flux-1.1-pro",
            {"aspect_ratio": "custom", "width": 320, "height": 640},
            (320, 640),
        ),
        ("black-forest-labs/flux-1.1-pro", {"width": 320, "height": 640}, (1024, 1024)),
        ("recraft-ai/recraft-v3", {"size": "1820x1024"}, (1820, 1024)),
        ("bytedance/seedream-4", {"size": "2K"}, (2048, 2048)),
        (
            "bytedance/seedream-4",
            {"size": "custom", "width": 1500, "height": 1200},
            (1500, 1200),
        ),
        ("ideogram-ai/ideogram-v3-turbo", {"aspect_ratio": "2:1"}, (1448, 724)),
    ],
)
def test_pictures_have_the_size_asked_for(
    slug: str, given: dict[str, Any], size: tuple[int, int]
) -> None:
    """By ratio, megapixels, size, or width and height, as the model has them."""
    assert picture_size(BY_SLUG[slug], given) == size
