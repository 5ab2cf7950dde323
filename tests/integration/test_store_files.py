"""What becomes of the files that jobs take and make, and of the objects that nobody needs?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from mediagen.store.v1 import attempt_ledger_service_pb2 as lb
from mediagen.store.v1 import file_service_pb2 as fb
from mediagen.store.v1 import job_store_service_pb2 as sb
from mediagen.v1 import job_pb2
from store.domain.errors import ArtifactDeleted, TooManyUploads, UploadNotFound

from .catalogue_bench import KEPT, MOST, MOST_BYTES, Shelf, shelf_at
from .store_bench import NO_CONTEXT, TENANT

AN_HOUR_ON = "UPDATE uploads SET expire_time = expire_time - interval '61 minutes'"


@pytest.fixture
async def shelf(database_url: str) -> AsyncIterator[Shelf]:
    async with shelf_at(database_url) as shelf:
        yield shelf


def left(moment: datetime) -> timedelta:
    return moment - datetime.now(UTC)


async def test_an_upload_is_there_once_its_bytes_are(shelf: Shelf) -> None:
    """Before, no job can use it and nobody reads it."""
    begun = await shelf.begun("fox.png")
    assert begun.object_key.startswith(f"{TENANT}/uploads/")
    uri = f"upload:{begun.upload_id}"
    assert (await shelf.resolved(uri))[0].media_type == ""
    read = fb.ReadUploadRequest(tenant=TENANT, upload_id=begun.upload_id)
    with pytest.raises(UploadNotFound):
        await shelf.files.ReadUpload(read, NO_CONTEXT)
    request = fb.CompleteUploadRequest(
        tenant=TENANT, upload_id=begun.upload_id, media_type="image/png", size_bytes=5,
        sha256="ab" * 32,
    )  # fmt: skip
    upload = (await shelf.files.CompleteUpload(request, NO_CONTEXT)).upload
    assert (upload.uri, upload.file_name, upload.size_bytes) == (uri, "fox.png", 5)
    assert KEPT - timedelta(minutes=1) < left(upload.expire_time.ToDatetime(tzinfo=UTC)) <= KEPT
    again = fb.CompleteUploadRequest()
    again.CopyFrom(request)
    again.size_bytes = 6
    assert (await shelf.files.CompleteUpload(again, NO_CONTEXT)).upload == upload
    found = await shelf.files.ReadUpload(read, NO_CONTEXT)
    assert (found.upload, found.object_key) == (upload, begun.object_key)


@pytest.mark.parametrize("upload_id", ["", "x", "01a20000-0000-7000-8000-000000000000"])
async def test_an_upload_that_is_not_there_is_not_found(shelf: Shelf, upload_id: str) -> None:
    """Whatever its id is."""
    with pytest.raises(UploadNotFound):
        await shelf.files.ReadUpload(
            fb.ReadUploadRequest(tenant=TENANT, upload_id=upload_id), NO_CONTEXT
        )
    with pytest.raises(UploadNotFound):
        await shelf.files.CompleteUpload(
            fb.CompleteUploadRequest(tenant=TENANT, upload_id=upload_id), NO_CONTEXT
        )


async def test_another_tenant_s_files_are_not_there(shelf: Shelf) -> None:
    """Uploads and artifacts."""
    upload = await shelf.uploaded()
    artifact = f"artifact:{await _made(shelf)}/0"
    ours = await shelf.resolved(upload.uri, artifact)
    assert [each.media_type for each in ours] == ["image/png", "image/png"]
    theirs = await shelf.resolved(upload.uri, artifact, tenant="another")
    assert [each.media_type for each in theirs] == ["", ""]


async def test_inputs_are_resolved_in_their_order(shelf: Shelf) -> None:
    """What can not be one is answered as what is not there."""
    upload = await shelf.uploaded("cd")
    job_id = await _made(shelf)
    uris = (
        "upload:", "upload:x", f"artifact:{job_id}/1", upload.uri, f"artifact:{job_id}/0",
        f"artifact:{job_id}/0x", f"artifact:{job_id}/{10**20}", "artifact:/", upload.uri,
        f"artifact:{job_id}/\u0661",
    )  # fmt: skip
    found = await shelf.resolved(*uris)
    assert [each.path for each in found] == [f"/{n}" for n in range(len(uris))]
    assert [n for n, each in enumerate(found) if each.media_type] == [3, 4, 8]
    assert (found[3].sha256, found[3].size_bytes) == ("cd" * 32, 2)
    assert found[4].sha256 == "ab" * 32


async def test_an_upload_that_is_never_completed_goes_with_its_bytes(shelf: Shelf) -> None:
    """After an hour."""
    begun = await shelf.begun()
    await shelf.retention.turn()
    assert await shelf.doomed() == []
    await shelf.run(AN_HOUR_ON)
    request = fb.CompleteUploadRequest(tenant=TENANT, upload_id=begun.upload_id)
    with pytest.raises(UploadNotFound):  # from then on, swept or not
        await shelf.files.CompleteUpload(request, NO_CONTEXT)
    await shelf.retention.turn()
    assert await shelf.doomed() == [begun.object_key]


async def test_a_job_keeps_the_uploads_that_it_uses(shelf: Shelf) -> None:
    """Until a day after its deadline, and a repeat of its submission changes nothing of it."""
    used, other = await shelf.uploaded(), await shelf.uploaded()
    await shelf.run("UPDATE uploads SET expire_time = clock_timestamp() + interval '1 minute'")
    files = [job_pb2.InputFile(path="/image", uri=used.uri, media_type="image/png")]
    job = await shelf.bench.submit(input_files=files, request_id="r1")
    await shelf.bench.submit(input_files=files, request_id="r1")
    rows = await shelf.run("SELECT upload_id, expire_time FROM uploads")
    times = {str(row.upload_id): row.expire_time for row in rows}
    deadline = job.deadline.ToDatetime(tzinfo=UTC)
    assert times[used.upload_id] - deadline >= timedelta(days=1)
    assert left(times[other.upload_id]) < timedelta(minutes=1)


async def test_uploads_that_are_kept_longer_are_written_once(shelf: Shelf) -> None:
    """With their first use: all the jobs that use one do not queue for its row."""
    used = await shelf.uploaded()
    files = [job_pb2.InputFile(path="/image", uri=used.uri)]
    await shelf.bench.submit(input_files=files)
    [before] = await shelf.run("SELECT xmin::text AS version FROM uploads")
    await shelf.bench.submit(input_files=files)
    [after] = await shelf.run("SELECT xmin::text AS version FROM uploads")
    assert before == after


async def test_uploads_that_wait_for_a_job_are_bounded(shelf: Shelf) -> None:
    """By their number, whole or not. Those that a job has used or whose time is over do not count,
    and another tenant's neither."""
    first = await shelf.uploaded("a")
    for _ in range(MOST - 1):
        await shelf.begun()
    with pytest.raises(TooManyUploads) as refused:
        await shelf.begun()
    assert refused.value.metadata == {"limit": str(MOST), "limit_bytes": str(MOST_BYTES)}
    theirs = fb.BeginUploadRequest(tenant="another", file_name="fox.png")
    assert (await shelf.files.BeginUpload(theirs, NO_CONTEXT)).upload_id
    await shelf.bench.submit(input_files=[job_pb2.InputFile(path="/image", uri=first.uri)])
    await shelf.begun()
    with pytest.raises(TooManyUploads):
        await shelf.begun()
    await shelf.run(AN_HOUR_ON)
    await shelf.begun()


