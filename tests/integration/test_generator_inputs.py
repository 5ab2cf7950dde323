"""Files of a job's input on their way to the provider; and what it costs where there is none."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import pytest

from generator.adapters.endpoint import ProviderRefused, ProviderUnreachable
from generator.worker import submit
from generator.worker.prepare import prepare
from generator.worker.run_job import Worker
from generator.worker.task import Task
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.v1 import failure_pb2 as failures
from servicekit.object_errors import StoreUnavailable
from tests.fakes.generator_bench import FLUX, TOKEN, Rig, generator_rig
from tests.fakes.ledger import FakeJob, seconds
from tests.fakes.media_files import picture

KONTEXT = "black-forest-labs/flux-kontext-pro"
FLUX_2 = "black-forest-labs/flux-2-pro"
SMALL = picture("PNG", (64, 64))
LARGE = SMALL + os.urandom(600_000)  # what follows a picture's end is no part of it
UNSENT = ["ClaimJob", "FailUnsent"]


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with generator_rig() as made:
        yield made


async def once(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def given(rig: Rig, job: FakeJob, path: str, body: bytes, key: str = "") -> str:
    """*body* as a stored input of *job*; the key under which it lies."""
    key = key or f"uploads/{len(job.stored_inputs)}"
    await rig.objects.put_stream(key, once(body), content_type="image/png", max_bytes=len(body))
    rig.ledger.give_file(job, path, body, key=key)
    return key


def spoil(rig: Rig, fault: str, argument: str = "", **more: int) -> None:
    """The next uploads go wrong."""
    rig.sim.set_fault(fault, argument or None, on="upload", **more)


def sent(rig: Rig) -> dict[str, Any]:
    """The input of the one call that was made."""
    (call,) = rig.sim.ledger()["predictions"]
    found: dict[str, Any] = call["input"]
    return found


async def uploads(rig: Rig) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        found = (await client.get(f"{rig.sim.base_url}/v1/files")).raise_for_status().json()
    results: list[dict[str, Any]] = found["results"]
    return results


async def test_a_small_file_goes_within_the_input(rig: Rig) -> None:
    """As a data: URL; what is recorded of the call is what was sent."""
    job = rig.ledger.add("j1", KONTEXT, "a cat", input_image="upload:1")
    await given(rig, job, "/input_image", SMALL)
    await rig.run(job)
    assert job.completed is not None
    address = sent(rig)["input_image"]
    assert address == "data:image/png;base64," + base64.b64encode(SMALL).decode()
    assert job.attempts[0].permit.input["input_image"] == address
    assert await uploads(rig) == []


async def test_a_large_file_is_uploaded_before_the_permit_is_asked_for(rig: Rig) -> None:
    """Whole, under its name and type; the provider's address stands in the input."""
    job = rig.ledger.add("j1", KONTEXT, "a cat", input_image="upload:1")
    await given(rig, job, "/input_image", LARGE)
    await rig.run(job)
    assert job.completed is not None
    (file,) = await uploads(rig)
    told = job.stored_inputs[0].file
    assert (file["size"], file["checksums"]["sha256"]) == (told.size_bytes, told.sha256)
    assert (file["name"], file["content_type"]) == ("a cat.png", "image/png")
    assert sent(rig)["input_image"] == file["urls"]["get"]
    assert dict(job.attempts[0].permit.input.items())["input_image"] == file["urls"]["get"]
    assert (
        job.attempts[0].permit_time.timestamp()
        >= datetime.fromisoformat(file["created_at"]).timestamp() - 1
    )


async def test_each_file_goes_the_way_that_suits_its_size(rig: Rig) -> None:
    """Into its own place of the list; what the caller gave by address stays."""
    names = ["upload:1", "https://example.com/a.png", "upload:2"]
    job = rig.ledger.add("j1", FLUX_2, "a cat", input_images=names)
    await given(rig, job, "/input_images/0", LARGE)
    await given(rig, job, "/input_images/2", SMALL)
    await rig.run(job)
    assert job.completed is not None
    first, second, third = sent(rig)["input_images"]
    assert first == (await uploads(rig))[0]["urls"]["get"]
    assert second == "https://example.com/a.png"
    assert third.startswith("data:image/png;base64,")


async def test_files_within_the_callers_own_input_count_too(rig: Rig) -> None:
    """What travels inline is bounded in all."""
    job = rig.ledger.add("j1", FLUX_2, "a cat", input_images=["upload:1"])
    job.request.input_files.add(path="/input_images/1", size_bytes=255_999)
    await given(rig, job, "/input_images/0", SMALL)
    await rig.run(job)
    assert len(await uploads(rig)) == 1


async def ends_unsent(rig: Rig, job: FakeJob, field: str, why: str) -> None:
    await rig.run(job)
    assert rig.ledger.names() == UNSENT
    assert rig.creates() == 0
    failure = job.failure
    assert failure.reason == failures.FAILURE_REASON_INVALID_INPUT
    assert failure.retry_advice == failures.RETRY_ADVICE_CHANGE_REQUEST
    (violation,) = failure.field_violations
    assert violation.field == field
    assert why in violation.description
    assert field in failure.message
    assert job.released is None


