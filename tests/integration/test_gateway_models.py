"""Does the gateway check a submit with its model, and show models? Against a store in memory."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.struct_pb2 import Struct
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo

from gateway.adapters import models as model_cache
from mediagen.store.v1.catalogue_service_pb2 import ReadModelResponse
from mediagen.store.v1.job_store_service_pb2 import CreateJobRequest
from mediagen.v1 import generation_service_pb2 as pb2
from mediagen.v1 import model_pb2, model_service_pb2, model_service_pb2_grpc
from servicekit.secret_inputs import MASK
from tests.integration.gateway_bench import Gateway, details, refusal, running_gateway

VERSION = "a" * 64
ID = "0198b2f0-0000-7000-8000-000000000000"


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path) as running:
        yield running


def asking(model: str = "a/b", prompt: str = "p", **more: Any) -> pb2.SubmitJobRequest:
    """A submit; *given* are its inputs."""
    inputs = Struct()
    inputs.update(more.pop("given", {}))
    return pb2.SubmitJobRequest(model=model, prompt=prompt, input=inputs, **more)


def violations(error: grpc.aio.AioRpcError) -> dict[str, str]:
    """The reason of each, by its field."""
    found = details(error, BadRequest).field_violations
    return {each.field: each.reason for each in found}


def created(gateway: Gateway) -> list[CreateJobRequest]:
    return [each for each in gateway.store.seen if isinstance(each, CreateJobRequest)]


async def test_nothing_is_stored_of_what_the_model_does_not_take(gateway: Gateway) -> None:
    """Every violation at once: of the model's schema, the files, the protos' own rules."""
    given = {"aspect_ratio": "2:1", "stps": 4, "num_outputs": 4.5, "image": f"upload:{ID}"}
    error = await refusal(gateway.stub.SubmitJob(asking(prompt="", given=given)))
    wanted = {
        "prompt": "REQUIRED",
        "input.aspect_ratio": "ENUM",
        "input.num_outputs": "TYPE",
        "input.image": "UPLOAD_NOT_FOUND",
        "input.stps": "UNKNOWN_INPUT",
    }
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert details(error, ErrorInfo).reason == "ERROR_REASON_INVALID_REQUEST"
    assert violations(error) == wanted
    error = await refusal(
        gateway.stub.SubmitJob(asking(prompt="", given=given, priority=77, labels={"A": "b"}))
    )
    assert violations(error).items() >= wanted.items()
    assert {"priority", 'labels["A"]'} <= set(violations(error))
    assert created(gateway) == []


async def test_over_http_too_all_is_told_at_once(gateway: Gateway) -> None:
    """What is no such JSON, no such field, and no such input."""
    answer = await gateway.http.post(
        "/api/v1/generate",
        json={"model": "a/b", "prompt": "p", "colour": 1, "timeout": "soon",
              "input": {"aspect_ratio": "2:1"}},
    )  # fmt: skip
    [bad] = [e for e in answer.json()["details"] if e["@type"].endswith("BadRequest")]
    told = {each["field"]: each["reason"] for each in bad["field_violations"]}
    assert answer.status_code == 400
    assert told == {
        "colour": "FIELD_UNKNOWN",
        "timeout": "DURATION_FORMAT",
        "input.aspect_ratio": "ENUM",
    }


async def test_what_is_settled_goes_with_the_request(gateway: Gateway) -> None:
    """Defaults, the version of a community model, the files; none of it is the caller's wish."""
    gateway.catalogue.add("some/one", official=False, version="")
    gateway.catalogue.answers["some/one", ""].model.version = VERSION
    uri = f"artifact:{ID}/3"
    gateway.files.artifacts[uri] = ("image/webp", 12, "ab" * 32)
    given = {
        "num_outputs": 2,
        "images": ["https://a.example/x", uri],
        "image": "data:image/gif;base64,R0lGODlh",
    }
    job = (await gateway.stub.SubmitJob(asking("some/one", given=given))).job
    stored = created(gateway)[-1].request
    assert stored.model_version == job.request.model_version == VERSION
    assert dict(stored.defaults) == {"aspect_ratio": "1:1"}
    assert [(f.path, f.uri, f.media_type, f.size_bytes) for f in stored.input_files] == [
        ("/image", "", "image/gif", 6),
        ("/images/1", uri, "image/webp", 12),
    ]
    assert stored.input_files[0].sha256 == hashlib.sha256(b"GIF89a").hexdigest()
    await gateway.stub.SubmitJob(asking())
    assert created(gateway)[-1].request.model_version == "", "an official one runs by its name"


