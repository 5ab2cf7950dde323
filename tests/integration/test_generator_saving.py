"""From a recorded success to stored artifacts, with everything that downloads can do."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from generator.domain.values import from_value
from generator.worker.listing import Listing
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.v1 import failure_pb2 as failures
from mediagen.v1.job_pb2 import Artifact
from servicekit.objects import ObjectExists, ObjectStore, StoreUnavailable, open_store
from tests.fakes.generator_bench import FLUX, Rig, generator_rig
from tests.fakes.ledger import FakeJob


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with generator_rig() as made:
        yield made


@pytest.mark.parametrize(
    ("fault", "paths", "rest"),
    [
        ("output_string", [""], None),
        ("output_list", ["/0", "/1"], None),
        ("output_data_uri", ["/0", "/1"], None),
        ("output_fewer", ["/0"], None),
    ],
)
async def test_every_shape_of_output_is_stored(
    rig: Rig, fault: str, paths: list[str], rest: object
) -> None:
    """What came counts, not what the schema announced."""
    rig.sim.set_fault(fault)
    job = rig.ledger.add("j1", FLUX, "a cat", num_outputs=2)
    await rig.run(job)
    assert job.completed is not None
    assert [each.artifact.output_path for each in job.completed.artifacts] == paths
    assert {each.artifact.media_type for each in job.completed.artifacts} == {"image/webp"}
    assert job.completed.HasField("output") is (rest is not None)


@pytest.mark.parametrize("fault", ["output_nested", "output_object", "output_object_list"])
async def test_nested_outputs_keep_what_stands_beside_their_files(rig: Rig, fault: str) -> None:
    """Each file is replaced by its artifact's index."""
    rig.sim.set_fault(fault)
    job = rig.ledger.add("j1", FLUX, "a cat", num_outputs=2)
    await rig.run(job)
    assert job.completed is not None
    assert job.completed.artifacts
    for each in job.completed.artifacts:
        body = await rig.bytes_of(each.object_key)
        assert hashlib.sha256(body).hexdigest() == each.artifact.sha256
    if fault != "output_nested":
        assert "artifact" in str(from_value(job.completed.output))
        assert "http" not in str(from_value(job.completed.output))


async def test_text_becomes_one_text_artifact(rig: Rig) -> None:
    """And stands in the output too."""
    rig.sim.set_fault("output_text", "no picture today")
    job = rig.ledger.add("j1", FLUX, "a cat", num_outputs=1)
    await rig.run(job)
    assert job.completed is not None
    (only,) = job.completed.artifacts
    assert only.artifact.media_type == "text/plain"
    assert only.object_key.endswith("/0.txt")
    assert b"no picture today" in await rig.bytes_of(only.object_key)


@pytest.mark.parametrize("fault", ["output_none", "output_empty"])
async def test_a_success_without_anything_is_no_output(rig: Rig, fault: str) -> None:
    """Recorded as a success first: it was paid for."""
    rig.sim.set_fault(fault)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert rig.ledger.names()[-2:] == ["RecordSucceeded", "FailSaving"]
    assert job.failure.reason == failures.FAILURE_REASON_NO_OUTPUT


@pytest.mark.parametrize(("fault", "argument"), [("output_deep", 700), ("output_many", 2000)])
async def test_an_output_that_can_not_be_walked_is_refused_for_good(
    rig: Rig, fault: str, argument: int
) -> None:
    """Nested too deeply, too many files: to try again would meet it again."""
    rig.sim.set_fault(fault, argument)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert rig.ledger.names()[-2:] == ["RecordSucceeded", "FailSaving"]
    assert job.failure.reason == failures.FAILURE_REASON_OUTPUT_REJECTED


async def test_removed_data_is_a_lost_output(rig: Rig) -> None:
    """The prediction succeeded, and its data went before it was read."""
    rig.sim.set_fault("data_removal_after", 0)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert rig.ledger.names()[-2:] == ["RecordSucceeded", "FailSaving"]
    assert job.failure.reason == failures.FAILURE_REASON_OUTPUT_LOST
    assert job.failure.retry_advice == failures.RETRY_ADVICE_MAY_PAY_TWICE


@pytest.mark.parametrize("status", ["403", "404", "410"])
async def test_a_dead_address_alone_loses_nothing(rig: Rig, status: str) -> None:
    """The data is not removed: the job comes back, ever later, and the call stays SUCCEEDED."""
    rig.bear(gone=0.0)
    rig.sim.set_fault("expired_file", status)
    job = rig.ledger.add("j1", FLUX, "a cat")
    delays = []
    for _ in range(3):
        await rig.run(job)
        assert job.released is not None
        assert not job.released.failed
        delays.append(job.released.delay.ToTimedelta().total_seconds())
    assert delays == [1, 2, 4]
    assert job.failure is None
    kept = rig.sim.simulator.find(job.attempts[0].prediction_id)
    assert kept is not None
    kept.faults.clear()  # type: ignore[attr-defined]
    await rig.run(job)
    assert job.completed is not None
    assert rig.creates() == 1


