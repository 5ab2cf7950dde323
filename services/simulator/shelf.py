"""Which models does the provider have now? The catalogue, and what was changed in it at run time.

Models change under their users: an input goes, a choice is added, a version appears. Tests do that
with PUT /_simulator/models/{owner}/{name}.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from simulator.catalogue import BY_SLUG
from simulator.model import Model
from simulator.schemas import Field

SLUG = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
VERSION = re.compile(r"[0-9a-f]{64}")
KEYS = {"inputs", "version", "official", "description", "cover_url", "gone"}


class ChangeError(ValueError):
    """A change that can not be made; the text says why."""


class Shelf:
    """The models by name and by version."""

    def __init__(self) -> None:
        self._models = dict(BY_SLUG)

    def all(self) -> list[Model]:
        return list(self._models.values())

    def get(self, slug: str) -> Model | None:
        return self._models.get(slug)

    def of_version(self, version: str) -> Model | None:
        """The model of a version, old or new."""
        return next((each for each in self.all() if version in each.version_ids), None)

    def reset(self, slug: str) -> None:
        """As it is in the catalogue."""
        self._models.pop(slug, None)
        if slug in BY_SLUG:
            self._models[slug] = BY_SLUG[slug]

    def change(self, slug: str, spec: Mapping[str, Any]) -> None:
        """Change a model, or add one. Keys of `spec`, none of them required:

        inputs: keywords of JSON Schema by input, {"required": true} among them; null takes it away.
        version: 64 hex digits, the newest from now on. official, description, cover_url: as told.
        gone: whether it answers 404.
        """
        if unknown := set(spec) - KEYS:
            raise ChangeError(f"unknown keys: {', '.join(sorted(unknown))}")
        if not SLUG.fullmatch(slug):
            raise ChangeError("a model is named owner/name")
        if spec.get("gone"):
            self._models.pop(slug, None)
            return
        model = self._models.get(slug) or BY_SLUG.get(slug)
        if model is None:
            model = Model(slug, "A model that a test made", (), price=0.001, official=False)
        if "version" in spec:
            if not VERSION.fullmatch(str(spec["version"])):
                raise ChangeError("a version has 64 hex digits")
            model = replace(model, versions=(spec["version"], *model.version_ids))
        told = {key: spec[key] for key in ("official", "description", "cover_url") if key in spec}
        fields = _changed(model.fields, spec.get("inputs") or {})
        self._models[slug] = replace(model, fields=fields, **told)


def _changed(fields: tuple[Field, ...], inputs: Mapping[str, Any]) -> tuple[Field, ...]:
    by_name = {item.name: item for item in fields}
    for name, schema in inputs.items():
        if schema is None:
            by_name.pop(name, None)
            continue
        keywords = dict(schema)
        required = bool(keywords.pop("required", False))
        choices = tuple(keywords.pop("enum", ()))
        if not choices:
            keywords = {"type": "string"} | keywords
        by_name[name] = Field(name, keywords, required, choices)
    return tuple(by_name.values())
