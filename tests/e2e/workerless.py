"""A stack without generators, to which a test adds its own, and what it asks of jobs there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from devstack.testing import Broker, PostgresServer, Stack

MODEL = "black-forest-labs/flux-schnell"
FINAL = ("STATE_COMPLETED", "STATE_FAILED", "STATE_CANCELED")
QUICK = {
    "PROVIDER_CREATES_PER_MINUTE": "0",
    "LEASE_SECONDS": "4",
    "RECONCILE_SETTLE": "1",
    "RECONCILE_SCAN_GAP": "1",
    "SIMULATOR_SPEED": "10",
}

Json = dict[str, Any]


@contextmanager
def workerless_stack(
    postgres: PostgresServer,
    broker: Broker,
    template: str,
    folder: Path,
    more: Mapping[str, str] | None = None,
) -> Iterator[Stack]:
    """Everything but generators, on a database and virtual host of its own."""
    from store.adapters.invariants import broken

    url, vhost = postgres.create_database(template), broker.create_vhost()
    env = {**QUICK, "DATABASE_URL": url, "AMQP_URL": vhost, **(more or {})}
    with Stack(folder, env=env, without=["generator-1"]) as running:
        yield running
    lines = asyncio.run(broken(url))
    postgres.drop_database(url)
    broker.delete_vhost(vhost)
    assert not lines, "\n".join(lines)


def submit(stack: Stack, prompt: str, *, timeout: str = "600s", **more: Any) -> str:
    """The id of a new job."""
    body = {"model": MODEL, "prompt": prompt, "timeout": timeout, **more}
    answer = httpx.post(f"{stack.edge_url}/api/v1/generate", json=body, trust_env=False, timeout=30)
    job_id: str = answer.raise_for_status().json()["job_id"]
    return job_id


def job_of(stack: Stack, job_id: str) -> Json:
    """The job as it is now."""
    url = f"{stack.edge_url}/api/v1/status/{job_id}"
    found: Json = httpx.get(url, trust_env=False, timeout=30).raise_for_status().json()
    return found


def cancel(stack: Stack, job_id: str) -> Json:
    """The job once the cancel is noted."""
    url = f"{stack.edge_url}/api/v1/jobs/{job_id}:cancel"
    found: Json = httpx.post(url, json={}, trust_env=False, timeout=30).raise_for_status().json()
    return found


def until(
    stack: Stack, job_id: str, holds: Callable[[Json], bool], seconds: float = 60, what: str = ""
) -> Json:
    """The job as soon as *holds* does."""
    end = time.monotonic() + seconds
    while not holds(job := job_of(stack, job_id)):
        assert time.monotonic() < end, f"{what or 'what was waited for'} did not come: {job}"
        time.sleep(0.1)
    return job


def final(stack: Stack, job_id: str, seconds: float = 60) -> Json:
    """The job once it has ended."""
    return until(stack, job_id, lambda job: job["state"] in FINAL, seconds, "an end")


def last_is(*states: str) -> Callable[[Json], bool]:
    """The job's newest attempt is in one of *states*."""
    return lambda job: bool(job["attempts"]) and job["attempts"][-1]["state"] in states


def submitted(stack: Stack, job_id: str) -> Json:
    """The job once the provider has its call."""
    return until(stack, job_id, last_is("STATE_SUBMITTED"), what="a submitted call")


def fault(stack: Stack, name: str, *, match: str = "", count: int | None = 1, **more: Any) -> None:
    """One more fault of the simulator, for prompts that contain *match*."""
    rule = {"name": name, "match": match, "count": count, **more}
    url = f"{stack.simulator_url}/_simulator/faults"
    httpx.post(url, json=rule, trust_env=False).raise_for_status()


def finish(stack: Stack, match: str) -> None:
    """The runs for prompts that contain *match* come to their end now."""
    url = f"{stack.simulator_url}/_simulator/finish"
    httpx.post(url, params={"match": match}, trust_env=False).raise_for_status()


def read(stack: Stack, query: str, *given: object) -> list[Json]:
    """Rows of the stack's database."""

    async def fetched() -> list[Json]:
        connection = await asyncpg.connect(stack.database_url.replace("+asyncpg", ""))
        try:
            return [dict(row) for row in await connection.fetch(query, *given)]
        finally:
            await connection.close()

    return asyncio.run(fetched())
