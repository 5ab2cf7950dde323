"""From a recorded success to stored artifacts, with everything that downloads can do."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable

import grpc
import pytest

from generator.domain.values import from_value
from mediagen.v1 import failure_pb2 as failures
from servicekit.objects import ObjectExists, ObjectStore, StoreUnavailable, open_store
from tests.fakes.generator_bench import FLUX, Rig, generator_rig


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
        delays.append(job.released.delay.ToTimedelta().total_seconds())
    assert delays == [1, 2, 4]
    assert job.failure is None
    assert not job.released.failed
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
