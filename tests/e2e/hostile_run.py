"""How do a hundred jobs meet a hundred faults at once? Submitted together, awaited together.

    caller ─▶ stack without a generator ─▶ generator ─▶ door ─▶ simulator (a fault for each prompt)
                                                    └─▶ the trap: a host that nobody may call
The door is a listener of our own in front of the simulator: shut, it refuses connections.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
import uuid
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from devstack.testing import Stack
from simulator import doorway
from tests.e2e.api_calls import FINAL, Json, caller
from tests.e2e.hostile_cases import CASES, LIST_FAULTS, MODEL, TRAP, Case, Fault
from tests.e2e.workers import Generator

TOKEN = "r8_a_token_that_must_stay_here"
LARGEST_FILE = 3_000_000
LONGEST = 240.0


@dataclass
class Ended:
    """What became of one case."""

    case: Case
    prompt: str
    job: Json = field(default_factory=dict)
    text: str = ""  #: the job as the caller reads it
    calls: list[dict[str, object]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


@dataclass
class Run:
    """What became of all of them."""

    ended: dict[str, Ended]
    rules: list[Json] = field(default_factory=list)  #: the simulator's faults, and how often taken
    auth_leaks: list[Json] = field(default_factory=list)
    trapped: list[bytes] = field(default_factory=list)  #: what foreign hosts were sent
    said: str = ""  #: the generator's log


@dataclass
class Door:
    """Lets connections through to the simulator, or refuses them."""

    port: int
    target: int
    server: asyncio.Server | None = None

    async def open(self) -> None:
        self.server = await doorway.listen(self.port, "127.0.0.1", self.target)
        self.port = self.server.sockets[0].getsockname()[1]

    def shut(self) -> None:
        assert self.server is not None
        self.server.close()


def run_all(stack: Stack, log: Path) -> Run:
    """Every case to its end, or as far as it came."""
    run = asyncio.run(_run(stack, log))
    run.said = log.read_text()
    return run


async def _run(stack: Stack, log: Path) -> Run:
    ended = {
        case.name: Ended(case, f"hostile case {number:03d}.") for number, case in enumerate(CASES)
    }
    run = Run(ended)
    door = Door(0, int(stack.simulator_url.rpartition(":")[2]))
    await door.open()
    url = f"http://127.0.0.1:{door.port}"
    env = {
        "REPLICATE_BASE_URL": url,
        "REPLICATE_DELIVERY_HOSTS": url.removeprefix("http://"),
        "REPLICATE_API_TOKEN": TOKEN,
        "CREATE_TIMEOUT": "8",
        "PROVIDER_PATIENCE": "15",
        "MAX_ARTIFACT_BYTES": str(LARGEST_FILE),
    }
    async with _trap(run.trapped) as trap, caller(stack) as http, _control(stack) as control:
        await _set_faults(control, ended.values(), trap)
        with Generator(stack, log, env):
            await _until(lambda: "account.known" in log.read_text(), 30)
            door.shut()
            behind = [each for each in ended.values() if each.case.door]
            await _submit(http, behind)
            while not all(_tried(each.job) for each in behind):
                await asyncio.sleep(0.2)
                await _refresh(http, behind)
            await door.open()
            # Those with little time first, before the rest keeps the machine from them.
            others = [each for each in ended.values() if not each.case.door]
            await _submit(http, [each for each in others if each.case.timeout < 100])
            await asyncio.sleep(3)
            await _submit(http, [each for each in others if each.case.timeout >= 100])
            await _to_the_end(http, control, ended.values(), trap)
        run.rules = (await control.get("/_simulator/faults")).json()["active"]
        for each in ended.values():
            answer = await control.get("/_simulator/ledger", params={"match": each.prompt})
            each.calls = answer.json()["predictions"]
            run.auth_leaks = answer.json()["auth_leaks"]
            await _read(http, each)
    door.shut()
    return run


async def _to_the_end(
    http: httpx.AsyncClient, control: httpx.AsyncClient, ended: Any, trap: str
) -> None:
    end = time.monotonic() + LONGEST
    async with asyncio.TaskGroup() as group:
        others = [
            group.create_task(_hostile_list(control, trap)),
            group.create_task(_later_calls(http)),
            *(group.create_task(_cancel(http, each)) for each in ended if each.case.cancel),
        ]
        while time.monotonic() < end and any(_open(each) for each in ended):
            await asyncio.sleep(2)
            await _refresh(http, list(ended))
        for each in others:
            each.cancel()


def _open(ended: Ended) -> bool:
    return ended.job.get("state") not in FINAL


def _tried(job: Json) -> bool:
    return bool(job["attempts"]) and job["attempts"][0]["state"] != "STATE_SUBMITTING"


async def _set_faults(control: httpx.AsyncClient, ended: Any, trap: str) -> None:
    rules = [_rule(fault, each.prompt, trap) for each in ended for fault in each.case.faults]
    (await control.put("/_simulator/faults", json=rules)).raise_for_status()


def _rule(fault: Fault, match: str, trap: str) -> Json:
    rule: Json = {"name": fault.name, "on": fault.on, "match": match, "count": fault.count}
    if fault.arg:
        rule["arg"] = trap if fault.arg == TRAP else fault.arg
    return rule


async def _submit(http: httpx.AsyncClient, cases: Sequence[Ended]) -> None:
    turns = asyncio.Semaphore(8)

    async def one(each: Ended) -> None:
        given = {"megapixels": "0.25", **each.case.input}
        async with turns:
            each.job = await _generate(http, each.prompt, given, each.case.timeout, each.case.model)

    await asyncio.gather(*(one(each) for each in cases))


async def _generate(
    http: httpx.AsyncClient, prompt: str, given: Json, timeout: int, model: str = MODEL
) -> Json:
    body = {"prompt": prompt, "model": model, "input": given, "timeout": f"{timeout}s"}
    body["request_id"] = str(uuid.uuid4())
    for _ in range(20):
        answer = await http.post("/api/v1/generate", json=body)
        if answer.status_code != 503:
            break
        await asyncio.sleep(0.5)
    assert answer.status_code == 200, answer.text
    job: Json = answer.json()
    return job


async def _refresh(http: httpx.AsyncClient, cases: Sequence[Ended]) -> None:
    """Page by page: to ask for each would keep the machine from the work."""
    token = ""
    found: dict[str, Json] = {}
    while True:
        query = {"page_size": "200", "page_token": token}
        answer = await http.get("/api/v1/jobs", params=query)
        if answer.status_code != 200:
            return  # the next turn reads again
        page = answer.json()
        found |= {job["job_id"]: job for job in page["jobs"]}
        token = page.get("next_page_token") or ""
        if not token:
            break
    for each in cases:
        each.job = found.get(each.job["job_id"], each.job)


async def _cancel(http: httpx.AsyncClient, ended: Ended) -> None:
    """Once its call is known, and has run for a moment."""
    while not (
        ended.job.get("stage") == "STAGE_PROCESSING"
        or (ended.job.get("stage") == "STAGE_STARTING" and ended.case.charge == "NO")
    ):
        await asyncio.sleep(0.2)
    answer = await http.post(f"/api/v1/jobs/{ended.job['job_id']}:cancel", json={})
    assert answer.status_code == 200, answer.text


async def _later_calls(http: httpx.AsyncClient) -> None:
    """That nothing was created is believed only once the list shows a later call of ours."""
    for number in range(100):
        await asyncio.sleep(5)
        await _generate(http, f"a later call, number {number}", {"megapixels": "0.25"}, 600)


async def _hostile_list(control: httpx.AsyncClient, trap: str) -> None:
    """One fault after the other, each once the last was met."""
    for fault in LIST_FAULTS:
        (await control.post("/_simulator/faults", json=_rule(fault, "", trap))).raise_for_status()
        while (await control.get("/_simulator/faults")).json()["active"][-1]["taken"] == 0:
            await asyncio.sleep(0.2)


async def _read(http: httpx.AsyncClient, ended: Ended) -> None:
    """The job, and its files, as the caller gets them."""
    answer = await http.get(f"/api/v1/status/{ended.job['job_id']}")
    ended.job, ended.text = answer.json(), answer.text
    for artifact in ended.job["artifacts"]:
        path = f"/api/v1/jobs/{ended.job['job_id']}/artifacts/{artifact['index']}"
        body = (await http.get(path)).content
        assert hashlib.sha256(body).hexdigest() == artifact["sha256"]
        ended.bodies.append(body)


@asynccontextmanager
async def _control(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=stack.simulator_url, trust_env=False) as client:
        yield client


@asynccontextmanager
async def _trap(received: list[bytes]) -> AsyncIterator[str]:
    """The address of a host that is not the provider's. Whoever calls it is noted."""

    async def note(reader: StreamReader, writer: StreamWriter) -> None:
        received.append(b"")
        with suppress(ConnectionError):
            received.append(await reader.read(65536))
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"


async def _until(true: Callable[[], bool], within: float) -> None:
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.1)
