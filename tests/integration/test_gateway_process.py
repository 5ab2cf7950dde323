"""Does the gateway serve, over gRPC and HTTP, what its protos say? Against a store in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.struct_pb2 import Struct
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc

from mediagen.store.v1.job_store_service_pb2 import ReadFeedRequest
from mediagen.v1 import generation_service_pb2 as pb2
from mediagen.v1 import job_pb2
from tests.fakes.store_catalogue import INPUTS
from tests.integration.gateway_bench import Gateway, details, refusal, running_gateway

MISSING = "00000000-0000-7000-8000-000000000000"
JSON_TYPE = {"content-type": "application/json"}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path) as running:
        yield running


async def test_a_submit_reaches_the_store_with_every_default_filled_in(gateway: Gateway) -> None:
    """Equal wishes must be equal messages there, or request_id could not compare them."""
    inputs = Struct()
    inputs["steps"] = 4
    answer = await gateway.stub.SubmitJob(
        pb2.SubmitJobRequest(model="a/b", prompt="a sunset", input=inputs, request_id="r-1")
    )
    asked = gateway.store.seen[-1]
    assert answer.job.job_id
    assert asked.tenant == "default"
    assert asked.request.timeout.seconds == 3600
    assert asked.request.priority == job_pb2.PRIORITY_NORMAL
    assert asked.request.input["steps"] == 4
    await gateway.stub.SubmitJob(pb2.SubmitJobRequest(model="a/b", prompt="a sunset"))
    assert gateway.store.seen[-1].request.request_id, "one is made, so that repeats are safe"


async def test_every_violation_is_told_at_once(gateway: Gateway) -> None:
    """The proto's rules and the gateway's own, in one BadRequest."""
    inputs = Struct()
    inputs["prompt"] = "again"
    inputs["seed"] = 2.0**60
    inputs["nul"] = "\x00"
    error = await refusal(
        gateway.stub.SubmitJob(
            pb2.SubmitJobRequest(model="nonsense", prompt="p", input=inputs, request_id="a b")
        )
    )
    fields = [each.field for each in details(error, BadRequest).field_violations]
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert {"request_id", "model", "input.seed", "input.nul", ""} == set(fields)
    assert details(error, ErrorInfo).reason == "ERROR_REASON_INVALID_REQUEST"
    assert gateway.store.kept == {}


@pytest.mark.parametrize("job_id", ["nonsense", "../../etc", "0" * 36, "\x00", MISSING])
async def test_what_is_no_id_is_the_id_of_no_job(gateway: Gateway, job_id: str) -> None:
    """NOT_FOUND on every method, and never a crash."""
    calls = [
        gateway.stub.GetJob(pb2.GetJobRequest(job_id=job_id)),
        gateway.stub.CancelJob(pb2.CancelJobRequest(job_id=job_id)),
        gateway.stub.WatchJob(pb2.WatchJobRequest(job_id=job_id)),
        gateway.stub.WatchJobEvents(pb2.WatchJobEventsRequest(job_id=job_id)),
        gateway.stub.DownloadArtifact(pb2.DownloadArtifactRequest(job_id=job_id)),
    ]
    for call in calls:
        error = await refusal(call)
        assert error.code() is grpc.StatusCode.NOT_FOUND
        assert details(error, ErrorInfo).reason == "ERROR_REASON_JOB_NOT_FOUND"


async def test_a_page_token_goes_through_untouched(gateway: Gateway) -> None:
    """It is the store's; so is the refusal of a bad one. Page sizes have their documented ends."""
    page = await gateway.stub.ListJobs(pb2.ListJobsRequest(page_token="next"))
    asked = gateway.store.seen[-1]
    assert (asked.page_token, asked.page_size, page.next_page_token) == ("next", 50, "next")
    await gateway.stub.ListJobs(pb2.ListJobsRequest(page_size=5000, labels=["a=b=c", "d="]))
    asked = gateway.store.seen[-1]
    assert (asked.page_size, dict(asked.labels)) == (200, {"a": "b=c", "d": ""})
    error = await refusal(gateway.stub.ListJobs(pb2.ListJobsRequest(page_token="forged")))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert details(error, ErrorInfo).reason == "ERROR_REASON_PAGE_TOKEN_INVALID"
    error = await refusal(gateway.stub.ListJobs(pb2.ListJobsRequest(page_size=-1)))
    assert details(error, BadRequest).field_violations[0].field == "page_size"


