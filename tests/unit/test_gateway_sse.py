"""Are server-sent events framed so that any reader takes them apart again?"""

from __future__ import annotations

import asyncio
import json
from functools import partial

import pytest
from google.api.httpbody_pb2 import HttpBody
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import CursorInvalid, JobNotFound, StoreUnavailable
from gateway.rpc import sse
from gateway.rpc.job_view import JobView
from gateway.rpc.watches import Watches
from gateway.watch.cursor import Cursor
from gateway.watch.feed import Feed
from gateway.watch.hub import SWEEPS, Hub
from mediagen.v1 import failure_pb2, job_pb2
from mediagen.v1.generation_service_pb2 import (
    WatchJobEventsRequest,
    WatchJobsEventsRequest,
)
from tests.fakes.store import FakeStore
from tests.fakes.store_source import StoreSource

VIEW = JobView("http://localhost:8000")


def parsed(stream: bytes) -> list[dict[str, str]]:
    """Events as a browser takes them apart: any of CRLF, CR and LF ends a line."""
    events: list[dict[str, str]] = []
    event: dict[str, str] = {}
    text = stream.decode().replace("\r\n", "\n").replace("\r", "\n")
    for line in text.split("\n"):
        if not line:
            if event:
                events.append(event)
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            assert name not in event
            event[name] = value.removeprefix(" ")
    return events


class Call:
    """Stands for the call that a watch writes to."""

    def __init__(self, **headers: str) -> None:
        self._metadata = tuple(headers.items())
        self.frames: list[bytes] = []
        self.wrote = asyncio.Event()

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return self._metadata

    async def send_initial_metadata(self, metadata: object) -> None:
        assert not self.frames

    async def write(self, message: bytes) -> None:
        self.frames.append(HttpBody.FromString(message).data)
        self.wrote.set()

    async def count(self, frames: int) -> None:
        """Until so many frames were written."""
        async with asyncio.timeout(5):
            while len(self.frames) < frames:
                self.wrote.clear()
                await self.wrote.wait()


async def _frames(store: FakeStore, job_id: str, after: int) -> bytes:
    call = Call()
    request = WatchJobEventsRequest(job_id=job_id, after_revision=after)
    await Watches(Hub(StoreSource(store)), VIEW).job_events(request, call)
    return b"".join(call.frames)


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=40))
def test_no_text_breaks_a_frame(text: str) -> None:
    """Line breaks of every kind stay within the data."""

    async def framed() -> list[dict[str, str]]:
        store = FakeStore()
        job = store.add()
        store.change(job.job_id, failure=failure_pb2.Failure(message=text))
        store.finish(job.job_id)
        return parsed(await _frames(store, job.job_id, 1))

    opening, update, end = asyncio.run(framed())
    assert opening == {"retry": "2000"}
    assert (update["event"], update["id"], end["event"], end["id"]) == ("update", "2", "end", "3")
    assert json.loads(update["data"])["failure"]["message"] == text


async def test_a_gap_has_a_revision_and_no_id() -> None:
    """Lost before the snapshot, a browser asks again from before the gap."""
    store = FakeStore()
    job = store.add()
    for _ in range(5):
        store.change(job.job_id)
    store.finish(job.job_id)
    store.forget(job.job_id, before=6)
    _, gap, end = parsed(await _frames(store, job.job_id, 2))
    assert (gap["event"], "id" in gap) == ("gap", False)
    assert json.loads(gap["data"]) == {"revision": 2, "from_revision": 3, "to_revision": 6}
    assert (end["event"], end["id"]) == ("end", "7")
    assert json.loads(end["data"])["request"]["prompt"] == "p"


@pytest.mark.parametrize("of_all", [False, True])
async def test_what_passes_is_refused_by_an_event(of_all: bool) -> None:
    """A browser gives up for ever on any status but 200: one that drains, is full, or has no store
    says so in the stream, and the browser comes back. What can not be is refused as ever."""
    store = FakeStore()
    job_id = store.add().job_id
    full, draining = Hub(StoreSource(store), most_watchers=0), Hub(StoreSource(store))
    draining.drain()

    def fail() -> None:
        raise StoreUnavailable

    storeless = Hub(StoreSource(store, fail))
    for hub, code in ((full, 8), (draining, 14), (storeless, 14)):
        call, watches = Call(), Watches(hub, VIEW)
        if of_all:
            await watches.jobs_events(WatchJobsEventsRequest(), call)
        else:
            await watches.job_events(WatchJobEventsRequest(job_id=job_id), call)
        opening, error = parsed(b"".join(call.frames))
        assert opening == {"retry": "2000"}
        assert (error["event"], "id" in error) == ("error", False)
        assert json.loads(error["data"])["code"] == code
        assert hub.watchers == 0
    call = Call()
    with pytest.raises(JobNotFound):
        await Watches(full, VIEW).job_events(WatchJobEventsRequest(job_id="no id"), call)
    assert not call.frames


