"""What is written is found: submissions once each, whole, and only by their tenant."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from mediagen.store.v1 import job_store_service_pb2 as sb
from mediagen.v1 import job_pb2
from store.adapters import queries
from store.adapters import tables as t
from store.adapters.repeats import request_hash
from store.domain.errors import ArtifactNotFound, JobNotFound, PageTokenInvalid, RequestIdReused

from .store_bench import NO_CONTEXT, TENANT, Bench, store_bench

PENDING, CANCELED = job_pb2.Job.STATE_PENDING, job_pb2.Job.STATE_CANCELED
HOSTILE = [
    "🦊 👩‍👩‍👧‍👦 \U0001f3f3\ufe0f\u200d\U0001f308",
    "\u202eright to left\u202c שלום مرحبا",
    "'; DROP TABLE jobs; --",
    '"quoted" `and` $1 :name {x} %s',
    "100% sure_thing",
    "back\\slash \\% \\_ \\\\",
    "line\nbreak\ttab\r\x01\x7f",
    "ZALGO" + "\u0301" * 50,
    "x" * 32_000,
]


@pytest.fixture
async def bench(database_url: str) -> AsyncIterator[Bench]:
    async with store_bench(database_url) as made:
        yield made


async def listed(bench: Bench, *, tenant: str = TENANT, size: int = 50, **filters: Any) -> Any:
    """One page."""
    request = sb.ListJobsRequest(tenant=tenant, page_size=size, **filters)
    return await bench.store.ListJobs(request, NO_CONTEXT)


async def prompts(bench: Bench, **filters: Any) -> list[str]:
    """The prompts of a page's jobs."""
    return [job.request.prompt for job in (await listed(bench, **filters)).jobs]


async def rows(bench: Bench, table: sa.Table) -> int:
    async with bench.database.single() as connection:
        query = sa.select(sa.func.count()).select_from(table)
        return int((await connection.execute(query)).scalar_one())


async def test_the_same_request_id_and_body_is_the_same_job(bench: Bench) -> None:
    """However often it is repeated, also after the job has changed."""
    first = await bench.submit(request_id="r")
    assert (await bench.submit(request_id="r")) == first
    await bench.cancel(first.job_id)
    again = await bench.submit(request_id="r")
    assert (again.job_id, again.state) == (first.job_id, CANCELED)
    assert await rows(bench, t.jobs) == 1


async def test_twenty_at_once_with_one_request_id_make_one_job(bench: Bench) -> None:
    """The unique index decides; all are answered with the winner."""
    jobs = await asyncio.gather(*(bench.submit(request_id="r") for _ in range(20)))
    assert len({job.job_id for job in jobs}) == 1
    assert (await rows(bench, t.jobs), await rows(bench, t.events)) == (1, 1)


async def test_another_body_under_the_same_request_id_is_refused(bench: Bench) -> None:
    """Whatever differs; the error names the job. Without a request_id every submission is new."""
    first = await bench.submit(request_id="r", labels={"a": "1"})
    for other in ({"prompt": "another"}, {"labels": {"a": "2"}}, {"priority": 3}):
        with pytest.raises(RequestIdReused) as refused:
            await bench.submit(**{"request_id": "r", "labels": {"a": "1"}, **other})
        assert refused.value.metadata["job_id"] == first.job_id
    assert (await bench.submit()).job_id != (await bench.submit()).job_id


def test_the_hash_is_of_what_was_asked_for_and_not_of_its_bytes() -> None:
    """Maps in any order, 4 and 4.0, and the request_id make no difference; all else does."""
    words = [("b", "2"), ("a", "1"), ("c", "3")]
    one, two, other = (job_pb2.JobRequest(model="m", prompt="p") for _ in range(3))
    for request, pairs in ((one, words), (two, words[::-1]), (other, words)):
        for key, value in pairs:
            request.labels[key] = value
            request.input.update({key: {"deep": [value]}})
    one.input.update({"n": 4})
    two.input.update({"n": 4.0})
    two.request_id = "x"
    other.input.update({"n": "4"})
    assert request_hash(one) == request_hash(two) != request_hash(other)


def _with_files(*files: tuple[str, str], **more: Any) -> dict[str, Any]:
    """A request whose input names uploads of these (id, SHA-256), within a list."""
    named = [
        job_pb2.InputFile(path=f"/a~1b/{at}", uri=f"upload:{upload}", sha256=digest)
        for at, (upload, digest) in enumerate(files)
    ]
    struct = Struct()
    struct.update({"a/b": [each.uri for each in named]})
    return {"request_id": "r", "input": struct, "input_files": named, **more}


