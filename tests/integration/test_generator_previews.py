"""What is listed of a stored file: its size, its length, and the small picture of it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from PIL import Image

from generator.media.spool import Spool
from generator.worker.run_job import Worker
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from servicekit.objects import ObjectStore, StoredObject, StoreUnavailable
from tests.fakes.generator_bench import FLUX, Rig, generator_rig
from tests.fakes.ledger import FakeJob


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with generator_rig(decoders_in_use=1) as made:
        yield made


def only(job: FakeJob) -> pb.StoredArtifact:
    assert job.completed is not None
    (stored,) = job.completed.artifacts
    return stored


async def preview(rig: Rig, stored: pb.StoredArtifact) -> Image.Image:
    """The preview as stored, which is what is told of it."""
    body = await rig.bytes_of(stored.preview_object_key)
    told = stored.artifact.preview
    assert (len(body), told.media_type) == (told.size_bytes, "image/webp")
    with Image.open(io.BytesIO(body)) as opened:
        assert (opened.format, opened.size) == ("WEBP", (told.width, told.height))
        return opened.convert("RGB")


async def test_a_picture_is_stored_with_its_size_and_a_preview(rig: Rig) -> None:
    """Under its own key and `.preview.webp`, before it is listed; in the shape of the whole."""
    job = rig.ledger.add("j1", FLUX, "a cat", num_outputs=3, aspect_ratio="16:9")
    await rig.run(job)
    assert job.completed is not None
    assert len(job.completed.artifacts) == 3
    for stored in job.completed.artifacts:
        assert stored.preview_object_key == f"{stored.object_key}.preview.webp"
        assert (stored.artifact.width, stored.artifact.height) == (1344, 768)
        assert not stored.artifact.HasField("duration")
        assert (await preview(rig, stored)).size == (512, 293)
    for listed in job.listed.values():
        assert listed.preview_object_key
    assert [each.name for each in rig.parts.spool.folder.iterdir()] == ["lock"]


@pytest.mark.parametrize("fault", ["output_data_uri", "truncated_download"])
async def test_however_a_picture_came_it_has_a_preview(rig: Rig, fault: str) -> None:
    """Within the output; in pieces."""
    rig.sim.set_fault(fault, "1" if fault == "truncated_download" else None)
    job = rig.ledger.add("j1", FLUX, "a cat", num_outputs=1)
    await rig.run(job)
    assert await preview(rig, only(job))


async def test_a_video_is_stored_with_its_length_and_a_poster(rig: Rig) -> None:
    """Made by the simulator, decoded here."""
    job = rig.ledger.add(
        "j1", "bytedance/seedance-1-lite", "waves", duration=5, resolution="480p", seed=1
    )
    await rig.run(job)
    stored = only(job)
    assert stored.artifact.media_type == "video/mp4"
    assert stored.artifact.width > 0
    assert stored.artifact.duration.ToTimedelta().total_seconds() == pytest.approx(5, abs=1)
    poster = await preview(rig, stored)
    assert poster.resize((1, 1)).convert("L").getpixel((0, 0)) > 16  # type: ignore[operator]


async def test_a_sound_is_stored_with_its_length_and_no_preview(rig: Rig) -> None:
    """It has no size either."""
    job = rig.ledger.add("j1", "minimax/speech-02-turbo", text="A few words.")
    job.takes_seed = False
    await rig.run(job)
    stored = only(job)
    assert stored.artifact.media_type.startswith("audio/")
    assert stored.artifact.duration.ToTimedelta().total_seconds() > 0
    assert (stored.artifact.width, stored.preview_object_key) == (0, "")
    assert not stored.artifact.HasField("preview")


async def bare(rig: Rig, job: FakeJob) -> None:
    """The job is done, and its file listed without a preview."""
    await rig.run(job)
    stored = only(job)
    assert stored.artifact.size_bytes > 0
    assert (stored.artifact.width, stored.preview_object_key) == (0, "")
    assert not stored.artifact.HasField("preview")


async def test_what_is_no_picture_loses_only_its_preview(rig: Rig) -> None:
    """Noise that says it is one, and text."""
    rig.sim.set_fault("huge_file", 300_000, count=1)
    await bare(rig, rig.ledger.add("j1", FLUX, "a cat", num_outputs=1))
    rig.sim.set_fault("output_text", "no picture today", count=1)
    await bare(rig, rig.ledger.add("j2", FLUX, "a cat", num_outputs=1))


async def test_without_room_for_a_copy_there_is_no_preview(rig: Rig) -> None:
    """The result itself is stored as ever."""
    with Spool(1000) as spool:
        rig.worker = Worker(replace(rig.parts, spool=spool))
        await bare(rig, rig.ledger.add("j1", FLUX, "a cat", num_outputs=1))


async def test_without_decoders_there_are_no_previews() -> None:
    """MEDIA_DECODERS=0."""
    async with generator_rig() as rig:
        await bare(rig, rig.ledger.add("j1", FLUX, "a cat", num_outputs=1))


class _NoPreviews(ObjectStore):
    """Storage that takes results and no previews."""

    def __init__(self, real: ObjectStore) -> None:
        self._real = real

    async def put_stream(self, key: str, *given: object, **more: object) -> StoredObject:
        if key.endswith(".preview.webp"):
            raise StoreUnavailable("away")
        return await self._real.put_stream(key, *given, **more)  # type: ignore[arg-type]


async def test_a_preview_that_can_not_be_stored_is_left_out(rig: Rig) -> None:
    """The size is known all the same."""
    objects = _NoPreviews(rig.objects)
    rig.worker = Worker(replace(rig.parts, objects=objects))
    job = rig.ledger.add("j1", FLUX, "a cat", num_outputs=1)
    await rig.run(job)
    stored = only(job)
    assert (stored.artifact.width, stored.artifact.height) == (1024, 1024)
    assert stored.preview_object_key == ""
    assert not stored.artifact.HasField("preview")
