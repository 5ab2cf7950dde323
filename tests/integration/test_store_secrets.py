"""Who sees the value of a secret input? The worker that sends it, and nobody after the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.struct_pb2 import Struct

from mediagen.store.v1 import attempt_ledger_service_pb2 as lb
from mediagen.store.v1 import job_store_service_pb2 as sb
from mediagen.v1 import job_pb2
from mediagen.v1.operator_service_pb2 import DeadLetterResult
from servicekit.secret_inputs import MASK
from store.adapters import tables as t
from store.domain.errors import RequestIdReused

from .operator_bench import Desk, desk_at
from .store_bench import NO_CONTEXT, TENANT, Bench

CANARY = "canary-6c1f0d9e"  # pragma: allowlist secret
OTHER = "another-77e1b2aa"  # pragma: allowlist secret
KEY = {"api_key": CANARY}

End = Callable[[Bench, str, int], Awaitable[None]]


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_at(database_url) as made:
        yield made


async def _complete(bench: Bench, job_id: str, epoch: int) -> None:
    await bench.begin(job_id, epoch)
    await bench.record(job_id)
    await bench.succeeded(job_id)
    await bench.complete(job_id, epoch)


async def _fail(bench: Bench, job_id: str, epoch: int) -> None:
    await bench.begin(job_id, epoch)
    await bench.not_created(job_id, lb.FAILURE_KIND_PERMANENT)


async def _cancel(bench: Bench, job_id: str, epoch: int) -> None:
    await bench.cancel(job_id)


async def _stored(bench: Bench) -> str:
    """Every row of every table, as Postgres writes it; bytes among it both as text and in hex."""
    found = []
    async with bench.database.single() as connection:
        for table in t.metadata.sorted_tables:
            rows = (await connection.execute(sa.select(table))).all()
            found += [repr([bytes(v) if isinstance(v, memoryview) else v for v in r]) for r in rows]
    return "\n".join(found)


async def test_only_a_claim_has_the_true_value(desk: Desk) -> None:
    """No answer, event, list or feed has it: what is stored as asked for holds the mask."""
    bench = desk.bench
    job = await bench.submit(secrets=KEY)
    assert job.request.input["api_key"] == MASK
    assert list(job.request.secret_inputs) == ["api_key"]
    answers: list[Any] = [
        job,
        await bench.job(job.job_id),
        await bench.store.ListJobs(sb.ListJobsRequest(tenant=TENANT, page_size=9), NO_CONTEXT),
        await bench.store.ReadJobEvents(
            sb.ReadJobEventsRequest(tenant=TENANT, job_id=job.job_id), NO_CONTEXT
        ),
        await bench.store.ReadRequests(
            sb.ReadRequestsRequest(tenant=TENANT, job_ids=[job.job_id]), NO_CONTEXT
        ),
    ]
    assert all(CANARY not in str(each) and MASK in str(each) for each in answers)
    claimed = await bench.claim(job.job_id)
    assert claimed.request.input["api_key"] == CANARY
    assert CANARY in await _stored(bench), "this finds it while it is there"


@pytest.mark.parametrize("end", [_complete, _fail, _cancel])
async def test_it_is_wiped_with_the_end(desk: Desk, end: End) -> None:
    """However the job ends, in the transaction that ends it: no row has it from then on."""
    bench = desk.bench
    job = await bench.submit(secrets=KEY)
    claimed = await bench.claim(job.job_id)
    await end(bench, job.job_id, claimed.lease_epoch)
    ended = await bench.job(job.job_id)
    assert ended.HasField("end_time")
    assert ended.request.input["api_key"] == MASK
    assert CANARY not in await _stored(bench)


async def test_a_retry_has_it_again(desk: Desk) -> None:
    """Until the end it is there for every attempt."""
    bench = desk.bench
    job = await bench.submit(secrets=KEY)
    claimed = await bench.claim(job.job_id)
    await bench.begin(job.job_id, claimed.lease_epoch)
    await bench.not_created(job.job_id, lb.FAILURE_KIND_TRANSIENT)
    again = await bench.claim(job.job_id)
    assert (again.road, again.attempt) == (lb.ROAD_SUBMIT, 2)
    assert again.request.input["api_key"] == CANARY


@pytest.mark.parametrize("ended", [False, True])
async def test_a_repeat_has_the_same_secret(desk: Desk, ended: bool) -> None:
    """Another one under the same request_id is another request, also once the first is wiped."""
    bench = desk.bench
    job = await bench.submit(secrets=KEY, request_id="once")
    if ended:
        await bench.cancel(job.job_id)
    assert (await bench.submit(secrets=KEY, request_id="once")).job_id == job.job_id
    for secrets in ({"api_key": OTHER}, None, {"api_key": MASK}):
        with pytest.raises(RequestIdReused):
            await bench.submit(secrets=secrets, request_id="once")


async def test_a_repeat_is_found_whatever_its_model_says_by_now(desk: Desk) -> None:
    """The gateway may not know, or no longer, which inputs are secret: the stored job does."""
    bench = desk.bench
    job = await bench.submit(secrets=KEY, request_id="once")
    plain, other = Struct(), Struct()
    plain.update(KEY)
    other.update({"api_key": OTHER})
    found = await bench.submit(input=plain, request_id="once", find_only=True)
    assert (found.job_id, found.request.input["api_key"]) == (job.job_id, MASK)
    with pytest.raises(RequestIdReused):
        await bench.submit(input=other, request_id="once", find_only=True)
    first = await bench.submit(input=plain, request_id="plain")
    assert (await bench.submit(secrets=KEY, request_id="plain")).job_id == first.job_id


@pytest.mark.parametrize("force", [False, True])
async def test_a_redrive_needs_the_secret_again(desk: Desk, force: bool) -> None:
    """A failed job's is wiped: nothing is made, forced or not, and the answer says what to do."""
    job_id = await desk.died(secrets=KEY)
    count = await desk.jobs()
    (result,) = await desk.redrive(job_id, force=force)
    assert (result.outcome, result.redriven_as) == (DeadLetterResult.OUTCOME_SECRETS_WIPED, "")
    assert "anew" in result.message
    assert await desk.jobs() == count


