"""A token that is not valid (401), an account without credit (402): jobs wait, and then go on.

MAX_RETRIES is 0 here: a job to which one refusal counted would fail at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import grpc
import httpx
import pytest

from devstack.testing import Broker, PostgresServer, Stack
from mediagen.v1.generation_service_pb2 import GetHealthRequest, GetHealthResponse
from mediagen.v1.generation_service_pb2_grpc import GenerationServiceStub
from store.adapters.invariants import broken
from tests.e2e.api_calls import (
    Json,
    caller,
    finished,
    generate,
    ledger,
    set_fault,
    stack_of_its_own,
)

if TYPE_CHECKING:
    from mediagen.v1.generation_service_pb2_grpc import GenerationServiceAsyncStub

SLOTS, JOBS = 3, 10
ENV = {
    "MAX_RETRIES": "0",
    "GENERATOR_CONCURRENCY": str(SLOTS),
    "PROVIDER_PAUSE": "1",
}


@pytest.fixture(scope="module")
def stack(
    postgres: PostgresServer,
    broker: Broker,
    migrated: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """A stack whose account can be refused without harm to other tests."""
    state = tmp_path_factory.mktemp("refused")
    with stack_of_its_own(postgres, broker, migrated, state, ENV) as started:
        yield started
        assert not asyncio.run(broken(started.database_url))


@dataclass(frozen=True)
class Health:
    """What health says of the provider, on both roads, and of the service as a whole."""

    provider: str
    message: str
    whole: str


async def health(http: httpx.AsyncClient, stack: Stack) -> Health:
    """REST and gRPC, which must say the same unless it changes between two looks."""
    async with grpc.aio.insecure_channel(stack.gateway_address) as channel:
        stub = cast("GenerationServiceAsyncStub", GenerationServiceStub(channel))
        for _ in range(5):
            before = await stub.GetHealth(GetHealthRequest())
            told: Json = (await http.get("/api/v1/health")).json()
            after = await stub.GetHealth(GetHealthRequest())
            rpc = {_provider(before), _provider(after)}
            if len(rpc) == 1:
                break
    [rest] = [each for each in told["components"] if each["name"] == "provider"]
    assert {rest["status"]} == rpc
    return Health(rest["status"], rest["message"], told["status"])


def _provider(answer: GetHealthResponse) -> str:
    [provider] = [each for each in answer.components if each.name == "provider"]
    return str(provider.status)


async def refusals(stack: Stack, code: str) -> int:
    """How many requests the simulator has refused so."""
    return int((await ledger(stack, ""))["refused"].get(code, 0))


@pytest.mark.timeout(180)
@pytest.mark.parametrize("code", ["402", "401"])
async def test_a_refused_account_pauses_all_jobs_and_harms_none(stack: Stack, code: str) -> None:
    """Few calls are tried, health says so, what is paid for goes on; and all end once it works."""
    prompt, running = f"no account {code}", f"paid before {code}"
    async with caller(stack) as http:
        await set_fault(stack, running, "run", arg="4")
        paid = await generate(http, running)
        await _until_sent(stack, running)
        await set_fault(stack, "", code)
        jobs = [await generate(http, f"{prompt}, number {n}") for n in range(JOBS)]

        shut = await _until_shut(http, stack)
        assert (shut.provider, shut.whole) == ("NOT_SERVING", "SERVING")
        assert shut.message
        assert "billing" not in shut.message
        assert (await finished(http, paid["job_id"]))["state"] == "STATE_COMPLETED"
        await _until_asked_again(http, stack, code)
        tried = await refusals(stack, code)
        # Those that were under way together, then one after 1, 2, 4, 8 s.
        assert tried <= SLOTS + 4
        waiting = [(await http.get(f"/api/v1/status/{job['job_id']}")).json() for job in jobs]
        for job in waiting:
            _is_unharmed(job)

        await _clear_faults(stack)
        ended = await asyncio.gather(*(finished(http, job["job_id"]) for job in jobs))
        assert {job["state"] for job in ended} == {"STATE_COMPLETED"}
        made = await ledger(stack, prompt)
        assert made["creates"] == JOBS
        assert await refusals(stack, code) <= tried + 1
        assert (await health(http, stack)).provider == "SERVING"


def _is_unharmed(job: Json) -> None:
    assert job["state"] in ("STATE_PENDING", "STATE_RUNNING"), job  # one may be the probe
    assert job["charge"] == "CHARGE_NO"
    assert {each["state"] for each in job["attempts"]} <= {
        "STATE_NOT_CREATED", "STATE_SUBMITTING"
    }  # fmt: skip
    assert "billing" not in str(job)


async def _until_sent(stack: Stack, prompt: str) -> None:
    async with asyncio.timeout(30):
        while (await ledger(stack, prompt))["creates"] == 0:
            await asyncio.sleep(0.1)


async def _until_shut(http: httpx.AsyncClient, stack: Stack) -> Health:
    async with asyncio.timeout(30):
        while (found := await health(http, stack)).provider == "SERVING":
            await asyncio.sleep(0.1)
    return found


async def _until_asked_again(http: httpx.AsyncClient, stack: Stack, code: str) -> None:
    """The account was asked twice more; health never said that it works meanwhile."""
    first = await refusals(stack, code)
    end = time.monotonic() + 40
    while await refusals(stack, code) < first + 2:
        assert time.monotonic() < end, "the account is not asked again"
        assert (await health(http, stack)).provider == "NOT_SERVING"
        await asyncio.sleep(0.2)


async def _clear_faults(stack: Stack) -> None:
    async with httpx.AsyncClient(trust_env=False) as control:
        (await control.delete(f"{stack.simulator_url}/_simulator/faults")).raise_for_status()
