"""How far has this gateway applied the feed of a tenant? Pure: the hub reads, this decides."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gateway.watch.cursor import Cursor
from gateway.watch.filters import JobFilter
from gateway.watch.forecasts import Board
from gateway.watch.group import FilterGroup, Group, JobGroup
from gateway.watch.told import Change
from mediagen.store.v1.feed_pb2 import FeedEvent, FeedPosition
from mediagen.store.v1.job_store_service_pb2 import ReadFeedResponse
from mediagen.v1.generation_service_pb2 import JobForecast

if TYPE_CHECKING:
    from gateway.watch.watcher import Watcher

# What is kept of a feed: who comes back from within it, or is slow for a moment, costs no read.
KEPT_EVENTS = 2048
KEPT_BYTES = 4 * 1024 * 1024


class Feed:
    """One tenant's watchers, the place up to which they can be given every event, and the last of
    these events.

    An event is applied only when it is the next one, so the place says: all before it was seen.
    """

    def __init__(
        self, tenant: str, *, kept_events: int = KEPT_EVENTS, kept_bytes: int = KEPT_BYTES
    ) -> None:
        self.tenant = tenant
        self.generation = 0
        self.sequence = 0
        self.begun = False
        # Everything that was committed before this is at or before `sequence`; 0 if not known.
        self.as_of_ns = 0
        # When the last read of the head began by the loop's clock, and when it was by the store's.
        self.asked_at = 0.0
        self.read_ns = 0
        # The events behind this sequence are kept, up to `sequence`.
        self.kept_from = 0
        self.board = Board()
        self._forecasts_of = (0, -1)
        self._kept: deque[Change] = deque()
        self._kept_bytes = 0
        self.most_kept = kept_events
        self._most_bytes = kept_bytes
        self._jobs: dict[str, JobGroup] = {}
        self._filters: dict[JobFilter, FilterGroup] = {}

    @property
    def followed(self) -> bool:
        return bool(self._jobs or self._filters)

    @property
    def position(self) -> FeedPosition:
        return FeedPosition(generation=self.generation, sequence=self.sequence)

    @property
    def time_ms(self) -> int:
        """About when what was applied last happened."""
        return max(self.as_of_ns // 1_000_000, self._kept[-1].time_ms if self._kept else 0)

    @property
    def cursor(self) -> Cursor:
        """Where a watch goes on that has seen all that was applied."""
        return Cursor(self.generation, self.sequence, self.time_ms)

    def groups(self) -> Iterator[Group]:
        yield from self._jobs.values()
        yield from self._filters.values()

    def watchers(self) -> Iterator[Watcher]:
        for group in self.groups():
            yield from group.members

    def of_job(self, job_id: str) -> JobGroup:
        """The group of a job's watchers. Whoever joins it leaves it."""
        group = self._jobs.get(job_id)
        if group is None:
            group = self._jobs[job_id] = JobGroup(job_id)
            group.begin(self.sequence)
        return group

    def of_filter(self, wanted: JobFilter) -> FilterGroup:
        """The group of the watchers of jobs with this filter. Whoever joins it leaves it."""
        group = self._filters.get(wanted)
        if group is None:
            group = self._filters[wanted] = FilterGroup(wanted)
            group.begin(self.sequence)
        return group

    def leave(self, watcher: Watcher) -> None:
        group = watcher.group
        group.members.discard(watcher)
        if group.members:
            return
        if isinstance(group, JobGroup):
            self._jobs.pop(group.job_id, None)
        elif isinstance(group, FilterGroup):
            self._filters.pop(group.filter, None)

    def at(self, sequence: int) -> Change:
        """A kept event."""
        return self._kept[sequence - self.kept_from - 1]

    def needs_forecasts(self) -> bool:
        """Whether there may be any: there were at the last time, or something happened since."""
        here = (self.generation, self.sequence)
        needed = not self.board.empty or here != self._forecasts_of
        self._forecasts_of = here
        return needed

    def show(self, forecasts: Iterable[JobForecast]) -> None:
        """Lets the watchers know of forecasts that have moved."""
        moved = self.board.put(forecasts)
        for job_id in moved:
            if (group := self._jobs.get(job_id)) is not None:
                group.ring()
        if moved:
            for of_filter in self._filters.values():
                of_filter.ring()

    def begin(self, answer: ReadFeedResponse, asked_at: float) -> None:
        """Starts at the head, which was asked for after the first watcher joined."""
        if not self.begun:
            self._begin_at(answer.head)
            self._reached(answer, asked_at)

    def hear(self, event: FeedEvent) -> bool:
        """Applies a hint if it is the next event; False if the store is to be read."""
        if not self.begun:
            return True
        if event.position.generation != self.generation:
            return False
        return self._apply(event)

    def take(self, asked: FeedPosition, answer: ReadFeedResponse, asked_at: float) -> bool:
        """Applies what was read behind *asked*; True if there is more to read."""
        # All watchers left while this was read; others may have joined.
        if not self.begun or self.generation != asked.generation:
            return False
        head = answer.head
        there = head.generation == asked.generation and head.sequence >= asked.sequence
        if not there or not all(self._apply(event) for event in answer.events):
            self._begin_at(head)
        elif head.sequence > self.sequence:
            if answer.events:
                return True
            # There are more, and they are no longer kept.
            self._begin_at(head)
        self._reached(answer, asked_at)
        return False

    def _apply(self, event: FeedEvent) -> bool:
        sequence = event.position.sequence
        if sequence > self.sequence + 1:
            return False
        if sequence == self.sequence + 1:
            self._keep(Change(event))
            self.sequence = sequence
            self.board.note(event)
            job = self._jobs.get(event.job.job_id)
            if job is not None:
                job.note(sequence)
            for group in self._filters.values():
                if group.filter.matches(event):
                    group.note(sequence)
        return True

    def _keep(self, change: Change) -> None:
        self._kept.append(change)
        self._kept_bytes += change.bytes
        while len(self._kept) > self.most_kept or (
            self._kept_bytes > self._most_bytes and len(self._kept) > 1
        ):
            self._kept_bytes -= self._kept.popleft().bytes
            self.kept_from += 1

    def _begin_at(self, head: FeedPosition) -> None:
        """The events before can not be had from here: each watcher sees to it by itself."""
        self.begun = True
        if self.generation != head.generation:
            self.board = Board()
        self.generation, self.sequence = head.generation, head.sequence
        self.as_of_ns = self.read_ns = 0
        self.kept_from = head.sequence
        self._kept.clear()
        self._kept_bytes = 0
        for group in self.groups():
            group.begin(head.sequence)

    def _reached(self, answer: ReadFeedResponse, asked_at: float) -> None:
        """The head of *answer* was reached, so what it says of the time is true here."""
        if answer.HasField("as_of"):
            self.as_of_ns = max(self.as_of_ns, answer.as_of.ToNanoseconds())
            self.asked_at = asked_at
            self.read_ns = answer.read_time.ToNanoseconds()