@pytest.mark.parametrize("key", ["", "uploads/gone", "not a key"])
@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
async def test_a_file_that_is_gone_fails_the_job_free_of_charge(
    rig: Rig, key: str, body: bytes
) -> None:
    """Nothing was permitted, so nothing can have been paid; the caller is told which input."""
    job = rig.ledger.add("j1", FLUX_2, "a cat", input_images=["upload:1"])
    rig.ledger.give_file(job, "/input_images/0", body, key=key)
    await ends_unsent(rig, job, "input_images[0]", "no longer kept")


@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("change", [b"", b"x"], ids=["same length", "longer"])
async def test_other_bytes_than_those_given_are_not_sent(
    rig: Rig, body: bytes, change: bytes
) -> None:
    """A run of something else would be paid for."""
    job = rig.ledger.add("j1", KONTEXT, "a cat", input_image="upload:1")
    await given(rig, job, "/input_image", body[:-1] + b"?" + change, key="uploads/other")
    stored = job.stored_inputs.pop()
    rig.ledger.give_file(job, "/input_image", body, key=stored.object_key)
    await ends_unsent(rig, job, "input_image", "not those that were given")
    assert await uploads(rig) == []


@pytest.mark.parametrize("status", ["400", "413", "422"])
async def test_a_file_that_the_provider_does_not_take_fails_the_job(rig: Rig, status: str) -> None:
    """It would not take it the next time either."""
    spoil(rig, "status", status)
    job = rig.ledger.add("j1", KONTEXT, "a cat", input_image="upload:1")
    await given(rig, job, "/input_image", LARGE)
    await ends_unsent(rig, job, "input_image", "does not take it")


async def test_a_file_larger_than_the_provider_takes_is_not_even_tried(rig: Rig) -> None:
    """Below a hundred million bytes."""
    job = rig.ledger.add("j1", KONTEXT, "a cat", input_image="upload:1")
    await given(rig, job, "/input_image", LARGE)
    job.stored_inputs[0].file.size_bytes = 100_000_000
    await ends_unsent(rig, job, "input_image", "larger than")


@pytest.mark.parametrize(
    ("fault", "argument"),
    [
        ("500", ""), ("drop", ""), ("html_502", ""), ("401", ""),
        ("402", ""), ("html_answer", ""), ("broken_answer", ""),
        ("no_id_answer", ""), ("giant_answer", "1000000"),
        ("429_with_retry_after", "7"),
    ],
)  # fmt: skip
async def test_trouble_with_an_upload_hands_the_job_back(
    rig: Rig, fault: str, argument: str
) -> None:
    """Ever later; nothing was asked for, and nothing is spent. Once it is over the job runs."""
    spoil(rig, fault, argument)
    job = rig.ledger.add("j1", KONTEXT, "a cat", input_image="upload:1")
    await given(rig, job, "/input_image", LARGE)
    delays = []
    for _ in range(2):
        await rig.run(job)
        assert job.released is not None
        assert not job.released.failed
        delays.append(job.released.delay.ToTimedelta().total_seconds())
    assert rig.ledger.names() == ["ClaimJob", "ReleaseJob"] * 2
    assert rig.creates() == 0
    assert delays == ([7, 7] if argument == "7" else [1, 2])
    rig.sim.clear_faults()
    await rig.run(job)
    assert job.completed is not None


async def test_one_bad_upload_is_tried_again_at_once(rig: Rig) -> None:
    """A doubled file is harmless and free."""
    spoil(rig, "broken_answer", count=1)
    job = rig.ledger.add("j1", KONTEXT, "a cat", input_image="upload:1")
    await given(rig, job, "/input_image", LARGE)
    await rig.run(job)
    assert job.completed is not None
    assert len(await uploads(rig)) == 2


async def test_object_storage_that_is_away_hands_the_job_back(rig: Rig) -> None:
    """What is not reached is not gone."""

    class Away:
        async def get_range(self, key: str) -> AsyncIterator[bytes]:
            raise StoreUnavailable("away")
            yield b""

    for body in (SMALL, LARGE):
        job = rig.ledger.add(f"j{len(body)}", KONTEXT, "a cat", input_image="upload:1")
        await given(rig, job, "/input_image", body, key=f"uploads/{len(body)}")
        rig.worker = Worker(replace(rig.parts, objects=Away()))  # type: ignore[arg-type]
        await rig.run(job)
        assert job.released is not None
        assert not job.released.failed
        assert job.failure is None


async def test_a_job_that_waited_long_for_its_permit_uploads_its_file_again(rig: Rig) -> None:
    """The first upload is half-way to its end: it is not counted on."""
    spoil(rig, "short_upload", "130", count=1)
    job = rig.ledger.add("j1", KONTEXT, "a cat", input_image="upload:1")
    await given(rig, job, "/input_image", LARGE)
    ready = await prepare(rig.parts, await claimed(rig, job))
    assert not ready.stale
    left = ready.until - asyncio.get_running_loop().time()
    assert 59 < left <= 65
    again = await prepare(rig.parts, await claimed(rig, job))
    assert again.until - asyncio.get_running_loop().time() > 40_000
    assert again.call.input["input_image"] != ready.call.input["input_image"]
    assert again.call.fingerprint != ready.call.fingerprint