async def test_a_page_too_large_for_a_message_has_fewer_jobs(gateway: Gateway) -> None:
    """gRPC clients take 4 MiB by default; the page size is only the most."""
    for _ in range(40):
        job = gateway.store.add()
        job.request.prompt = "x" * 100_000
    page = await gateway.stub.ListJobs(pb2.ListJobsRequest(page_size=40))
    assert 0 < len(page.jobs) < 40


async def test_a_store_that_is_down_is_unavailable(gateway: Gateway) -> None:
    """With our reason and a RetryInfo, and without the driver's words."""
    gateway.store.fails = grpc.StatusCode.UNAVAILABLE
    error = await refusal(gateway.stub.SubmitJob(pb2.SubmitJobRequest(model="a/b", prompt="p")))
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert details(error, ErrorInfo).reason == "ERROR_REASON_UNAVAILABLE"
    assert "driver" not in str(error.details())
    answer = await gateway.http.get("/api/v1/health")
    assert answer.status_code == 503
    assert answer.json()["status"] == "NOT_SERVING"
    post = await gateway.http.post("/api/v1/generate", json={"model": "a/b", "prompt": "p"})
    assert post.status_code == 503
    assert post.headers["retry-after"] == "1"


async def test_health_names_every_part(gateway: Gateway) -> None:
    """One that is down beside a job's acceptance leaves the whole SERVING."""
    gateway.store.health.workers = 0
    gateway.store.health.provider = False
    answer = await gateway.http.get("/api/v1/health")
    parts = {each["name"]: each["status"] for each in answer.json()["components"]}
    assert (answer.status_code, answer.json()["status"]) == (200, "SERVING")
    assert parts == {
        "gateway": "SERVING",
        "store": "SERVING",
        "database": "SERVING",
        "broker": "SERVING",
        "provider": "NOT_SERVING",
        "workers": "NOT_SERVING",
        "dead_letters": "SERVING",
    }
    gateway.store.health.database = False
    assert (await gateway.http.get("/api/v1/health")).status_code == 503


async def test_grpc_health_follows_the_store(gateway: Gateway) -> None:
    """Whoever balances over gateways must see that one can not serve."""
    stub = health_pb2_grpc.HealthStub(gateway.channel)
    request = health_pb2.HealthCheckRequest(service="mediagen.v1.GenerationService")
    assert (await stub.Check(request)).status == health_pb2.HealthCheckResponse.SERVING
    gateway.store.fails = grpc.StatusCode.UNAVAILABLE
    for _ in range(60):
        if (await stub.Check(request)).status == health_pb2.HealthCheckResponse.NOT_SERVING:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("still SERVING")


async def test_a_watch_sees_every_revision_without_a_broker(gateway: Gateway) -> None:
    """By the feed that is read every second; it ends with OK after the final revision."""
    job = gateway.store.add()
    seen: list[int] = []
    async for event in gateway.stub.WatchJob(pb2.WatchJobRequest(job_id=job.job_id)):
        match event.WhichOneof("event"):
            case "snapshot":
                assert event.snapshot.request.prompt == "p"
                seen.append(event.snapshot.revision)
                gateway.store.change(job.job_id, state=job_pb2.Job.STATE_RUNNING)
            case "update":
                assert not event.update.HasField("request")
                seen.append(event.update.revision)
                if event.update.revision == 2:
                    gateway.store.finish(job.job_id)
    assert seen == [1, 2, 3]


async def test_a_watch_resumes_behind_a_revision(gateway: Gateway) -> None:
    """Only later ones come; none if there are none; one that does not exist is told."""
    job = gateway.store.add()
    for _ in range(3):
        gateway.store.change(job.job_id)
    gateway.store.finish(job.job_id)

    async def watched(after: int) -> list[int]:
        request = pb2.WatchJobRequest(job_id=job.job_id, after_revision=after)
        return [event.update.revision async for event in gateway.stub.WatchJob(request)]

    assert await watched(2) == [3, 4, 5]
    assert await watched(5) == []
    ahead = pb2.WatchJobRequest(job_id=job.job_id, after_revision=6)
    gap, snapshot = [event async for event in gateway.stub.WatchJob(ahead)]
    assert (gap.gap.from_revision, gap.gap.to_revision) == (6, 6)
    assert snapshot.snapshot.revision == 5


async def test_a_stopping_gateway_ends_its_watches_at_once(gateway: Gateway) -> None:
    """With UNAVAILABLE, so that a client goes on at another gateway."""
    job = gateway.store.add()
    call = gateway.stub.WatchJob(pb2.WatchJobRequest(job_id=job.job_id))
    events = aiter(call)
    assert (await anext(events)).snapshot.revision == 1
    gateway.stop.set()
    async with asyncio.timeout(1.5):
        error = await refusal(events)
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    await asyncio.wait_for(gateway.done, 10)


