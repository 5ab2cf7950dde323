"""Does a watch of all jobs hold through replicas, kills, restores and retention, on every road?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing
from typing import Any

import asyncpg
import grpc
import httpx
import pytest

from devstack.testing import Broker, PostgresServer, Stack
from mediagen.v1 import generation_service_pb2 as pb2
from mediagen.v1 import job_pb2
from mediagen.v1.generation_service_pb2_grpc import GenerationServiceStub
from store.adapters.invariants import broken
from tests.e2e.api_calls import FLUX, SMALL, caller, frames, generate, refused, set_fault

Job = job_pb2.Job
FINAL = (Job.STATE_COMPLETED, Job.STATE_FAILED, Job.STATE_CANCELED)
PATIENCE = 60


@pytest.fixture(scope="module")
def pair(
    postgres: PostgresServer,
    broker: Broker,
    migrated: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Two gateways over one store."""
    database, amqp = postgres.create_database(migrated), broker.create_vhost()
    env = {
        "DATABASE_URL": database,
        "AMQP_URL": amqp,
        "PROVIDER_CREATES_PER_MINUTE": "0",
        "SIMULATOR_SPEED": "10",
    }
    with Stack(tmp_path_factory.mktemp("watched"), env=env, gateways=2) as stack:
        yield stack
    assert not asyncio.run(broken(database))
    postgres.drop_database(database)
    broker.delete_vhost(amqp)