@pytest.mark.parametrize("fault", [("expired_file", "404"), ("slow_download", 60)])
async def test_a_file_out_of_reach_an_hour_after_the_run_is_a_lost_output(
    rig: Rig, fault: tuple[str, object]
) -> None:
    """So long the provider keeps it."""
    rig.bear(kept=0.0)
    rig.parts.delivery._longest = 0.3
    rig.sim.set_fault(*fault)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert job.failure.reason == failures.FAILURE_REASON_OUTPUT_LOST


async def test_a_download_that_trickles_is_given_up(rig: Rig) -> None:
    """One clock is over the whole file; the job comes back for it."""
    rig.parts.delivery._longest = 0.3
    rig.sim.set_fault("slow_download", 60)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert job.released is not None
    assert "not whole" in job.released.why
    assert job.failure is None


async def test_a_download_that_breaks_off_is_resumed(rig: Rig) -> None:
    """Within the same stream: the stored bytes are whole."""
    rig.sim.set_fault("truncated_download", 2)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert job.completed is not None
    (only,) = job.completed.artifacts
    body = await rig.bytes_of(only.object_key)
    assert hashlib.sha256(body).hexdigest() == only.artifact.sha256
    assert body[:4] == b"RIFF"
    assert int.from_bytes(body[4:8], "little") + 8 == len(body)
    assert rig.sim.ledger()["predictions"][0]["downloads"] == 3


async def test_a_redirect_to_a_foreign_host_is_refused(rig: Rig) -> None:
    """Each hop is checked against the list; nothing is stored."""
    rig.sim.set_fault("redirect_foreign_host", "http://foreign.invalid/x")
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert job.failure.reason == failures.FAILURE_REASON_OUTPUT_REJECTED
    assert rig.sim.ledger()["auth_leaks"] == []
    assert [each async for each in rig.objects.list()] == []


async def test_a_file_over_the_cap_is_refused() -> None:
    """By counting, also where no length is announced."""
    async with generator_rig(max_bytes=1_000_000) as rig:
        rig.sim.set_fault("huge_file", 5_000_000)
        job = rig.ledger.add("j1", FLUX, "a cat")
        await rig.run(job)
        assert job.failure.reason == failures.FAILURE_REASON_OUTPUT_REJECTED


async def test_the_bytes_tell_the_type_not_the_header(rig: Rig) -> None:
    """A mislabelled picture is still a picture."""
    rig.sim.set_fault("wrong_content_type", "text/html")
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert job.completed is not None
    assert job.completed.artifacts[0].artifact.media_type == "image/webp"


@pytest.mark.parametrize("error", [StoreUnavailable, ObjectExists])
async def test_a_store_of_objects_in_trouble_hands_the_job_back(
    rig: Rig, error: type[Exception]
) -> None:
    """The call stays SUCCEEDED: the next claim saves it, under keys of its own lease."""
    object.__setattr__(rig.parts, "objects", Failing(rig.objects, error))
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert job.released is not None
    assert job.current is not None
    assert job.current.state == "SUCCEEDED"
    object.__setattr__(rig.parts, "objects", rig.objects)
    await rig.run(job)
    assert job.completed is not None
    assert job.completed.artifacts[0].object_key == "default/j1/1/2/0.webp"
    assert rig.creates() == 1


async def test_a_completion_whose_answer_was_lost_is_asked_again(rig: Rig) -> None:
    """Completing twice is the store's to notice."""
    rig.ledger.fail("CompleteJob", grpc.StatusCode.UNAVAILABLE, 2)
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert job.completed is not None


