"""How long does a caller wait for a worker to look a model up? Less than for the answer to that."""

from __future__ import annotations

from typing import Any

from gateway.adapters.models import LONGEST_WAIT

# Of the caller's time, so that it is still told what became of the wait.
_ON_THE_WAY = 1.0


def patience_of(context: Any) -> float:
    """Seconds, by what is left of the call's own time."""
    remaining: float | None = context.time_remaining()
    return LONGEST_WAIT if remaining is None else min(LONGEST_WAIT, remaining - _ON_THE_WAY)
