"""What does a client see while a part is away, and is what was acknowledged done in the end?

async with submitting(stack, "a fox without a broker") as caller:
    await caller.more(5)
    ...                          # break something
    await caller.more(5)         # or: await caller.refused()
await caller.completed()         # every one of them, and none paid for twice
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import grpc
import httpx

from devstack.testing import Stack
from mediagen import errors
from mediagen.requests import submit_request
from mediagen.v1 import generation_service_pb2 as pb2
from mediagen.v1.generation_service_pb2_grpc import GenerationServiceStub
from mediagen.v1.job_pb2 import Job
from tests.e2e.api_calls import FLUX, SMALL, caller, ledger
from tests.e2e.workers import assert_never_paid_twice

if TYPE_CHECKING:
    from mediagen.v1.generation_service_pb2_grpc import GenerationServiceAsyncStub

# A dead worker's jobs, and a call whose answer was lost, are looked after within seconds.
QUICK = {
    "PROVIDER_CREATES_PER_MINUTE": "0",
    "CREATE_TIMEOUT": "5",
    "LEASE_SECONDS": "6",
    "LEASE_HEARTBEAT": "1",
    "RECONCILE_SETTLE": "1",
    "RECONCILE_SCAN_GAP": "1",
    "SIMULATOR_SPEED": "10",
}
FINAL = (Job.STATE_COMPLETED, Job.STATE_FAILED, Job.STATE_CANCELED)
_OPEN = (Job.STATE_PENDING, Job.STATE_RUNNING)
AHEAD = 8
PATIENCE = 180.0  #: seconds; what takes one on a quiet machine may take many on a busy one
_CALL_SECONDS = 8.0
_IDLE = 0.1
_LABEL = "outage"


@contextmanager
def stack_on(
    database: str, amqp: str, state: Path, more: Mapping[str, str] | None = None, **counts: int
) -> Iterator[Stack]:
    """The whole stack on this database and this broker (or these), with short leases."""
    env = {**QUICK, "DATABASE_URL": database, "AMQP_URL": amqp, **(more or {})}
    with Stack(state, env=env, **counts) as stack:  # type: ignore[arg-type]
        yield stack


@dataclass(frozen=True)
class Refused:
    """One submission that was not acknowledged, and what its caller was told."""

    code: str
    reason: str
    retry_delay: float | None


class Submitter:
    """A client that submits one job after the other, each until it is acknowledged.

    A repeat has the request_id of the first try, and comes when the refusal says, else soon. The
    client is a few jobs ahead of what its test waits for, so that there is always something under
    way; a long outage does not make a long line.
    """

    def __init__(
        self, stack: Stack, what: str, address: str, pause: float, ahead: int = AHEAD
    ) -> None:
        self.acknowledged: list[str] = []
        self.refusals: list[Refused] = []
        self.what = what
        self._stack, self._address, self._pause, self._ahead = stack, address, pause, ahead
        self._label = uuid.uuid4().hex
        self._stopping = asyncio.Event()
        self._wanted = 0

    async def run(self) -> None:
        """Submits until `stop`, and then until the last one is acknowledged."""
        async with _stub(self._address) as stub:
            while not self._stopping.is_set():
                pause = _IDLE
                if len(self.acknowledged) < self._wanted + self._ahead:
                    await self._submit(stub)
                    pause = self._pause
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause)

    def stop(self) -> None:
        self._stopping.set()

    async def more(self, count: int, within: float = PATIENCE) -> None:
        """Waits until so many more are acknowledged than at this moment."""
        wanted = self._wanted = len(self.acknowledged) + count
        await until(lambda: len(self.acknowledged) >= wanted, within, lambda: str(self.refusals))

    async def refused(self, within: float = PATIENCE) -> Refused:
        """Waits for a refusal later than this moment."""
        before, self._wanted = len(self.refusals), len(self.acknowledged) + 1
        await until(lambda: len(self.refusals) > before, within)
        return self.refusals[before]

    async def completed(self, within: float = PATIENCE) -> list[Job]:
        """Every acknowledged job, once all are COMPLETED; a repeat made no second job, and none was
        paid for twice."""
        jobs = await self._ended(within)
        states = {job.job_id: Job.State.Name(job.state) for job in jobs}
        assert set(states) == set(self.acknowledged)
        assert set(states.values()) == {"STATE_COMPLETED"}, states
        await assert_paid_once(self._stack, {job.request.prompt for job in jobs}, self.what)
        return jobs

    async def listed(self) -> list[Job]:
        """The jobs of this client as they are now."""
        jobs: list[Job] = []
        token = ""
        async with _stub(self._stack.gateway_address) as stub:
            while True:
                page = await stub.ListJobs(
                    pb2.ListJobsRequest(
                        labels=[f"{_LABEL}={self._label}"], page_size=200, page_token=token
                    ),
                    timeout=_CALL_SECONDS,
                )
                jobs += page.jobs
                if not (token := page.next_page_token):
                    return jobs

    async def _ended(self, within: float) -> list[Job]:
        """That nothing was created for a lost answer is believed only once the provider's list
        shows a later call of ours: a busy account makes those, and so do we."""
        later = Submitter(self._stack, "a later call", self._stack.gateway_address, 4, ahead=1000)
        jobs: list[Job] = []

        async def ended() -> bool:
            jobs[:] = await self.listed()
            return all(job.state in FINAL for job in jobs)

        making = asyncio.create_task(later.run())
        try:
            await until(ended, within, lambda: str([job for job in jobs if job.state in _OPEN]))
        finally:
            making.cancel()
            await asyncio.gather(making, return_exceptions=True)
        return jobs

    async def _submit(self, stub: GenerationServiceAsyncStub) -> None:
        request = submit_request(
            f"{self.what} {len(self.acknowledged)}",
            model=FLUX,
            request_id=str(uuid.uuid4()),
            input=SMALL,
            timeout=600,
            labels={_LABEL: self._label},
            priority=None,
            webhook=None,
        )
        while True:
            try:
                answer = await stub.SubmitJob(request, timeout=_CALL_SECONDS)
            except grpc.aio.AioRpcError as error:
                told = errors.from_call(error)
                self.refusals.append(Refused(error.code().name, told.reason, told.retry_delay))
                await asyncio.sleep(told.retry_delay or 0.2)
            else:
                self.acknowledged.append(answer.job.job_id)
                return


@asynccontextmanager
async def submitting(
    stack: Stack, what: str, *, address: str = "", pause: float = 0.2
) -> AsyncIterator[Submitter]:
    """A client at work, on the first gateway's own port if no *address* is given. *what* begins
    each prompt and belongs to one test alone."""
    client = Submitter(stack, what, address or stack.gateway_address, pause)
    task = asyncio.create_task(client.run())
    try:
        yield client
        client.stop()
        async with asyncio.timeout(PATIENCE):
            await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def assert_paid_once(stack: Stack, prompts: set[str], match: str) -> None:
    """By the simulator's own ledger: one success for each, and never two calls alive."""
    made: dict[str, list[dict[str, Any]]] = {prompt: [] for prompt in prompts}
    for call in (await ledger(stack, match))["predictions"]:
        made[call["input"]["prompt"]].append(call)
    for prompt, calls in made.items():
        assert_never_paid_twice(calls)
        assert [call["status"] for call in calls].count("succeeded") == 1, (prompt, calls)