async def test_a_secret_goes_beside_the_request_and_is_shown_to_nobody(gateway: Gateway) -> None:
    """What is stored as asked for, and answered, has a mask; to validate shows the same."""
    own = {
        "type": "object", "additionalProperties": False, "required": ["text"],
        "properties": {
            "key": {"type": "string", "x-cog-secret": True}, "text": {"type": "string"},
        },
    }  # fmt: skip
    gateway.catalogue.add("some/speech", own)
    secret = f"upload:{ID}"  # what it looks like does not matter
    asked = asking("some/speech", "", given={"key": secret, "text": "good morning"})
    job = (await gateway.stub.SubmitJob(asked)).job
    [stored] = created(gateway)
    assert dict(stored.secrets) == {"key": secret}
    assert dict(stored.request.input) == {"key": MASK, "text": "good morning"}
    assert list(stored.request.secret_inputs) == ["key"]
    assert stored.request.title == "good morning"
    assert secret not in str(job)
    asked.validate_only = True
    checked = (await gateway.stub.SubmitJob(asked)).job.request
    checked.request_id = stored.request.request_id
    assert checked == stored.request
    assert len(created(gateway)) == 1


async def test_a_mask_is_no_secret(gateway: Gateway) -> None:
    """Who copies a job's inputs from what it shows is told: the call would be in vain."""
    own = {"properties": {"key": {"x-cog-secret": True}, "prompt": {"x-cog-secret": True}}}
    gateway.catalogue.add("some/speech", own)
    error = await refusal(gateway.stub.SubmitJob(asking("some/speech", MASK, given={"key": MASK})))
    assert violations(error) == {"input.key": "SECRET_HIDDEN", "prompt": "SECRET_HIDDEN"}
    assert created(gateway) == []
    await gateway.stub.SubmitJob(asking("some/speech", "a fox"))
    [stored] = created(gateway)
    assert (stored.request.prompt, stored.request.title) == ("", "")
    assert dict(stored.request.input) == {"prompt": MASK}
    assert dict(stored.secrets) == {"prompt": "a fox"}


async def test_one_version_has_its_own_schema(gateway: Gateway) -> None:
    """And is what runs."""
    own = {"type": "object", "properties": {"prompt": {}, "old": {}}, "additionalProperties": False}
    gateway.catalogue.add("a/b", own, version=VERSION)
    await gateway.stub.SubmitJob(asking(f"a/b:{VERSION}", given={"old": 1}))
    assert created(gateway)[-1].request.model_version == VERSION
    error = await refusal(gateway.stub.SubmitJob(asking(given={"old": 1})))
    assert violations(error) == {"input.old": "UNKNOWN_INPUT"}


async def test_to_check_is_not_to_submit(gateway: Gateway) -> None:
    """validate_only answers what would be stored, and stores nothing; nor finds a repeat."""
    request = asking(given={"steps": 4}, request_id="r-1", validate_only=True)
    job = (await gateway.stub.SubmitJob(request)).job
    assert (job.job_id, job.state, job.request.request_id) == ("", 0, "r-1")
    assert job.request.defaults["aspect_ratio"] == "1:1"
    answer = await gateway.http.post(
        "/api/v1/generate", json={"model": "a/b", "prompt": "p", "validate_only": True}
    )
    body = answer.json()
    assert (answer.status_code, body["job_id"], body["request"]["request_id"]) == (200, "", "")
    bad = asking(given={"steps": 0}, request_id="r-1", validate_only=True)
    assert violations(await refusal(gateway.stub.SubmitJob(bad))) == {"input.steps": "MINIMUM"}
    assert created(gateway) == []