async def test_an_output_too_large_for_a_message_is_read_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorded without it; whoever saves after a crash asks the provider for it."""
    monkeypatch.setattr("generator.worker.facts.LARGEST_OUTPUT", 10)
    object.__setattr__(rig.parts, "objects", Failing(rig.objects, StoreUnavailable))
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert job.attempts[0].output is None
    object.__setattr__(rig.parts, "objects", rig.objects)
    await rig.run(job)
    assert job.completed is not None


class Gate:
    """An object store in which the file of one index waits, or fails."""

    def __init__(self, real: ObjectStore, index: int) -> None:
        self.real, self.index = real, index
        self.opened = asyncio.Event()
        self.error: Exception | None = None

    async def put_stream(self, key: str, chunks: AsyncIterator[bytes], **more: Any) -> object:
        if key.endswith(f"/{self.index}.webp"):
            await self.opened.wait()
            if self.error is not None:
                raise self.error
        return await self.real.put_stream(key, chunks, **more)


async def listed(job: FakeJob, *indexes: int) -> None:
    async with asyncio.timeout(10):
        while sorted(job.listed) != list(indexes):
            await asyncio.sleep(0.01)


async def test_each_artifact_is_listed_before_the_others_are_stored(rig: Rig) -> None:
    """The last one is not: the completing call names it at once."""
    gate = Gate(rig.objects, 1)
    object.__setattr__(rig.parts, "objects", gate)
    job = rig.ledger.add("j1", FLUX, "a cat", num_outputs=3)
    running = asyncio.create_task(rig.run(job))
    await listed(job, 0, 2)
    gate.opened.set()
    await running
    assert job.completed is not None
    assert sorted(job.listed) == [0, 2]
    assert [each.artifact.index for each in job.completed.artifacts] == [0, 1, 2]


async def test_one_artifact_alone_is_listed_by_its_completion(rig: Rig) -> None:
    """Another call before it would say the same."""
    await rig.run(rig.ledger.add("j1", FLUX, "a cat", num_outputs=1))
    assert "RecordArtifacts" not in [name for name, _ in rig.ledger.calls]


async def test_a_later_worker_does_not_store_what_is_listed_again(rig: Rig) -> None:
    """It keeps the key of the earlier lease."""
    gate = Gate(rig.objects, 1)
    gate.error = StoreUnavailable("the disk is full")
    object.__setattr__(rig.parts, "objects", gate)
    job = rig.ledger.add("j1", FLUX, "a cat", num_outputs=2)
    running = asyncio.create_task(rig.run(job))
    await listed(job, 0)
    gate.opened.set()
    await running
    assert job.released is not None
    object.__setattr__(rig.parts, "objects", rig.objects)
    await rig.run(job)
    assert job.completed is not None
    keys = [each.object_key for each in job.completed.artifacts]
    assert keys == ["default/j1/1/1/0.webp", "default/j1/1/2/1.webp"]
    assert rig.sim.ledger()["predictions"][0]["downloads"] <= 3


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL])
async def test_a_listing_that_fails_does_not_fail_the_saving(
    rig: Rig, code: grpc.StatusCode
) -> None:
    """The completing call names them all."""
    gate = Gate(rig.objects, 0)
    object.__setattr__(rig.parts, "objects", gate)
    rig.ledger.fail("RecordArtifacts", code, 100)
    job = rig.ledger.add("j1", FLUX, "a cat", num_outputs=2)
    running = asyncio.create_task(rig.run(job))
    async with asyncio.timeout(10):
        while "RecordArtifacts" not in [name for name, _ in rig.ledger.calls]:
            await asyncio.sleep(0.01)
    gate.opened.set()
    await running
    assert job.completed is not None
    assert not job.listed


async def test_what_was_stored_during_a_call_is_listed_with_the_next_one(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call at a time, also for hundreds of files; what failed is told again."""
    monkeypatch.setattr("generator.worker.listing.AGAIN_AFTER", 0.5)
    gate = Gate(rig.objects, 3)
    object.__setattr__(rig.parts, "objects", gate)
    rig.ledger.fail("RecordArtifacts", grpc.StatusCode.UNAVAILABLE, 1)
    job = rig.ledger.add("j1", FLUX, "a cat", num_outputs=4)
    running = asyncio.create_task(rig.run(job))
    await listed(job, 0, 1, 2)
    gate.opened.set()
    await running
    told = [request for name, request in rig.ledger.calls if name == "RecordArtifacts"]
    assert len(told) == 2
    assert len(told[1].artifacts) == 3


async def test_hundreds_of_artifacts_are_listed_in_a_few_calls() -> None:
    """Each call makes a revision that names all before it: one for each would be megabytes."""
    told: list[int] = []

    class Ledger:
        async def record_artifacts(self, request: pb.RecordArtifactsRequest) -> None:
            told.extend(each.artifact.index for each in request.artifacts)
            calls.append(len(told))

    calls: list[int] = []
    task: Any = SimpleNamespace(job_id="j1", lease=SimpleNamespace(epoch=1))
    parts: Any = SimpleNamespace(ledger=Ledger())
    async with Listing(parts, task) as listing, asyncio.timeout(10):
        for index in range(300):
            listing.add(pb.StoredArtifact(artifact=Artifact(index=index)))
            await asyncio.sleep(0.003)
        while len(told) < 300:
            await asyncio.sleep(0.01)
    assert told == list(range(300))
    assert len(calls) < 100


async def test_a_lease_that_is_lost_while_listing_ends_the_saving(rig: Rig) -> None:
    """Another worker saves it by now."""
    gate = Gate(rig.objects, 1)
    object.__setattr__(rig.parts, "objects", gate)
    rig.ledger.fail("RecordArtifacts", grpc.StatusCode.FAILED_PRECONDITION)
    job = rig.ledger.add("j1", FLUX, "a cat", num_outputs=2)
    await asyncio.wait_for(rig.run(job), 10)
    assert job.completed is None
    assert job.released is None
    assert len(rig.parts.leases) == 0


class Failing:
    """An object store that fails at every write."""

    def __init__(self, real: ObjectStore, error: type[Exception]) -> None:
        self.real, self.error = real, error

    async def put_stream(self, key: str, chunks: object, **more: object) -> None:
        raise self.error("the disk is full")


async def test_an_object_store_is_opened_by_url(tmp_path: object) -> None:
    """The same keys work in a folder."""
    make: Callable[[str], ObjectStore] = open_store
    async with generator_rig() as rig:
        object.__setattr__(rig.parts, "objects", make(f"file://{tmp_path}"))
        job = rig.ledger.add("j1", FLUX, "a cat")
        await rig.run(job)
        assert job.completed is not None
