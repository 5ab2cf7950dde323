"""What does a watcher of one job get next? Pure: no clock, no store, no stream."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.watch.filters import FINAL
from gateway.watch.told import Change, Told
from mediagen.store.v1.job_store_service_pb2 import ReadJobEventsResponse
from mediagen.v1 import job_pb2
from mediagen.v1.generation_service_pb2 import RevisionGap, WatchJobResponse


class JobPage:
    """A job and revisions of it, as read for one watcher or many."""

    __slots__ = ("_snapshot", "job", "revisions")

    def __init__(self, answer: ReadJobEventsResponse) -> None:
        self.job = answer.job
        self.revisions = answer.revisions
        self._snapshot: Told[WatchJobResponse] | None = None

    @property
    def snapshot(self) -> Told[WatchJobResponse]:
        """The whole job."""
        if self._snapshot is None:
            self._snapshot = Told(WatchJobResponse(snapshot=self.job))
        return self._snapshot


class Progress:
    """How far one watch is. Every message it makes is to be sent, in that order.

    `last` grows, and a revision is left out only behind a gap that names it. It falls only behind
    a gap that names the revisions which are no more: the store was restored to an earlier moment.
    """

    __slots__ = ("final", "last")

    def __init__(self, last: int) -> None:
        self.last = last
        self.final = False

    def snapshot(self, page: JobPage) -> Told[WatchJobResponse]:
        """The whole job, from which the watch goes on."""
        self._reach(page.job)
        return page.snapshot

    def is_old(self, job: job_pb2.Job) -> bool:
        return job.revision <= self.last

    def is_next(self, job: job_pb2.Job) -> bool:
        return job.revision == self.last + 1

    def update(self, change: Change) -> Told[WatchJobResponse]:
        """The next revision; see is_next."""
        self._reach(change.job)
        return change.for_job()

    def page(self, page: JobPage, *, most: int | None = None) -> Iterator[Told[WatchJobResponse]]:
        """What a page read behind `last` gives.

        With holes, or more than *most* revisions behind: a gap and a snapshot. The page may end
        before the job's revision; then `is_old(page.job)` is False and another is to be read.
        """
        behind = page.job.revision - self.last
        later = [job for job in page.revisions if not self.is_old(job)]
        if behind == 0:
            self.final = page.job.state in FINAL
        elif behind < 0:
            yield _gap(page.job.revision + 1, self.last)
            yield self.snapshot(page)
        elif (most is not None and behind > most) or not later:
            yield from self._skip_to(page)
        else:
            for job in later:
                if not self.is_next(job):
                    yield from self._skip_to(page)
                    return
                self._reach(job)
                yield Told(WatchJobResponse(update=job))

    def _skip_to(self, page: JobPage) -> Iterator[Told[WatchJobResponse]]:
        """The gap ends before the snapshot's own revision; without any left out there is none."""
        if page.job.revision > self.last + 1:
            yield _gap(self.last + 1, page.job.revision - 1)
        yield self.snapshot(page)

    def _reach(self, job: job_pb2.Job) -> None:
        self.last = job.revision
        self.final = job.state in FINAL


def _gap(first: int, last: int) -> Told[WatchJobResponse]:
    return Told(WatchJobResponse(gap=RevisionGap(from_revision=first, to_revision=last)))
