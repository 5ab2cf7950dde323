"""How much of the catalogue does a gateway keep?"""

from __future__ import annotations

from typing import Any, cast

import pytest

from gateway.adapters import models as model_cache
from gateway.adapters.catalogue import CatalogueClient
from gateway.adapters.models import Models
from mediagen.store.v1.catalogue_service_pb2 import ReadModelResponse
from mediagen.v1 import model_pb2


class Catalogue:
    """Knows every model, each with much to tell."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def read(self, name: str, version: str, **_: Any) -> ReadModelResponse:
        """A kilobyte."""
        self.asked.append(name)
        model = model_pb2.Model(name=name, description="x" * 1000)
        return ReadModelResponse(outcome=ReadModelResponse.OUTCOME_FOUND, revision=1, model=model)


@pytest.mark.parametrize("limit", ["MOST_MODELS", "MOST_BYTES"])
async def test_what_is_kept_is_bounded_by_number_and_by_size(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand strangers' schemas would be gigabytes. The ones not asked for longest go first."""
    monkeypatch.setattr(model_cache, limit, {"MOST_MODELS": 2, "MOST_BYTES": 2500}[limit])
    catalogue = Catalogue()
    models = Models(cast("CatalogueClient", catalogue))
    for name in ("o/a", "o/b", "o/a", "o/c", "o/a", "o/c", "o/b"):
        await models.look(name)
    assert catalogue.asked == ["o/a", "o/b", "o/c", "o/b"]
    for _ in range(5):  # told anew, a model takes no more room
        await models.fresh("o/b")
    await models.look("o/c")
    assert len(catalogue.asked) == 9