async def test_a_parked_job_still_has_it(desk: Desk) -> None:
    """It is not final: redriven, it is sent with its secret."""
    job_id = await desk.parked(secrets=KEY)
    (result,) = await desk.redrive(job_id, force=True)
    assert result.outcome == DeadLetterResult.OUTCOME_DONE
    assert (await desk.bench.claim(job_id)).request.input["api_key"] == CANARY


async def test_a_lost_call_is_looked_for_without_it(desk: Desk) -> None:
    """The reconciler is told which inputs the provider's listing does not show."""
    bench = desk.bench
    job = await bench.submit(secrets=KEY)
    claimed = await bench.claim(job.job_id)
    await bench.begin(job.job_id, claimed.lease_epoch)
    unknown = lb.RecordUnknownRequest(submit_token=bench.tokens[job.job_id])
    await bench.ledger.RecordUnknown(unknown, NO_CONTEXT)
    lease = lb.LeaseReconcilerRequest(worker_id="w", account="account-of-tests")
    (doubt,) = (await bench.ledger.LeaseReconciler(lease, NO_CONTEXT)).attempts
    assert list(doubt.secret_inputs) == ["api_key"]
    assert CANARY not in str(doubt)


async def test_the_title_is_searched_where_there_is_no_prompt(desk: Desk) -> None:
    """It is no part of what a repeat is compared by."""
    bench = desk.bench
    spoken = await bench.submit("", title="Good Morning, fox", request_id="once")
    await bench.submit("a red fox", title="Good Morning of a prompt")
    wanted = sb.ListJobsRequest(tenant=TENANT, page_size=9, prompt_contains="good morning")
    found = (await bench.store.ListJobs(wanted, NO_CONTEXT)).jobs
    assert [each.job_id for each in found] == [spoken.job_id]
    assert found[0].request.title == "Good Morning, fox"
    again = await bench.submit("", title="another", request_id="once")
    assert (again.job_id, again.request.title) == (spoken.job_id, spoken.request.title)


async def test_a_redrive_keeps_the_title(desk: Desk) -> None:
    """The same request is the same words."""
    job_id = await desk.died(title="a red fox")
    (result,) = await desk.redrive(job_id)
    made: job_pb2.Job = await desk.bench.job(result.redriven_as)
    assert made.request.title == "a red fox"
