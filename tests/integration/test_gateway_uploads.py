"""Does a file become an input, and only a whole one of a type that is taken? As it streams in."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.struct_pb2 import Struct
from google.rpc.error_details_pb2 import ErrorInfo

from gateway.adapters import uploads
from gateway.http import uploads as receiving
from mediagen.v1 import generation_service_pb2, job_pb2
from mediagen.v1 import input_service_pb2 as pb2
from mediagen.v1 import input_service_pb2_grpc as pb2_grpc
from tests.integration.gateway_bench import Gateway, details, refusal, running_gateway

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
PATH = "/api/v1/uploads"
MOST = 3_000_000


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path, max_upload_bytes=MOST) as running:
        yield running


def stub(gateway: Gateway) -> Any:
    return pb2_grpc.InputServiceStub(gateway.channel)


def stored(gateway: Gateway) -> list[Path]:
    """Every file in object storage, half ones among them."""
    return [each for each in gateway.artifacts.rglob("*") if each.is_file()]


def messages(data: bytes, piece: int = 64 * 1024, **first: Any) -> list[pb2.UploadInputRequest]:
    """A file as a stream of requests."""
    kind = first.pop("content_type", "")
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)] or [b""]
    found = [pb2.UploadInputRequest(content=HttpBody(data=each)) for each in pieces]
    found[0].MergeFrom(pb2.UploadInputRequest(**first))
    found[0].content.content_type = kind
    return found


async def test_a_file_is_uploaded_and_read_back_and_used(gateway: Gateway) -> None:
    """curl --data-binary @photo.png; its type is told by its bytes."""
    sha = hashlib.sha256(PNG).hexdigest()
    answer = await gateway.http.post(
        f"{PATH}?file_name=photo%20%C3%BC.png&sha256={sha}",
        content=PNG,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    upload = answer.json()
    assert answer.status_code == 200
    assert upload["uri"] == f"upload:{upload['upload_id']}"
    assert (upload["media_type"], upload["sha256"]) == ("image/png", sha)
    assert (upload["size_bytes"], upload["file_name"]) == (len(PNG), "photo ü.png")
    path = f"{PATH}/{upload['upload_id']}"
    assert (await gateway.http.get(path)).json() == upload
    assert (await gateway.http.head(path)).status_code == 200
    content = await gateway.http.get(f"{path}/content")
    assert content.content == PNG
    assert content.headers["etag"] == f'"{sha}"'
    digest = base64.b64encode(bytes.fromhex(sha)).decode()
    assert content.headers["repr-digest"] == f"sha-256=:{digest}:"
    assert content.headers["content-disposition"].startswith("inline")
    assert "filename*=UTF-8''photo%20%C3%BC.png" in content.headers["content-disposition"]
    part = await gateway.http.get(f"{path}/content", headers={"range": "bytes=-4"})
    assert (part.status_code, part.content) == (206, PNG[-4:])
    inputs = Struct()
    inputs["image"] = upload["uri"]
    request = generation_service_pb2.SubmitJobRequest(model="a/b", prompt="p", input=inputs)
    job = (await gateway.stub.SubmitJob(request)).job
    assert list(job.request.input_files) == [
        job_pb2.InputFile(
            path="/image", uri=upload["uri"], media_type="image/png", size_bytes=len(PNG),
            sha256=sha,
        )
    ]  # fmt: skip


async def test_over_grpc_it_is_the_same(gateway: Gateway) -> None:
    """A stream of messages; what is said of the file stands in the first."""
    sha = hashlib.sha256(PNG).hexdigest()
    sent = messages(PNG, 1000, file_name="a.png", sha256=sha)
    sent[1].file_name = "ignored.png"
    upload = (await stub(gateway).UploadInput(iter(sent))).upload
    assert (upload.file_name, upload.media_type, upload.sha256) == ("a.png", "image/png", sha)
    again = await stub(gateway).GetUpload(pb2.GetUploadRequest(upload_id=upload.upload_id))
    assert again.upload == upload
    asked = pb2.DownloadUploadRequest(upload_id=upload.upload_id)
    pieces = [each async for each in stub(gateway).DownloadUpload(asked)]
    assert b"".join(each.data for each in pieces) == PNG
    assert pieces[0].content_type == "image/png"


@pytest.mark.parametrize(
    ("data", "declared", "query", "status", "told"),
    [
        (b"", "image/png", "", 400, {}),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png", "", 415, "media_type"),
        (b"<!-- x -->\n<!DOCTYPE html><p>", "text/plain", "", 415, "media_type"),
        (b"<?xml version='1.0'?><a/>", "", "", 415, "media_type"),
        (b"plain words", "text/html", "", 415, "media_type"),
        (b"plain words", "image/svg+xml", "", 415, "media_type"),
        (b"\x7fELF" + bytes(100), "", "", 415, "media_type"),
        (b"\x00\x01\x02", "image/png", "", 415, "media_type"),
        (PNG, "multipart/form-data; boundary=x", "", 415, {}),
        (PNG + bytes(MOST), "image/png", "", 413, "limit"),
        (PNG, "image/png", f"?sha256={'0' * 64}", 400, {}),
    ],
)
async def test_what_is_not_taken(
    gateway: Gateway, data: bytes, declared: str, query: str, status: int, told: str | Any
) -> None:
    """With the reason of gRPC and the status of HTTP; nothing of it is kept."""
    answer = await gateway.http.post(
        PATH + query, content=data, headers={"content-type": declared} if declared else {}
    )
    body = answer.json()
    [info] = [each for each in body["details"] if each["@type"].endswith("ErrorInfo")]
    assert (answer.status_code, body["code"]) == (status, 3)
    assert info["reason"] == "ERROR_REASON_UPLOAD_REFUSED"
    assert set(info.get("metadata", {})) == ({told} if told else set())
    assert gateway.files.uploads == {}
    assert stored(gateway) == []


@pytest.mark.parametrize("claimed", ["text/x-python", "application/javascript", "image/png", ""])
async def test_the_type_is_that_of_the_bytes(gateway: Gateway, claimed: str) -> None:
    """Whatever somebody's name for the file made of it: the same bytes are the same text."""
    headers = {"content-type": claimed} if claimed else {}
    answer = await gateway.http.post(PATH, content=b"print(1)\n", headers=headers)
    assert (answer.status_code, answer.json()["media_type"]) == (200, "text/plain")


