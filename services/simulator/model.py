"""What is a model? What it takes, what it makes, how long that takes, and what it costs."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from simulator.schemas import FILES, ONE_FILE, Field, openapi_schema

Kind = Literal["picture", "film", "sound"]


@dataclass(frozen=True)
class Model:
    """One model. `price` is US$ per picture of an official model that makes pictures, per second of
    film, per run of one that makes sounds, and per second of its run of a community model.

    `queue` and `run` are the usual seconds before and while it works (per run, not per picture).
    `many`: the output is a list. `versions`: newest first; official models go without.
    `cover`: what its cover shows. `cover_url`: told in place of its own.
    """

    slug: str
    description: str
    fields: tuple[Field, ...]
    price: float
    queue: float = 0.6
    run: float = 4.0
    steps: int = 28
    many: bool = False
    official: bool = True
    versions: tuple[str, ...] = ()
    makes: Kind = "picture"
    cover: str = ""
    cover_url: str | None = None

    @property
    def owner(self) -> str:
        return self.slug.partition("/")[0]

    @property
    def name(self) -> str:
        return self.slug.partition("/")[2]

    @cached_property
    def version_ids(self) -> tuple[str, ...]:
        return self.versions or (hashlib.sha256(f"simulated {self.slug}".encode()).hexdigest(),)

    @cached_property
    def schema(self) -> dict[str, Any]:
        return openapi_schema(self.fields, FILES if self.many else ONE_FILE)

    @cached_property
    def by_name(self) -> dict[str, Field]:
        return {item.name: item for item in self.fields}
