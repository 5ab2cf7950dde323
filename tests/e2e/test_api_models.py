"""Do models, their checks and their files work as documented? The whole stack, by every road."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct

from devstack.testing import Stack
from mediagen.v1 import generation_service_pb2 as pb2
from mediagen.v1 import model_pb2
from mediagen.v1 import model_service_pb2 as models_pb2
from mediagen.v1.model_service_pb2_grpc import ModelServiceStub
from tests.e2e.api_calls import FLUX, SMALL, Json, finished, refused, refused_over_http
from tests.e2e.test_api_bad_input import rows

SCHNELL = {"model": FLUX, "prompt": "a fox in a fir wood"}
BUF = Path(sys.executable).with_name("buf")


async def test_the_catalogue_is_listed_and_read(stack: Stack, http: httpx.AsyncClient) -> None:
    """By name, in pages, by words and by what they make; alike over REST and gRPC."""
    listed: list[Json] = []
    token = ""
    while True:
        page = (
            await http.get("/api/v1/models", params={"page_size": 7, "page_token": token})
        ).json()
        listed += page["models"]
        assert len(page["models"]) <= 7
        if not (token := page["next_page_token"]):
            break
    names = [each["name"] for each in listed]
    assert names == sorted(names)
    assert len(names) >= 15
    assert FLUX in names
    assert all("input_schema" not in each for each in listed)
    assert {"OUTPUT_KIND_IMAGE", "OUTPUT_KIND_VIDEO", "OUTPUT_KIND_AUDIO"} <= {
        each["output_kind"] for each in listed
    }
    model = (await http.get(f"/api/v1/models/{FLUX}")).json()
    properties = model["input_schema"]["properties"]
    assert model["input_schema"]["additionalProperties"] is False
    assert properties["num_outputs"]["maximum"] == 4
    assert model["price"]["usd"] > 0
    async with grpc.aio.insecure_channel(stack.gateway_address) as channel:
        stub: Any = ModelServiceStub(channel)
        got = (await stub.GetModel(models_pb2.GetModelRequest(name=FLUX))).model
        assert ParseDict(model["input_schema"], Struct()) == got.input_schema
        video = model_pb2.Model.OUTPUT_KIND_VIDEO
        found = (await stub.ListModels(models_pb2.ListModelsRequest(output_kind=video))).models
        assert 0 < len(found) < len(names)
    searched = (await http.get("/api/v1/models?query=flux%20schnell")).json()["models"]
    assert [each["name"] for each in searched] == [FLUX]
    missing = await http.get("/api/v1/models/no-one/knows-it")
    assert missing.status_code == 404
    assert "ERROR_REASON_MODEL_NOT_FOUND" in missing.text


async def test_every_violation_is_told_before_anything_is_queued(
    stack: Stack, http: httpx.AsyncClient, stub: Any
) -> None:
    """The same over REST and gRPC, also with validate_only; and nothing is stored."""
    before = await rows(stack)
    given = {
        "num_outputs": 9, "aspect_ratio": "5:1", "go_fast": "yes", "seed": 1.5, "stepz": 4,
        "megapixels": 1,
    }  # fmt: skip
    wanted = tuple(sorted(f"input.{name}" for name in given))
    for more in ({}, {"validate_only": True}):
        body = {**SCHNELL, "input": given, **more}
        over_http = refused_over_http(await http.post("/api/v1/generate", json=body))
        over_grpc = await refused(stub.SubmitJob(ParseDict(body, pb2.SubmitJobRequest())))
        assert over_http == over_grpc
        assert tuple(sorted(over_grpc.fields)) == wanted
    unknown = {**SCHNELL, "model": "black-forest-labs/flux-schnel"}
    refusal = await http.post("/api/v1/generate", json=unknown)
    assert (refusal.status_code, "did you mean" in refusal.text) == (400, True)
    assert await rows(stack) == before


async def test_to_validate_shows_what_would_run(stack: Stack, http: httpx.AsyncClient) -> None:
    """Defaults among it. A job that runs shows the same."""
    before = await rows(stack)
    body = {**SCHNELL, "input": SMALL}
    checked = (await http.post("/api/v1/generate", json={**body, "validate_only": True})).json()
    assert (checked["job_id"], checked["state"]) == ("", "STATE_UNSPECIFIED")
    assert checked["request"]["defaults"]["num_outputs"] == 1
    assert "megapixels" not in checked["request"]["defaults"]
    assert checked["request"]["model_version"] == "", "the provider's choice, with every run"
    community = {"model": "stability-ai/sdxl", "prompt": "a fox", "validate_only": True}
    pinned = (await http.post("/api/v1/generate", json=community)).json()["request"]
    listed = (await http.get("/api/v1/models/stability-ai/sdxl")).json()
    assert len(pinned["model_version"]) == 64
    assert pinned["model_version"] == listed["version"]
    assert await rows(stack) == before
    job = (await http.post("/api/v1/generate", json=body)).json()
    assert job["request"]["defaults"] == checked["request"]["defaults"]
    ended = await finished(http, job["job_id"])
    assert ended["state"] == "STATE_COMPLETED"


async def test_a_result_has_its_measures_and_a_preview(http: httpx.AsyncClient) -> None:
    """Width and height as the picture has them, a small one of it, and a digest of the bytes."""
    job = (await http.post("/api/v1/generate", json={**SCHNELL, "input": SMALL})).json()
    ended = await finished(http, job["job_id"])
    [artifact] = ended["artifacts"]
    assert artifact["width"] > 0
    assert artifact["height"] > 0
    url = httpx.URL(artifact["preview"]["url"]).path
    assert url == f"/api/v1/jobs/{job['job_id']}/artifacts/0/preview"
    preview = await http.get(url)
    assert preview.headers["content-type"] == artifact["preview"]["media_type"] == "image/webp"
    assert len(preview.content) == artifact["preview"]["size_bytes"]
    assert (
        await http.get(url, headers={"if-none-match": preview.headers["etag"]})
    ).status_code == 304
    whole = await http.get(url.removesuffix("/preview"))
    assert whole.headers["repr-digest"].startswith("sha-256=:")


async def test_models_are_read_again_when_asked_for(http: httpx.AsyncClient) -> None:
    """By a worker, which alone can ask the provider; the body may be left out."""
    body = {"names": [FLUX, "no-one/knows-it"]}
    told = (await http.post("/api/v1/models:sync", json=body)).json()
    assert (told["models"], told["unknown_names"]) == (1, ["no-one/knows-it"])
    async with asyncio.timeout(30):
        while True:
            model = (await http.get(f"/api/v1/models/{FLUX}")).json()
            if model.get("sync_time", "") > told["request_time"]:
                break
            await asyncio.sleep(0.2)
    assert model["sync_problem"] == ""
    assert (await http.post("/api/v1/models:sync")).json()["models"] >= 15
    wrong = await http.post("/api/v1/models:sync", json={"name": FLUX})
    assert (wrong.status_code, "did you mean" in wrong.text) == (400, True)


async def test_statistics_tell_of_the_last_while(http: httpx.AsyncClient) -> None:
    """Through the edge's transcoder, with a duration in the URL."""
    answer = await http.get("/api/v1/statistics", params={"window": "600s", "steps": 10})
    body = answer.json()
    assert (answer.status_code, len(body["steps"]), body["step"]) == (200, 10, "60s")
    wrong = await http.get("/api/v1/statistics", params={"window": "1s"})
    assert wrong.status_code == 400


@pytest.mark.parametrize("of", ["gateway", "edge"])
def test_a_caller_without_protos_finds_the_models(stack: Stack, of: str) -> None:
    """buf curl, by reflection."""
    address = stack.edge_url if of == "edge" else f"http://{stack.gateway_address}"
    method = f"{address}/mediagen.v1.ModelService/GetModel"
    answer = subprocess.run(
        [BUF, "curl", "--protocol", "grpc", "--http2-prior-knowledge", "-d",
         json.dumps({"name": FLUX}), method],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["model"]["name"] == FLUX
