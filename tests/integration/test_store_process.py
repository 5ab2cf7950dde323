"""`python -m store` as a process: how it starts, what it says of itself, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
import sqlalchemy as sa
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from devstack.ports import free_port
from devstack.testing import PostgresServer, postgres_server
from mediagen.store.v1 import job_store_service_pb2 as sb
from mediagen.store.v1.job_store_service_pb2_grpc import JobStoreServiceStub
from mediagen.v1 import job_pb2
from store.adapters.database import Database, PoolSettings, Unavailable
from store.adapters.migrate import differences

NOWHERE = "amqp://guest:guest@127.0.0.1:1/"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def started(**env: str) -> Process:
    """The process, in the environment of the tests and *env*."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "store", stdout=PIPE, stderr=PIPE,
        env={**os.environ, "LOG_FORMAT": "json", "CONNECT_TIMEOUT": "30", **env},
    )  # fmt: skip


@asynccontextmanager
async def running(url: str, **env: str) -> AsyncIterator[tuple[Process, grpc.aio.Channel]]:
    """A store on *url* and a channel to it; killed at the end if it is still there."""
    port = free_port()
    process = await started(DATABASE_URL=url, AMQP_URL=NOWHERE, STORE_PORT=str(port), **env)
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield process, channel
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def health(channel: grpc.aio.Channel, service: str = "") -> int:
    request = health_pb2.HealthCheckRequest(service=service)
    try:
        stub = health_pb2_grpc.HealthStub(channel)
        return int((await stub.Check(request, timeout=5, wait_for_ready=True)).status)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            raise
        return -1


async def becomes(channel: grpc.aio.Channel, status: int, within: float = 40) -> None:
    async with asyncio.timeout(within):
        while await health(channel) != status:
            await asyncio.sleep(0.1)


async def create(channel: grpc.aio.Channel, timeout: float = 30) -> job_pb2.Job:
    asked = job_pb2.JobRequest(model="a/b", prompt="a fox")
    asked.timeout.FromSeconds(60)
    request = sb.CreateJobRequest(tenant="default", request=asked)
    return (await JobStoreServiceStub(channel).CreateJob(request, timeout=timeout)).job


def reason(error: grpc.aio.AioRpcError) -> str:
    """The ErrorInfo's reason."""
    status = rpc_status.from_call(error)
    assert status is not None
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.domain == "mediagen.dev"
    return str(info.reason)


async def test_every_wrong_setting_is_told_at_once_and_no_secret_with_it() -> None:
    """Exit 2, before anything is connected."""
    process = await started(
        DATABASE_URL="mysql://me:s3cret-one@host/x", AMQP_URL="http://me:s3cret-two@host",
        STORE_PORT="70000", MAX_RETRIES="many", LEASE_SECONDS="1", LOG_LEVEL="loud",
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 30)
    text = (out + err).decode()
    assert process.returncode == 2
    for name in ("DATABASE_URL", "AMQP_URL", "STORE_PORT", "MAX_RETRIES", "LEASE_SECONDS"):
        assert f"{name}:" in text
    assert "6 settings are wrong" in text
    assert "s3cret" not in text
    assert "Traceback" not in text


async def test_what_is_missing_is_told_by_name() -> None:
    """The two that have no default."""
    process = await started()
    _, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert b"DATABASE_URL: is required" in err
    assert b"AMQP_URL: is required" in err


async def test_two_that_start_on_an_empty_database_both_come_up(postgres: PostgresServer) -> None:
    """One migrates, the other waits for it; a job of one is the other's; SIGTERM is exit 0."""
    url = postgres.create_database()
    async with running(url) as (one, to_one), running(url) as (two, to_two):
        await asyncio.gather(becomes(to_one, SERVING), becomes(to_two, SERVING))
        job = await create(to_one)
        request = sb.GetJobRequest(tenant="default", job_id=job.job_id)
        assert (await JobStoreServiceStub(to_two).GetJob(request)).job.job_id == job.job_id
        for service in ("mediagen.store.v1.JobStoreService", ""):
            assert await health(to_one, service) == SERVING
        with pytest.raises(grpc.aio.AioRpcError):
            await health(to_one, "no.such.Service")
        for process in (one, two):
            process.send_signal(signal.SIGTERM)
        ends = await asyncio.wait_for(asyncio.gather(one.communicate(), two.communicate()), 30)
        assert (one.returncode, two.returncode) == (0, 0)
    password = url.partition("://")[2].partition("@")[0].rpartition(":")[2]
    for out, err in ends:
        assert b"Traceback" not in out + err
        assert b"process.stopped" in out + err
        assert len(password) < 8 or password.encode() not in out + err
    assert await differences(url) == []
    await asyncio.to_thread(postgres.drop_database, url)


