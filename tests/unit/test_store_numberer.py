"""Whose events does the numberer look for, and when?"""

from __future__ import annotations

from typing import Any

import pytest

from store.adapters.database import Unavailable
from store.adapters.wakeups import Wakeups
from store.loops.numberer import POLL, Numberer


class Feed:
    """Numbers nothing, and remembers for whom it was asked."""

    def __init__(self) -> None:
        self.numbered: list[str] = []
        self.scans = 0

    async def unnumbered_tenants(self) -> list[str]:
        self.scans += 1
        return ["left-behind"]

    async def number(self, tenant: str) -> list[Any]:
        self.numbered.append(tenant)
        return []


async def test_a_change_is_numbered_without_looking_for_others() -> None:
    """One query less for each turn of a busy store."""
    feed: Any = Feed()
    wakeups, publisher = Wakeups(), None
    numberer = Numberer(feed, publisher, wakeups, clock=lambda: 10.0)  # type: ignore[arg-type]
    await numberer.turn()
    for _ in range(3):
        wakeups.changed("busy")
        await numberer.turn()
    assert feed.scans == 1
    assert feed.numbered == ["left-behind", "busy", "busy", "busy"]
    assert wakeups.numberer.is_set()


async def test_what_a_dead_replica_left_is_found_however_busy_this_one_is() -> None:
    """Its wake-ups died with it: all tenants are looked through at least every POLL."""
    feed: Any = Feed()
    clock = iter([10.0, 10.0 + POLL / 2, 10.0 + POLL])
    wakeups = Wakeups()
    numberer = Numberer(feed, None, wakeups, clock=lambda: next(clock))  # type: ignore[arg-type]
    for _ in range(3):
        wakeups.changed("busy")
        await numberer.turn()
    assert feed.scans == 2
    assert feed.numbered.count("left-behind") == 2


async def test_a_tenant_that_is_held_up_holds_up_no_other() -> None:
    """Its head or its endpoint is locked by somebody: the others' watchers see nothing of it."""

    class Locked(Feed):
        async def number(self, tenant: str) -> list[Any]:
            await super().number(tenant)
            if tenant == "locked":
                raise Unavailable
            return []

    feed: Any = Locked()
    wakeups = Wakeups()
    numberer = Numberer(feed, None, wakeups, clock=lambda: 10.0)  # type: ignore[arg-type]
    for tenant in ("a", "locked", "b", "c"):
        wakeups.changed(tenant)
    with pytest.raises(Unavailable):
        await numberer.turn()
    assert sorted(feed.numbered) == ["a", "b", "c", "left-behind", "locked"]