async def test_a_crash_within_a_stream_keeps_its_words() -> None:
    """`error` has a revision and a Status, and nothing of ours."""
    store = FakeStore()
    job = store.add()
    source = StoreSource(store)
    hub = Hub(source, behind=1, new_feed=partial(Feed, kept_events=1))
    call = Call()

    def crash() -> None:
        raise RuntimeError("password=hunter2")

    request = WatchJobEventsRequest(job_id=job.job_id)
    watching = asyncio.create_task(Watches(hub, VIEW).job_events(request, call))
    await call.count(2)
    source.between = crash
    # One more than is kept, so that the store is read again.
    for _ in range(2):
        store.change(job.job_id)
    await hub.hear(store.batch(2, 3))
    await watching
    taken = b"".join(call.frames)
    error = parsed(taken)[-1]
    assert error["event"] == "error"
    data = json.loads(error["data"])
    assert data == {"revision": 1, "code": 13, "message": "Internal error."}


async def test_silence_is_filled_with_comments() -> None:
    """A proxy that closes quiet connections sees traffic; a reader sees no event."""
    store = FakeStore()
    job = store.add()
    hub = Hub(StoreSource(store))
    call = Call()
    request = WatchJobEventsRequest(job_id=job.job_id)
    watching = asyncio.create_task(Watches(hub, VIEW).job_events(request, call))
    for frames in (2, 3):
        await call.count(frames)
        for _ in range(SWEEPS):
            await hub.sweep()
    await call.count(4)
    watching.cancel()
    assert call.frames[2:] == [b": keep-alive\n\n"] * 2


@pytest.mark.parametrize(
    ("header", "revision"),
    [("7", 7), (" 7 ", 7), ("0", 0), ("", None), ("-1", None), ("x", None), ("٣", None),
     ("9999999999", None), ("1" * 5000, None)],
)  # fmt: skip
def test_a_last_event_id_that_is_no_revision_counts_as_not_sent(
    header: str, revision: int | None
) -> None:
    """A browser repeats what it has; a refusal would end it for good."""
    assert sse.last_revision((("last-event-id", header),)) == revision


async def test_the_events_of_jobs_carry_the_cursor_as_their_id() -> None:
    """So a browser resumes by itself: not into the middle of the snapshots, and from where the
    feed was read to, even if all of that was for others."""
    store = FakeStore()
    job = store.add()
    hub = Hub(StoreSource(store))
    call = Call()
    request = WatchJobsEventsRequest(states=[job_pb2.Job.STATE_PENDING])
    watching = asyncio.create_task(Watches(hub, VIEW).jobs_events(request, call))
    await call.count(3)
    store.change(job.job_id, state=job_pb2.Job.STATE_RUNNING)
    await hub.hear(store.batch(2))
    await call.count(4)
    store.change(job.job_id, progress_percent=7)
    await hub.hear(store.batch(3))
    for _ in range(SWEEPS):
        await hub.sweep()
    await call.count(5)
    watching.cancel()
    opening, snapshot, synced, update = parsed(b"".join(call.frames[:4]))
    assert opening == {"retry": "2000"}
    assert (snapshot["event"], "id" in snapshot) == ("snapshot", False)
    assert json.loads(snapshot["data"])["snapshot"]["request"]["prompt"] == "p"
    assert json.loads(synced["data"]) == {"cursor": synced["id"], "synced": {"snapshots": 1}}
    told = json.loads(update["data"])
    assert (update["event"], told["cursor"]) == ("update", update["id"])
    assert (told["update"]["revision"], "request" in told["update"]) == (2, False)
    [heartbeat] = parsed(call.frames[4])
    assert set(heartbeat) == {"id"}, "an id without data is no event, and is kept"
    assert Cursor.parsed(heartbeat["id"], "default").sequence == 3
    assert call.frames[4].startswith(b": keep-alive\n")


@pytest.mark.parametrize("header", ["", "x", "7", "A" * 40])
async def test_a_last_event_id_that_is_no_cursor_begins_anew(header: str) -> None:
    """A browser repeats what it has; a refusal would end it for good."""
    store = FakeStore()
    store.add()
    call = Call(**{"last-event-id": header})
    watching = asyncio.create_task(
        Watches(Hub(StoreSource(store)), VIEW).jobs_events(WatchJobsEventsRequest(), call)
    )
    await call.count(3)
    watching.cancel()
    assert [each.get("event") for each in parsed(b"".join(call.frames))] == [
        None, "snapshot", "synced",
    ]  # fmt: skip


async def test_a_cursor_that_is_none_of_ours_is_refused() -> None:
    """It was written into the URL by someone."""
    watches = Watches(Hub(StoreSource(FakeStore())), VIEW)
    call = Call()
    with pytest.raises(CursorInvalid):
        await watches.jobs_events(WatchJobsEventsRequest(cursor="x"), call)
    assert not call.frames
