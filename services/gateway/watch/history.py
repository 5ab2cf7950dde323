"""What came behind a cursor that is no longer kept here? Read from the store, for all who come back
from about the same place."""

from __future__ import annotations

from typing import NamedTuple

from gateway.watch.feed import Feed
from gateway.watch.flights import Flights
from gateway.watch.source import Source
from gateway.watch.told import Change
from mediagen.store.v1.feed_pb2 import FeedPosition

PAGE = 500
# Cursors within as many events read the same page, so that thousands that reconnect cost a few.
ALIGNED = 256


class EventsPage(NamedTuple):
    """Events as they were read, and the head then."""

    changes: list[Change]
    head: FeedPosition


class History:
    """Reads the feed behind places of the past."""

    def __init__(self, source: Source, flights: Flights) -> None:
        self._source = source
        self._flights = flights

    async def behind(self, feed: Feed, generation: int, sequence: int) -> list[Change] | None:
        """The next events behind a place, of which there are some; None if they are not kept."""
        page = await self._page(feed, generation, sequence - sequence % ALIGNED)
        if page.changes and page.changes[-1].sequence <= sequence < page.head.sequence:
            # They are so long that the page ends before.
            page = await self._page(feed, generation, sequence)
        later = [each for each in page.changes if each.sequence > sequence]
        if page.head.generation != generation or not later or later[0].sequence != sequence + 1:
            return None
        return later

    async def _page(self, feed: Feed, generation: int, start: int) -> EventsPage:
        after = FeedPosition(generation=generation, sequence=start)

        async def read() -> EventsPage:
            answer = await self._source.read_feed(feed.tenant, after, PAGE)
            return EventsPage([Change(event) for event in answer.events], answer.head)

        return await self._flights.ask(("events", feed, generation, start), read)
