"""What does a worker have to know of a model, and what does it tell about the version that ran?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct

from mediagen.store.v1 import attempt_ledger_service_pb2 as lb
from mediagen.store.v1 import job_store_service_pb2 as sb
from mediagen.v1 import failure_pb2, job_pb2
from mediagen.v1 import operator_service_pb2 as pb
from store.domain.errors import JobNotFound, RequestIdReused

from .catalogue_bench import NAME, VERSION, Shelf, document, shelf_at
from .operator_bench import Desk, desk_at
from .store_bench import NO_CONTEXT, TENANT

LATER = "UPDATE models SET due_time = clock_timestamp() + interval '6 hours'"


@pytest.fixture
async def shelf(database_url: str) -> AsyncIterator[Shelf]:
    async with shelf_at(database_url) as shelf:
        yield shelf


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_at(database_url) as desk:
        yield desk


def schema_of(**properties: Any) -> Struct:
    message = Struct()
    message.update(document(**properties))
    return message


@pytest.mark.parametrize(
    ("model", "pinned", "sent"),
    [
        (NAME, "", NAME),
        (NAME, VERSION, VERSION),
        (f"{NAME}:{VERSION}", VERSION, VERSION),
        (f"{NAME}:{VERSION}", "", VERSION),  # accepted before versions were settled
        (f"{NAME}:latest", "", f"{NAME}:latest"),
    ],
)
async def test_a_claim_says_which_version_to_send(
    shelf: Shelf, model: str, pinned: str, sent: str
) -> None:
    """The version that was settled, or an official model's name."""
    job = await shelf.bench.submit(model=model, model_version=pinned)
    claimed = await shelf.bench.claim(job.job_id)
    assert claimed.provider_version == sent
    assert not claimed.takes_seed  # nothing is known of the model


@pytest.mark.parametrize(
    ("seed", "takes"),
    [
        ({"type": "integer"}, True),
        ({"type": "integer", "nullable": True}, True),
        ({"type": "integer", "minimum": 0, "maximum": 2147483647}, True),
        ({"type": "integer", "maximum": 65535}, False),
        ({"type": "integer", "minimum": 1}, False),
        ({"type": "string"}, False),
        (None, False),
    ],
)
async def test_a_claim_says_whether_the_model_takes_a_worker_s_seed(
    shelf: Shelf, seed: dict[str, Any] | None, takes: bool
) -> None:
    """Any that a worker may choose."""
    properties: dict[str, Any] = {"prompt": {"type": "string"}}
    if seed is not None:
        properties["seed"] = seed
    await shelf.read(wanted=True)
    await shelf.told(openapi_schema=schema_of(**properties))
    job = await shelf.bench.submit(model=NAME)
    assert (await shelf.bench.claim(job.job_id)).takes_seed is takes


async def test_the_seed_goes_by_the_version_that_is_pinned(shelf: Shelf) -> None:
    """Not by the model's newest one."""
    await shelf.read(version=VERSION, wanted=True)
    await shelf.told(official=False, version="cd" * 32)
    await shelf.told(asked=VERSION, openapi_schema=schema_of(prompt={"type": "string"}))
    named = await shelf.bench.submit(model=f"{NAME}:{VERSION}", model_version=VERSION)
    newest = await shelf.bench.submit(model=NAME, model_version="cd" * 32)
    assert not (await shelf.bench.claim(named.job_id)).takes_seed
    assert (await shelf.bench.claim(newest.job_id)).takes_seed


async def test_the_version_that_ran_is_shown_with_its_call(shelf: Shelf) -> None:
    """As told first, and as told last."""
    bench = shelf.bench
    job = await bench.submit()
    claimed = await bench.claim(job.job_id)
    await bench.begin(job.job_id, claimed.lease_epoch)
    await bench.ledger.RecordPrediction(
        lb.RecordPredictionRequest(
            submit_token=bench.tokens[job.job_id], prediction_id="p1", model_version="hidden"
        ),
        NO_CONTEXT,
    )
    assert (await bench.job(job.job_id)).attempts[0].model_version == "hidden"
    await bench.ledger.RecordSucceeded(
        lb.RecordSucceededRequest(job_id=job.job_id, prediction_id="p1", model_version=VERSION),
        NO_CONTEXT,
    )
    await bench.complete(job.job_id, claimed.lease_epoch)
    assert (await bench.job(job.job_id)).attempts[0].model_version == VERSION


async def test_a_version_that_is_not_told_later_stays(shelf: Shelf) -> None:
    """The last word says it for few models."""
    bench = shelf.bench
    job = await bench.submit()
    claimed = await bench.claim(job.job_id)
    await bench.begin(job.job_id, claimed.lease_epoch)
    await bench.ledger.RecordPrediction(
        lb.RecordPredictionRequest(
            submit_token=bench.tokens[job.job_id],
            prediction_id=f"p-{job.job_id}",
            model_version="v\x00" + "x" * 500,
        ),
        NO_CONTEXT,
    )
    await bench.succeeded(job.job_id)
    told = (await bench.job(job.job_id)).attempts[0].model_version
    assert told.startswith("v\ufffdx")
    assert len(told) == 100


@pytest.mark.parametrize(
    ("reason", "due"),
    [
        (failure_pb2.FAILURE_REASON_INVALID_INPUT, True),
        (failure_pb2.FAILURE_REASON_MODEL_NOT_FOUND, True),
        (failure_pb2.FAILURE_REASON_PROVIDER_REFUSED, False),
    ],
)
async def test_what_the_provider_refuses_has_it_asked_about_the_model(
    shelf: Shelf, reason: failure_pb2.FailureReason.ValueType, due: bool
) -> None:
    """What is known of it may be old; and of the version that the job was to run."""
    await shelf.read(wanted=True)
    await shelf.told(official=False, version=VERSION)
    job = await shelf.bench.submit(model=NAME, model_version=VERSION)
    await _refused(shelf, job.job_id, reason)
    assert await shelf.taken() == ([(NAME, ""), (NAME, VERSION)] if due else [])
    assert (await shelf.read()).outcome == 1  # it is known all the while


