"""What a watch of many jobs begins with: jobs that are not final or ended lately, and requests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from mediagen.store.v1 import job_store_service_pb2 as sb
from mediagen.v1 import job_pb2
from store.adapters import queries

from .store_bench import NO_CONTEXT, TENANT, Bench, store_bench

FAR_FUTURE = datetime(9999, 1, 1, tzinfo=UTC)


@pytest.fixture
async def bench(database_url: str) -> AsyncIterator[Bench]:
    async with store_bench(database_url) as made:
        yield made


async def active(bench: Bench, since: datetime, size: int = 50, **more: Any) -> Any:
    moment = Timestamp()
    moment.FromDatetime(since)
    request = sb.ListJobsRequest(tenant=TENANT, page_size=size, active_since=moment, **more)
    return await bench.store.ListJobs(request, NO_CONTEXT)


async def ids(bench: Bench, since: datetime, **more: Any) -> list[str]:
    return [job.job_id for job in (await active(bench, since, **more)).jobs]


async def read_requests(bench: Bench, job_ids: list[str], tenant: str = TENANT) -> Any:
    request = sb.ReadRequestsRequest(tenant=tenant, job_ids=job_ids)
    return (await bench.store.ReadRequests(request, NO_CONTEXT)).requests


async def test_active_since_lists_what_is_not_final_or_has_ended_since(bench: Bench) -> None:
    """A job that was submitted long before is among them; one that ended before is not."""
    running, _ = await bench.submitted()
    early, late, waiting = [(await bench.submit()).job_id for _ in range(3)]
    await bench.cancel(early)
    await bench.pass_time(early, 600)
    ended = (await bench.cancel(late)).end_time.ToDatetime(tzinfo=UTC)
    assert await ids(bench, FAR_FUTURE) == [waiting, running]
    assert await ids(bench, ended) == [waiting, late, running], "that very instant is among them"
    assert await ids(bench, ended + timedelta(microseconds=1)) == [waiting, running]
    assert await ids(bench, ended - timedelta(seconds=700)) == [waiting, late, running, early]
    assert await ids(bench, ended, states=[job_pb2.Job.STATE_CANCELED]) == [late]
    assert await ids(bench, ended, model="other/model") == []
    other = sb.CreateJobRequest(tenant="other", request=(await bench.job(waiting)).request)
    await bench.store.CreateJob(other, NO_CONTEXT)
    assert await ids(bench, FAR_FUTURE) == [waiting, running], "another tenant's is not"


async def test_pages_of_active_jobs_are_complete_and_without_repeats(bench: Bench) -> None:
    """The token is good for the time that it was given for."""
    made = [(await bench.submit()).job_id for _ in range(5)]
    seen: list[str] = []
    token = ""
    while True:
        page = await active(bench, FAR_FUTURE, size=2, page_token=token)
        seen += [job.job_id for job in page.jobs]
        token = page.next_page_token
        if not token:
            break
    assert seen == made[::-1]


async def test_requests_are_read_by_id_and_tenant(bench: Bench) -> None:
    """What there is not, what is another's, and what can not be an id are left out."""
    first = await bench.submit(prompt="a red fox", labels={"team": "red"})
    second = await bench.submit(prompt="a blue fox")
    asked = [first.job_id, second.job_id, str(uuid4()), "x", "", "\x00", first.job_id]
    assert await read_requests(bench, asked) == {
        first.job_id: first.request, second.job_id: second.request,
    }  # fmt: skip
    assert await read_requests(bench, asked, "other") == {}
    assert await read_requests(bench, []) == {}


async def test_at_most_five_hundred_requests_are_read_at_once(bench: Bench) -> None:
    """However many are asked for."""
    job = await bench.submit()
    strangers = [str(uuid4()) for _ in range(500)]
    assert await read_requests(bench, [*strangers, job.job_id]) == {}
    assert await read_requests(bench, [*strangers[1:], job.job_id]) == {job.job_id: job.request}


async def test_requests_that_are_long_come_in_several_answers(bench: Bench) -> None:
    """Asked again for what is missing, until an answer is empty: each answer is bounded."""
    long = "x" * (queries.REQUESTS_BYTES // 4)
    left = {(await bench.submit(prompt=long)).job_id for _ in range(8)}
    sizes = []
    while found := await read_requests(bench, sorted(left)):
        left -= set(found)
        sizes.append(len(found))
    assert not left
    assert sizes == [4, 4]
