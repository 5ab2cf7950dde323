"""Which models does the catalogue begin with? Those of the JSON files in store/catalogue.

Each holds the model's schemas as the provider tells them, and what it does not tell: what the model
makes, what it costs, how long it usually takes. They are written once, where a model is missing:
what the provider says later counts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from store.domain.models import OutputKind, PriceUnit
from store.domain.schemas import Schemas, read_document


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """One model, as it is shipped."""

    name: str
    description: str
    official: bool
    version: str
    output_kind: OutputKind
    provider_url: str
    price: tuple[float, PriceUnit] | None
    usual_seconds: float | None
    schemas: Schemas


@cache
def shipped() -> Sequence[Shipped]:
    """All of them, by name."""
    folder = resources.files("store") / "catalogue"
    texts = [each.read_text("utf-8") for each in folder.iterdir() if each.name.endswith(".json")]
    return sorted((_read(json.loads(text)) for text in texts), key=lambda each: each.name)


def _read(model: dict[str, Any]) -> Shipped:
    price = model.get("price")
    return Shipped(
        name=model["name"],
        description=model["description"],
        official=model["official"],
        version=model["version"],
        output_kind=OutputKind(model["output_kind"]),
        provider_url=model["provider_url"],
        price=(price["usd"], PriceUnit(price["unit"])) if price else None,
        usual_seconds=model.get("usual_seconds"),
        schemas=read_document(model["openapi_schema"]),
    )