async def frames(call: Any) -> list[dict[str, str]]:
    """The server-sent events of a call, field by field; comments left out."""
    text = b"".join([body.data async for body in call]).decode()
    found = []
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if lines:
            found.append(dict(line.split(": ", 1) for line in lines))
    return found


async def test_server_sent_events_carry_ids_and_resume(gateway: Gateway) -> None:
    """Last-Event-ID wins over after_revision; one that is no revision counts as not sent."""
    job = gateway.store.add()
    gateway.store.change(job.job_id, progress_percent=40)
    gateway.store.finish(job.job_id)

    def call(header: str | None, after: int = 0) -> Any:
        request = pb2.WatchJobEventsRequest(job_id=job.job_id, after_revision=after)
        metadata = (("last-event-id", header),) if header is not None else None
        return gateway.stub.WatchJobEvents(request, metadata=metadata)

    whole = await frames(call(None))
    assert whole[0] == {"retry": "2000"}
    assert [(each["event"], each["id"]) for each in whole[1:]] == [("end", "3")]
    resumed = await frames(call("1", after=2))
    assert [(each["event"], each["id"]) for each in resumed[1:]] == [("update", "2"), ("end", "3")]
    data = json.loads(resumed[1]["data"])
    assert (data["revision"], data["progress_percent"], data["state"]) == (2, 40, "STATE_PENDING")
    known = await frames(call("3"))
    assert [(each["event"], each["id"]) for each in known[1:]] == [("end", "3")]
    assert len(await frames(call("junk", after=1))) == 3
    ahead = await frames(call("9"))
    assert [each["event"] for each in ahead[1:]] == ["gap", "end"]


async def test_a_watcher_of_jobs_that_does_not_read_is_told_of_a_gap(gateway: Gateway) -> None:
    """What it gets then is the present; what it did not take is nowhere kept for it."""
    job = gateway.store.add()
    call = gateway.stub.WatchJobs(pb2.WatchJobsRequest())
    events = aiter(call)
    while not (await anext(events)).HasField("synced"):
        pass
    for number in range(6000):
        gateway.store.change(job.job_id, log_tail=f"{number} {'x' * 1000}")

    def read_to() -> int:
        asked = [each for each in gateway.store.seen if isinstance(each, ReadFeedRequest)]
        return int(asked[-1].after.sequence)

    async with asyncio.timeout(60):
        while read_to() < 6001:
            await asyncio.sleep(0.05)
        revision, kinds = 1, []
        async for event in events:
            kinds.append(event.WhichOneof("event"))
            if event.HasField("update"):
                assert event.update.revision == revision + 1
                revision = event.update.revision
            if event.HasField("snapshot"):
                assert (kinds[-2], event.snapshot.revision) == ("gap", 6001)
            if event.HasField("synced"):
                break
        gateway.store.change(job.job_id)
        assert (await anext(events)).update.revision == 6002
    assert 1 < revision < 4500
    call.cancel()


async def test_an_error_within_a_stream_comes_as_an_event(gateway: Gateway) -> None:
    """Over HTTP/1.1 a browser could not tell it from an end."""
    job = gateway.store.add()
    call = gateway.stub.WatchJobEvents(pb2.WatchJobEventsRequest(job_id=job.job_id))
    bodies = aiter(call)
    assert (await anext(bodies)).content_type == "text/event-stream"
    assert b"event: snapshot" in (await anext(bodies)).data
    gateway.stop.set()
    last = (await frames(bodies))[-1]
    assert last["event"] == "error"
    data = json.loads(last["data"])
    assert (data["revision"], data["code"]) == (1, 14)


def artifact(gateway: Gateway, data: bytes, media_type: str = "image/png", sha: str = "ab") -> str:
    """A completed job with one artifact; its path."""
    job = gateway.store.add()
    key = f"default/{job.job_id}/1/1/0"
    kept = job_pb2.Artifact(index=0, media_type=media_type, size_bytes=len(data), sha256=sha)
    gateway.store.change(job.job_id, state=job_pb2.Job.STATE_COMPLETED, artifacts=[kept])
    gateway.store.objects[job.job_id, 0] = key
    path = gateway.artifacts / key
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return f"/api/v1/jobs/{job.job_id}/artifacts/0"


