"""Does a watcher who was away see every revision once and in order?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from devstack.testing import Stack
from mediagen import Client, Job, MediagenError
from mediagen.v1 import generation_service_pb2 as pb2
from mediagen.v1 import job_pb2
from tests.e2e.api_calls import FLUX, SMALL, Json, completed, frames, generate, set_fault

# Pending, running, submitting, starting, saving, completed; with progress there are more.
FEWEST_REVISIONS = 6


class Seen:
    """What one watcher was told, over all its connections."""

    def __init__(self) -> None:
        self.revisions: list[int] = []
        self.state = ""

    @property
    def last(self) -> int:
        return self.revisions[-1] if self.revisions else 0

    def note(self, job: Json) -> None:
        self.revisions.append(job["revision"])
        self.state = job["state"]


Read = Callable[[Seen, str, int | None], Awaitable[None]]
"""Reads one connection: at most so many messages, then it is dropped; all, if None."""


def by_grpc(stub: Any) -> Read:
    """WatchJob with after_revision."""

    async def read(seen: Seen, job_id: str, most: int | None) -> None:
        call = stub.WatchJob(pb2.WatchJobRequest(job_id=job_id, after_revision=seen.last))
        async for event in call:
            kind = event.WhichOneof("event")
            if kind not in ("heartbeat", "forecast"):
                job = getattr(event, kind)
                seen.note({"revision": job.revision, "state": Job.State.Name(job.state)})
            if most is not None and (most := most - 1) <= 0:
                break
        call.cancel()

    return read


def by_lines(http: httpx.AsyncClient) -> Read:
    """NDJSON with after_revision."""

    async def read(seen: Seen, job_id: str, most: int | None) -> None:
        path = f"/api/v1/jobs/{job_id}:watch?after_revision={seen.last}"
        async with http.stream("GET", path) as answer:
            async for line in answer.aiter_lines():
                event = json.loads(line) if line else {}
                if not event.keys() & {"heartbeat", "forecast"} and line:
                    seen.note(event.get("snapshot") or event["update"])
                if most is not None and (most := most - 1) <= 0:
                    return

    return read


def by_events(http: httpx.AsyncClient) -> Read:
    """Server-sent events with the id that EventSource would send back."""

    async def read(seen: Seen, job_id: str, most: int | None) -> None:
        headers = {"last-event-id": str(seen.last)} if seen.revisions else {}
        path = f"/api/v1/jobs/{job_id}:events"
        async with http.stream("GET", path, headers=headers) as answer:
            async for frame in frames(answer):
                if frame["event"] == "forecast":
                    continue
                job = json.loads(frame["data"])
                assert int(frame["id"]) == job["revision"]
                # To one who knows the end already the end is said again, so that he stops asking.
                if not (frame["event"] == "end" and job["revision"] == seen.last):
                    seen.note(job)
                if most is not None and (most := most - 1) <= 0:
                    return

    return read


@pytest.mark.parametrize("road", ["grpc", "ndjson", "sse"])
async def test_a_watcher_that_drops_at_any_event_misses_nothing(
    stack: Stack, stub: Any, http: httpx.AsyncClient, road: str
) -> None:
    """For every k: dropped after k events, resumed behind the last one seen, to the end.

    All watchers follow one running job, so each is dropped at another moment of its life; one
    reads a single event for each connection.
    """
    read = {"grpc": by_grpc(stub), "ndjson": by_lines(http), "sse": by_events(http)}[road]
    await set_fault(stack, f"dropped by {road}", "run", arg="2")
    job = await generate(http, f"dropped by {road}", model=FLUX, input=SMALL)

    async def follow(first: int, later: int | None) -> Seen:
        seen = Seen()
        await read(seen, job["job_id"], first)
        while seen.state not in ("STATE_COMPLETED",):
            await read(seen, job["job_id"], later)
        # Once more behind the end: nothing comes, and the stream ends at once.
        count = len(seen.revisions)
        await asyncio.wait_for(read(seen, job["job_id"], None), 5)
        assert len(seen.revisions) == count
        return seen

    watchers = [follow(k, None) for k in range(1, FEWEST_REVISIONS + 1)]
    told = await asyncio.gather(*watchers, follow(1, 1))
    for seen in told:
        first = seen.revisions[0]
        assert first < seen.last
        assert seen.revisions == list(range(first, seen.last + 1))
    assert len({seen.last for seen in told}) == 1
    assert told[0].last >= FEWEST_REVISIONS


@pytest.mark.parametrize("road", ["grpc", "ndjson", "sse"])
async def test_every_resume_of_a_final_job_gives_the_rest_and_ends(
    stub: Any, http: httpx.AsyncClient, road: str
) -> None:
    """Behind every revision that it ever had."""
    read = {"grpc": by_grpc(stub), "ndjson": by_lines(http), "sse": by_events(http)}[road]
    job = await completed(http, f"final for {road}", model=FLUX, input=SMALL)
    last = job["revision"]
    for k in range(1, last + 1):
        seen = Seen()
        seen.revisions = [k]
        await asyncio.wait_for(read(seen, job["job_id"], None), 5)
        assert seen.revisions == list(range(k, last + 1))


async def test_a_watch_of_a_final_job_is_one_snapshot(stub: Any, http: httpx.AsyncClient) -> None:
    """The whole job, and the stream ends with OK."""
    job = await completed(http, "final already", model=FLUX, input=SMALL)
    async with asyncio.timeout(5):
        call = stub.WatchJob(pb2.WatchJobRequest(job_id=job["job_id"]))
        [event] = [each async for each in call]
        lines = (await http.get(f"/api/v1/jobs/{job['job_id']}:watch")).text.split("\n")
    assert event.snapshot.state == job_pb2.Job.STATE_COMPLETED
    assert json.loads(lines[0])["snapshot"]["artifacts"] == job["artifacts"]
    assert lines[1:] == [""]


async def test_watchers_see_the_same(stub: Any, edge_stub: Any, http: httpx.AsyncClient) -> None:
    """Two over each road, from before the job moved: the same revisions with the same content."""
    job = await generate(http, "watched by many", model=FLUX, input=SMALL)

    async def watch(by: Any) -> dict[int, bytes]:
        told: dict[int, bytes] = {}
        async for event in by.WatchJob(pb2.WatchJobRequest(job_id=job["job_id"])):
            if event.HasField("update"):
                assert event.update.revision not in told
                told[event.update.revision] = event.update.SerializeToString(deterministic=True)
        return told

    told = await asyncio.gather(*(watch(by) for by in (stub, stub, edge_stub, edge_stub)))
    for revision in range(3, max(told[0]) + 1):
        assert len({each[revision] for each in told}) == 1


async def test_a_watch_outlives_the_gateway(stack: Stack, http: httpx.AsyncClient) -> None:
    """kill -9 in mid-run: the client reconnects by itself and goes on behind the last revision."""
    await set_fault(stack, "outlives the gateway", "run", arg="4")
    job = await generate(http, "outlives the gateway", model=FLUX, input=SMALL)
    broken_by: list[MediagenError] = []
    revisions: list[int] = []
    last = Job()
    async with Client(stack.gateway_address) as client:
        watch = client.watch(job["job_id"], on_reconnect=broken_by.append)
        async with aclosing(watch), asyncio.timeout(60):
            async for last in watch:
                revisions.append(last.revision)
                if last.stage == Job.STAGE_PROCESSING and not broken_by:
                    await asyncio.to_thread(stack.kill, "gateway-1")
                    broken_by.append(MediagenError("killed"))
    await asyncio.to_thread(stack.wait_ready, "gateway-1")
    assert last.state == Job.STATE_COMPLETED
    assert len(broken_by) > 1, "it was never reconnected"
    assert revisions == list(range(revisions[0], revisions[-1] + 1))
    async with asyncio.timeout(20):
        while (await http.get("/api/v1/health")).status_code != 200:
            await asyncio.sleep(0.1)
