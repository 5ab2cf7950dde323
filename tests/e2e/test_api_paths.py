"""Does every path of the public API work as the design writes it, on the edge's one port?"""

from __future__ import annotations

import asyncio
import hashlib
import json
import struct
from typing import Any

import grpc
import httpx
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from devstack.testing import Stack
from mediagen.v1 import generation_service_pb2 as pb2
from mediagen.v1 import job_pb2
from tests.e2e.api_calls import FLUX, FRIEND, MODEL, SERVICE, Json, completed, frames, generate

DESIGN_BODY = b'{"prompt": "a beautiful sunset", "model": "stability-ai/stable-diffusion-3"}'
TYPE_JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def done(stack: Stack) -> Json:
    """A completed job."""

    async def run() -> Json:
        async with httpx.AsyncClient(base_url=stack.edge_url, trust_env=False) as http:
            return await completed(http, "the finished one", labels={"team": "paths"})

    return asyncio.run(run())


async def test_the_designs_first_call_is_answered_with_the_job(http: httpx.AsyncClient) -> None:
    """The body letter for letter; a job comes back bare, with the id that every path takes."""
    answer = await http.post("/api/v1/generate", content=DESIGN_BODY, headers=TYPE_JSON)
    job = answer.json()
    assert answer.status_code == 200
    assert job["job_id"]
    assert (job["state"], job["revision"]) == ("STATE_PENDING", 1)
    assert job["request"]["prompt"] == "a beautiful sunset"
    for path in ("status", "jobs"):
        again = (await http.get(f"/api/v1/{path}/{job['job_id']}")).json()
        assert again["job_id"] == job["job_id"]
        assert again["request"] == job["request"]


async def test_a_job_shows_its_artifacts_wherever_it_is_shown(
    http: httpx.AsyncClient, edge_stub: Any, done: Json
) -> None:
    """URL, type, size and sha256 in the status, the job's path, the list and GetJob alike."""
    job_id = done["job_id"]
    [shown] = done["artifacts"]
    bytes_ = (await http.get(shown["url"])).content
    assert shown["media_type"] == "image/webp"
    assert shown["size_bytes"] == len(bytes_)
    assert shown["sha256"] == hashlib.sha256(bytes_).hexdigest()
    assert (await http.get(f"/api/v1/jobs/{job_id}")).json()["artifacts"] == [shown]
    listed = (await http.get("/api/v1/jobs", params={"labels": "team=paths"})).json()["jobs"]
    assert [each["artifacts"] for each in listed if each["job_id"] == job_id] == [[shown]]
    [over_grpc] = (await edge_stub.GetJob(pb2.GetJobRequest(job_id=job_id))).job.artifacts
    assert (over_grpc.url, over_grpc.sha256) == (shown["url"], shown["sha256"])
    assert done["charge"] == "CHARGE_YES"
    assert [each["state"] for each in done["attempts"]] == ["STATE_SUCCEEDED"]


async def test_health_says_how_each_part_is(http: httpx.AsyncClient) -> None:
    """SERVING as a JSON value, for the whole and for every part; /readyz for probes."""
    answer = await http.get("/api/v1/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "SERVING"
    parts = {each["name"]: each["status"] for each in answer.json()["components"]}
    names = ("gateway", "store", "database", "broker", "provider", "workers", "dead_letters")
    assert parts == dict.fromkeys(names, "SERVING")
    assert (await http.get("/readyz")).status_code == 200


@pytest.mark.parametrize(("path", "word"), [("/docs", "swagger"), ("/redoc", "redoc")])
async def test_the_api_pages_ask_nothing_of_the_outside(
    http: httpx.AsyncClient, path: str, word: str
) -> None:
    """Both are there, and name no other host."""
    answer = await http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert word in answer.text.lower()
    assert "://" not in answer.text
    assert "'self'" in answer.headers["content-security-policy"]


async def test_the_openapi_document_has_every_path_of_the_design(http: httpx.AsyncClient) -> None:
    paths = (await http.get("/openapi.json")).json()["paths"]
    job = "/api/v1/jobs/{job_id}"
    assert {
        "/api/v1/generate",
        "/api/v1/status/{job_id}",
        "/api/v1/jobs",
        "/api/v1/health",
        f"{job}:watch",
        f"{job}:events",
        f"{job}:cancel",
        f"{job}/artifacts/{{index}}",
    } <= set(paths)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [("*/*", "application/x-ndjson"), ("text/event-stream", "text/event-stream")],
)
async def test_a_watch_streams_a_running_job(
    http: httpx.AsyncClient, accept: str, kind: str
) -> None:
    """One JSON object a line, or a frame for who asks for events: a snapshot, then updates."""
    job = await generate(http, f"watched as {kind}")
    path = f"/api/v1/jobs/{job['job_id']}:watch"
    async with http.stream("GET", path, headers={"accept": accept}) as answer:
        assert answer.headers["content-type"] == kind
        lines = [line async for line in answer.aiter_lines() if line]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert events[0]["snapshot"]["request"]["prompt"] == f"watched as {kind}"
    first = events[0]["snapshot"]["revision"]
    # What moves without a revision comes between.
    events = [each for each in events if "update" in each]
    revisions = [each["update"]["revision"] for each in events]
    assert revisions == list(range(first + 1, first + 1 + len(revisions)))
    assert events[-1]["update"]["state"] == "STATE_COMPLETED"


