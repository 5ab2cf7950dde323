"""Was anything paid twice? Read from the provider's own ledger. Pure.

A job's calls must follow one another: each begins after a definite end of the one before it, and
none after a success.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from soak.orders import number_in


@dataclass(frozen=True, slots=True)
class Call:
    """One prediction at the provider. ended: None while it is live; times sort as text."""

    id: str
    prompt: str
    status: str
    created: str
    ended: str | None
    billed: float

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Self:
        """An entry of the simulator's ledger."""
        created, ended = entry["live"]
        prompt = str(entry["input"].get("prompt") or "")
        return cls(entry["id"], prompt, entry["status"], created, ended, float(entry["billed"]))


def by_job(calls: Iterable[Call]) -> dict[int, list[Call]]:
    """The calls made for each order, oldest first."""
    found: defaultdict[int, list[Call]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: call.created):
        number = number_in(call.prompt)
        if number is not None:
            found[number].append(call)
    return dict(found)


def paid_twice(calls: Iterable[Call]) -> list[str]:
    """What is wrong with one job's calls, given oldest first; empty is how it must be."""
    wrong = []
    for earlier, later in itertools.pairwise(calls):
        pair = f"{later.prompt!r}: {later.id} of {later.created}, though {earlier.id}"
        if earlier.ended is None or later.created < earlier.ended:
            wrong.append(f"{pair} was live until {earlier.ended or 'now'}")
        elif earlier.status == "succeeded":
            wrong.append(f"{pair} had succeeded")
    return wrong