@pytest.mark.parametrize(
    ("settled", "given"),
    [
        ({"input_files": [job_pb2.InputFile(path="/image", uri="upload:x")]}, False),
        ({"model": NAME, "model_version": VERSION}, False),
        ({"model": f"{NAME}:{VERSION}", "model_version": VERSION}, True),
        ({"input_files": [job_pb2.InputFile(path="/image", sha256="ab")]}, True),
    ],
)
async def test_a_worker_of_before_gets_no_job_that_it_would_send_otherwise(
    shelf: Shelf, settled: dict[str, Any], given: bool
) -> None:
    """During an update: it would send "upload:…" to be paid for. The job waits for another, and a
    call that is made already can be followed by any."""
    bench = shelf.bench
    job = await bench.submit(**settled)
    claimed = await bench.claim(job.job_id, sends_settled=False)
    if given:
        assert not claimed.refusal
        return
    assert claimed.refusal == lb.REFUSAL_REASON_NOTHING_TO_CLAIM
    claimed = await bench.claim(job.job_id)
    assert claimed.road == lb.ROAD_SUBMIT
    await bench.begin(job.job_id, claimed.lease_epoch)
    await bench.record(job.job_id)
    await bench.pass_time(job.job_id, 300)
    await bench.sweeper.turn()
    claimed = await bench.claim(job.job_id, worker="worker-2", sends_settled=False)
    assert claimed.road == lb.ROAD_OBSERVE


async def test_what_was_read_since_is_not_read_again(shelf: Shelf) -> None:
    """A hundred jobs that fail for one reason have it read once."""
    await shelf.read(wanted=True)
    await shelf.told()
    jobs = [await shelf.bench.submit(model=NAME) for _ in range(2)]
    for job in jobs:
        claimed = await shelf.bench.claim(job.job_id)
        await shelf.bench.begin(job.job_id, claimed.lease_epoch)
    reason = failure_pb2.FAILURE_REASON_INVALID_INPUT
    await _refuse(shelf, jobs[0].job_id, reason)
    assert await shelf.taken() == [(NAME, "")]
    await shelf.told()
    await _refuse(shelf, jobs[1].job_id, reason)
    assert await shelf.taken() == []


async def test_a_job_can_be_looked_for_without_making_one(shelf: Shelf) -> None:
    """By its request_id, and only with the request that it had."""
    job = await shelf.bench.submit(request_id="r1", prompt="a red fox")

    async def find(request_id: str, prompt: str = "a red fox") -> str:
        asked = job_pb2.JobRequest(model="owner/model", prompt=prompt, request_id=request_id)
        asked.timeout.FromSeconds(3600)
        request = sb.CreateJobRequest(tenant=TENANT, request=asked, find_only=True)
        return (await shelf.bench.store.CreateJob(request, NO_CONTEXT)).job.job_id

    assert await find("r1") == job.job_id
    with pytest.raises(RequestIdReused):
        await find("r1", "a blue fox")
    for absent in ("r2", ""):
        with pytest.raises(JobNotFound):
            await find(absent)
    [row] = await shelf.run("SELECT count(*) AS jobs FROM jobs")
    assert row.jobs == 1


async def test_a_job_that_is_made_again_keeps_what_was_settled(desk: Desk) -> None:
    """The version, the defaults and the files."""
    files = [job_pb2.InputFile(path="/image", uri="upload:x", sha256="ab" * 32)]
    defaults = Struct()
    defaults.update({"speed": 1})
    job_id = await desk.died(model_version=VERSION, input_files=files, defaults=defaults)
    [told] = await desk.redrive(job_id)
    again = await desk.bench.job(told.redriven_as)
    assert again.request.model_version == VERSION
    assert list(again.request.input_files) == files
    assert again.request.defaults == defaults


async def test_all_models_or_some_are_asked_about_now(desk: Desk) -> None:
    """The names that are none of them are named."""
    writes = desk.operator._models
    await writes.begin()
    await desk.run(LATER)
    told = await desk.operator.SyncModels(
        pb.SyncModelsRequest(names=["stability-ai/sdxl", "a/new", "no name"]), NO_CONTEXT
    )
    assert (told.models, list(told.unknown_names)) == (2, ["no name"])
    assert {each.name for each in await writes.take(20)} == {"stability-ai/sdxl", "a/new"}
    told = await desk.operator.SyncModels(pb.SyncModelsRequest(), NO_CONTEXT)
    assert told.models == 18
    assert len(await writes.take(20)) == 18


async def _refused(shelf: Shelf, job_id: str, reason: failure_pb2.FailureReason.ValueType) -> None:
    claimed = await shelf.bench.claim(job_id)
    await shelf.bench.begin(job_id, claimed.lease_epoch)
    await _refuse(shelf, job_id, reason)


async def _refuse(shelf: Shelf, job_id: str, reason: failure_pb2.FailureReason.ValueType) -> None:
    failure = lb.ProviderFailure(
        kind=lb.FAILURE_KIND_PERMANENT,
        failure=failure_pb2.Failure(reason=reason, message="Input validation failed"),
    )
    await shelf.bench.ledger.RecordNotCreated(
        lb.RecordNotCreatedRequest(submit_token=shelf.bench.tokens[job_id], failure=failure),
        NO_CONTEXT,
    )