async def test_the_bytes_of_uploads_that_wait_for_a_job_are_bounded(shelf: Shelf) -> None:
    """Once they are there: of one under way nobody knows how long it will be."""
    large = await shelf.uploaded("a" * MOST_BYTES)
    with pytest.raises(TooManyUploads):
        await shelf.begun()
    await shelf.bench.submit(input_files=[job_pb2.InputFile(path="/image", uri=large.uri)])
    await shelf.begun()


async def test_a_job_keeps_the_results_that_it_uses(shelf: Shelf) -> None:
    """However old: until a day after its deadline. Others of the same job go in their time."""
    used, other = await _made(shelf), await _made(shelf)
    files = [job_pb2.InputFile(path="/image", uri=f"artifact:{used}/0")]
    job = await shelf.bench.submit(input_files=files, request_id="r1")
    await shelf.bench.submit(input_files=files, request_id="r1")
    nothing = [job_pb2.InputFile(path="/image", uri=f"artifact:{used}/7")]
    await shelf.bench.submit(input_files=nothing)
    await shelf.run("UPDATE artifacts SET create_time = create_time - interval '8 days'")
    await shelf.retention.turn()
    assert await shelf.doomed() == [f"{other}/1/0.png", f"{other}/1/0.png.preview.webp"]
    [row] = await shelf.run("SELECT kept_until FROM artifacts WHERE delete_time IS NULL")
    assert row.kept_until - job.deadline.ToDatetime(tzinfo=UTC) >= timedelta(days=1)
    await shelf.run("UPDATE artifacts SET kept_until = clock_timestamp()")
    await shelf.retention.turn()
    assert await shelf.doomed() == [f"{used}/1/0.png", f"{used}/1/0.png.preview.webp"]


