"""A watcher of all jobs is told every revision once, over connections that die anywhere."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediagen import (
    Backoff,
    Heartbeat,
    InvalidRequest,
    Job,
    JobForecasts,
    JobNotFound,
    JobsEvent,
    JobsGap,
    JobSnapshot,
    JobsWatch,
    JobUpdate,
    MediagenError,
    Synced,
    Unavailable,
)
from mediagen.v1.generation_service_pb2 import (
    Forecasts,
    WatchGap,
    WatchHeartbeat,
    WatchJobsRequest,
    WatchJobsResponse,
)
from mediagen.v1.generation_service_pb2 import Synced as SyncedMessage
from mediagen.watching_jobs import Source

RUNNING, DONE = Job.STATE_RUNNING, Job.STATE_COMPLETED
End = grpc.StatusCode | str
CUTS: list[End] = [
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.OK,
    "silence",
]


def a_job(name: str, revision: int, last: int, *, whole: bool) -> Job:
    job = Job(job_id=name, revision=revision, state=DONE if revision == last else RUNNING)
    if whole:
        job.request.prompt = f"prompt of {name}"
    return job


def is_last(message: WatchJobsResponse) -> bool:
    return message.WhichOneof("event") == "heartbeat"


class Stream:
    """One WatchJobs call: some messages, then its end: an error, silence, or OK."""

    def __init__(self, messages: list[WatchJobsResponse], end: End) -> None:
        self.messages, self.end, self.cancelled = list(messages), end, False

    async def initial_metadata(self) -> grpc.aio.Metadata:
        return grpc.aio.Metadata()

    async def read(self) -> object:
        if self.messages:
            return self.messages.pop(0)
        if self.end == "silence":
            await asyncio.sleep(60)
        if isinstance(self.end, grpc.StatusCode) and self.end is not grpc.StatusCode.OK:
            raise grpc.aio.AioRpcError(self.end, grpc.aio.Metadata(), grpc.aio.Metadata(), "cut")
        return grpc.aio.EOF

    def cancel(self) -> None:
        self.cancelled = True


class Server:
    """Has a feed of (job, revision), of which so many have happened when each stream begins.

    Its streams follow the protos: without a cursor snapshots of what is open, then synced, then
    updates, whose cursor is their place. They end after so many messages, each in its way.
    """

    def __init__(self, feed: list[str], streams: list[tuple[int, int, End]]) -> None:
        self.feed = [(name, feed[: place + 1].count(name)) for place, name in enumerate(feed)]
        self.lasts = {name: feed.count(name) for name in feed}
        self.streams, self.happened = list(streams), 0
        self.opened = list[Stream]()
        self.asked = list[str]()
        self.first_kept = 0

    def now(self, name: str) -> int:
        return max((n for each, n in self.feed[: self.happened] if each == name), default=0)

    def open_stream(self, request: WatchJobsRequest, _: float) -> Stream:
        self.asked.append(request.cursor)
        more, count, end = self.streams.pop(0) if self.streams else (99, 999, "idle")
        self.happened = min(len(self.feed), self.happened + more)
        messages = self._messages(request.cursor)
        self.happened = len(self.feed) if end == "idle" else self.happened
        self.opened.append(Stream(messages[:count], end))
        return self.opened[-1]

    def _messages(self, cursor: str) -> list[WatchJobsResponse]:
        place = int(cursor or 0)
        found = list[WatchJobsResponse]()
        gone = bool(cursor) and place < self.first_kept
        if gone:
            found.append(WatchJobsResponse(gap=WatchGap()))
        if gone or not cursor:
            place = self.happened
            for name in sorted({name for name, _ in self.feed[:place]}):
                job = a_job(name, self.now(name), self.lasts[name], whole=True)
                if gone or job.state == RUNNING:
                    found.append(WatchJobsResponse(snapshot=job))
            synced = SyncedMessage(snapshots=len(found))
            found.append(WatchJobsResponse(cursor=str(place), synced=synced))
        for name, revision in self.feed[place:]:
            place += 1
            job = a_job(name, revision, self.lasts[name], whole=revision == 1)
            found.append(WatchJobsResponse(cursor=str(place), update=job))
        return [*found, WatchJobsResponse(cursor=str(place), heartbeat=WatchHeartbeat())]

    async def get(self, job_id: str) -> Job:
        if not self.now(job_id):
            raise JobNotFound("no such job")
        return a_job(job_id, self.now(job_id), self.lasts[job_id], whole=True)


def watching(server: Server, cursor: str = "", reconnects: int = 100) -> JobsWatch:
    source = Source(server.open_stream, server.get, 0.005, reconnects, Backoff(0.0, 0.0))
    return JobsWatch(source, WatchJobsRequest(cursor=cursor))


async def first(watch: JobsWatch) -> JobsEvent:
    return await anext(watch)


async def told(server: Server, cursor: str = "") -> list[JobsEvent]:
    """Everything up to the sign of life behind the last of the feed."""
    found = list[JobsEvent]()
    async for event in (watch := watching(server, cursor)):
        found.append(event)
        if isinstance(event, Heartbeat) and watch.cursor == str(len(server.feed)):
            await watch.aclose()
            return found
    raise AssertionError("it never ends by itself")


def revisions(events: list[JobsEvent], name: str) -> list[int]:
    jobs = [each.job for each in events if isinstance(each, JobSnapshot | JobUpdate)]
    assert all(job.request.prompt == f"prompt of {job.job_id}" for job in jobs)
    return [job.revision for job in jobs if job.job_id == name]


feeds = st.lists(st.sampled_from("abc"), min_size=1, max_size=14)
streams = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 8), st.sampled_from(CUTS)), max_size=6
)


@settings(deadline=None)
@given(feed=feeds, cut=streams)
def test_every_revision_behind_the_first_sight_is_told_once(
    feed: list[str], cut: list[tuple[int, int, End]]
) -> None:
    """Any number of streams, cut after any number of messages. Of a job, no revision comes twice or
    late; once a watch is synced none is left out; and the end of a job that was seen is told."""
    server = Server(feed, cut)
    events = asyncio.run(told(server))
    synced = next(place for place, each in enumerate(events) if isinstance(each, Synced))
    for name, last in server.lasts.items():
        seen = revisions(events, name)
        assert all(one < other for one, other in pairwise(seen))
        if seen:
            assert seen[-1] == last
        later = revisions(events[synced:], name)
        begin = (revisions(events[:synced], name) or later or [0])[-1 if seen != later else 0]
        assert later == list(range(later[0], last + 1)) if later else begin in (0, last)
    assert all(stream.cancelled for stream in server.opened)


@settings(deadline=None)
@given(feed=feeds, cut=streams, known=st.integers(0, 14))
def test_a_cursor_goes_on_behind_what_was_told(
    feed: list[str], cut: list[tuple[int, int, End]], known: int
) -> None:
    """By a new process, which knows nothing of the jobs: nothing twice, nothing left out."""
    server = Server(feed, cut)
    server.happened = known = min(known, len(feed))
    before = {name: server.now(name) for name in server.lasts}
    events = asyncio.run(told(server, str(known)))
    if known:
        assert not any(isinstance(each, Synced | JobSnapshot) for each in events)
        for name, last in server.lasts.items():
            assert revisions(events, name) == list(range(before[name] + 1, last + 1))


def test_a_gap_is_told_and_followed_by_what_changed_in_it() -> None:
    """Also the end of a job that was seen before. What was told already is not told again."""
    server = Server(list("aab"), [(1, 2, grpc.StatusCode.UNAVAILABLE)])
    server.first_kept = 3
    events = asyncio.run(told(server))
    kinds = [type(each) for each in events]
    gap = [JobsGap, JobSnapshot, JobSnapshot, Synced, Heartbeat]
    assert kinds == [JobSnapshot, Synced, *gap]
    assert (revisions(events, "a"), revisions(events, "b")) == ([1, 2], [1])


def test_after_a_restore_lower_revisions_are_news() -> None:
    """The service has forgotten what this watcher has seen: so does the watcher."""

    class Restored(Server):
        def _messages(self, cursor: str) -> list[WatchJobsResponse]:
            if not cursor:
                job = a_job("a", 5, 9, whole=True)
                synced = WatchJobsResponse(cursor="1", synced=SyncedMessage(snapshots=1))
                return [WatchJobsResponse(snapshot=job), synced]
            job = a_job("a", 2, 9, whole=True)
            return [
                WatchJobsResponse(gap=WatchGap(restored=True)),
                WatchJobsResponse(snapshot=job),
                WatchJobsResponse(cursor="2", synced=SyncedMessage(snapshots=1)),
                WatchJobsResponse(cursor=str(len(self.feed)), heartbeat=WatchHeartbeat()),
            ]

    server = Restored(list("aaa"), [(3, 9, grpc.StatusCode.OK)])
    events = asyncio.run(told(server))
    assert revisions(events, "a") == [5, 2]
    assert any(isinstance(each, JobsGap) and each.restored for each in events)


def test_the_end_of_a_job_in_a_lost_beginning_is_told() -> None:
    """A stream that dies before synced leaves no cursor, and the next has no snapshot of what has
    ended meanwhile: it is asked for."""
    server = Server(list("aab"), [(1, 1, grpc.StatusCode.UNAVAILABLE)])
    assert revisions(asyncio.run(told(server)), "a") == [1, 2]
    assert server.asked == ["", ""]


def test_tries_without_a_message_are_bounded() -> None:
    """Then the error is raised, and not before."""
    server = Server(["a"], [(0, 0, grpc.StatusCode.UNAVAILABLE)] * 9)
    watch = watching(server, reconnects=3)
    with pytest.raises(Unavailable):
        asyncio.run(first(watch))
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, InvalidRequest),
        (grpc.StatusCode.UNIMPLEMENTED, MediagenError),
    ],
)
def test_what_another_stream_would_not_change_is_raised(
    code: grpc.StatusCode, kind: type[MediagenError]
) -> None:
    """A cursor that is not one of the server's, or a server that is too old."""
    server = Server(["a"], [(0, 0, code)])
    with pytest.raises(kind):
        asyncio.run(first(watching(server, "7")))
    assert len(server.asked) == 1


def test_forecasts_are_told_by_job() -> None:
    """In the order of the line."""
    message = Forecasts()
    for place, name in enumerate("ba"):
        message.forecasts.add(job_id=name).forecast.jobs_ahead = place

    class Telling(Server):
        def _messages(self, cursor: str) -> list[WatchJobsResponse]:
            return [WatchJobsResponse(cursor="1", forecasts=message)]

    event = asyncio.run(first(watching(Telling(["a"], []))))
    assert isinstance(event, JobForecasts)
    assert [(key, each.jobs_ahead) for key, each in event.forecasts.items()] == [("b", 0), ("a", 1)]