async def test_a_repeat_that_uploads_its_file_again_is_a_repeat(bench: Bench) -> None:
    """The same bytes are the same wish, whatever upload has them; other bytes are not, nor is
    another prompt."""
    first = await bench.submit(**_with_files(("one", "aa"), ("two", "bb")))
    again = await bench.submit(**_with_files(("three", "aa"), ("four", "bb")))
    assert again.job_id == first.job_id
    for other in (
        _with_files(("three", "aa"), ("four", "cc")),
        _with_files(("four", "bb"), ("three", "aa")),
        _with_files(("three", "aa"), ("four", "bb"), labels={"a": "1"}),
    ):
        with pytest.raises(RequestIdReused):
            await bench.submit(**other)


async def test_a_job_is_never_written_without_its_first_event(bench: Bench) -> None:
    """One statement: an event that can not be written leaves no job."""
    async with bench.database.transaction() as connection:
        await connection.execute(
            sa.text("ALTER TABLE events ADD CONSTRAINT never CHECK (revision > 1) NOT VALID")
        )
    with pytest.raises(sa.exc.IntegrityError):
        await bench.submit()
    assert (await rows(bench, t.jobs), await rows(bench, t.events)) == (0, 0)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_text_comes_back_as_it_was_and_is_found(bench: Bench, text: str) -> None:
    """In the prompt, a label and the input; a filter takes it letter for letter."""
    label = text[:60]
    job = await bench.submit(prompt=text, labels={"key": label}, input=_struct(text))
    await bench.submit(prompt="bystander")
    found = await bench.job(job.job_id)
    assert (found.request.prompt, found.request.labels["key"]) == (text, label)
    assert found.request.input["text"] == text
    assert await prompts(bench, prompt_contains=text[:200]) == [text]
    assert await prompts(bench, labels={"key": label}) == [text]


def _struct(text: str) -> Struct:
    struct = Struct()
    struct["text"] = text
    return struct


async def test_wildcards_in_a_filter_are_letters(bench: Bench) -> None:
    """%, _ and backslash match themselves, in any case of the letters around."""
    for prompt in ("50% off", "50 off", "a_b", "aXb", "c\\d", "cd", "Straße ÄÖ"):
        await bench.submit(prompt=prompt)
    wanted = {"%": ["50% off"], "_": ["a_b"], "\\": ["c\\d"], "0% OFF": ["50% off"],
              "äö": ["Straße ÄÖ"], "/": [], "%%": []}  # fmt: skip
    for text, found in wanted.items():
        assert await prompts(bench, prompt_contains=text) == found, text


async def test_every_filter_alone_and_all_together(bench: Bench) -> None:
    """States, model, labels, times and prompt narrow the list; what is unset does not."""
    old = await bench.submit(prompt="old cat", labels={"team": "a", "x": "1"})
    new = await bench.submit(prompt="new cat", labels={"team": "b", "x": "1"})
    dog = await bench.submit(prompt="new dog", labels={"team": "a"})
    await bench.cancel(dog.job_id)
    create_time = new.create_time
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["new dog", "new cat", "old cat"]),
        ({"states": [PENDING]}, ["new cat", "old cat"]),
        ({"states": [PENDING, CANCELED]}, ["new dog", "new cat", "old cat"]),
        ({"model": "owner/model"}, ["new dog", "new cat", "old cat"]),
        ({"model": "owner/mod"}, []),
        ({"labels": {"team": "a"}}, ["new dog", "old cat"]),
        ({"labels": {"team": "a", "x": "1"}}, ["old cat"]),
        ({"create_time_from": create_time}, ["new dog", "new cat"]),
        ({"create_time_before": create_time}, ["old cat"]),
        ({"prompt_contains": "NEW"}, ["new dog", "new cat"]),
        (
            {"states": [PENDING], "model": "owner/model", "labels": {"x": "1"},
             "create_time_from": old.create_time, "create_time_before": create_time,
             "prompt_contains": "cat"},
            ["old cat"],
        ),
    ]  # fmt: skip
    for filters, expected in cases:
        assert await prompts(bench, **filters) == expected, filters


async def test_pages_are_complete_and_without_repeats_while_jobs_come_in(bench: Bench) -> None:
    """A keyset token stands at a job, not at a count."""
    before = [(await bench.submit(prompt=f"p{n}")).job_id for n in range(11)]
    seen: list[str] = []
    token = ""
    while True:
        page = await listed(bench, size=3, page_token=token)
        assert len(page.jobs) == 3 or not page.next_page_token
        seen += [job.job_id for job in page.jobs]
        token = page.next_page_token
        if not token:
            break
        await bench.submit(prompt="newcomer")
    assert seen == before[::-1]


async def test_jobs_of_one_instant_are_paged_by_their_id(bench: Bench) -> None:
    """The time alone would skip or repeat them."""
    for _ in range(5):
        await bench.submit()
    async with bench.database.transaction() as connection:
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        await connection.execute(sa.update(t.jobs).values(create_time=moment))
    seen, token = [], ""
    for _ in range(5):
        page = await listed(bench, size=1, page_token=token)
        seen += [job.job_id for job in page.jobs]
        token = page.next_page_token
    assert len(set(seen)) == 5
    assert not token