async def test_an_artifact_is_a_plain_download(gateway: Gateway) -> None:
    """Length, ETag, ranges, conditions; HEAD says what GET would."""
    data = bytes(range(256)) * 3000
    path = artifact(gateway, data)
    whole = await gateway.http.get(path)
    assert (whole.status_code, whole.content) == (200, data)
    assert whole.headers["content-length"] == str(len(data))
    assert whole.headers["etag"] == '"ab"'
    assert whole.headers["content-type"] == "image/png"
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["content-disposition"].startswith("inline")
    head = await gateway.http.head(path)
    same = {"date"}
    assert head.content == b""
    assert {k: v for k, v in head.headers.items() if k not in same} == {
        k: v for k, v in whole.headers.items() if k not in same
    }
    part = await gateway.http.get(path, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, data[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(data)}"
    tail = await gateway.http.get(path, headers={"range": "bytes=-5"})
    assert (tail.status_code, tail.content) == (206, data[-5:])
    rest = await gateway.http.get(path, headers={"range": "bytes=700000-", "if-range": '"ab"'})
    assert rest.content == data[700000:]
    beyond = await gateway.http.get(path, headers={"range": f"bytes={len(data)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(data)}")
    stale = await gateway.http.get(path, headers={"range": "bytes=0-1", "if-range": '"cd"'})
    assert stale.status_code == 200
    known = await gateway.http.get(path, headers={"if-none-match": '"ab"'})
    assert (known.status_code, known.content) == (304, b"")


async def test_what_can_carry_script_is_saved_and_not_shown(gateway: Gateway) -> None:
    """An SVG from a model would run as a page of this origin."""
    answer = await gateway.http.get(artifact(gateway, b"<svg/>", "image/svg+xml"))
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_an_artifact_that_is_not_there_is_not_found(gateway: Gateway) -> None:
    """No job, no index, no bytes: 404 as Status JSON, never a broken 200."""
    path = artifact(gateway, b"x")
    for file in gateway.artifacts.rglob("0"):
        if file.is_file():
            file.unlink()
    paths = [
        path,
        path[:-1] + "1",
        path[:-1] + "x",
        path[:-1] + "99999999",
        f"/api/v1/jobs/{MISSING}/artifacts/0",
        "/api/v1/jobs/junk/artifacts/0",
    ]
    for each in paths:
        answer = await gateway.http.get(each)
        assert (answer.status_code, answer.json()["code"]) == (404, 5), each


async def test_a_download_over_grpc_has_its_type_first(gateway: Gateway) -> None:
    """In messages of at most 64 KiB."""
    data = bytes(200_000)
    job_id = artifact(gateway, data).split("/")[4]
    request = pb2.DownloadArtifactRequest(job_id=job_id, index=0)
    chunks = [chunk async for chunk in gateway.stub.DownloadArtifact(request)]
    assert chunks[0].content_type == "image/png"
    assert b"".join(chunk.data for chunk in chunks) == data
    assert max(len(chunk.data) for chunk in chunks) <= 64 * 1024


async def test_a_job_shows_where_its_artifacts_are(gateway: Gateway) -> None:
    """The same absolute URL in GetJob, the list and the status path."""
    path = artifact(gateway, b"x")
    job_id = path.split("/")[4]
    url = f"https://media.example.com{path}"
    got = await gateway.stub.GetJob(pb2.GetJobRequest(job_id=job_id))
    listed = await gateway.stub.ListJobs(pb2.ListJobsRequest())
    assert got.job.artifacts[0].url == listed.jobs[0].artifacts[0].url == url
    for path in (f"/api/v1/status/{job_id}", f"/api/v1/jobs/{job_id}"):
        body = (await gateway.http.get(path)).json()
        assert (body["job_id"], body["artifacts"][0]["url"]) == (job_id, url)


async def test_generate_answers_the_bare_job(gateway: Gateway) -> None:
    """As the transcoder would write it: names as in the proto, zeros printed, 4 is not 4.0."""
    scale = {"type": "number", "default": 4.5}
    gateway.catalogue.add(
        "stability-ai/stable-diffusion-3",
        {**INPUTS, "properties": {**INPUTS["properties"], "scale": scale}},
    )
    answer = await gateway.http.post(
        "/api/v1/generate",
        json={
            "prompt": "a beautiful sunset",
            "model": "stability-ai/stable-diffusion-3",
            "input": {"steps": 4, "scale": 1.5},
            "timeout": "90s",
            "priority": "PRIORITY_HIGH",
            "labels": {"team": "a"},
        },
        headers={"x-request-id": "trace-7"},
    )
    body = answer.json()
    assert (answer.status_code, body["state"], body["revision"]) == (200, "STATE_PENDING", 1)
    assert body["request"]["input"] == {"steps": 4, "scale": 1.5}
    assert '"steps":4.0' not in answer.text
    assert body["request"]["timeout"] == "90s"
    assert body["artifacts"] == []
    assert "progress_percent" not in body
    assert gateway.store.metadata[-1]["x-request-id"] == "trace-7"


async def test_an_unknown_key_is_refused_by_name(gateway: Gateway) -> None:
    """Beside every other mistake in the body; nothing is submitted."""
    answer = await gateway.http.post(
        "/api/v1/generate",
        json={"prompt": 7, "model": "nonsense", "num_outputs": 4, "input": {"x": {"y": 2**60}}},
    )
    body = answer.json()
    [bad] = [each for each in body["details"] if each["@type"].endswith("BadRequest")]
    told = {each["field"]: each["description"] for each in bad["field_violations"]}
    assert (answer.status_code, body["code"]) == (400, 3)
    assert set(told) == {"prompt", "model", "num_outputs", "input.x.y"}
    assert '"input"' in told["num_outputs"]
    assert gateway.store.kept == {}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", JSON_TYPE, 400),
        (b"[]", JSON_TYPE, 400),
        (b"null", JSON_TYPE, 400),
        (b'{"model": "a/b", "model": "c/d", "prompt": "p"}', JSON_TYPE, 400),
        (b'{"model": "a/b", "prompt": "p"', JSON_TYPE, 400),
        (b"\xff\xfe", JSON_TYPE, 400),
        (b"[" * 100_000, JSON_TYPE, 400),
        (b'{"model": "a/b", "prompt": "\\ud800"}', JSON_TYPE, 400),
        (b'{"model": "a/b", "prompt": "\\u0000"}', JSON_TYPE, 400),
        (b'{"model": "a/b", "prompt": ""}', JSON_TYPE, 400),
        (b'{"model": "a/b", "prompt": "%s"}' % (b"x" * 1_000_000), JSON_TYPE, 400),
        (b"x" * (2 * 1024 * 1024 + 1), JSON_TYPE, 413),
        (b'{"model": "a/b", "prompt": "p"}', {"content-type": "text/plain"}, 415),
        (b'{"model": "a/b", "prompt": "p"}', {}, 415),
        (
            b'{"model": "a/b", "prompt": "p"}',
            {"content-type": "application/json; charset=utf-16"},
            415,
        ),
    ],
)
async def test_a_bad_body_gets_the_documented_error(
    gateway: Gateway, body: bytes, headers: dict[str, str], status: int
) -> None:
    """Status JSON with the right HTTP code, and nothing in the store."""
    answer = await gateway.http.post("/api/v1/generate", content=body, headers=headers)
    assert answer.status_code == status
    assert answer.json()["code"] == 3
    assert answer.json()["details"]
    assert gateway.store.kept == {}


