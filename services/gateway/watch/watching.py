"""How does one watch go from its start to the job's end?"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from gateway.watch.mailbox import Mailbox, Signal
from gateway.watch.progress import Progress
from mediagen.store.v1.job_store_service_pb2 import ReadJobEventsResponse
from mediagen.v1 import job_pb2
from mediagen.v1.generation_service_pb2 import WatchJobResponse

_PAGE = 200


class RevisionSource(Protocol):
    """What a watch asks of the store."""

    async def read_job_events(
        self, tenant: str, job_id: str, after_revision: int, limit: int
    ) -> ReadJobEventsResponse:
        """The job and its revisions behind one, as of one instant."""
        ...


class Watch:
    """Every revision of a job behind *after_revision*, once and in order, to the final one.

    A watcher that is more than *behind* revisions late gets a gap and a snapshot; *heartbeat* is
    in seconds. Made by Hub.watch, which sees to it that *mailbox* is filled from before `start`.
    """

    def __init__(
        self,
        store: RevisionSource,
        mailbox: Mailbox,
        tenant: str,
        job_id: str,
        after_revision: int,
        *,
        behind: int,
        heartbeat: float,
    ) -> None:
        self._store = store
        self._mailbox = mailbox
        self._tenant = tenant
        self._job_id = job_id
        self._after = after_revision
        self._behind = behind
        self._heartbeat = heartbeat
        self._progress = Progress(after_revision)
        self._first = ReadJobEventsResponse()

    @property
    def job(self) -> job_pb2.Job:
        """The whole job as it was at the start."""
        return self._first.job

    @property
    def revision(self) -> int:
        """The last revision sent, or said by the caller to be known."""
        return self._progress.last

    async def start(self) -> None:
        """Reads where to begin. Raises StoreUnavailable, or what the store says."""
        self._first = await self._read(_PAGE)

    async def events(self) -> AsyncGenerator[WatchJobResponse, None]:
        """What to send. Ends after the final revision; raises Draining or StoreUnavailable."""
        progress = self._progress
        if self._after == 0:
            yield progress.snapshot(self.job)
        else:
            page = self._first
            for event in progress.page(page):
                yield event
            while not progress.is_old(page.job):
                page = await self._read(_PAGE)
                for event in progress.page(page):
                    yield event
        while not progress.final:
            came = await self._mailbox.take(self._heartbeat)
            if came is Signal.SILENCE:
                yield progress.heartbeat()
            elif came is Signal.LOST:
                page = await self._read(self._behind)
                for event in progress.page(page, most=self._behind):
                    yield event
            elif isinstance(came, Signal) or progress.is_old(came):
                continue
            elif progress.is_next(came):
                yield progress.update(came)
            else:
                # A revision is missing between: the mailbox is as good as lost.
                self._mailbox.lose()

    async def _read(self, limit: int) -> ReadJobEventsResponse:
        return await self._store.read_job_events(
            self._tenant, self._job_id, self._progress.last, limit
        )