async def test_a_form_is_told_how_to_be_a_file(gateway: Gateway) -> None:
    """What `curl -F` sends: what to write instead, in a sentence."""
    answer = await gateway.http.post(PATH, files={"file": ("a.png", PNG)})
    assert answer.status_code == 415
    assert "--data-binary @FILE in place of -F file=@FILE." in answer.json()["message"]


async def test_over_grpc_the_same_is_refused(gateway: Gateway) -> None:
    """Reasons and metadata alike; and each message keeps its rules."""
    cases = [
        (messages(b""), "ERROR_REASON_UPLOAD_REFUSED"),
        ([], "ERROR_REASON_UPLOAD_REFUSED"),
        (messages(PNG + bytes(MOST)), "ERROR_REASON_UPLOAD_REFUSED"),
        (messages(b"<html>"), "ERROR_REASON_UPLOAD_REFUSED"),
        (messages(PNG, sha256="0" * 64), "ERROR_REASON_UPLOAD_REFUSED"),
        (messages(PNG, sha256="0"), "ERROR_REASON_INVALID_REQUEST"),
        (messages(PNG, file_name="../a"), "ERROR_REASON_INVALID_REQUEST"),
        (messages(PNG + bytes(2_000_000), 2_000_000), "ERROR_REASON_INVALID_REQUEST"),
    ]
    for sent, reason in cases:
        error = await refusal(stub(gateway).UploadInput(iter(sent)))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert details(error, ErrorInfo).reason == reason
    assert gateway.files.uploads == {}
    assert stored(gateway) == []


async def test_what_is_wrong_in_the_url_is_told_at_once(gateway: Gateway) -> None:
    """Unknown and repeated parameters too."""
    query = "?file_name=a/b&sha256=xyz&name=a&sha256=xyz"
    answer = await gateway.http.post(PATH + query, content=PNG)
    assert answer.status_code == 400
    query = "?file_name=a/b&sha256=xyz"
    answer = await gateway.http.post(PATH + query, content=PNG)
    [bad] = [e for e in answer.json()["details"] if e["@type"].endswith("BadRequest")]
    assert {each["field"] for each in bad["field_violations"]} == {"file_name", "sha256"}


