"""The client's calls about models and uploads over a real connection, against fakes in memory."""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

import mediagen
from mediagen import Backoff, Client, Model
from tests.fakes.catalogue import COVER, FakeCatalogue
from tests.fakes.generation import PREVIEW, FakeGeneration, served
from tests.fakes.refusing import refusal

FAST = Backoff(first=0.01, longest=0.05)
UNAVAILABLE = refusal(grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")


@pytest.fixture
def fake() -> FakeCatalogue:
    return FakeCatalogue()


@pytest.fixture
async def client(fake: FakeCatalogue) -> AsyncIterator[Client]:
    async with (
        served(FakeGeneration(step_seconds=0.005), models=fake) as address,
        Client(address, backoff=FAST) as opened,
    ):
        yield opened


async def in_pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def test_models_are_listed_over_pages(client: Client, fake: FakeCatalogue) -> None:
    """By name, without schemas; filters as words or values."""
    found = [each.name async for each in client.models.list(page_size=2)]
    assert found == ["fake/film", "fake/picture", "fake/waits"]
    found = [each.name async for each in client.models.list(output_kind="video")]
    assert found == ["fake/film"]
    assert fake.asked[-1].output_kind == Model.OUTPUT_KIND_VIDEO
    found = [each.name async for each in client.models.list(query="never")]
    assert found == ["fake/waits"]
    with pytest.raises(mediagen.InvalidRequest, match="image, video, audio"):
        [each async for each in client.models.list(output_kind="smell")]


async def test_a_model_comes_with_its_schema(client: Client) -> None:
    """As a Struct."""
    model = await client.models.get("fake/picture")
    assert model.input_schema["properties"]["ratio"]["default"] == "1:1"
    with pytest.raises(mediagen.ModelNotFound) as caught:
        await client.models.get("no/body")
    assert caught.value.metadata == {"model": "no/body"}


async def test_a_cover_and_a_preview_are_stored(client: Client, tmp_path: Path) -> None:
    """Nothing is known of a cover beforehand; of a preview its length."""
    await client.models.download_cover("fake/picture", to=tmp_path / "cover.webp")
    assert (tmp_path / "cover.webp").read_bytes() == COVER
    job = await client.wait((await client.submit("a fox", model="fake/picture")).job_id)
    kept = io.BytesIO()
    preview = await client.download_preview(job.job_id, to=kept)
    assert (kept.getvalue(), preview.width) == (PREVIEW, 51)


async def test_a_path_bytes_and_an_iterator_can_be_uploaded(
    client: Client, fake: FakeCatalogue, tmp_path: Path
) -> None:
    """Large ones in pieces; the SHA-256 goes ahead where it can be known."""
    data = bytes(range(256)) * 4096
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    first = await client.upload(path)
    assert (first.file_name, first.media_type, first.size_bytes) == (
        "photo.png",
        "image/png",
        2**20,
    )
    assert fake.asked[-1].sha256 == hashlib.sha256(data).hexdigest()
    second = await client.upload(data, file_name="a.bin", media_type="text/plain")
    assert (second.file_name, second.media_type) == ("a.bin", "text/plain")
    third = await client.upload(in_pieces(data[:1000], data[1000:]))
    assert fake.asked[-1].sha256 == ""
    assert {fake.uploads[each.upload_id][1] for each in (first, second, third)} == {data}
    assert (await client.get_upload(first.upload_id)).sha256 == first.sha256
    with pytest.raises(mediagen.UploadNotFound):
        await client.get_upload("none")


async def test_an_upload_is_sent_again_where_it_can_be(client: Client, fake: FakeCatalogue) -> None:
    """Bytes can be read twice, an iterator only once."""
    fake.refusals.append(UNAVAILABLE)
    assert (await client.upload(b"once more")).size_bytes == 9
    fake.refusals.append(UNAVAILABLE)
    with pytest.raises(mediagen.Unavailable):
        await client.upload(in_pieces(b"only once"))


async def test_a_refused_upload_says_why(client: Client, fake: FakeCatalogue) -> None:
    """An InvalidRequest of its own; what was stored wrongly is told too."""
    with pytest.raises(mediagen.UploadRefused) as caught:
        await client.upload(b"")
    assert isinstance(caught.value, mediagen.InvalidRequest)
    with pytest.raises(mediagen.UploadRefused):
        await client.upload(b"x", sha256="0" * 64)
    fake.stores_other_bytes = True
    with pytest.raises(mediagen.UploadBroken):
        await client.upload(b"x")
    with pytest.raises(FileNotFoundError):
        await client.upload("no/such/file")


async def test_local_files_and_uploads_become_references(
    client: Client, fake: FakeCatalogue, tmp_path: Path
) -> None:
    """Anywhere in the input; a text stays a text."""
    path = tmp_path / "a.png"
    path.write_bytes(b"a picture")
    kept = await client.upload(b"another")
    job = await client.submit(
        "a fox",
        model="fake/waits",
        input={"image": path, "images": [kept, path], "ratio": "1:1"},
    )
    given = job.request.input
    uris = [f"upload:{each}" for each in fake.uploads]
    assert (given["image"], list(given["images"])) == (uris[1], [uris[0], uris[2]])
    assert given["ratio"] == "1:1"


async def test_a_request_can_be_checked_only(client: Client) -> None:
    """Nothing is stored; the defaults are told."""
    job = await client.submit("a fox", model="fake/picture", validate_only=True)
    assert (job.job_id, job.state, job.request.defaults["ratio"]) == ("", 0, "1:1")
    assert [each async for each in client.list()] == []
