"""How many jobs were not final at a time that is past? Counted back from how many are not now."""

from __future__ import annotations

from collections.abc import Sequence


def unfinished_after(came: Sequence[int], went: Sequence[int], now: int) -> list[int]:
    """Those that were left after each step, of which so many *came* and *went* in it."""
    left = []
    for submitted, ended in zip(reversed(came), reversed(went), strict=True):
        left.append(max(now, 0))
        now += ended - submitted
    return left[::-1]
