"""What does an object store promise, on a folder and in memory alike?"""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from servicekit.objects import (
    CHUNK_BYTES,
    InvalidKey,
    ObjectDiffers,
    ObjectExists,
    ObjectMissing,
    ObjectStore,
    ObjectTooLarge,
    StoreUnavailable,
    open_store,
)

MIB = 1024 * 1024


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return open_store(f"file://{tmp_path}/objects" if request.param == "file" else "memory://")


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def put(store: ObjectStore, key: str, *parts: bytes, max_bytes: int = 64 * MIB) -> str:
    stored = await store.put_stream(
        key, chunks(*parts), content_type="image/png", max_bytes=max_bytes
    )
    assert stored.size == sum(map(len, parts))
    return stored.sha256


async def read(store: ObjectStore, key: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in store.get_range(key, start, end)])


async def test_what_was_put_is_read_back_whole_and_in_ranges(store: ObjectStore) -> None:
    """Ranges are half open, and the hash is that of the bytes."""
    assert (
        await put(store, "a/b.png", b"hello ", b"world")
        == hashlib.sha256(b"hello world").hexdigest()
    )
    assert await read(store, "a/b.png") == b"hello world"
    assert await read(store, "a/b.png", 6) == b"world"
    assert await read(store, "a/b.png", 2, 5) == b"llo"
    assert await read(store, "a/b.png", 5, 5) == b""
    assert await read(store, "a/b.png", 6, 100) == b"world"
    assert await read(store, "a/b.png", 11) == await read(store, "a/b.png", 99, 100) == b""
    head = await store.head("a/b.png")
    assert (head.key, head.size) == ("a/b.png", 11)


async def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    """No bytes is a length, not a failure."""
    await put(store, "empty")
    assert await read(store, "empty") == b""
    assert (await store.head("empty")).size == 0


async def test_a_large_object_comes_back_in_bounded_chunks(store: ObjectStore) -> None:
    """Beyond 8 MiB an object is written in parts; no reader gets more than 256 KiB at once."""
    parts = [bytes([n]) * MIB for n in range(20)]
    digest = await put(store, "large", *parts)
    sizes, read_hash = [], hashlib.sha256()
    async for chunk in store.get_range("large"):
        sizes.append(len(chunk))
        read_hash.update(chunk)
    assert sum(sizes) == 20 * MIB
    assert max(sizes) <= CHUNK_BYTES
    assert read_hash.hexdigest() == digest
    assert [head.key async for head in store.list()] == ["large"]


@pytest.mark.parametrize("size", [10, 9 * MIB])
async def test_an_object_is_never_overwritten(store: ObjectStore, size: int) -> None:
    """A key that carries attempt and epoch means one content for ever."""
    await put(store, "key", b"first")
    with pytest.raises(ObjectExists):
        await put(store, "key", b"x" * size)
    assert await read(store, "key") == b"first"


@pytest.mark.parametrize("count", [2, 20])
async def test_a_stream_over_its_limit_leaves_nothing(store: ObjectStore, count: int) -> None:
    """The cap is enforced while streaming, and half an object is never visible."""
    with pytest.raises(ObjectTooLarge):
        await put(store, "key", *[b"x" * MIB] * count, max_bytes=count * MIB - 1)
    assert [head.key async for head in store.list()] == []


@pytest.mark.parametrize("count", [1, 12])
async def test_a_source_that_breaks_leaves_nothing_and_says_why(
    store: ObjectStore, count: int
) -> None:
    """The source's own error comes out, not a wrapped one."""

    async def broken() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * MIB
        raise ConnectionResetError("the delivery host hung up")

    with pytest.raises(ConnectionResetError, match="hung up"):
        await store.put_stream("key", broken(), content_type="a/b", max_bytes=64 * MIB)
    assert [head.key async for head in store.list()] == []


async def test_a_missing_object_is_told(store: ObjectStore) -> None:
    """ObjectMissing from head and read."""
    with pytest.raises(ObjectMissing):
        await store.head("none")
    with pytest.raises(ObjectMissing):
        await read(store, "none")


@pytest.mark.parametrize(
    "key", ["", "/a", "../a", "a/../b", "a//b", "a/", "a\x00", "ü", ".", "a/.b", "x" * 1000]
)
async def test_a_key_is_a_plain_relative_path(store: ObjectStore, key: str) -> None:
    """Nothing that a file system or a bucket could read in another way."""
    with pytest.raises(InvalidKey):
        await put(store, key, b"x")
    with pytest.raises(InvalidKey):
        await store.head(key)


async def test_listing_is_by_folder(store: ObjectStore) -> None:
    """`job/1` is no prefix of `job/10`."""
    for key in ("job/1/a", "job/1/b", "job/10/a"):
        await put(store, key, b"x")
    assert sorted([head.key async for head in store.list("job/1")]) == ["job/1/a", "job/1/b"]
    assert [head.key async for head in store.list("nothing")] == []


async def test_check_passes_while_the_store_answers(store: ObjectStore) -> None:
    """A store without objects is a healthy one."""
    await store.check()


@pytest.mark.parametrize("url", ["", "objects", "file://host/a", "file:///", "s3://", "ftp://a/b"])
def test_an_unknown_url_is_refused(url: str) -> None:
    """The sentence names the forms that exist."""
    with pytest.raises(ValueError, match="s3://bucket/prefix"):
        open_store(url)


async def test_an_unreachable_bucket_is_unavailable_within_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over plain http too, where the endpoint says so; the library's default tries for minutes."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    began = time.monotonic()
    with pytest.raises(StoreUnavailable) as failed:
        await open_store("s3://bucket/prefix").check()
    assert "/bucket/prefix/" in str(failed.value.__cause__)
    assert "BadScheme" not in str(failed.value.__cause__)
    assert time.monotonic() - began < 15


async def test_what_is_deleted_is_gone_and_may_be_deleted_again(store: ObjectStore) -> None:
    """A janitor that was killed after it deletes once more."""
    await put(store, "a/b", b"x")
    await store.delete("a/b")
    await store.delete("a/b")
    with pytest.raises(ObjectMissing):
        await store.head("a/b")
    with pytest.raises(InvalidKey):
        await store.delete("../a")
    assert not store.signs


@pytest.mark.parametrize("size", [11, 9 * MIB])
async def test_bytes_of_another_hash_are_not_stored(store: ObjectStore, size: int) -> None:
    """Neither in one request nor in parts; the right ones are."""
    data = bytes(size)
    wrong, right = "0" * 64, hashlib.sha256(data).hexdigest()
    told = {"content_type": "a/b", "max_bytes": 64 * MIB}
    with pytest.raises(ObjectDiffers):
        await store.put_stream("a/b", chunks(data), sha256=wrong, **told)  # type: ignore[arg-type]
    assert [each async for each in store.list()] == []
    stored = await store.put_stream("a/b", chunks(data), sha256=right, **told)  # type: ignore[arg-type]
    assert stored.size == size