async def test_uploads_that_are_not_there(gateway: Gateway) -> None:
    """NOT_FOUND for what can be no id, and for one that nobody has."""
    for upload_id in ("junk", "0198b2f0-0000-7000-8000-000000000000", "%00"):
        for path in (f"{PATH}/{upload_id}", f"{PATH}/{upload_id}/content"):
            answer = await gateway.http.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, 5), path
    for call in (
        stub(gateway).GetUpload(pb2.GetUploadRequest(upload_id="junk")),
        stub(gateway).DownloadUpload(pb2.DownloadUploadRequest(upload_id="junk")),
    ):
        error = await refusal(call)
        assert details(error, ErrorInfo).reason == "ERROR_REASON_UPLOAD_NOT_FOUND"


async def raw(gateway: Gateway, head: str, body: bytes) -> tuple[Any, asyncio.StreamWriter]:
    """Begins an upload by hand."""
    url = gateway.http.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(f"POST {PATH} HTTP/1.1\r\nhost: a\r\n{head}\r\n\r\n".encode() + body)
    await writer.drain()
    return reader, writer


async def test_a_client_that_goes_half_way_leaves_nothing(gateway: Gateway) -> None:
    """Neither over HTTP, with whatever length it announced, nor over gRPC."""
    for head, body in (
        (f"content-length: {len(PNG) + 1}", PNG),
        ("transfer-encoding: chunked", f"{len(PNG):x}\r\n".encode() + PNG + b"\r\n"),
        (f"content-length: {MOST}", PNG + bytes(1_000_000)),
    ):
        _, writer = await raw(gateway, head, body)
        await asyncio.sleep(0.2)
        writer.close()

    async def half() -> AsyncIterator[pb2.UploadInputRequest]:
        for each in messages(PNG):
            yield each
        await asyncio.sleep(30)

    call = stub(gateway).UploadInput(half())
    await asyncio.sleep(0.3)
    call.cancel()
    await asyncio.sleep(0.5)
    assert len(gateway.files.begun) == 4, "each had begun"
    assert gateway.files.uploads == {}
    assert stored(gateway) == []


async def test_an_upload_without_a_length_is_taken(gateway: Gateway) -> None:
    """Chunked, as from a pipe."""

    async def pieces() -> AsyncIterator[bytes]:
        yield PNG[:3]
        yield PNG[3:]

    answer = await gateway.http.post(PATH, content=pieces())
    assert (answer.status_code, answer.json()["size_bytes"]) == (200, len(PNG))