async def test_a_job_that_is_not_there_is_told_so_with_its_reason(database_url: str) -> None:
    """Domain errors have their code and ErrorInfo on the wire."""
    async with running(database_url) as (_, channel):
        await becomes(channel, SERVING)
        request = sb.GetJobRequest(tenant="default", job_id="x")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await JobStoreServiceStub(channel).GetJob(request)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert reason(refused.value) == "ERROR_REASON_JOB_NOT_FOUND"


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[PostgresServer]:
    """A Postgres that the test may stop."""
    with postgres_server(tmp_path) as server:
        yield server


async def test_health_says_whether_postgres_answers(mortal: PostgresServer) -> None:
    """Gone: NOT_SERVING and UNAVAILABLE; back: SERVING again, and the process never died."""
    async with running(mortal.url) as (process, channel):
        await becomes(channel, SERVING)
        await create(channel)
        await asyncio.to_thread(mortal.supervised.stop, "postgres")
        await becomes(channel, NOT_SERVING)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await create(channel)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert reason(refused.value) == "ERROR_REASON_UNAVAILABLE"
        assert "connect" not in str(refused.value.details()), "the driver's words are for the log"
        await asyncio.to_thread(mortal.supervised.start, "postgres")
        await becomes(channel, SERVING)
        await create(channel)
        assert process.returncode is None


async def test_without_postgres_it_gives_up_in_time_and_says_why() -> None:
    """Exit 1, in one line, for whoever supervises it."""
    nowhere = "postgresql+asyncpg://me:s3cret-word@127.0.0.1:1/x"
    process = await started(DATABASE_URL=nowhere, AMQP_URL=NOWHERE, CONNECT_TIMEOUT="1")
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert b"Could not reach Postgres within 1 s" in out + err
    assert b"s3cret-word" not in out + err
    assert b"Traceback" not in out + err


async def test_an_exhausted_pool_is_unavailable(database_url: str) -> None:
    """Nothing was changed, and the caller may try again."""
    database = Database(database_url, PoolSettings(size=1, overflow=0, wait=0.2))
    async with database.transaction():
        with pytest.raises(Unavailable):
            await database.read_clock()
    await database.read_clock()
    await database.close()


async def test_calls_beyond_the_pool_are_answered_unavailable(database_url: str) -> None:
    """A lock that somebody holds fills the pool; when it is gone, all is well."""
    env = {"DB_POOL_SIZE": "1", "DB_POOL_OVERFLOW": "1", "DB_POOL_WAIT": "0.5",
           "DB_LOCK_TIMEOUT": "3", "DB_STATEMENT_TIMEOUT": "6"}  # fmt: skip
    holder = Database(database_url, PoolSettings())
    async with running(database_url, **env) as (_, channel):
        await becomes(channel, SERVING)
        async with holder.transaction() as connection:
            await connection.execute(sa.text("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE"))
            answers = await asyncio.gather(
                *(create(channel) for _ in range(6)), return_exceptions=True
            )
        for answer in answers:
            assert isinstance(answer, grpc.aio.AioRpcError)
            assert answer.code() is grpc.StatusCode.UNAVAILABLE
            assert reason(answer) == "ERROR_REASON_UNAVAILABLE"
        await becomes(channel, SERVING)
        await create(channel)
    await holder.close()


async def test_the_migrations_make_the_tables_of_the_code(database_url: str) -> None:
    """Columns, indexes and CHECK constraints: no difference."""
    assert await differences(database_url) == []
