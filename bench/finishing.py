"""How many jobs a second from submit to stored picture, with a provider that takes no time?"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from bench import database
from bench.load import channel, run
from bench.requests import submit_request
from bench.rig import Rig
from mediagen.v1 import generation_service_pb2_grpc as pb2_grpc

_DONE = "SELECT count(*) FROM jobs WHERE state = 'COMPLETED'"
_RATE = """
    SELECT count(*) / extract(epoch FROM max(end_time) - min(create_time))::float8
    FROM jobs WHERE state = 'COMPLETED'
"""
_LONGEST = 120.0


def jobs_per_second(rig: Rig, jobs: int, clients: int) -> float:
    """*jobs* submitted at once by *clients*; from the first create time to the last end time."""
    rig.run("database", database.forget_jobs, rig.database_url)
    rig.run("grpc", submit, rig.gateway, clients, [None] * jobs)
    rig.run("database", database.wait_for, rig.database_url, _DONE, jobs, _LONGEST)
    rate: float = rig.run("database", database.value, rig.database_url, _RATE)
    return rate


def submit(address: str, clients: int, prompts: list[str | None]) -> list[str]:
    """The ids of jobs with these *prompts* (None: the usual one)."""

    async def load() -> list[str]:
        waiting, ids = list(prompts), []
        async with AsyncExitStack() as stack:

            async def client() -> None:
                opened = await stack.enter_async_context(channel(address))
                stub = pb2_grpc.GenerationServiceStub(opened)
                while waiting:
                    prompt = waiting.pop()
                    request = submit_request(prompt) if prompt else submit_request()
                    answer = await stub.SubmitJob(request)
                    ids.append(answer.job.job_id)

            async with asyncio.TaskGroup() as group:
                for _ in range(clients):
                    group.create_task(client())
        return ids

    return run(load())