async def test_a_slow_sender_is_not_waited_for(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one that falls silent nor one that drips for ever."""
    monkeypatch.setattr(uploads, "LONGEST_SILENCE", 0.3)
    reader, writer = await raw(gateway, "content-length: 100000", PNG)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    assert b" 400 " in head
    assert b"came too slowly" in await asyncio.wait_for(reader.readuntil(b"}"), 10)
    writer.close()
    monkeypatch.setattr(uploads, "LEAST_BYTES", 0)
    monkeypatch.setattr(uploads, "LONGEST", 1.0)
    reader, writer = await raw(gateway, "content-length: 100000", PNG)
    for _ in range(15):
        writer.write(b"x")
        await asyncio.sleep(0.1)
    assert b" 400 " in await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    assert gateway.files.uploads == {}
    assert stored(gateway) == []


async def test_who_drips_or_says_nothing_is_not_waited_for(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte now and then keeps none of the few places, nor a stream that never begins a call."""
    monkeypatch.setattr(uploads, "LONGEST_SILENCE", 1.0)
    monkeypatch.setattr(receiving, "LONGEST_LETTING_GO", 0.5)
    reader, writer = await raw(gateway, "content-length: 100000", PNG[:100])
    answer = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
    for _ in range(100):
        if answer.done():
            break
        writer.write(b"x")
        await asyncio.sleep(0.1)
    assert answer.done()
    assert b" 400 " in answer.result()
    writer.close()

    async def nothing() -> AsyncIterator[pb2.UploadInputRequest]:
        await asyncio.sleep(30)
        yield pb2.UploadInputRequest()

    error = await asyncio.wait_for(refusal(stub(gateway).UploadInput(nothing())), 10)
    assert "came too slowly" in (error.details() or "")
    assert gateway.files.begun == {}


async def test_only_so_many_at_once(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each may hold megabytes on their way; the next is told when to come again."""
    monkeypatch.setattr(uploads, "MOST_AT_ONCE", 2)
    open_ones = [await raw(gateway, "content-length: 100000", PNG) for _ in range(2)]
    await asyncio.sleep(0.3)
    answer = await gateway.http.post(PATH, content=PNG)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
    for _, writer in open_ones:
        writer.close()
    await asyncio.sleep(0.3)
    assert (await gateway.http.post(PATH, content=PNG)).status_code == 200


async def test_a_tenant_with_too_many_that_wait_is_told_so(gateway: Gateway) -> None:
    """In the store's words, over both; nothing is stored."""
    gateway.files.most = 0
    answer = await gateway.http.post(PATH, content=PNG)
    assert answer.status_code == 429
    assert "ERROR_REASON_TOO_MANY_UPLOADS" in answer.text
    error = await refusal(stub(gateway).UploadInput(iter(messages(PNG))))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert details(error, ErrorInfo).reason == "ERROR_REASON_TOO_MANY_UPLOADS"
    assert stored(gateway) == []


async def test_an_artifact_has_a_preview_and_a_digest(gateway: Gateway) -> None:
    """Both of its bytes, and with URLs of the gateway's own making."""
    sha = hashlib.sha256(PNG).hexdigest()
    job_id, path = _artifact(gateway, sha)
    whole = await gateway.http.get(path)
    assert whole.headers["repr-digest"].startswith("sha-256=:")
    job = (await gateway.http.get(f"/api/v1/jobs/{job_id}")).json()
    preview = job["artifacts"][0]["preview"]
    assert preview["url"] == f"https://media.example.com{path}/preview"
    answer = await gateway.http.get(f"{path}/preview")
    assert (answer.status_code, answer.content) == (200, b"small")
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["etag"] != whole.headers["etag"]
    assert "repr-digest" not in answer.headers
    asked = generation_service_pb2.DownloadPreviewRequest(job_id=job_id, index=0)
    pieces = [each async for each in gateway.stub.DownloadPreview(asked)]
    assert b"".join(each.data for each in pieces) == b"small"
    bare_id, bare = _artifact(gateway, sha, preview=False)
    assert (await gateway.http.get(f"{bare}/preview")).status_code == 404
    asked = generation_service_pb2.DownloadPreviewRequest(job_id=bare_id, index=0)
    error = await refusal(gateway.stub.DownloadPreview(asked))
    assert details(error, ErrorInfo).reason == "ERROR_REASON_ARTIFACT_NOT_FOUND"


async def test_what_was_kept_long_enough_is_gone(gateway: Gateway) -> None:
    """410, and listed all the same."""
    job_id, path = _artifact(gateway, "ab" * 32)
    gateway.store.kept[job_id].job.artifacts[0].delete_time.GetCurrentTime()
    for each in (path, f"{path}/preview"):
        answer = await gateway.http.get(each)
        assert (answer.status_code, answer.json()["code"]) == (410, 5)
        assert "ERROR_REASON_ARTIFACT_DELETED" in answer.text
        assert (await gateway.http.head(each)).status_code == 410
    asked = generation_service_pb2.DownloadArtifactRequest(job_id=job_id, index=0)
    error = await refusal(gateway.stub.DownloadArtifact(asked))
    assert (error.code(), details(error, ErrorInfo).reason) == (
        grpc.StatusCode.NOT_FOUND,
        "ERROR_REASON_ARTIFACT_DELETED",
    )
    job = (await gateway.http.get(f"/api/v1/jobs/{job_id}")).json()
    assert job["artifacts"][0]["delete_time"]


def _artifact(gateway: Gateway, sha: str, *, preview: bool = True) -> tuple[str, str]:
    """A completed job with one artifact; its id and its path."""
    job_id = gateway.store.add().job_id
    kept = job_pb2.Artifact(index=0, media_type="image/png", size_bytes=len(PNG), sha256=sha)
    if preview:
        kept.preview.CopyFrom(job_pb2.Preview(media_type="image/webp", size_bytes=5, width=1))
    gateway.store.change(job_id, state=job_pb2.Job.STATE_COMPLETED, artifacts=[kept])
    key = f"default/{job_id}/1/1/0"
    gateway.store.objects[job_id, 0] = key
    (gateway.artifacts / key).parent.mkdir(parents=True)
    (gateway.artifacts / key).write_bytes(PNG)
    (gateway.artifacts / f"{key}.preview.webp").write_bytes(b"small")
    return job_id, f"/api/v1/jobs/{job_id}/artifacts/0"
