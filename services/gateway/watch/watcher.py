"""How does a stream wait, and for what? For its turn in the feed: it has no queue of its own."""

from __future__ import annotations

import asyncio
from enum import Enum

from gateway.domain.errors import Draining
from gateway.watch.feed import Feed
from gateway.watch.group import Group
from gateway.watch.told import Change


class Missed(Enum):
    """Why a watcher can not be given the next event from what the feed keeps."""

    FELL_BEHIND = "it is no longer among those kept here"
    MADE_ANEW = "the feed that the watcher was in is no more"


class Watcher:
    """A place in a feed, and a bell.

    What there is to do is looked up when the bell rings, so a silent watcher costs a few fields,
    and a slow one holds nothing that the others do not.
    """

    __slots__ = (
        "_bell", "_closed", "beat_due", "feed", "forecasts_seen", "generation", "group", "quiet",
        "sequence",
    )  # fmt: skip

    def __init__(self, feed: Feed, group: Group) -> None:
        self.feed = feed
        self.group = group
        self.generation = 0
        self.sequence = 0
        self.forecasts_seen = 0
        self.quiet = 0  # sweeps of the hub since something was sent
        self.beat_due = False
        self._closed = False
        self._bell: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wakes the watcher, if it waits."""
        bell = self._bell
        if bell is not None and not bell.done():
            bell.set_result(None)

    def close(self) -> None:
        """Ends the watcher with Draining, at its next turn."""
        self._closed = True
        self.ring()

    def check(self) -> None:
        """Raises Draining once closed."""
        if self._closed:
            raise Draining

    async def wait(self) -> None:
        """Until the bell rings. Who calls has just seen that there is nothing to do."""
        self._bell = asyncio.get_running_loop().create_future()
        try:
            await self._bell
        finally:
            self._bell = None

    def go_to_head(self) -> None:
        """From here on the watcher gets what comes."""
        self.generation, self.sequence = self.feed.generation, self.feed.sequence

    def turn(self) -> Change | Missed | None:
        """The next event for this watcher, which it is then behind; None if there is none yet.

        Raises Draining once closed.
        """
        self.check()
        feed, group = self.feed, self.group
        if self.generation != feed.generation or self.sequence > feed.sequence:
            return Missed.MADE_ANEW
        if self.sequence < group.latest:
            if self.sequence >= group.before:
                # What lies between is for others.
                self.sequence = group.latest - 1
            if self.sequence < feed.kept_from:
                return Missed.FELL_BEHIND
            while self.sequence < group.latest:
                self.sequence += 1
                change = feed.at(self.sequence)
                if group.wants(change):
                    self.quiet = 0
                    return change
        self.sequence = feed.sequence
        return None
