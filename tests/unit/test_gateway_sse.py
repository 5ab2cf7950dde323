"""Are server-sent events framed so that any reader takes them apart again?"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rpc import sse
from gateway.rpc.job_view import JobView
from gateway.watch.hub import Hub
from mediagen.v1 import failure_pb2
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


async def _frames(store: FakeStore, job_id: str, after: int, **hub: Any) -> bytes:
    async with Hub(StoreSource(store), **hub).watch("default", job_id, after) as watch:
        return b"".join([frame async for frame in sse.frames(watch, VIEW)])


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


async def test_a_crash_within_a_stream_keeps_its_words() -> None:
    """`error` has a revision and a Status, and nothing of ours."""
    store = FakeStore()
    job = store.add()
    source = StoreSource(store)
    hub = Hub(source, buffered=1)

    def crash() -> None:
        raise RuntimeError("password=hunter2")

    async with hub.watch("default", job.job_id, 0) as watch:
        frames = sse.frames(watch, VIEW)
        taken = await anext(frames) + await anext(frames)
        source.between = crash
        # One more than the buffer holds, so that the store is read again.
        for _ in range(2):
            store.change(job.job_id)
        await hub.hear(store.batch(2, 3))
        taken += b"".join([frame async for frame in frames])
    error = parsed(taken)[-1]
    assert error["event"] == "error"
    data = json.loads(error["data"])
    assert data == {"revision": 1, "code": 13, "message": "Internal error."}


async def test_silence_is_filled_with_comments() -> None:
    """A proxy that closes quiet connections sees traffic; a reader sees no event."""
    store = FakeStore()
    job = store.add()
    async with Hub(StoreSource(store), heartbeat=0).watch("default", job.job_id, 0) as watch:
        frames = sse.frames(watch, VIEW)
        assert [await anext(frames) for _ in range(4)][-1] == b": keep-alive\n\n"
        await frames.aclose()


@pytest.mark.parametrize(
    ("header", "revision"),
    [("7", 7), (" 7 ", 7), ("0", 0), ("", None), ("-1", None), ("x", None), ("٣", None),
     ("9999999999", None), ("1" * 5000, None)],
)  # fmt: skip
def test_a_last_event_id_that_is_no_revision_counts_as_not_sent(
    header: str, revision: int | None
) -> None:
    """A browser repeats what it has; a refusal would end it for good."""
    assert sse.last_event_id((("last-event-id", header),)) == revision
