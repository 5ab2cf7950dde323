"""How long does a watch hear changes? As long as the block that opened it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from gateway.watch.feed import Feed
from gateway.watch.jobs_watching import JobsWatch
from gateway.watch.watching import JobWatch

if TYPE_CHECKING:
    from gateway.watch.hub import Hub

W = TypeVar("W", bound=JobWatch | JobsWatch)


class Opening(Generic[W]):
    """A started watch, which hears changes until the block ends."""

    __slots__ = ("_hub", "_make", "_tenant", "_watch")

    def __init__(self, hub: Hub, tenant: str, make: Callable[[Feed], W]) -> None:
        self._hub = hub
        self._tenant = tenant
        self._make: Callable[[Feed], W] | None = make
        self._watch: W | None = None

    async def __aenter__(self) -> W:
        make, self._make = self._make, None  # once: what it holds is not kept with the watch
        assert make is not None
        self._watch = await self._hub.join(self._tenant, make)
        return self._watch

    async def __aexit__(self, *error: object) -> None:
        if self._watch is not None:
            self._hub.leave(self._watch)
