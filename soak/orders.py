"""Which jobs does a soak ask for? The same for the same seed.

A job's number stands in its prompt, which the provider is given too: so its ledger tells which
calls were made for which job, whatever our own records say.
"""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from simulator.catalogue import SDXL_VERSIONS
from soak.scale import Scale

_SUBJECTS = ("a fox", "a lighthouse", "two cranes", "an orchard", "a tram", "a harbour")
_LIGHTS = ("at dawn", "in the rain", "under snow", "by lamplight", "in fog", "at noon")
# Small pictures: the simulator really draws them.
_PRO = ("black-forest-labs/flux-1.1-pro", {"aspect_ratio": "custom", "width": 256, "height": 256})
_COMMUNITY = f"stability-ai/sdxl:{SDXL_VERSIONS[0]}"
_SDXL = (_COMMUNITY, {"width": 256, "height": 256})
_TWO_FILES = (_COMMUNITY, {"width": 128, "height": 128, "num_outputs": 2})
_NUMBER = re.compile(r"^soak (\d{6}): ")


class Road(StrEnum):
    """How a caller reaches the service."""

    EDGE_GRPC = "gRPC through the edge"
    GATEWAY_GRPC = "gRPC to a gateway"
    REST = "REST through the edge"


@dataclass(frozen=True, slots=True)
class Order:
    """One job to ask for."""

    number: int
    request_id: str
    model: str
    prompt: str
    input: dict[str, Any]
    road: Road
    watched: bool


def orders(scale: Scale, seed: str) -> Sequence[Order]:
    """All of a soak, in the order in which they are submitted."""
    chance = random.Random(f"orders {seed}")
    watched = set(chance.sample(range(scale.jobs), scale.watchers))
    return [_order(number, chance, number in watched) for number in range(scale.jobs)]


def later_call(number: int) -> Order:
    """A call of a busy account: it shows the reconciler that the provider's listing is fresh."""
    model, given = _PRO
    prompt = f"a later call, the {number}th"
    return Order(-1, str(uuid.uuid4()), model, prompt, given, Road.EDGE_GRPC, False)


def number_in(prompt: str) -> int | None:
    """The number of the order that has this prompt; None if it is none of a soak's."""
    found = _NUMBER.match(prompt)
    return int(found[1]) if found else None


def _order(number: int, chance: random.Random, watched: bool) -> Order:
    model, given = chance.choices((_PRO, _SDXL, _TWO_FILES), (6, 3, 1))[0]
    words = f"{chance.choice(_SUBJECTS)} {chance.choice(_LIGHTS)}"
    return Order(
        number=number,
        request_id=str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        model=model,
        prompt=f"soak {number:06}: {words}",
        input=given,
        road=chance.choice(tuple(Road)),
        watched=watched,
    )
