"""How does the watch of one job go from its start to the job's end?"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from gateway.watch.feed import Feed
from gateway.watch.flights import Flights
from gateway.watch.group import JobGroup
from gateway.watch.progress import JobPage, Progress
from gateway.watch.source import Source
from gateway.watch.told import Told
from gateway.watch.watcher import Missed, Watcher
from mediagen.v1 import job_pb2
from mediagen.v1.generation_service_pb2 import Heartbeat, WatchJobResponse

PAGE = 200


class JobWatch(Watcher):
    """Every revision of a job behind *after_revision*, once and in order, to the final one.

    A watcher that is more than *behind* revisions late gets a gap and a snapshot. Made by
    Hub.watch_job, which joins it to its feed before `start`.
    """

    __slots__ = ("_after", "_behind", "_first", "_flights", "_job_id", "_progress", "_source")

    group: JobGroup

    def __init__(
        self,
        feed: Feed,
        group: JobGroup,
        source: Source,
        flights: Flights,
        after_revision: int,
        behind: int,
    ) -> None:
        super().__init__(feed, group)
        self._source = source
        self._flights = flights
        self._job_id = group.job_id
        self._after = after_revision
        self._behind = behind
        self._progress = Progress(after_revision)
        self._first: JobPage | None = None

    @property
    def revision(self) -> int:
        """The last revision sent, or said by the caller to be known."""
        return self._progress.last

    async def start(self) -> None:
        """Reads where to begin. Raises StoreUnavailable, or what the store says."""
        self.go_to_head()
        self._first = await self._read(PAGE)

    async def events(self) -> AsyncGenerator[Told[WatchJobResponse], None]:
        """What to send. Ends after the final revision; raises Draining or StoreUnavailable."""
        progress = self._progress
        async for told in self._beginning():
            yield told
            del told  # else this frame would keep the last page as long as the watch lasts
        while not progress.final:
            turn = self.turn()
            if turn is None:
                if (aside := self._aside()) is not None:
                    yield aside
                else:
                    await self.wait()
            elif isinstance(turn, Missed):
                async for told in self._catch_up():
                    yield told
                    del told
            elif progress.is_next(turn.job):
                yield progress.update(turn)
            elif not progress.is_old(turn.job):
                # A revision is missing between.
                async for told in self._catch_up():
                    yield told
                    del told

    async def whole(self) -> job_pb2.Job:
        """The job as it is now."""
        return (await self._read(1)).job

    async def _beginning(self) -> AsyncGenerator[Told[WatchJobResponse], None]:
        page, self._first = self._first, None
        progress = self._progress
        assert page is not None
        if self._after == 0:
            yield progress.snapshot(page)
            return
        for told in progress.page(page):
            yield told
        while not progress.is_old(page.job):
            page = await self._read(PAGE)
            for told in progress.page(page):
                yield told

    async def _catch_up(self) -> AsyncGenerator[Told[WatchJobResponse], None]:
        # Before the read: what comes meanwhile is seen again, and known to be old.
        self.go_to_head()
        page = await self._read(self._behind)
        for told in self._progress.page(page, most=self._behind):
            yield told

    def _aside(self) -> Told[WatchJobResponse] | None:
        """What is said between revisions."""
        board = self.feed.board
        if self.forecasts_seen != board.round:
            forecast = board.of_job(self._job_id, self.forecasts_seen)
            self.forecasts_seen = board.round
            if forecast is not None:
                self.quiet = 0
                return Told(WatchJobResponse(forecast=forecast))
        if not self.beat_due:
            return None
        self.beat_due, self.quiet = False, 0
        beat = Heartbeat(revision=self._progress.last)
        if self.feed.as_of_ns:
            beat.current_time.FromNanoseconds(self.feed.as_of_ns)
        return Told(WatchJobResponse(heartbeat=beat))

    async def _read(self, limit: int) -> JobPage:
        tenant, job_id, last = self.feed.tenant, self._job_id, self._progress.last

        async def read() -> JobPage:
            return JobPage(await self._source.read_job_events(tenant, job_id, last, limit))

        return await self._flights.ask(("job", tenant, job_id, last, limit), read)
