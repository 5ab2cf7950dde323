"""Does a real browser get every event, over what cuts its connections?"""

from __future__ import annotations

import asyncio
import base64
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGTERM
from typing import Any

import grpc
import httpx
import pytest

from devstack.testing import Stack
from mediagen import Job
from mediagen.v1 import generation_service_pb2 as pb2
from tests.e2e.api_calls import (
    FLUX,
    FRIEND,
    NO_JOB,
    SERVICE,
    SMALL,
    Json,
    finished,
    generate,
    set_fault,
)
from tests.e2e.browser import Page, browser, site

LISTEN = """
window.seen = {};
window.listen = (name, url) => {
  const told = seen[name] = {frames: [], opens: 0, closed: false};
  const source = new EventSource(url);
  source.onopen = () => told.opens++;
  const kinds = ["snapshot", "synced", "update", "gap", "forecast", "forecasts", "end", "error"];
  for (const kind of kinds) source.addEventListener(kind, event => {
    if (event.data === undefined) { told.closed = source.readyState == EventSource.CLOSED; return; }
    told.frames.push({kind, id: event.lastEventId, data: JSON.parse(event.data)});
    if (kind == "end") source.close();
  });
};
window.call = async (name, url, body) => {
  const told = seen[name] = {frames: [], ended: false};
  const bytes = Uint8Array.from(atob(body), letter => letter.charCodeAt(0));
  const type = "application/grpc-web+proto";
  const answer = await fetch(url, {
    method: "POST", body: bytes, headers: {"content-type": type, accept: type, "x-grpc-web": "1"}});
  told.refused = answer.headers.get("grpc-status");  // what has no messages has no trailers
  let left = new Uint8Array();
  for (const reader = answer.body.getReader();;) {
    const {done, value} = await reader.read();
    if (done) break;
    const all = new Uint8Array(left.length + value.length);
    all.set(left); all.set(value, left.length); left = all;
    while (left.length >= 5) {
      const length = new DataView(left.buffer, left.byteOffset).getUint32(1);
      if (left.length < 5 + length) break;
      told.frames.push([left[0], btoa(String.fromCharCode(...left.slice(5, 5 + length)))]);
      left = left.slice(5 + length);
    }
  }
  told.ended = true;
};
"""


@pytest.fixture
async def pages(tmp_path: Path, stack: Stack) -> AsyncIterator[tuple[Page, Page]]:
    """A page of the edge itself, and one of a site in ALLOWED_ORIGINS."""
    async with site() as address:
        name = FRIEND.removeprefix("http://")
        async with browser(tmp_path / "browser", **{name: address}) as chromium:
            own = await chromium.page(f"{stack.edge_url}/docs")
            friend = await chromium.page(f"{FRIEND}/page")
            for page in (own, friend):
                await page.script(LISTEN)
            yield own, friend


async def frames_of(page: Page, name: str) -> list[Any]:
    """What a listener was told so far."""
    found: list[Any] = await page.run("return seen[name].frames", name=name)
    return found


def revisions(frames: list[Json]) -> dict[str, list[int]]:
    """By job, in the order they came."""
    found: dict[str, list[int]] = defaultdict(list)
    for frame in frames:
        if frame["kind"] in ("snapshot", "update", "end"):
            data = frame["data"]
            job = data.get("snapshot") or data.get("update") or data
            found[job["job_id"]].append(job["revision"])
    return found


async def test_it_resumes_over_every_cut(
    pages: tuple[Page, Page], stack: Stack, http: httpx.AsyncClient
) -> None:
    """Every revision of every job once and in order, in both pages, whatever is killed in mid-run.

    kill -9 of the gateway and of the edge cuts the connection; a gateway that stops says so in the
    stream. No status but 200 is ever seen, after which EventSource would give up.
    """
    await set_fault(stack, "cut", "run", arg="6")
    base = f"{stack.edge_url}/api/v1/jobs"
    for page in pages:
        await page.run("listen('all', url)", url=f"{base}:events")
        await page.until("seen.all.frames.some(frame => frame.kind == 'synced')")
    jobs = [await generate(http, "cut 0", model=FLUX, input=SMALL)]
    for page in pages:
        await page.run("listen('one', url)", url=f"{base}/{jobs[0]['job_id']}:events")
    for number, part in enumerate(("gateway-1", "edge", "gateway-1 in peace"), 1):
        opens = [await page.run("return seen.all.opens") for page in pages]
        for page in pages:
            await page.until("seen.one.frames.length > least", least=number)
        await _end(stack, part)
        for page, before in zip(pages, opens, strict=True):
            await page.until("seen.all.opens > before", before=before)
        jobs.append(await generate(http, f"cut {number}", model=FLUX, input=SMALL))
    last = {each["job_id"]: (await finished(http, each["job_id"]))["revision"] for each in jobs}
    for page in pages:
        await page.until("seen.one.frames.some(frame => frame.kind == 'end')")
        await page.until(
            "Object.entries(last).every(([id, last]) => seen.all.frames.some(({data}) =>"
            " data.update?.job_id == id && data.update.revision == last))",
            last=last,
        )
        everything = await frames_of(page, "all")
        errors = [frame["data"] for frame in everything if frame["kind"] == "error"]
        assert {each["code"] for each in errors} == {grpc.StatusCode.UNAVAILABLE.value[0]}
        reasons = {each["details"][0]["reason"] for each in errors}
        assert "ERROR_REASON_UNAVAILABLE" in reasons, "the gateway that stopped has not said so"
        assert not [frame for frame in everything if frame["kind"] == "gap"]
        assert all(frame["id"] for frame in everything if frame["kind"] != "snapshot")
        told = revisions(everything)
        for job_id, revision in last.items():
            assert told[job_id] == list(range(1, revision + 1))
        [one] = revisions(await frames_of(page, "one")).values()
        assert one == list(range(one[0], last[jobs[0]["job_id"]] + 1))


