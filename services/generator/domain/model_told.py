"""What does the provider say of a model, or of one version of it? Read leniently, and bounded.

Of a version it tells the schema alone. What the schema means is the store's to find out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_LONGEST_TEXT: Final = 5000
_LONGEST_URL: Final = 2000


@dataclass(frozen=True, slots=True)
class ModelTold:
    """Empty and None are what it does not say."""

    description: str = ""
    official: bool = False
    version: str = ""
    provider_url: str = ""
    schema: Mapping[str, Any] | None = None
    example_seconds: float | None = None
    cover_url: str = ""


def model_told(body: Any) -> ModelTold | None:
    """Of a model with its latest version; None if it is no model."""
    if not isinstance(body, Mapping) or not isinstance(body.get("name"), str):
        return None
    latest = version_told(body.get("latest_version")) or ModelTold()
    return ModelTold(
        description=_text(body.get("description"), _LONGEST_TEXT),
        official=body.get("is_official") is True,
        version=latest.version,
        provider_url=_address(body.get("url")),
        schema=latest.schema,
        example_seconds=_seconds(body.get("default_example")),
        cover_url=_address(body.get("cover_image_url")),
    )


def version_told(body: Any) -> ModelTold | None:
    """Of one version; None if it is none."""
    if not isinstance(body, Mapping) or not isinstance(body.get("id"), str):
        return None
    schema = body.get("openapi_schema")
    return ModelTold(
        version=_text(body["id"], 200),
        schema=schema if isinstance(schema, Mapping) else None,
    )


def _text(value: object, most: int) -> str:
    return value.replace("\x00", "")[:most] if isinstance(value, str) else ""


def _address(value: object) -> str:
    text = _text(value, _LONGEST_URL + 1)
    usual = text.startswith(("https://", "http://127.0.0.1", "http://localhost"))
    return text if usual and len(text) <= _LONGEST_URL else ""


def _seconds(example: object) -> float | None:
    """How long the example took, without its wait; old records hold negative times."""
    metrics = example.get("metrics") if isinstance(example, Mapping) else None
    told = metrics.get("predict_time") if isinstance(metrics, Mapping) else None
    if isinstance(told, bool) or not isinstance(told, int | float):
        return None
    return float(told) if math.isfinite(told) and 0 < told < 86_400 else None
