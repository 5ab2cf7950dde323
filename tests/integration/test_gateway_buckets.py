"""Do artifacts lie well in a bucket, and do callers get them there by signed URLs?

A look-alike of S3 (moto's server) in a process of its own; everything else is real.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from socket import create_connection

import httpx
import pytest

from devstack.ports import free_port
from mediagen.v1 import job_pb2
from servicekit.objects import ObjectDiffers, ObjectExists, ObjectMissing, ObjectStore, open_store
from servicekit.presentation import disposition
from tests.integration.gateway_bench import Gateway, running_gateway

MIB = 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
URL = "s3://media/results"


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The address of a server that has the bucket `media`."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while True:
            try:
                with closing(create_connection(("127.0.0.1", port), 1)):
                    break
            except OSError:
                assert server.poll() is None, "moto's server has ended"
                assert time.monotonic() < end, "moto's server does not listen"
                time.sleep(0.1)
        httpx.put(f"{address}/media", trust_env=False, timeout=60).raise_for_status()
        yield address
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def store(bucket: str, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """What a service opens, by the variables that it reads."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", bucket)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mediagen")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mediagen-secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return open_store(URL)


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def read(store: ObjectStore, key: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in store.get_range(key, start, end)])


async def test_a_bucket_keeps_the_promises_of_a_folder(store: ObjectStore) -> None:
    """Written once, whole or not at all; read in ranges; deleted as often as one likes."""
    kind = {"content_type": "image/png", "max_bytes": 64 * MIB}
    put = await store.put_stream("a/small", chunks(PNG), **kind)  # type: ignore[arg-type]
    assert (put.size, put.sha256) == (len(PNG), hashlib.sha256(PNG).hexdigest())
    assert await read(store, "a/small") == PNG
    assert await read(store, "a/small", 3, 9) == PNG[3:9]
    assert await read(store, "a/small", len(PNG)) == b""
    with pytest.raises(ObjectExists):
        await store.put_stream("a/small", chunks(b"other"), **kind)  # type: ignore[arg-type]
    parts = [bytes([n]) * MIB for n in range(20)]
    await store.put_stream("a/large", chunks(*parts), **kind)  # type: ignore[arg-type]
    assert (await store.head("a/large")).size == 20 * MIB
    assert await read(store, "a/large", 19 * MIB - 1, 19 * MIB + 1) == b"\x12\x13"
    with pytest.raises(ObjectDiffers):
        await store.put_stream("a/other", chunks(PNG), sha256="0" * 64, **kind)  # type: ignore[arg-type]

    async def broken() -> AsyncIterator[bytes]:
        for each in parts:
            yield each
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.put_stream("a/broken", broken(), **kind)  # type: ignore[arg-type]
    assert sorted([each.key async for each in store.list("a")]) == ["a/large", "a/small"]
    await store.delete("a/small")
    await store.delete("a/small")
    with pytest.raises(ObjectMissing):
        await store.head("a/small")


async def test_a_signed_url_leads_to_the_bytes_for_a_while(store: ObjectStore) -> None:
    """Without keys, in ranges, with the type and the name that they were stored with."""
    named = disposition("job-0", "image/png")
    await store.put_stream(
        "b/picture", chunks(PNG), content_type="image/png", max_bytes=MIB, disposition=named
    )
    assert store.signs
    url = await store.sign("b/picture", timedelta(seconds=300))
    assert "mediagen-secret" not in url
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(url)
        assert (answer.status_code, answer.content) == (200, PNG)
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["content-disposition"] == named == 'inline; filename="job-0.png"'
        part = await http.get(url, headers={"range": "bytes=0-7"})
        assert (part.status_code, part.content) == (206, PNG[:8])
    assert httpx.URL(url).params["X-Amz-Expires"] == "300"
    await store.delete("b/picture")


async def test_who_asks_for_an_artifact_is_led_to_the_bucket(
    store: ObjectStore, tmp_path: Path
) -> None:
    """Where the setting says so: bytes by a 307, all that is known without them from here."""
    async with running_gateway(tmp_path, artifacts_url=URL, artifact_redirects=True) as gateway:
        path = await _artifact(gateway, store, "image/png", PNG)
        led = await gateway.http.get(path)
        assert (led.status_code, led.content) == (307, b"")
        assert led.headers["cache-control"] == "no-store"
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(led.headers["location"])).content == PNG
        sha = hashlib.sha256(PNG).hexdigest()
        head = await gateway.http.head(path)
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(PNG)))
        known = await gateway.http.get(path, headers={"if-none-match": f'"{sha}"'})
        assert known.status_code == 304
        part = await gateway.http.get(path, headers={"range": "bytes=0-1"})
        assert part.status_code == 307
        beyond = await gateway.http.get(path, headers={"range": "bytes=999999-"})
        assert beyond.status_code == 416
        page = await gateway.http.get(path, headers={"sec-fetch-site": "same-origin"})
        assert (page.status_code, page.content) == (200, PNG), "our page's policy has no bucket"
        drawing = await _artifact(gateway, store, "image/svg+xml", b"<svg/>")
        own = await gateway.http.get(drawing)
        assert (own.status_code, own.content) == (200, b"<svg/>"), "no page of the bucket's origin"
    async with running_gateway(tmp_path / "plain", artifacts_url=URL) as gateway:
        path = await _artifact(gateway, store, "image/png", PNG)
        whole = await gateway.http.get(path)
        assert (whole.status_code, whole.content) == (200, PNG)


async def test_an_upload_goes_to_the_bucket(store: ObjectStore, tmp_path: Path) -> None:
    """In parts as it comes; and comes back."""
    async with running_gateway(tmp_path, artifacts_url=URL) as gateway:
        data = PNG + bytes(20 * MIB)
        answer = await gateway.http.post("/api/v1/uploads", content=data, timeout=60)
        assert answer.status_code == 200
        path = f"/api/v1/uploads/{answer.json()['upload_id']}/content"
        content = await gateway.http.get(path, timeout=60)
        assert content.content == data


async def _artifact(gateway: Gateway, store: ObjectStore, kind: str, data: bytes) -> str:
    """A completed job with one artifact; its path."""
    job_id = gateway.store.add().job_id
    key = f"default/{job_id}/1/1/0"
    stored = await store.put_stream(key, chunks(data), content_type=kind, max_bytes=MIB)
    kept = job_pb2.Artifact(index=0, media_type=kind, size_bytes=stored.size, sha256=stored.sha256)
    gateway.store.change(job_id, state=job_pb2.Job.STATE_COMPLETED, artifacts=[kept])
    gateway.store.objects[job_id, 0] = key
    return f"/api/v1/jobs/{job_id}/artifacts/0"