async def assert_rest_says_try_again(stack: Stack) -> None:
    """503, as google.rpc.Status: UNAVAILABLE, and after how long to try again, twice."""
    async with caller(stack) as http:
        body = {"model": FLUX, "prompt": "refused"}
        answer = await http.post("/api/v1/generate", json=body)
    assert answer.status_code == 503, answer.text
    status = answer.json()
    assert status["code"] == grpc.StatusCode.UNAVAILABLE.value[0]
    kinds = {detail["@type"].rpartition(".")[2]: detail for detail in status["details"]}
    assert float(kinds["RetryInfo"]["retry_delay"].removesuffix("s")) > 0
    assert int(answer.headers["retry-after"]) > 0


async def health(stack: Stack) -> tuple[int, dict[str, str]]:
    """The HTTP status of /api/v1/health, and the word for each part."""
    async with caller(stack) as http:
        answer = await http.get("/api/v1/health")
    return answer.status_code, {
        part["name"]: part["status"] for part in answer.json().get("components", ())
    }


async def reachable(stack: Stack) -> bool:
    """The edge lets a call through to a store with a database."""
    try:
        return (await health(stack))[0] == 200
    except httpx.TransportError:
        return False


async def until(
    condition: Callable[[], object],
    within: float = PATIENCE,
    otherwise: Callable[[], str] = lambda: "",
) -> None:
    """Waits until *condition*, which may be a coroutine function, is true."""
    deadline = time.monotonic() + within
    while True:
        holds = condition()
        if asyncio.iscoroutine(holds):
            holds = await holds
        if holds:
            return
        assert time.monotonic() < deadline, f"not within {within} s. {otherwise()}"
        await asyncio.sleep(0.1)


@asynccontextmanager
async def _stub(address: str) -> AsyncIterator[GenerationServiceAsyncStub]:
    options = [("grpc.max_reconnect_backoff_ms", 500), ("grpc.enable_http_proxy", 0)]
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        yield cast("GenerationServiceAsyncStub", GenerationServiceStub(channel))
