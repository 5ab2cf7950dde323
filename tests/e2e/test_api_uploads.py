"""Is a file uploaded, used by a job, and its result used by the next? The whole stack."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import Any

import asyncpg
import grpc
import httpx
import pytest
from google.api.httpbody_pb2 import HttpBody
from PIL import Image

from devstack.testing import Stack
from mediagen.v1 import input_service_pb2 as pb2
from mediagen.v1.input_service_pb2_grpc import InputServiceStub
from tests.e2e.api_calls import FLUX, SMALL, Json, finished

DEV = "black-forest-labs/flux-dev"
UPLOADS = "/api/v1/uploads"


def picture(width: int = 64) -> bytes:
    """A PNG."""
    data = io.BytesIO()
    Image.new("RGB", (width, 64), (200, 80, 40)).save(data, "PNG")
    return data.getvalue()


async def uploaded(http: httpx.AsyncClient, data: bytes, **said: str) -> Json:
    answer = await http.post(UPLOADS, content=data, params=said)
    assert answer.status_code == 200, answer.text
    upload: Json = answer.json()
    return upload


async def test_a_file_is_an_input_of_a_job(http: httpx.AsyncClient) -> None:
    """By its uri; the job knows its hash, and its result is an input of the next by its own."""
    data = picture()
    upload = await uploaded(http, data, file_name="fox.png")
    body = {"model": DEV, "prompt": "a fox", "input": {**SMALL, "image": upload["uri"]}}
    job = (await http.post("/api/v1/generate", json=body)).json()
    [file] = job["request"]["input_files"]
    assert (file["path"], file["uri"], file["media_type"]) == ("/image", upload["uri"], "image/png")
    assert file["sha256"] == hashlib.sha256(data).hexdigest()
    ended = await finished(http, job["job_id"])
    assert ended["state"] == "STATE_COMPLETED", ended
    made = ended["artifacts"][0]
    uri = f"artifact:{job['job_id']}/0"
    again = {**body, "input": {**SMALL, "image": uri}}
    next_job = (await http.post("/api/v1/generate", json=again)).json()
    [file] = next_job["request"]["input_files"]
    assert (file["uri"], file["sha256"]) == (uri, made["sha256"])
    ended = await finished(http, next_job["job_id"])
    assert ended["state"] == "STATE_COMPLETED", ended
    # Kept at least as long as a job that uses it may need it.
    kept = (await http.get(f"{UPLOADS}/{upload['upload_id']}")).json()
    assert kept["expire_time"] >= upload["expire_time"]


async def test_what_is_not_there_is_told_before_anything_is_queued(http: httpx.AsyncClient) -> None:
    """Uploads and artifacts alike, and what only looks like one."""
    nobody = "01a20000-0000-7000-8000-000000000000"
    cases = {
        f"upload:{nobody}": "UPLOAD_NOT_FOUND",
        f"artifact:{nobody}/0": "ARTIFACT_NOT_FOUND",
        "upload:fox.png": "FORMAT",
        "file:///etc/passwd": "FORMAT",  # pragma: allowlist secret
    }
    for uri, reason in cases.items():
        body = {"model": DEV, "prompt": "a fox", "input": {"image": uri}}
        answer = await http.post("/api/v1/generate", json=body)
        [bad] = [e for e in answer.json()["details"] if e["@type"].endswith("BadRequest")]
        assert answer.status_code == 400
        assert [(e["field"], e["reason"]) for e in bad["field_violations"]] == [
            ("input.image", reason)
        ]


async def test_a_large_file_goes_through_and_comes_back(stack: Stack) -> None:
    """In pieces all the way, over REST and over gRPC, beyond what any single message may be."""
    data = picture() + bytes(12_000_000)
    async with httpx.AsyncClient(base_url=stack.edge_url, timeout=60, trust_env=False) as http:
        sha = hashlib.sha256(data).hexdigest()
        upload = await uploaded(http, data, sha256=sha)
        assert upload["size_bytes"] == len(data)
        part = await http.get(
            f"{UPLOADS}/{upload['upload_id']}/content", headers={"range": "bytes=-100"}
        )
        assert (part.status_code, part.content) == (206, bytes(100))

    def pieces() -> Iterator[pb2.UploadInputRequest]:
        for at in range(0, len(data), 512 * 1024):
            content = HttpBody(data=data[at : at + 512 * 1024])
            yield pb2.UploadInputRequest(content=content, sha256=sha if at == 0 else "")

    address = stack.edge_url.removeprefix("http://")
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = InputServiceStub(channel)
        answer = await stub.UploadInput(pieces())
        assert answer.upload.sha256 == sha


@pytest.mark.parametrize(
    ("data", "kind"), [(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
                       (b"<!DOCTYPE html><script>", "image/png"), (b"\x7fELF\x02", "image/png")]
)  # fmt: skip
async def test_what_can_carry_script_is_not_taken(
    http: httpx.AsyncClient, data: bytes, kind: str
) -> None:
    """Whatever it is called."""
    answer = await http.post(UPLOADS, content=data, headers={"content-type": kind})
    assert (answer.status_code, answer.json()["code"]) == (415, 3)


async def test_what_is_no_longer_kept_is_gone(stack: Stack, http: httpx.AsyncClient) -> None:
    """410 for its bytes, and no job can use it; it stays listed."""
    body = {"model": FLUX, "prompt": "a fox that goes", "input": SMALL}
    job = (await http.post("/api/v1/generate", json=body)).json()
    await finished(http, job["job_id"])
    connection = await asyncpg.connect(stack.database_url.replace("+asyncpg", ""))
    try:
        await connection.execute(
            "UPDATE artifacts SET delete_time = now() WHERE job_id = $1::uuid", job["job_id"]
        )
    finally:
        await connection.close()
    path = f"/api/v1/jobs/{job['job_id']}/artifacts/0"
    answer = await http.get(path)
    assert (answer.status_code, "ERROR_REASON_ARTIFACT_DELETED" in answer.text) == (410, True)
    assert (await http.get(f"{path}/preview")).status_code == 410
    used = {"model": DEV, "prompt": "p", "input": {"image": f"artifact:{job['job_id']}/0"}}
    refusal = await http.post("/api/v1/generate", json=used)
    assert (refusal.status_code, "ARTIFACT_NOT_FOUND" in refusal.text) == (400, True)