async def test_a_repeat_finds_its_job_whatever_the_model_takes_by_now(gateway: Gateway) -> None:
    """The first submission counted. Another body under its id is still refused as that."""
    request = asking(given={"steps": 4}, request_id="r-1")
    job = (await gateway.stub.SubmitJob(request)).job
    gateway.catalogue.say("a/b", ReadModelResponse.OUTCOME_NOT_ALLOWED)
    await _forgotten(gateway)
    assert (await gateway.stub.SubmitJob(request)).job.job_id == job.job_id
    assert created(gateway)[-1].find_only
    changed = asking(given={"steps": 5}, request_id="r-1")
    error = await refusal(gateway.stub.SubmitJob(changed))
    assert details(error, ErrorInfo).reason == "ERROR_REASON_REQUEST_ID_REUSED"
    error = await refusal(gateway.stub.SubmitJob(asking(request_id="r-2")))
    assert violations(error) == {"model": "MODEL_NOT_ALLOWED"}
    assert len(gateway.store.kept) == 1


async def _forgotten(gateway: Gateway) -> None:
    """What the gateway knows of models is read again."""
    stub = model_service_pb2_grpc.ModelServiceStub(gateway.channel)
    await refusal(stub.GetModel(model_service_pb2.GetModelRequest(name="a/b")))


async def test_models_that_may_not_be_named(gateway: Gateway) -> None:
    """Said of the field `model`, with what is near."""
    gateway.catalogue.say("gone/away", ReadModelResponse.OUTCOME_MISSING)
    for model, reason in (("a/bb", "MODEL_NOT_ALLOWED"), ("gone/away", "MODEL_NOT_FOUND")):
        error = await refusal(gateway.stub.SubmitJob(asking(model, given={"image": "upload:x"})))
        assert violations(error) == {"model": reason}
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "did you mean a/b?" in str(
        (await refusal(gateway.stub.SubmitJob(asking("a/bb")))).details()
    )
    stub = model_service_pb2_grpc.ModelServiceStub(gateway.channel)
    read = await refusal(stub.GetModel(model_service_pb2.GetModelRequest(name="a/bb")))
    assert read.details() == "a/bb is not a model that may be used here. Did you mean a/b?"


async def test_a_model_that_a_worker_looks_up_is_waited_for(gateway: Gateway) -> None:
    """The first who names it waits; so do all others, with one read under way at a time."""
    gateway.catalogue.say("new/model", ReadModelResponse.OUTCOME_UNREAD)
    calls = [asyncio.create_task(_submitted(gateway, asking("new/model"))) for _ in range(20)]
    await asyncio.sleep(1)
    assert not any(call.done() for call in calls)
    assert gateway.catalogue.reads("new/model") < 8
    assert all(each.wanted for each in gateway.catalogue.seen)
    gateway.catalogue.add("new/model")
    assert all(job.state for job in await asyncio.gather(*calls))


async def _submitted(gateway: Gateway, request: pb2.SubmitJobRequest) -> Any:
    return (await gateway.stub.SubmitJob(request)).job


async def test_a_model_that_no_worker_looks_up_is_unavailable(gateway: Gateway) -> None:
    """Within the caller's own time, and with a time to come again. A repeat finds its job."""
    gateway.catalogue.say("new/model", ReadModelResponse.OUTCOME_UNREAD, problem="no answer")
    job = gateway.store.add()
    job.request.request_id = "r-1"
    job.request.model = "new/model"
    error = await refusal(gateway.stub.SubmitJob(asking("new/model"), timeout=2))
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert details(error, ErrorInfo).reason == "ERROR_REASON_UNAVAILABLE"
    assert details(error, RetryInfo).retry_delay.seconds == 5
    assert "no answer" in str(error.details())
    wrong = asking("new/model", priority=77)
    assert set(violations(await refusal(gateway.stub.SubmitJob(wrong)))) == {"priority"}


async def test_the_store_is_not_asked_with_every_submit(gateway: Gateway) -> None:
    """Once in some seconds; and a schema that changed meanwhile is not compiled twice."""
    for _ in range(30):
        await gateway.stub.SubmitJob(asking(given={"steps": 3}))
    assert gateway.catalogue.reads("a/b") == 1


