"""What does a watcher get next? Pure: no clock, no store, no stream."""

from __future__ import annotations

from collections.abc import Iterator

from mediagen.store.v1.job_store_service_pb2 import ReadJobEventsResponse
from mediagen.v1 import job_pb2
from mediagen.v1.generation_service_pb2 import Heartbeat, RevisionGap, WatchJobResponse

FINAL = frozenset(
    {
        job_pb2.Job.STATE_COMPLETED,
        job_pb2.Job.STATE_FAILED,
        job_pb2.Job.STATE_CANCELED,
    }
)


class Progress:
    """How far one watch is. Every message it makes is to be sent, in that order.

    `last` grows, and a revision is left out only behind a gap that names it. It falls only behind
    a gap that names the revisions which are no more: the store was restored to an earlier moment.
    """

    def __init__(self, last: int) -> None:
        self.last = last
        self.final = False

    def snapshot(self, job: job_pb2.Job) -> WatchJobResponse:
        """The whole *job*, from which the watch goes on."""
        self._reach(job)
        return WatchJobResponse(snapshot=job)

    def heartbeat(self) -> WatchJobResponse:
        return WatchJobResponse(heartbeat=Heartbeat(revision=self.last))

    def is_old(self, job: job_pb2.Job) -> bool:
        return job.revision <= self.last

    def is_next(self, job: job_pb2.Job) -> bool:
        return job.revision == self.last + 1

    def update(self, job: job_pb2.Job) -> WatchJobResponse:
        """The next revision; see is_next."""
        self._reach(job)
        return WatchJobResponse(update=job)

    def page(
        self, page: ReadJobEventsResponse, *, most: int | None = None
    ) -> Iterator[WatchJobResponse]:
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
            yield self.snapshot(page.job)
        elif (most is not None and behind > most) or not later:
            yield from self._skip_to(page.job)
        else:
            for job in later:
                if not self.is_next(job):
                    yield from self._skip_to(page.job)
                    return
                yield self.update(job)

    def _skip_to(self, job: job_pb2.Job) -> Iterator[WatchJobResponse]:
        """The gap ends before the snapshot's own revision; without any left out there is none."""
        if job.revision > self.last + 1:
            yield _gap(self.last + 1, job.revision - 1)
        yield self.snapshot(job)

    def _reach(self, job: job_pb2.Job) -> None:
        self.last = job.revision
        self.final = job.state in FINAL


def _gap(first: int, last: int) -> WatchJobResponse:
    return WatchJobResponse(gap=RevisionGap(from_revision=first, to_revision=last))
