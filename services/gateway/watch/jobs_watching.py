"""How does a watch of jobs go on, from its start or its cursor?

no cursor ─▶ snapshots, and what changed meanwhile ─▶ synced ─┐
cursor ─▶ what came behind it ────────────────────────────────┴▶ updates, as they come
too far behind, or the feed is another ─▶ gap ─▶ as without a cursor
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import NamedTuple

from gateway.watch.cursor import Cursor, time_of
from gateway.watch.feed import Feed
from gateway.watch.filters import JobFilter
from gateway.watch.group import FilterGroup
from gateway.watch.history import History
from gateway.watch.requests import Requests
from gateway.watch.snapshots import Snapshots
from gateway.watch.told import Change, Told
from gateway.watch.watcher import Missed, Watcher
from mediagen.v1 import job_pb2
from mediagen.v1.generation_service_pb2 import (
    Forecasts,
    Synced,
    WatchGap,
    WatchHeartbeat,
    WatchJobsResponse,
)

Message = Told[WatchJobsResponse]

# A change may be committed this much later than it says, and is still found behind a gap.
GAP_MARGIN_MS = 60_000


class Reading(NamedTuple):
    """What a watch of jobs reads with."""

    snapshots: Snapshots
    history: History
    requests: Requests
    advance: Callable[[Feed], Awaitable[None]]
    settle_every: float


class JobsWatch(Watcher):
    """Every revision of the filter's jobs, once, in order for each job, from a cursor or from now.

    Made by Hub.watch_jobs, which joins it to its feed before `start`.
    """

    __slots__ = (
        "_count", "_cursor", "_furthest", "_known", "_read_at", "_read_ns", "_reading", "_sync_at",
        "_time_ms",
    )  # fmt: skip

    group: FilterGroup

    def __init__(
        self, feed: Feed, group: FilterGroup, reading: Reading, cursor: Cursor | None
    ) -> None:
        super().__init__(feed, group)
        self._reading = reading
        self._cursor = cursor
        # About when the last thing happened that it was told of.
        self._time_ms = 0
        # How far behind it may be and still be given everything: see `_missed`.
        self._furthest = 0
        # From the first snapshot until synced: which revisions were sent so, and how many jobs.
        self._known: dict[str, int] | None = None
        self._count = 0
        # When the last of them were read, by the loop's clock and then by the store's (ms); and,
        # once all that they show has its place in the feed, where that is at the latest.
        self._read_at = 0.0
        self._read_ns: int | None = None
        self._sync_at: int | None = None

    async def start(self) -> None:
        """Finds the place where it begins. Raises StoreUnavailable, or what the store says."""
        self._go_on_from_head()
        if (cursor := self._cursor) is None:
            return
        if cursor.generation != self.feed.generation or cursor.sequence > self.feed.sequence:
            # The gateway that gave it may be ahead of this one.
            await self._reading.advance(self.feed)
        self.generation, self.sequence = cursor.generation, cursor.sequence
        self._time_ms = cursor.time_ms
        self._furthest = self.feed.most_kept + self.feed.sequence - self.sequence

    async def events(self) -> AsyncGenerator[Message, None]:
        """What to send, without an end; raises Draining or StoreUnavailable."""
        if self._cursor is None:
            async for told in self._begin():
                yield told
                del told  # else this frame would keep the last page as long as the watch lasts
        while True:
            if self._known is not None and self._is_synced():
                yield self._synced()
            turn = self.turn()
            if turn is None:
                self._time_ms = self.feed.time_ms
                if self._known is not None:
                    await self._settle()
                    continue
                self._furthest = 0
                if (aside := self._aside()) is not None:
                    self.quiet = 0
                    yield aside
                else:
                    await self.wait()
            elif isinstance(turn, Missed):
                async for told in self._missed(turn):
                    yield told
                    del told
            elif (update := await self._update(turn)) is not None:
                yield update
                del update

    async def _update(self, change: Change) -> Message | None:
        """What is told of an event; None if a snapshot has told it."""
        self._time_ms = change.time_ms
        if self._known is not None:
            if change.job.revision <= self._known.get(change.job_id, 0):
                return None
            # With its request: it may have left the filter before its page was read.
            return await change.starting(self._request)
        if self.group.filter.enters(change.event):
            return await change.entering(self._request)
        return change.for_jobs()

    async def _request(self, change: Change) -> job_pb2.JobRequest | None:
        if change.event.HasField("request"):
            return change.event.request
        return await self._reading.requests.of(self.feed.tenant, change.job_id)

    async def _missed(self, missed: Missed) -> AsyncGenerator[Message, None]:
        """Goes on from the store or, behind a gap, from snapshots.

        Who has just come is given everything that the store has, however much. Who was at the head
        and fell behind reads too slowly, and each page from then on would be read for him alone.
        """
        feed = self.feed
        if missed is Missed.FELL_BEHIND and feed.sequence - self.sequence <= self._furthest:
            changes = await self._reading.history.behind(feed, self.generation, self.sequence)
            for change in changes or ():
                self.check()
                if change.sequence > feed.sequence:
                    break  # the feed will bring it
                self.sequence = change.sequence
                if self.group.filter.matches(change.event):
                    update = await self._update(change)
                    if update is not None:
                        yield update
            if changes:
                return
        await self._reading.advance(feed)
        restored = self.generation != feed.generation or self.sequence > feed.sequence
        # By the minute, so that all who missed the same begin with the same snapshots.
        from_ms = max(0, self._time_ms - GAP_MARGIN_MS) // 60_000 * 60_000
        gap = WatchGap(from_time=time_of(from_ms), restored=restored)
        yield Told(WatchJobsResponse(gap=gap))
        async for told in self._begin(from_ms):
            yield told

    async def _begin(self, since_ms: int | None = None) -> AsyncGenerator[Message, None]:
        """The snapshots; behind a gap also of what has ended since then.

        The place in the feed is taken first: what was before it is in the snapshots, and what came
        behind it follows them. Behind a gap nobody knows which states a job has been in, so all
        are shown: one that has left the filter would else seem to be in it for ever.
        """
        self._go_on_from_head()
        self._known, self._count = {}, 0
        wanted, token = self.group.filter, ""
        if since_ms is not None:
            wanted = JobFilter(model=wanted.model, labels=wanted.labels)
        while True:
            page = await self._reading.snapshots.page(self.feed, wanted, since_ms, token)
            # With one page, as nearly always, all who came at once keep the same dict.
            self._known = {**self._known, **page.revisions} if self._known else page.revisions
            for told in page.told:
                self.check()
                self._count += 1
                yield told
            if not (token := page.next_token):
                break
        self._read_at, self._read_ns, self._sync_at = page.read_at, None, None

    def _go_on_from_head(self) -> None:
        self.go_to_head()
        self._time_ms = self.feed.time_ms
        self._furthest = self.feed.most_kept

    def _is_synced(self) -> bool:
        """Whether all that was committed when the snapshots were read is behind this watch in the
        feed: a cursor before it would bring what they show a second time."""
        feed = self.feed
        if self._read_ns is None and feed.asked_at >= self._read_at:
            self._read_ns = feed.read_ns
        if self._sync_at is None and self._read_ns is not None and feed.as_of_ns >= self._read_ns:
            self._sync_at = feed.sequence
        return self._sync_at is not None and self.sequence >= self._sync_at

    async def _settle(self) -> None:
        """Until the feed is read once more."""
        if self._read_ns is not None:
            await asyncio.sleep(self._reading.settle_every)
        await self._reading.advance(self.feed)

    def _synced(self) -> Message:
        self._known = None
        self.quiet = 0
        cursor, count = Cursor(self.generation, self.sequence, self._time_ms), self._count
        return self.group.shared(
            ("synced", cursor, count),
            lambda: Told(
                WatchJobsResponse(
                    cursor=cursor.text(self.feed.tenant), synced=Synced(snapshots=count)
                )
            ),
        )

    def _aside(self) -> Message | None:
        """What is said between updates, made once for all of the group who are as far."""
        feed, board = self.feed, self.feed.board
        here = (feed.generation, feed.sequence)
        if self.forecasts_seen != board.round:
            seen, self.forecasts_seen = self.forecasts_seen, board.round
            key = ("forecasts", here, seen, board.round)
            if (told := self.group.shared(key, lambda: self._forecasts(seen))) is not None:
                return told
        if not self.beat_due:
            return None
        self.beat_due = False
        return self.group.shared(("heartbeat", here, feed.as_of_ns), self._heartbeat)

    def _forecasts(self, seen: int) -> Message | None:
        moved = list(self.feed.board.of_filter(self.group.filter, seen))
        if not moved:
            return None
        cursor = self.feed.cursor.text(self.feed.tenant)
        return Told(WatchJobsResponse(cursor=cursor, forecasts=Forecasts(forecasts=moved)))

    def _heartbeat(self) -> Message:
        beat = WatchHeartbeat()
        if self.feed.as_of_ns:
            beat.current_time.FromNanoseconds(self.feed.as_of_ns)
        cursor = self.feed.cursor.text(self.feed.tenant)
        return Told(WatchJobsResponse(cursor=cursor, heartbeat=beat))
