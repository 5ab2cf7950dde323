"""What the provider says of a model, as a model and as nonsense."""

from __future__ import annotations

from typing import Any

import pytest

from generator.domain.answers import prediction
from generator.domain.model_told import ModelTold, model_told, version_told

SCHEMA = {"components": {"schemas": {"Input": {"properties": {"seed": {"type": "integer"}}}}}}
BODY: dict[str, Any] = {
    "url": "https://replicate.com/a/b",
    "owner": "a",
    "name": "b",
    "description": "Makes cats.",
    "is_official": True,
    "cover_image_url": "https://replicate.delivery/cover.png",
    "default_example": {"metrics": {"predict_time": 2.5, "total_time": 90.0}},
    "latest_version": {"id": "ab" * 32, "openapi_schema": SCHEMA},
}


def test_all_that_the_catalogue_keeps_is_read() -> None:
    """With the version that is its latest."""
    assert model_told(BODY) == ModelTold(
        description="Makes cats.",
        official=True,
        version="ab" * 32,
        provider_url="https://replicate.com/a/b",
        schema=SCHEMA,
        example_seconds=2.5,
        cover_url="https://replicate.delivery/cover.png",
    )
    assert version_told(BODY["latest_version"]) == ModelTold(version="ab" * 32, schema=SCHEMA)


@pytest.mark.parametrize(
    ("field", "value", "read", "told"),
    [
        ("description", None, "description", ""),
        ("description", {"de": "Katzen"}, "description", ""),
        ("description", "x\x00" * 9000, "description", "x" * 5000),
        ("is_official", "true", "official", False),
        ("is_official", None, "official", False),
        ("url", "javascript:alert(1)", "provider_url", ""),
        ("url", "https://" + "x" * 3000, "provider_url", ""),
        ("cover_image_url", None, "cover_url", ""),
        ("cover_image_url", "file:///etc/passwd", "cover_url", ""),
        ("default_example", None, "example_seconds", None),
        ("default_example", {"metrics": {"predict_time": -3}}, "example_seconds", None),
        ("default_example", {"metrics": {"predict_time": "2"}}, "example_seconds", None),
        ("default_example", {"metrics": {"predict_time": float("nan")}}, "example_seconds", None),
        ("default_example", {"metrics": None}, "example_seconds", None),
        ("latest_version", None, "schema", None),
        ("latest_version", {"id": "v"}, "schema", None),
        ("latest_version", {"id": "v", "openapi_schema": 42}, "schema", None),
        ("latest_version", {"id": 7, "openapi_schema": {}}, "version", ""),
    ],
)
def test_what_is_odd_is_left_out(field: str, value: Any, read: str, told: Any) -> None:
    """The rest still counts."""
    found = model_told(BODY | {field: value})
    assert found is not None
    assert getattr(found, read) == told


@pytest.mark.parametrize("body", [None, [], "model", {}, {"name": 3}])
def test_what_is_no_model_is_none(body: Any) -> None:
    """A page of something in between, say."""
    assert model_told(body) is None
    assert version_told(body) is None


@pytest.mark.parametrize(
    ("told", "read"),
    [("ab" * 32, "ab" * 32), ("hidden", "hidden"), (None, ""), ("x" * 999, "x" * 200)],
)
def test_the_version_that_runs_is_read_as_told(told: Any, read: str) -> None:
    """It is the provider's word, and may be none."""
    found = prediction({"id": "p", "status": "starting", "version": told})
    assert found is not None
    assert found.version == read