async def test_events_have_ids_and_resume_behind_the_last_one(http: httpx.AsyncClient) -> None:
    """id = revision; data is an object with `revision`; the last event is named `end`."""
    job = await generate(http, "as events")
    path = f"/api/v1/jobs/{job['job_id']}:events"
    async with http.stream("GET", path) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        seen = [frame async for frame in frames(answer) if frame["event"] != "forecast"]
    assert [json.loads(each["data"])["revision"] for each in seen] == [
        int(each["id"]) for each in seen
    ]
    assert seen[0]["event"] == "snapshot"
    assert {each["event"] for each in seen[1:-1]} == {"update"}
    assert seen[-1]["event"] == "end"
    async with http.stream("GET", path, headers={"last-event-id": "3"}) as answer:
        later = [frame async for frame in frames(answer) if frame["event"] != "forecast"]
    assert [int(each["id"]) for each in later] == list(range(4, int(seen[-1]["id"]) + 1))


async def test_cancel_answers_with_the_job(http: httpx.AsyncClient) -> None:
    """With a body, without one, and again once it is final."""
    job = await generate(http, "to be canceled")
    path = f"/api/v1/jobs/{job['job_id']}:cancel"
    first = await http.post(path, content=b"{}", headers=TYPE_JSON)
    assert first.status_code == 200
    assert first.json()["job_id"] == job["job_id"]
    again = await http.post(path)
    assert again.status_code == 200
    assert again.json()["cancel_request_time"]