async def test_cancel_takes_no_body_or_an_empty_object(gateway: Gateway) -> None:
    """And says no to anything in it."""
    job = gateway.store.add()
    path = f"/api/v1/jobs/{job.job_id}:cancel"
    answer = await gateway.http.post(path)
    assert (answer.status_code, answer.json()["state"]) == (200, "STATE_CANCELED")
    assert (await gateway.http.post(path, json={})).status_code == 200
    assert (await gateway.http.post(path, json={"reason": "x"})).status_code == 400
    assert (await gateway.http.post(path, json={"job_id": job.job_id})).status_code == 400
    assert (await gateway.http.post(f"/api/v1/jobs/{MISSING}:cancel")).status_code == 404


async def test_paths_and_methods_that_are_not_ours_are_refused_as_status(gateway: Gateway) -> None:
    answer = await gateway.http.get("/api/v1/generate")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["code"] == 12
    assert (await gateway.http.get("/nothing")).json()["code"] == 5


async def test_a_reused_request_id_is_a_conflict(gateway: Gateway) -> None:
    """What the store says goes through, with its reason."""
    body = {"model": "a/b", "prompt": "p", "request_id": "once"}
    first = await gateway.http.post("/api/v1/generate", json=body)
    again = await gateway.http.post("/api/v1/generate", json=body)
    other = await gateway.http.post("/api/v1/generate", json={**body, "prompt": "q"})
    assert first.json()["job_id"] == again.json()["job_id"]
    assert (other.status_code, other.json()["code"]) == (409, 6)
    assert other.json()["details"][0]["reason"] == "ERROR_REASON_REQUEST_ID_REUSED"
