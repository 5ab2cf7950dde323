"""How are a model's inputs and their values said? In the order of its form, numbers as written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from mediagen.cli import documents, words

Schema = Mapping[str, Any]

HIDDEN = "hidden"


def in_order(names: Iterable[str], schema: Schema) -> list[str]:
    """*names* as a form shows them, by x-order; by name where the schema does not say."""
    known = schema.get("properties", {})
    return sorted(names, key=lambda name: (_place(known.get(name, {})), name))


def given(values: Mapping[str, Any], schema: Schema, secret: Iterable[str] = ()) -> list[str]:
    """ "seed: 4", one for each of *values*, in order. Nothing is shown of a secret."""
    hidden = set(secret)
    return [
        f"{words.plain(name)}: {HIDDEN if name in hidden else value(values[name])}"
        for name in in_order(values, schema)
    ]


def value(said: Any) -> str:
    """One value. A text is shown as it is, and as "" where it is empty."""
    if isinstance(said, float) and said.is_integer():
        said = int(said)  # a Struct has doubles only
    if isinstance(said, str):
        return words.plain(said) or '""'
    if isinstance(said, list):
        return "[" + ", ".join(value(each) for each in said) + "]"
    if isinstance(said, dict):
        return words.plain(documents.dump(_whole(said)))
    return json.dumps(said) if said is None or isinstance(said, bool) else str(said)


def _whole(said: Any) -> Any:
    """*said* with numbers as they were written, for JSON."""
    if isinstance(said, dict):
        return {key: _whole(each) for key, each in said.items()}
    if isinstance(said, list):
        return [_whole(each) for each in said]
    return int(said) if isinstance(said, float) and said.is_integer() else said


def _place(schema: Schema) -> float:
    order = schema.get("x-order")
    return float(order) if isinstance(order, int | float) else 1e9