async def _end(stack: Stack, part: str) -> None:
    """Ends a part, and waits until it is back."""
    name, _, peacefully = part.partition(" ")
    before = stack.starts(name)
    if peacefully:
        await asyncio.to_thread(stack.send, name, SIGTERM)
    else:
        await asyncio.to_thread(stack.kill, name)
    async with asyncio.timeout(60):
        while stack.starts(name) == before:
            await asyncio.sleep(0.1)
    await asyncio.to_thread(stack.wait_ready, name)


async def start_call(page: Page, name: str, url: str, request: bytes) -> None:
    """gRPC-Web by fetch(): a frame of five bytes and the message."""
    body = base64.b64encode(b"\0" + len(request).to_bytes(4, "big") + request).decode()
    await page.run("call(name, url, body)", name=name, url=url, body=body)


async def messages(page: Page, name: str) -> tuple[list[bytes], dict[str, str]]:
    """The messages of a call so far, and its trailers if they have come."""
    found: list[bytes] = []
    trailers: dict[str, str] = {}
    for flags, text in await frames_of(page, name):
        body = base64.b64decode(text)
        if flags & 0x80:
            pairs = (line.partition(":") for line in body.decode().splitlines())
            trailers = {key: value.strip() for key, _, value in pairs}
        else:
            found.append(body)
    return found, trailers


async def test_grpc_web_streams_come_live_with_trailers(
    pages: tuple[Page, Page], stack: Stack, http: httpx.AsyncClient
) -> None:
    """From both pages: messages while the job runs, then grpc-status; a refusal is one too."""
    await set_fault(stack, "by grpc-web", "run", arg="4")
    service = f"{stack.edge_url}/{SERVICE}"
    for page in pages:
        await start_call(page, "all", f"{service}/WatchJobs", b"")
        await page.until("seen.all.frames.length > 0")
    job_id = (await generate(http, "by grpc-web", model=FLUX, input=SMALL))["job_id"]
    for page in pages:
        one = pb2.WatchJobRequest(job_id=job_id)
        await start_call(page, "one", f"{service}/WatchJob", one.SerializeToString())
        none = pb2.WatchJobRequest(job_id=NO_JOB)
        await start_call(page, "none", f"{service}/WatchJob", none.SerializeToString())
    for page in pages:
        await page.until("seen.one.frames.length >= 2")
    assert (await http.get(f"/api/v1/status/{job_id}")).json()["state"] == "STATE_RUNNING"
    for page in pages:
        await page.until("seen.one.ended && seen.none.ended")
        told, trailers = await messages(page, "one")
        assert trailers["grpc-status"] == "0"
        events = [pb2.WatchJobResponse.FromString(each) for each in told]
        jobs = [getattr(each, str(each.WhichOneof("event"))) for each in events]
        seen = [each.revision for each in jobs if isinstance(each, Job)]
        assert seen == list(range(seen[0], seen[-1] + 1))
        assert await page.run("return seen.none.refused") == "5"
        told, trailers = await messages(page, "all")
        everything = [pb2.WatchJobsResponse.FromString(each) for each in told]
        mine = [each.update.revision for each in everything if each.update.job_id == job_id]
        assert mine == list(range(1, seen[-1] + 1))
        assert not trailers, "a watch of all jobs has ended"


async def test_silence_is_filled_on_every_road(
    pages: tuple[Page, Page], stack: Stack, http: httpx.AsyncClient
) -> None:
    """After 15 s a comment and an id without an event, a line of JSON, and a gRPC-Web message."""
    nobody = pb2.WatchJobsRequest(model="nobody/nothing")
    for page in pages:
        url = f"{stack.edge_url}/{SERVICE}/WatchJobs"
        await start_call(page, "silent", url, nobody.SerializeToString())
    path = "/api/v1/jobs:{}?model=nobody/nothing"
    async with (
        asyncio.timeout(60),
        http.stream("GET", path.format("events")) as events,
        http.stream("GET", path.format("watch")) as lines,
    ):
        silence = [line async for line in _until(events, ": keep-alive", after=1)]
        beat = [line async for line in _until(lines, '"heartbeat"')][-1]
    assert silence[-2] == ": keep-alive"
    assert silence[-1].startswith("id: ")
    assert "current_time" in beat
    for page in pages:
        await page.until("seen.silent.frames.length >= 2")
        told = [
            pb2.WatchJobsResponse.FromString(each) for each in (await messages(page, "silent"))[0]
        ]
        assert told[0].HasField("synced")
        assert told[1].heartbeat.HasField("current_time")


async def _until(answer: httpx.Response, text: str, after: int = 0) -> AsyncIterator[str]:
    """The lines of a stream to the one with *text*, and so many more."""
    left = after
    found = False
    async for line in answer.aiter_lines():
        yield line
        found = found or text in line
        if found and (left := left - 1) < 0:
            return