async def test_a_changed_schema_is_taken_up(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is read again, the old one still counts."""
    await gateway.stub.SubmitJob(asking(given={"steps": 3}))
    gateway.catalogue.add("a/b", {"properties": {"prompt": {}}, "additionalProperties": False})
    monkeypatch.setattr(model_cache, "FRESH", 0.0)
    await gateway.stub.SubmitJob(asking(given={"steps": 3}))
    await asyncio.sleep(0.3)
    error = await refusal(gateway.stub.SubmitJob(asking(given={"steps": 3})))
    assert violations(error) == {"input.steps": "UNKNOWN_INPUT"}


async def test_models_are_shown_with_their_pictures(gateway: Gateway) -> None:
    """cover_url is absolute, and there only where there is a picture."""
    gateway.catalogue.add(
        "an/other", description="draws", output_kind=model_pb2.Model.OUTPUT_KIND_IMAGE
    )
    key = "covers/an/other/1.webp"
    gateway.catalogue.answers["an/other", ""].cover_object_key = key
    picture = b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(5000)
    (gateway.artifacts / key).parent.mkdir(parents=True)
    (gateway.artifacts / key).write_bytes(picture)
    stub = model_service_pb2_grpc.ModelServiceStub(gateway.channel)
    page = await stub.ListModels(model_service_pb2.ListModelsRequest(page_size=999, query="a"))
    url = "https://media.example.com/api/v1/models/an/other/cover"
    assert [(each.name, each.cover_url) for each in page.models] == [("a/b", ""), ("an/other", url)]
    asked = gateway.catalogue.seen[-1]
    assert (asked.page_size, asked.query, page.next_page_token) == (200, "a", "next")

    answer = await gateway.http.get("/api/v1/models/an/other")
    model = answer.json()
    assert (answer.status_code, model["name"], model["cover_url"]) == (200, "an/other", url)
    assert model["input_schema"]["properties"]["steps"]["maximum"] == 50
    assert "50.0" not in answer.text
    cover = await gateway.http.get("/api/v1/models/an/other/cover")
    assert (cover.status_code, cover.content) == (200, picture)
    assert cover.headers["content-type"] == "image/webp"
    etag = {"if-none-match": cover.headers["etag"]}
    assert (await gateway.http.get(url[25:], headers=etag)).status_code == 304
    part = await gateway.http.get(url[25:], headers={"range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"RIFF")
    request = model_service_pb2.DownloadModelCoverRequest(name="an/other")
    pieces = [each async for each in stub.DownloadModelCover(request)]
    assert b"".join(each.data for each in pieces) == picture
    assert pieces[0].content_type == "image/webp"


async def test_models_that_are_not_there(gateway: Gateway) -> None:
    """NOT_FOUND with the model's name and one much like it, over both."""
    stub = model_service_pb2_grpc.ModelServiceStub(gateway.channel)
    error = await refusal(stub.GetModel(model_service_pb2.GetModelRequest(name="a/c")))
    info = details(error, ErrorInfo)
    assert (error.code(), info.reason, dict(info.metadata)) == (
        grpc.StatusCode.NOT_FOUND, "ERROR_REASON_MODEL_NOT_FOUND",
        {"model": "a/c", "similar": "a/b"},
    )  # fmt: skip
    for path in ("a/c", "a/b/cover", "a/c/cover", f"a/b?version={VERSION}"):
        answer = await gateway.http.get(f"/api/v1/models/{path}")
        assert answer.status_code == 404, path
    assert (await gateway.http.get("/api/v1/models/a/b?versin=1")).status_code == 400
    assert (await gateway.http.get("/api/v1/models/a/b?version=1")).status_code == 400
    assert (await gateway.http.get("/api/v1/models/a/%F0%9F%92%A9")).status_code == 400
    error = await refusal(stub.ListModels(model_service_pb2.ListModelsRequest(page_token="forged")))
    assert details(error, ErrorInfo).reason == "ERROR_REASON_PAGE_TOKEN_INVALID"