async def test_artifacts_are_plain_http(http: httpx.AsyncClient, done: Json) -> None:
    """GET, HEAD, ranges, ETag, 304 and 416, at the path and at the URL that the job tells."""
    path = f"/api/v1/jobs/{done['job_id']}/artifacts/0"
    size = done["artifacts"][0]["size_bytes"]
    whole = await http.get(path)
    head = await http.head(path)
    assert (whole.status_code, head.status_code) == (200, 200)
    assert whole.content == (await http.get(done["artifacts"][0]["url"])).content
    for answer in (whole, head):
        assert answer.headers["content-type"] == "image/webp"
        assert answer.headers["content-length"] == str(size)
        assert answer.headers["accept-ranges"] == "bytes"
    assert head.content == b""
    part = await http.get(path, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{size}"
    tail = await http.get(path, headers={"range": "bytes=-5"})
    assert tail.content == whole.content[-5:]
    known = await http.get(path, headers={"if-none-match": whole.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    beyond = await http.get(path, headers={"range": f"bytes={size}-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{size}"


async def test_the_list_filters_by_query(http: httpx.AsyncClient, done: Json) -> None:
    """Every filter of the contract, alone and together; what does not fit is left out."""
    other = await generate(http, "The Other 100% picture", model=FLUX, labels={"team": "other"})

    async def ids(*pairs: tuple[str, str]) -> set[str]:
        answer = await http.get("/api/v1/jobs", params=[*pairs, ("page_size", "200")])
        assert answer.status_code == 200, answer.text
        return {each["job_id"] for each in answer.json()["jobs"]}

    mine, theirs = done["job_id"], other["job_id"]
    for pairs, has_mine, has_theirs in (
        ([("states", "STATE_COMPLETED")], True, None),
        ([("states", "STATE_COMPLETED"), ("states", "STATE_FAILED")], True, None),
        ([("model", MODEL)], True, False),
        ([("model", FLUX)], False, True),
        ([("labels", "team=paths")], True, False),
        ([("labels", "team=paths"), ("labels", "more=1")], False, False),
        ([("create_time_from", other["create_time"])], False, True),
        ([("create_time_before", other["create_time"])], True, False),
        ([("prompt_contains", "OTHER 100%")], False, True),
        ([("prompt_contains", "other+100_")], False, False),
        ([("prompt_contains", "finished"), ("model", MODEL)], True, False),
    ):
        found = await ids(*pairs)
        assert (mine in found) is has_mine, pairs
        assert has_theirs is None or (theirs in found) is has_theirs, pairs


async def test_pages_follow_each_other_newest_first(http: httpx.AsyncClient) -> None:
    """Tokens lead over all pages; the last has none; no job is there twice."""
    made = [(await generate(http, f"page {n}", labels={"set": "pages"}))["job_id"] for n in "abcde"]
    seen: list[str] = []
    params = {"labels": "set=pages", "page_size": "2"}
    for _ in range(3):
        page = (await http.get("/api/v1/jobs", params=params)).json()
        seen += [each["job_id"] for each in page["jobs"]]
        params["page_token"] = page["next_page_token"]
    assert seen == made[::-1]
    assert params["page_token"] == ""


@pytest.mark.parametrize("road", ["gateway", "edge"])
async def test_the_same_works_over_grpc(stub: Any, edge_stub: Any, road: str) -> None:
    """Every method, on the gateway's port and through the edge."""
    stub = edge_stub if road == "edge" else stub
    wanted = pb2.SubmitJobRequest(model=MODEL, prompt=f"by {road}", labels={"by": road})
    job = (await stub.SubmitJob(wanted)).job
    events = [each async for each in stub.WatchJob(pb2.WatchJobRequest(job_id=job.job_id))]
    assert events[0].WhichOneof("event") == "snapshot"
    assert events[-1].update.state == job_pb2.Job.STATE_COMPLETED
    [artifact] = events[-1].update.artifacts
    download = stub.DownloadArtifact(pb2.DownloadArtifactRequest(job_id=job.job_id))
    pieces = [piece async for piece in download]
    assert pieces[0].content_type == "image/webp"
    assert hashlib.sha256(b"".join(each.data for each in pieces)).hexdigest() == artifact.sha256
    canceled = (await stub.CancelJob(pb2.CancelJobRequest(job_id=job.job_id))).job
    assert canceled.state == job_pb2.Job.STATE_COMPLETED
    listed = (await stub.ListJobs(pb2.ListJobsRequest(labels=[f"by={road}"]))).jobs
    assert [each.job_id for each in listed] == [job.job_id]
    sse = [b async for b in stub.WatchJobEvents(pb2.WatchJobEventsRequest(job_id=job.job_id))]
    assert b"event: end" in b"".join(each.data for each in sse)
    assert (await stub.GetHealth(pb2.GetHealthRequest())).status == "SERVING"


async def test_grpc_web_is_a_plain_post(http: httpx.AsyncClient, done: Json) -> None:
    """A browser's call: one frame with the message, one with the trailers; CORS for a friend."""
    body = pb2.GetJobRequest(job_id=done["job_id"]).SerializeToString()
    headers = {
        "content-type": "application/grpc-web+proto",
        "x-grpc-web": "1",
        "origin": FRIEND,
    }
    answer = await http.post(
        f"/{SERVICE}/GetJob", content=struct.pack(">BI", 0, len(body)) + body, headers=headers
    )
    assert answer.headers["access-control-allow-origin"] == FRIEND
    kind, length = struct.unpack(">BI", answer.content[:5])
    job = pb2.GetJobResponse.FromString(answer.content[5 : 5 + length]).job
    assert (kind, job.job_id) == (0, done["job_id"])
    assert b"grpc-status:0" in answer.content[5 + length :]


async def test_pages_of_foreign_origins_are_refused(http: httpx.AsyncClient) -> None:
    """They may not submit, nor read an answer; a friend's page may."""
    foreign = {**TYPE_JSON, "origin": "http://evil.example"}
    answer = await http.post("/api/v1/generate", content=DESIGN_BODY, headers=foreign)
    assert answer.status_code == 403
    read = await http.get("/api/v1/jobs", headers=foreign)
    assert "access-control-allow-origin" not in read.headers
    friend = {**TYPE_JSON, "origin": FRIEND}
    answer = await http.post("/api/v1/generate", content=DESIGN_BODY, headers=friend)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == FRIEND


@pytest.mark.parametrize("road", ["gateway", "edge"])
async def test_reflection_names_the_public_services_only(stack: Stack, road: str) -> None:
    """On both ports; nothing internal is listed."""
    at_edge = stack.edge_url.removeprefix("http://")
    address = at_edge if road == "edge" else stack.gateway_address
    asked = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="google.rpc.BadRequest"),
    ]
    async with grpc.aio.insecure_channel(address) as channel:
        call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter(asked))
        services, details = await call.read(), await call.read()
        call.cancel()
    names = {each.name for each in services.list_services_response.service}
    assert {SERVICE, "mediagen.v1.OperatorService"} <= names
    assert not [name for name in names if "store" in name or "generator" in name]
    # With it grpcurl shows the details of a refusal as text.
    assert details.file_descriptor_response.file_descriptor_proto