@pytest.fixture
async def http(pair: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A REST caller of the edge."""
    async with caller(pair) as client:
        yield client


@pytest.fixture
async def stubs(pair: Stack) -> AsyncIterator[list[Any]]:
    """A gRPC caller of each gateway's own port."""
    async with AsyncExitStack() as open_ones:
        channels = [
            await open_ones.enter_async_context(grpc.aio.insecure_channel(each))
            for each in pair.plan.gateway_addresses
        ]
        yield [GenerationServiceStub(channel) for channel in channels]


class Told:
    """What a watcher of some jobs was told: their revisions, once and in order."""

    def __init__(self, job_ids: set[str]) -> None:
        self.revisions: dict[str, list[int]] = {job_id: [] for job_id in job_ids}
        self.jobs: dict[str, Job] = {}
        self.cursor = ""
        self.kinds: list[str] = []

    def note(self, event: pb2.WatchJobsResponse) -> None:
        kind = event.WhichOneof("event")
        assert kind is not None
        if kind not in ("heartbeat", "forecasts"):
            self.kinds.append(kind)
        if kind in ("snapshot", "update"):
            job = getattr(event, kind)
            if job.job_id in self.revisions:
                known = self.revisions[job.job_id]
                assert not known or job.revision == known[-1] + 1, (known, job.revision)
                assert known or job.HasField("request")
                known.append(job.revision)
                self.jobs[job.job_id] = job
        self.cursor = event.cursor or self.cursor

    @property
    def ended(self) -> bool:
        return len(self.jobs) == len(self.revisions) and all(
            job.state in FINAL for job in self.jobs.values()
        )

    async def follow(self, stub: Any, *, most: int | None = None, **wanted: Any) -> None:
        """Watches behind the cursor until all have ended, or *most* messages came."""
        call = stub.WatchJobs(pb2.WatchJobsRequest(cursor=self.cursor, **wanted))
        async for event in call:
            self.note(event)
            if self.ended or (most is not None and (most := most - 1) <= 0):
                call.cancel()
                return


async def submitted(http: httpx.AsyncClient, prompt: str, count: int, **more: Any) -> set[str]:
    """The ids of new jobs."""
    jobs = await asyncio.gather(
        *(generate(http, f"{prompt} {n}", model=FLUX, input=SMALL, **more) for n in range(count))
    )
    return {job["job_id"] for job in jobs}


async def last_revision(stub: Any, job_id: str) -> int:
    answer = await stub.GetJob(pb2.GetJobRequest(job_id=job_id))
    return int(answer.job.revision)


async def test_a_cursor_is_as_good_at_the_other_gateway(
    http: httpx.AsyncClient, stubs: list[Any]
) -> None:
    """A watcher that changes the gateway after every third message misses nothing, and is told
    nothing twice."""
    async with asyncio.timeout(PATIENCE):
        # Where the watch begins: nothing of the jobs below was there yet.
        cursor = await synced(stubs[0])
        told = Told(await submitted(http, "watched across gateways", 6))
        told.cursor = cursor
        turn = 0
        while not told.ended:
            await told.follow(stubs[turn % 2], most=3)
            turn += 1
    assert turn > 2
    for job_id, revisions in told.revisions.items():
        assert revisions == list(range(1, await last_revision(stubs[0], job_id) + 1))
    assert set(told.kinds) == {"update"}


async def test_a_watch_goes_on_elsewhere_when_its_gateway_is_killed(
    pair: Stack, http: httpx.AsyncClient, stubs: list[Any]
) -> None:
    """kill -9 in mid-stream: the stream breaks, and the other gateway goes on behind the cursor."""
    await set_fault(pair, "watched through a kill", "run", arg="4")
    ids = await submitted(http, "watched through a kill", 4)
    told = Told(ids)

    async def until_it_breaks() -> None:
        killed = False
        async for event in stubs[0].WatchJobs(pb2.WatchJobsRequest()):
            told.note(event)
            running = any(job.stage == Job.STAGE_PROCESSING for job in told.jobs.values())
            if running and not killed:
                await asyncio.to_thread(pair.kill, "gateway-1")
                killed = True

    async with asyncio.timeout(PATIENCE):
        with pytest.raises(grpc.aio.AioRpcError) as broke:
            await until_it_breaks()
        assert broke.value.code() is grpc.StatusCode.UNAVAILABLE
        assert told.cursor
        await told.follow(stubs[1])
    for job_id, revisions in told.revisions.items():
        last = await last_revision(stubs[1], job_id)
        assert revisions == list(range(revisions[0], last + 1))
    await asyncio.to_thread(pair.wait_ready, "gateway-1")


async def test_events_that_are_no_longer_kept_are_a_gap(
    pair: Stack, http: httpx.AsyncClient, stubs: list[Any]
) -> None:
    """The snapshots behind it have what is open and what has ended meanwhile."""
    async with asyncio.timeout(PATIENCE):
        before = await synced(stubs[1])
        ended = await submitted(http, "ended in the gap", 2)
        await Told(ended).follow(stubs[1])
        await set_fault(pair, "open behind the gap", "run", arg="300")
        running = await submitted(http, "open behind the gap", 1)
        await asyncio.sleep(0.5)
        connection = await asyncpg.connect(pair.database_url.replace("+asyncpg", ""))
        try:
            await connection.execute(
                "UPDATE events SET sequence = -sequence WHERE sequence <= "
                "(SELECT max(sequence) - 1 FROM events)"
            )
            told = Told(ended | running)
            told.cursor = before
            # One that has heard nothing of the feed yet.
            await asyncio.to_thread(pair.kill, "gateway-1")
            await asyncio.to_thread(pair.wait_ready, "gateway-1")
            call = stubs[0].WatchJobs(pb2.WatchJobsRequest(cursor=before), wait_for_ready=True)
            async for event in call:
                told.note(event)
                if event.HasField("gap"):
                    assert not event.gap.restored and event.gap.HasField("from_time")
                if event.HasField("synced"):
                    break
            call.cancel()
        finally:
            await connection.execute("UPDATE events SET sequence = -sequence WHERE sequence < 0")
            await connection.close()
    assert told.kinds[0] == "gap"
    assert set(told.jobs) == ended | running
    assert {told.jobs[job_id].state for job_id in ended} == {Job.STATE_COMPLETED}
    for job_id in running:
        await stubs[0].CancelJob(pb2.CancelJobRequest(job_id=job_id))


async def synced(stub: Any, **wanted: Any) -> str:
    """The cursor of a watch that begins now."""
    call = stub.WatchJobs(pb2.WatchJobsRequest(**wanted), wait_for_ready=True)
    async for event in call:
        if event.HasField("synced"):
            call.cancel()
            return str(event.cursor)
    raise AssertionError("it ended")


async def test_a_restored_store_is_told_as_such(
    pair: Stack, http: httpx.AsyncClient, stubs: list[Any]
) -> None:
    """An open watch and one that comes back are told to forget, and begin anew; both go on."""
    async with asyncio.timeout(PATIENCE):
        cursor = await synced(stubs[0])

        async def follow(stub: Any, request: pb2.WatchJobsRequest) -> list[str]:
            kinds = []
            restored = False
            async for event in stub.WatchJobs(request):
                kind = event.WhichOneof("event")
                if kind not in ("heartbeat", "forecasts", "snapshot"):
                    kinds.append(kind)
                restored = restored or event.gap.restored
                if kind == "update" and restored:
                    return kinds
            raise AssertionError("it ended")

        open_one = asyncio.create_task(follow(stubs[0], pb2.WatchJobsRequest(cursor=cursor)))
        await asyncio.sleep(0.5)
        connection = await asyncpg.connect(pair.database_url.replace("+asyncpg", ""))
        await connection.execute("UPDATE feed_heads SET generation = generation + 1")
        await connection.close()
        later = asyncio.create_task(follow(stubs[1], pb2.WatchJobsRequest(cursor=cursor)))
        # Both have found out once the feed was read.
        await asyncio.sleep(2.5)
        await submitted(http, "behind a restore", 1)
        assert await open_one == ["gap", "synced", "update"]
        assert await later == ["gap", "synced", "update"]


async def test_filters_choose_what_is_told(http: httpx.AsyncClient, stubs: list[Any]) -> None:
    """By label, and by state: what comes in has its request, and what leaves is told once."""
    async with asyncio.timeout(PATIENCE):
        cursor = await synced(stubs[0])
        team = {"labels": {"team": "filters"}}
        [ours] = await submitted(http, "ours", 1, **team)
        [other] = await submitted(http, "not ours", 1)
        told = Told({ours})
        told.cursor = cursor
        await told.follow(stubs[0], labels=["team=filters"])
        assert other not in told.jobs
        assert told.revisions[ours][0] == 1
        running = Told({ours})
        running.cursor = cursor
        await running.follow(stubs[1], labels=["team=filters"], states=[Job.STATE_RUNNING])
        # From the claim on, with the end, and without the first revision.
        assert running.revisions[ours] == told.revisions[ours][1:]
        assert running.jobs[ours].state == Job.STATE_COMPLETED


async def test_server_sent_events_resume_by_the_cursor(
    http: httpx.AsyncClient, stubs: list[Any]
) -> None:
    """The id of each event is the cursor; one that is none of ours begins anew."""
    async with asyncio.timeout(PATIENCE):
        async with http.stream("GET", "/api/v1/jobs:events") as answer:
            assert answer.headers["content-type"] == "text/event-stream"
            async with aclosing(frames(answer)) as events:
                async for frame in events:
                    data = json.loads(frame["data"])
                    if frame["event"] == "synced":
                        assert data["cursor"] == frame["id"]
                        break
                    assert frame["event"] == "snapshot" and "id" not in frame
        [job_id] = await submitted(http, "seen as events", 1)
        headers = {"last-event-id": frame["id"]}
        revisions = []
        async with http.stream("GET", "/api/v1/jobs:events", headers=headers) as answer:
            async for frame in frames(answer):
                job = json.loads(frame["data"]).get("update")
                if job is None or job["job_id"] != job_id:
                    continue
                revisions.append(job["revision"])
                if job["state"] == "STATE_COMPLETED":
                    break
        assert revisions == list(range(1, revisions[-1] + 1))
        headers = {"last-event-id": frame["id"][:-1]}
        async with http.stream("GET", "/api/v1/jobs:events", headers=headers) as answer:
            async for frame in frames(answer):
                if frame["event"] == "synced":
                    break
                assert frame["event"] == "snapshot"
        answer = await http.get("/api/v1/jobs:watch?cursor=none-of-ours")
        assert answer.status_code == 400
        assert "ERROR_REASON_CURSOR_INVALID" in answer.text
    refusal = await refused(stubs[0].WatchJobs(pb2.WatchJobsRequest(cursor="x" * 40)))
    assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "ERROR_REASON_CURSOR_INVALID")
    assert refusal.fields == {"cursor"}