async def test_a_repeat_is_known_by_what_was_asked_for(shelf: Shelf) -> None:
    """Not by what was settled with it, which may come out otherwise the second time."""
    first = await shelf.bench.submit(request_id="r1", model_version="ab" * 32)
    files = [job_pb2.InputFile(path="/image", uri="upload:x")]
    second = await shelf.bench.submit(request_id="r1", input_files=files)
    assert second.job_id == first.job_id
    assert second.request.model_version == "ab" * 32


async def test_a_claim_says_where_the_inputs_lie(shelf: Shelf) -> None:
    """Those that are no longer kept without a key; a data: URL is the input's own."""
    kept, gone = await shelf.uploaded(), await shelf.uploaded()
    made = await _made(shelf)
    uris = ("", kept.uri, gone.uri, f"artifact:{made}/0")
    files = [job_pb2.InputFile(path=f"/{n}", uri=uri) for n, uri in enumerate(uris)]
    job = await shelf.bench.submit(input_files=files)
    await shelf.run("DELETE FROM uploads WHERE upload_id = :id", id=gone.upload_id)
    claimed = await shelf.bench.claim(job.job_id)
    stored = claimed.stored_inputs
    assert [each.file.path for each in stored] == ["/1", "/2", "/3"]
    assert stored[0].object_key.endswith(kept.upload_id)
    assert stored[0].file_name == "fox.png"
    assert stored[1].object_key == ""
    assert stored[2].object_key.startswith(made)


async def test_doomed_objects_are_one_worker_s_until_they_are_deleted(shelf: Shelf) -> None:
    """What is not said to be deleted is given again after five minutes."""
    for _ in range(3):
        await shelf.begun()
    await shelf.run(AN_HOUR_ON)
    await shelf.retention.turn()
    first, rest = await shelf.doomed(1), await shelf.doomed()
    assert (len(first), len(rest)) == (1, 2)
    assert await shelf.doomed() == []
    request = fb.RecordDeletedObjectsRequest(object_keys=[*rest, "never there"])
    await shelf.files.RecordDeletedObjects(request, NO_CONTEXT)
    await shelf.run("UPDATE doomed_objects SET available_at = available_at - interval '5 minutes'")
    assert await shelf.doomed() == first


async def test_results_are_deleted_when_they_were_kept_long_enough(shelf: Shelf) -> None:
    """They stay listed, with the time, in the last revision; a younger job's are left."""
    old, young = await _made(shelf), await _made(shelf)
    before = await shelf.bench.job(old)
    await shelf.run(
        "UPDATE artifacts SET create_time = create_time - interval '8 days' WHERE job_id = :id",
        id=old,
    )
    await shelf.retention.turn()
    after = await shelf.bench.job(old)
    assert after.revision == before.revision
    [artifact] = after.artifacts
    assert artifact.HasField("delete_time")
    assert artifact.sha256 == before.artifacts[0].sha256
    assert await shelf.doomed() == [f"{old}/1/0.png", f"{old}/1/0.png.preview.webp"]
    with pytest.raises(ArtifactDeleted):
        await _artifact(shelf, old)
    assert (await shelf.resolved(f"artifact:{old}/0"))[0].media_type == ""
    assert not (await _artifact(shelf, young)).artifact.HasField("delete_time")
    assert await shelf.retention.turn() is False
    assert await shelf.doomed() == []