async def claimed(rig: Rig, job: FakeJob) -> Task:
    """The job taken by this worker, as by a message."""
    job.leased = False
    request = pb.ClaimJobRequest(job_id=job.job_id, worker_id="worker-1", claim_token="t")
    answer = await rig.parts.ledger.claim(request, 1.0)
    lease = rig.parts.leases.hold(job.job_id, answer.lease_epoch)
    return Task.claimed(job.job_id, answer, lease, asyncio.get_running_loop().time())


async def test_a_stale_upload_is_replaced_before_the_permit_is_asked_for_again(rig: Rig) -> None:
    """And the permit is asked for with what will be sent."""
    rate = pb.BeginSubmitResponse(refusal=pb.REFUSAL_REASON_RATE, retry_after=seconds(0.1))
    rig.ledger.refusals.extend([rate] * 3)
    job = rig.ledger.add("j1", KONTEXT, "a cat", input_image="upload:1")
    await given(rig, job, "/input_image", LARGE)
    task = await claimed(rig, job)
    ready = await prepare(rig.parts, task)
    async with rig.parts.turns.of(task) as turn:
        gone = replace(ready, until=0.0)
        assert await submit._permit(rig.parts, task, gone, turn) is None
    assert "BeginSubmit" not in rig.ledger.names()
    await submit.submit(rig.parts, task)
    assert len(await uploads(rig)) == 2
    tokens = {call.submit_token for name, call in rig.ledger.calls if name == "BeginSubmit"}
    assert len(tokens) == 1


async def test_a_cancel_does_not_wait_for_an_upload(rig: Rig) -> None:
    """The store ends the job, which was never sent."""
    spoil(rig, "drip_answer", "60")
    job = rig.ledger.add("j1", KONTEXT, "a cat", input_image="upload:1")
    await given(rig, job, "/input_image", LARGE)
    running = asyncio.create_task(rig.run(job))
    await asyncio.sleep(0.5)
    job.cancel_requested = True
    await rig.parts.leases.beat_soon()
    async with asyncio.timeout(15):
        await running
    assert rig.ledger.names() == ["ClaimJob", "ReleaseJob"]
    assert job.released is not None
    assert job.released.delay.ToTimedelta().total_seconds() == 0


async def test_a_drain_does_not_wait_for_an_upload(rig: Rig) -> None:
    """It is handed back: nothing is lost but the upload."""
    spoil(rig, "drip_answer", "60")
    job = rig.ledger.add("j1", KONTEXT, "a cat", input_image="upload:1")
    await given(rig, job, "/input_image", LARGE)
    running = asyncio.create_task(rig.run(job))
    await asyncio.sleep(0.5)
    rig.parts.leases.drain()
    async with asyncio.timeout(5):
        await running
    assert rig.ledger.names() == ["ClaimJob", "ReleaseJob"]


async def test_the_upload_is_the_providers_own_answer_or_none(rig: Rig) -> None:
    """An answer without an address is no upload; a refusal says so."""
    client = rig.parts.input_files
    spoil(rig, "no_id_answer", count=1)
    with pytest.raises(ProviderUnreachable):
        await client.give("a.png", "image/png", 3, once(b"abc"))
    spoil(rig, "status", "403", count=1)
    with pytest.raises(ProviderRefused):
        await client.give("a.png", "image/png", 3, once(b"abc"))
    file = await client.give('a "b".png', "image/png", 3, once(b"abc"))
    assert file.url.startswith(rig.sim.base_url)
    assert file.kept == 86_400


@pytest.mark.parametrize(
    ("told", "takes_seed", "version", "seeded"),
    [
        ("", True, FLUX, True),
        (FLUX, False, FLUX, False),
        (FLUX, True, FLUX, True),
    ],
)
async def test_version_and_seed_are_as_the_store_says(
    rig: Rig, told: str, takes_seed: bool, version: str, seeded: bool
) -> None:
    """A store of before the catalogue says no version: the model's own name is taken then."""
    job = rig.ledger.add("j1", FLUX, "a cat")
    job.provider_version, job.takes_seed = told, takes_seed
    await rig.run(job)
    assert job.completed is not None
    assert job.attempts[0].permit.HasField("seed") is seeded
    assert ("seed" in sent(rig)) is seeded


async def test_the_version_that_ran_is_told_with_the_id_and_with_the_end(rig: Rig) -> None:
    """As the provider says, which need not be what was asked for."""
    rig.sim.set_fault("other_version", "dp-4a1c7d")
    job = rig.ledger.add("j1", FLUX, "a cat")
    await rig.run(job)
    assert job.ran == ["dp-4a1c7d", "dp-4a1c7d"]
