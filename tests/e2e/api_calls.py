"""How do the tests here call the API, and read what it says, over REST and over gRPC alike?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status

from devstack.testing import Broker, PostgresServer, Stack

MODEL = "stability-ai/stable-diffusion-3"
FLUX = "black-forest-labs/flux-schnell"
SERVICE = "mediagen.v1.GenerationService"
# One of the smallest pictures: the simulator really draws it.
SMALL = {"megapixels": "0.25"}
NO_JOB = "01a20000-0000-7000-8000-000000000000"
FINAL = ("STATE_COMPLETED", "STATE_FAILED", "STATE_CANCELED")
FRIEND = "http://friend.example"

Json = dict[str, Any]


@contextmanager
def stack_of_its_own(
    postgres: PostgresServer,
    broker: Broker,
    template: str,
    state: Path,
    more: Mapping[str, str] | None = None,
    *,
    of_each: int = 1,
) -> Iterator[Stack]:
    """A stack on a new database and virtual host, with a simulator ten times faster than life.

    more: variables beside those; of_each: how many stores, gateways and generators.
    """
    database, amqp = postgres.create_database(template), broker.create_vhost()
    env = {
        "DATABASE_URL": database,
        "AMQP_URL": amqp,
        "ALLOWED_ORIGINS": FRIEND,
        "PROVIDER_CREATES_PER_MINUTE": "0",
        "SIMULATOR_SPEED": "10",
        **(more or {}),
    }
    with Stack(state, env=env, stores=of_each, gateways=of_each, generators=of_each) as stack:
        yield stack
    postgres.drop_database(database)
    broker.delete_vhost(amqp)


def caller(stack: Stack) -> httpx.AsyncClient:
    """An HTTP client of the edge."""
    return httpx.AsyncClient(base_url=stack.edge_url, timeout=60, trust_env=False)


async def generate(http: httpx.AsyncClient, prompt: str, **more: Any) -> Json:
    """Submits over REST and returns the job."""
    answer = await http.post("/api/v1/generate", json={"prompt": prompt, "model": MODEL, **more})
    assert answer.status_code == 200, answer.text
    job: Json = answer.json()
    return job


async def finished(http: httpx.AsyncClient, job_id: str, seconds: float = 60) -> Json:
    """The job once it is final. Watched, since polling would keep the machine from the work."""
    async with asyncio.timeout(seconds):
        await http.get(f"/api/v1/jobs/{job_id}:watch", timeout=seconds)
    job: Json = (await http.get(f"/api/v1/status/{job_id}")).json()
    assert job["state"] in FINAL, job
    return job


async def completed(http: httpx.AsyncClient, prompt: str, **more: Any) -> Json:
    """Submits a job and returns it once it is completed."""
    job = await finished(http, (await generate(http, prompt, **more))["job_id"])
    assert job["state"] == "STATE_COMPLETED", job
    return job


async def set_fault(stack: Stack, prompt: str, name: str, **more: Any) -> None:
    """A fault of the simulator for the predictions whose prompt contains *prompt*."""
    async with httpx.AsyncClient(trust_env=False) as http:
        rule = {"name": name, "match": prompt, **more}
        answer = await http.post(f"{stack.simulator_url}/_simulator/faults", json=rule)
        assert answer.status_code == 200, answer.text


async def ledger(stack: Stack, match: str) -> Json:
    """What the simulator was asked to make, for the prompts that contain *match*."""
    async with httpx.AsyncClient(trust_env=False) as http:
        url = f"{stack.simulator_url}/_simulator/ledger"
        found: Json = (await http.get(url, params={"match": match})).json()
        return found


async def frames(answer: httpx.Response) -> AsyncIterator[Json]:
    """The frames of server-sent events that carry data: their fields by name."""
    frame: Json = {}
    async for line in answer.aiter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            frame[name] = value
        elif not line:
            if "data" in frame:
                yield frame
            frame = {}


@dataclass(frozen=True)
class Refusal:
    """What a refused call says: the same on every road."""

    code: str
    reason: str = ""
    fields: frozenset[str] = frozenset()
    metadata: dict[str, str] = field(default_factory=dict, compare=False)
    message: str = field(default="", compare=False)


def invalid(*fields: str) -> Refusal:
    """A request whose BadRequest names these fields and no other."""
    return Refusal("INVALID_ARGUMENT", "ERROR_REASON_INVALID_REQUEST", frozenset(fields))


JOB_NOT_FOUND = Refusal("NOT_FOUND", "ERROR_REASON_JOB_NOT_FOUND")
ARTIFACT_NOT_FOUND = Refusal("NOT_FOUND", "ERROR_REASON_ARTIFACT_NOT_FOUND")
PAGE_TOKEN_INVALID = Refusal("INVALID_ARGUMENT", "ERROR_REASON_PAGE_TOKEN_INVALID")
REQUEST_ID_REUSED = Refusal("ALREADY_EXISTS", "ERROR_REASON_REQUEST_ID_REUSED")
HTTP_STATUSES = {
    "INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "NOT_FOUND": 404, "ALREADY_EXISTS": 409,
}  # fmt: skip


async def refused(call: Any) -> Refusal:
    """How a gRPC call was refused, stream or not."""
    try:
        if hasattr(call, "__aiter__"):
            async for _ in call:
                pass
        else:
            await call
    except grpc.aio.AioRpcError as error:
        status = rpc_status.from_call(error)
        info, bad = ErrorInfo(), BadRequest()
        for detail in status.details if status else ():
            detail.Unpack(info)
            detail.Unpack(bad)
        return Refusal(
            error.code().name,
            info.reason,
            frozenset(each.field for each in bad.field_violations),
            dict(info.metadata),
            str(error.details()),
        )
    raise AssertionError("not refused")


def refused_over_http(answer: httpx.Response, status: int | None = None) -> Refusal:
    """How a REST call was refused: a google.rpc.Status under the HTTP status of its code."""
    assert answer.status_code >= 400, answer.text
    assert answer.headers["content-type"] == "application/json"
    told: Json = answer.json()
    assert set(told) == {"code", "message", "details"}
    code = code_pb2.Code.Name(told["code"])
    assert answer.status_code == (status or HTTP_STATUSES[code]), answer.text
    info: Json = {}
    fields: list[str] = []
    for detail in told["details"]:
        kind = detail["@type"].rpartition(".")[2]
        if kind == "ErrorInfo":
            info = detail
        elif kind == "BadRequest":
            fields = [each.get("field", "") for each in detail["field_violations"]]
    return Refusal(
        code, info.get("reason", ""), frozenset(fields), info.get("metadata", {}), told["message"]
    )