async def test_results_of_a_job_that_goes_on_are_left(shelf: Shelf) -> None:
    """However old they are; and with no age set all are."""
    job_id, epoch = await shelf.bench.submitted()
    await shelf.bench.succeeded(job_id)
    stored = lb.StoredArtifact(artifact=job_pb2.Artifact(media_type="a/b"), object_key="k")
    request = lb.RecordArtifactsRequest(job_id=job_id, lease_epoch=epoch, artifacts=[stored])
    await shelf.bench.ledger.RecordArtifacts(request, NO_CONTEXT)
    await shelf.run("UPDATE artifacts SET create_time = create_time - interval '8 days'")
    await shelf.retention.turn()
    assert await shelf.doomed() == []
    await shelf.bench.complete(job_id, epoch)
    await shelf.retention.turn()
    assert await shelf.doomed() == ["k"]


async def test_without_an_age_results_are_kept_for_ever(database_url: str) -> None:
    """The default."""
    async with shelf_at(database_url, kept=None) as shelf:
        await _made(shelf)
        await shelf.run("UPDATE artifacts SET create_time = create_time - interval '9 years'")
        await shelf.retention.turn()
        assert await shelf.doomed() == []


async def test_what_is_known_of_a_file_is_shown(shelf: Shelf) -> None:
    """Its measures and its preview, in the job, to who downloads, and to who goes on saving."""
    job_id = await _made(shelf)
    [artifact] = (await shelf.bench.job(job_id)).artifacts
    assert (artifact.width, artifact.height) == (640, 480)
    assert artifact.duration.ToTimedelta() == timedelta(seconds=2.5)
    assert artifact.preview == job_pb2.Preview(
        media_type="image/webp", width=512, height=384, size_bytes=99
    )
    found = await _artifact(shelf, job_id)
    assert found.artifact == artifact
    assert found.preview_object_key == found.object_key + ".preview.webp"


async def test_measures_that_can_not_be_are_not_kept(shelf: Shelf) -> None:
    """They come from a decoder of hostile files."""
    artifact = job_pb2.Artifact(media_type="image/png", width=2**32 - 1, height=3)
    artifact.duration.FromTimedelta(timedelta(days=3650))
    job_id = await _made(shelf, artifact)
    [kept] = (await shelf.bench.job(job_id)).artifacts
    assert (kept.width, kept.height) == (0, 3)
    assert not kept.HasField("duration")
    assert not kept.HasField("preview")


async def _made(shelf: Shelf, artifact: job_pb2.Artifact | None = None) -> str:
    """A job with one result."""
    bench = shelf.bench
    job_id, epoch = await bench.submitted()
    await bench.succeeded(job_id)
    key = f"{job_id}/{epoch}/0.png"
    if artifact is None:
        artifact = job_pb2.Artifact(
            media_type="image/png", size_bytes=3, sha256="ab" * 32, width=640, height=480
        )
        artifact.duration.FromTimedelta(timedelta(seconds=2.5))
        artifact.preview.MergeFrom(
            job_pb2.Preview(media_type="image/webp", width=512, height=384, size_bytes=99)
        )
    stored = lb.StoredArtifact(
        artifact=artifact, object_key=key, preview_object_key=f"{key}.preview.webp"
    )
    request = lb.CompleteJobRequest(job_id=job_id, lease_epoch=epoch, artifacts=[stored])
    await bench.ledger.CompleteJob(request, NO_CONTEXT)
    return job_id


async def _artifact(shelf: Shelf, job_id: str) -> sb.GetArtifactResponse:
    request = sb.GetArtifactRequest(tenant=TENANT, job_id=job_id, index=0)
    return await shelf.bench.store.GetArtifact(request, NO_CONTEXT)