async def test_a_token_of_anything_else_is_refused(bench: Bench) -> None:
    """Of another filter, another tenant, or of nobody."""
    for _ in range(3):
        await bench.submit(labels={"a": "1"})
    token = (await listed(bench, size=1)).next_page_token
    assert (await listed(bench, size=2, page_token=token)).jobs
    wrong: list[dict[str, Any]] = [
        {"model": "owner/model"}, {"labels": {"a": "1"}}, {"states": [PENDING]},
        {"prompt_contains": "fox"}, {"tenant": "other"}, {"active_since": Timestamp(seconds=1)},
    ]  # fmt: skip
    for filters in wrong:
        with pytest.raises(PageTokenInvalid):
            await listed(bench, page_token=token, **filters)
    marked = json.loads(base64.urlsafe_b64decode(token + "=="))[0]
    forged = [
        [marked, "yesterday", str(uuid4())], [marked, "2026-01-01T00:00:00", str(uuid4())],
        [marked, "2026-01-01T00:00:00+00:00", "x"], [marked], {}, None, 7, "[" * 500,
        [marked, 1, 2],
    ]  # fmt: skip
    junk = ["x", "é🦊", "%%%", "====", "A" * 3000, token[:-4], token + "AAAA", "\x00"]
    junk += [base64.urlsafe_b64encode(json.dumps(each).encode()).decode() for each in forged]
    junk.append(base64.urlsafe_b64encode(b"[" * 5000).decode())
    for text in junk:
        with pytest.raises(PageTokenInvalid):
            await listed(bench, page_token=text)


async def test_a_page_of_large_jobs_is_cut_and_goes_on(bench: Bench) -> None:
    """Never more than a message may hold, never less than one job, nothing skipped."""
    large = "x" * (queries.PAGE_BYTES // 2)
    made = [(await bench.submit(prompt=f"{n}", input=_struct(large))).job_id for n in range(5)]
    seen, token, sizes = [], "", []
    while not sizes or token:
        page = await listed(bench, page_token=token)
        sizes.append(len(page.jobs))
        assert page.ByteSize() < 2 * queries.PAGE_BYTES
        seen += [job.job_id for job in page.jobs]
        token = page.next_page_token
    assert seen == made[::-1]
    assert max(sizes) < 5 and min(sizes) >= 1


async def test_a_job_larger_than_a_page_is_a_page(bench: Bench) -> None:
    """It would otherwise never be listed."""
    big = await bench.submit(input=_struct("x" * (queries.PAGE_BYTES + 1)))
    small = await bench.submit()
    assert [job.job_id for job in (await listed(bench)).jobs] == [small.job_id, big.job_id]


@pytest.mark.parametrize("job_id", ["", "x", "not-a-uuid", "🦊", "0" * 5000])
async def test_an_id_that_can_not_be_one_is_not_found(bench: Bench, job_id: str) -> None:
    """As one that is not there."""
    with pytest.raises(JobNotFound):
        await bench.job(job_id)


async def test_another_tenant_s_job_is_not_there(bench: Bench) -> None:
    """For get, list, cancel, events and artifacts; nothing about it changes."""
    job_id, epoch = await bench.submitted()
    await bench.succeeded(job_id)
    await bench.complete(job_id, epoch)
    key = {"tenant": "other", "job_id": job_id}
    calls: list[Any] = [
        lambda: bench.store.GetJob(sb.GetJobRequest(**key), NO_CONTEXT),
        lambda: bench.store.CancelJob(sb.CancelJobRequest(**key), NO_CONTEXT),
        lambda: bench.store.ReadJobEvents(sb.ReadJobEventsRequest(**key), NO_CONTEXT),
        lambda: bench.store.GetArtifact(sb.GetArtifactRequest(**key, index=0), NO_CONTEXT),
    ]
    for call in calls:
        with pytest.raises(JobNotFound):
            await call()
    assert not (await listed(bench, tenant="other")).jobs
    own = sb.GetArtifactRequest(tenant=TENANT, job_id=job_id, index=0)
    assert (await bench.store.GetArtifact(own, NO_CONTEXT)).object_key.startswith(job_id)
    own.index = 1
    with pytest.raises(ArtifactNotFound):
        await bench.store.GetArtifact(own, NO_CONTEXT)


async def test_the_same_request_id_of_two_tenants_is_two_jobs(bench: Bench) -> None:
    """Ids of submissions are a tenant's own."""
    mine = await bench.submit(request_id="r")
    request = sb.CreateJobRequest(tenant="other", request=mine.request)
    request.request.prompt = "something else"
    theirs = (await bench.store.CreateJob(request, NO_CONTEXT)).job
    assert theirs.job_id != mine.job_id
