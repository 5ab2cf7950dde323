"""A watcher sees every revision once, in order, over connections that die."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediagen import Backoff, Gap, Job, JobNotFound, MediagenError, Unavailable, is_final
from mediagen.v1.generation_service_pb2 import (
    Heartbeat,
    RevisionGap,
    WatchJobRequest,
    WatchJobResponse,
)
from mediagen.watching import Revisions, Watcher

PROMPT = "a red fox"


def a_job(revision: int, *, last: int, whole: bool = True) -> Job:
    job = Job(job_id="j1", revision=revision, state=Job.STATE_RUNNING)
    if revision == last:
        job.state = Job.STATE_COMPLETED
    if whole:
        job.request.prompt = PROMPT
    return job


def snapshot(revision: int, last: int = 99) -> WatchJobResponse:
    return WatchJobResponse(snapshot=a_job(revision, last=last))


def update(revision: int, last: int = 99) -> WatchJobResponse:
    return WatchJobResponse(update=a_job(revision, last=last, whole=False))


def gap(first: int, last: int) -> WatchJobResponse:
    return WatchJobResponse(gap=RevisionGap(from_revision=first, to_revision=last))


class Stream:
    """One WatchJob call: some messages, then its end: an error, silence, or OK."""

    def __init__(self, messages: list[WatchJobResponse], end: grpc.StatusCode | str) -> None:
        self.messages, self.end, self.cancelled = list(messages), end, False

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
    """Has a job with revisions 1 to *last*, and ends each stream as it is told."""

    def __init__(self, last: int, ends: list[tuple[int, grpc.StatusCode | str]]) -> None:
        self.last, self.ends, self.asked = last, list(ends), list[int]()
        self.streams = list[Stream]()
        self.first_seen = 1

    def open_stream(self, request: WatchJobRequest, _: float) -> Stream:
        after = request.after_revision
        self.asked.append(after)
        messages = [update(each, self.last) for each in range(after + 1, self.last + 1)]
        if after == 0:
            messages = [snapshot(self.first_seen, self.last), *messages[self.first_seen :]]
        count, end = self.ends.pop(0) if self.ends else (len(messages), grpc.StatusCode.OK)
        end = grpc.StatusCode.OK if count >= len(messages) else end
        self.streams.append(Stream(messages[:count], end))
        return self.streams[-1]

    async def get(self, job_id: str) -> Job:
        return a_job(self.last, last=self.last)


def watcher(server: Server, reconnects: int = 100, silence: float = 0.005) -> Watcher:
    return Watcher(server.open_stream, server.get, silence, reconnects, Backoff(0.0, 0.0))


async def seen(watch: Watcher, revisions: Revisions) -> list[Job]:
    return [job async for job in watch.watch("j1", revisions)]


CUTS = [
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.OK,
    "silence",
]


@given(
    last=st.integers(1, 12),
    first_seen=st.integers(1, 12),
    after=st.integers(0, 12),
    ends=st.lists(st.tuples(st.integers(0, 12), st.sampled_from(CUTS)), max_size=8),
)
def test_every_revision_comes_once_and_in_order_however_connections_die(
    last: int, first_seen: int, after: int, ends: list[tuple[int, grpc.StatusCode | str]]
) -> None:
    """Any number of streams, each cut after any number of messages, in any way."""
    server = Server(last, ends)
    server.first_seen, after = min(first_seen, last), min(after, last)
    jobs = asyncio.run(seen(watcher(server), Revisions(after)))
    start = after + 1 if after else server.first_seen
    assert [job.revision for job in jobs] == list(range(start, last + 1))
    assert all(job.request.prompt == PROMPT for job in jobs)
    assert [is_final(job) for job in jobs[-1:]] == [True] * len(jobs[-1:])
    assert all(stream.cancelled for stream in server.streams)


async def test_a_silent_connection_is_replaced() -> None:
    """Heartbeats come every 15 seconds; without any, the connection is dead."""
    server = Server(3, [(1, "silence")])
    assert [job.revision for job in await seen(watcher(server), Revisions(0))] == [1, 2, 3]
    assert server.asked == [0, 1]


async def test_a_watch_gives_up_after_its_reconnects_without_news() -> None:
    """Bounded: so many failures in a row, and the last error is raised."""
    server = Server(3, [(1, grpc.StatusCode.UNAVAILABLE)] + [(0, grpc.StatusCode.UNAVAILABLE)] * 9)
    with pytest.raises(Unavailable):
        await seen(watcher(server, reconnects=3), Revisions(0))
    assert server.asked == [0, 1, 1, 1]


async def test_a_sign_of_life_begins_the_count_anew() -> None:
    """A job that waits for hours over many renewed connections is still watched."""
    beat = WatchJobResponse(heartbeat=Heartbeat(revision=1))
    streams = [Stream([snapshot(1)], grpc.StatusCode.UNAVAILABLE)]
    streams += [Stream([beat], grpc.StatusCode.DEADLINE_EXCEEDED) for _ in range(9)]
    streams += [Stream([update(2, last=2)], grpc.StatusCode.OK)]
    watch = Watcher(lambda *_: streams.pop(0), Server(2, []).get, 0.005, 3, Backoff(0.0, 0.0))
    assert [job.revision for job in await seen(watch, Revisions(0))] == [1, 2]


async def test_an_answer_that_is_no_accident_ends_the_watch() -> None:
    """Only cut streams are replaced; NOT_FOUND would be the answer again."""
    server = Server(3, [(0, grpc.StatusCode.NOT_FOUND)])
    with pytest.raises(MediagenError) as caught:
        await seen(watcher(server), Revisions(0))
    assert not isinstance(caught.value, JobNotFound | Unavailable)
    assert server.asked == [0]


async def test_a_watch_behind_the_end_of_a_final_job_yields_nothing() -> None:
    """after_revision is the last revision: the stream ends at once, and so does the watch."""
    server = Server(3, [])
    assert await seen(watcher(server), Revisions(3)) == []
    assert server.asked == [3]


@pytest.mark.parametrize(
    ("messages", "gaps"),
    [
        ([gap(3, 6), snapshot(7)], [Gap(3, 6)]),
        ([gap(3, 6), snapshot(9)], [Gap(3, 8)]),
        ([gap(3, 6), gap(3, 7), snapshot(8)], [Gap(3, 7)]),
        ([gap(2, 2), snapshot(1), update(2)], [Gap(2, 2)]),
        ([snapshot(1)], []),
        ([snapshot(3)], []),
        ([update(3)], []),
        ([update(1), update(2), snapshot(2)], []),
    ],
)
def test_a_gap_is_told_once_and_exactly(messages: list[WatchJobResponse], gaps: list[Gap]) -> None:
    """What is told as missing is what lies between the last job seen and the next."""
    told = list[Gap]()
    revisions = Revisions(2, told.append)
    for message in messages:
        revisions.take(message)
    assert told == gaps


def test_a_watch_goes_back_with_a_server_that_was_restored() -> None:
    """Its revisions are told as gone, and the ones that take their numbers are shown."""
    revisions = Revisions(5, lambda _: None)
    revisions.request = a_job(1, last=9).request
    shown = [revisions.take(each) for each in (gap(3, 5), snapshot(2), update(3), update(4))]
    assert [job.revision for job in shown if job] == [2, 3, 4]


def test_the_first_snapshot_is_no_gap() -> None:
    """A watch from the start begins with the job as it is now."""
    gaps = list[Gap]()
    assert Revisions(0, gaps.append).take(snapshot(7)) is not None
    assert gaps == []


def test_a_revision_skipped_without_a_word_breaks_the_stream() -> None:
    """The next stream asks for it again."""
    with pytest.raises(Unavailable):
        Revisions(2).take(update(4))


def test_a_heartbeat_and_an_unknown_event_bring_nothing() -> None:
    """A newer server may send events that this client does not know."""
    revisions = Revisions(2)
    assert revisions.take(WatchJobResponse(heartbeat=Heartbeat(revision=2))) is None
    assert revisions.take(WatchJobResponse()) is None


def test_an_unknown_state_is_not_final() -> None:
    """Job.State is open: new values may be added."""
    assert not is_final(Job(state=77))  # type: ignore[arg-type]
