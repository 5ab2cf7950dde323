"""Who is told the same? The watchers of one job, and those of jobs with equal filters."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, TypeVar, cast

from gateway.watch.filters import JobFilter
from gateway.watch.told import Change, Told
from mediagen.v1.generation_service_pb2 import WatchJobsResponse

if TYPE_CHECKING:
    from gateway.watch.watcher import Watcher

Shared = TypeVar("Shared", bound=Told[WatchJobsResponse] | None)

# Heartbeats and forecasts that are kept for the others of the group.
MOST_SHARED = 8


class Group:
    """Watchers that want the same events, so that each event is looked at once for all of them.

    Nothing between the sequences `before` and `latest` was for them, nor anything behind `latest`;
    `noted` was.
    """

    __slots__ = ("before", "latest", "members", "noted")

    def __init__(self) -> None:
        self.before = self.latest = self.noted = 0
        self.members: set[Watcher] = set()

    def wants(self, change: Change) -> bool:
        """Whether the event is for these watchers."""
        raise NotImplementedError

    def note(self, sequence: int) -> None:
        """The event of this sequence is for them."""
        self.before, self.latest, self.noted = self.latest, sequence, sequence
        self.ring()

    def begin(self, sequence: int) -> None:
        """Nothing is known of what was up to *sequence*."""
        self.before, self.latest, self.noted = sequence, sequence, 0
        self.ring()

    def ring(self) -> None:
        """Lets each watcher look whether there is something to do."""
        for watcher in self.members:
            watcher.ring()


class JobGroup(Group):
    """Those who follow one job."""

    __slots__ = ("job_id",)

    def __init__(self, job_id: str) -> None:
        super().__init__()
        self.job_id = job_id

    def wants(self, change: Change) -> bool:
        return change.job_id == self.job_id


class FilterGroup(Group):
    """Those who follow all jobs of a filter."""

    __slots__ = ("_shared", "filter")

    def __init__(self, wanted: JobFilter) -> None:
        super().__init__()
        self.filter = wanted
        self._shared: dict[Hashable, Told[WatchJobsResponse] | None] = {}

    def wants(self, change: Change) -> bool:
        return change.sequence == self.noted or self.filter.matches(change.event)

    def shared(self, key: Hashable, make: Callable[[], Shared]) -> Shared:
        """What *make* makes, once for all who ask by the same *key* one after the other."""
        if key not in self._shared:
            if len(self._shared) >= MOST_SHARED:
                self._shared.clear()
            self._shared[key] = make()
        return cast("Shared", self._shared[key])
