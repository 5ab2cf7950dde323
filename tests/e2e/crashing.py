"""Who is killed where, and what must be true of its job afterwards?

A `Crash` is one failpoint, at which a process of nursery.py dies by SIGKILL, and the job that leads
there; its `Scene` says how. `Crash.check` is what holds whatever died: the simulator's own ledger
shows no second live call and none after a success, the job ended as it should, and what it names is
there.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from devstack.testing import Stack

from .nursery import Newborn
from .workers import assert_never_paid_twice, calls

MODEL = "black-forest-labs/flux-schnell"
QUICK = {
    "PROVIDER_CREATES_PER_MINUTE": "0",
    "CREATE_TIMEOUT": "3",
    "LEASE_HEARTBEAT": "1",
    "RECONCILE_SETTLE": "1",
    "RECONCILE_SCAN_GAP": "1",
    "SIMULATOR_SPEED": "5",
}
OPEN = ("STATE_PENDING", "STATE_RUNNING")

Json = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """One rule of the simulator; *endless* ones hit every request of the job's predictions."""

    name: str
    argument: str = ""
    on: str = "create"
    endless: bool = False


@dataclass(frozen=True)
class Scene:
    """What leads a job past a failpoint, and how the job ends all the same.

    passes: which passing of the failpoint kills; act: what is done to the job, or around it, once
    it runs; early: the job is submitted before the first crash, as it needs time to get there;
    paid: how many of its calls succeed.
    """

    faults: tuple[Fault, ...] = ()
    passes: int = 1
    act: str = ""
    early: bool = False
    ends: str = "STATE_COMPLETED"
    reason: str = ""
    paid: int = 1


@dataclass
class Crash:
    """One failpoint, its job, and whether a process died there."""

    name: str
    scene: Scene
    mark: Path
    prompt: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    model: str = MODEL
    input: Json = field(default_factory=lambda: {"megapixels": "0.25"})
    job_id: str = ""
    died: bool = False
    job: Json = field(default_factory=dict)
    anew: str = ""  #: the job that an operator had made of it
    made_again: Json = field(default_factory=dict)

    @property
    def setting(self) -> dict[str, str]:
        """The victim's environment."""
        failpoint = f"{self.name}:{self.scene.passes}"
        return {"MEDIAGEN_FAILPOINT": failpoint, "MEDIAGEN_FAILPOINT_MARK": str(self.mark)}

    @property
    def ended(self) -> bool:
        jobs = [self.job, self.made_again] if self.anew else [self.job]
        return all(job.get("end_time") is not None for job in jobs)

    def asks(self, verb: str) -> tuple[str, Json]:
        """Where the API is asked to do that to the job, and in which words."""
        match verb:
            case "submit":
                return "/api/v1/generate", {
                    "model": self.model, "prompt": self.prompt, "request_id": self.request_id,
                    "timeout": "600s", "input": self.input,
                }  # fmt: skip
            case "cancel":
                return f"/api/v1/jobs/{self.job_id}:cancel", {}
        return f"/api/v1/dead-letters:{verb}", {"job_ids": [self.job_id]}

    def check(self, stack: Stack) -> None:
        """Somebody died there, and nothing was lost or paid twice over it."""
        assert self.died, f"nobody came past {self.name}"
        assert self.job.get("state") == self.scene.ends, self.job
        failure = self.job.get("failure") or {}
        assert failure.get("reason", "") == self.scene.reason, failure
        assert bool(failure.get("message")) == bool(self.scene.reason)
        opened = {"STATE_SUBMITTING", "STATE_SUBMITTED", "STATE_UNKNOWN"}
        assert not opened & {each["state"] for each in self.job["attempts"]}, self.job["attempts"]
        made = calls(stack, self.prompt)
        assert_never_paid_twice(made)
        assert len([call for call in made if call["status"] == "succeeded"]) == self.scene.paid
        if self.scene.act == "redrive":
            assert self.made_again["state"] == "STATE_COMPLETED", self.made_again
        for job in (self.job, self.made_again):
            if job.get("state") == "STATE_COMPLETED":
                assert job["artifacts"]
                for artifact in job["artifacts"]:
                    self._check_artifact(stack, job["job_id"], artifact)

    def _check_artifact(self, stack: Stack, job_id: str, artifact: Json) -> None:
        url = f"{stack.edge_url}/api/v1/jobs/{job_id}/artifacts/{artifact['index']}"
        if artifact.get("delete_time"):
            assert httpx.get(url, timeout=60, trust_env=False).status_code == 410
            return
        body = httpx.get(url, timeout=60, trust_env=False).content
        assert len(body) == artifact["size_bytes"]
        assert hashlib.sha256(body).hexdigest() == artifact["sha256"]
        if preview := artifact.get("preview"):
            small = httpx.get(f"{url}/preview", timeout=60, trust_env=False).content
            assert len(small) == preview["size_bytes"]


def crashes_of(
    names: tuple[str, ...], scenes: Mapping[str, Scene], request: pytest.FixtureRequest
) -> list[Crash]:
    """One for each failpoint that a chosen test is about. Its scene is that of its name, or of its
    step, or none at all."""
    unused = set(scenes) - set(names) - {name.partition("_")[2] for name in names}
    assert not unused, f"scenes of no failpoint: {unused}"
    chosen = {
        item.callspec.params.get("name")
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path
        if hasattr(item, "callspec")
    }
    marks: Path = request.getfixturevalue("tmp_path_factory").mktemp("marks")
    found = []
    for name in names:
        scene = scenes.get(name) or scenes.get(name.partition("_")[2]) or Scene()
        found.append(Crash(name, scene, marks / name, f"a fox at {name} of the road"))
    return [crash for crash in found if crash.name in chosen] or found


async def killed(victim: Newborn, crash: Crash, seconds: float = 60) -> None:
    """Waits until it is dead, or for so long. Only the failpoint leaves the mark."""
    end = time.monotonic() + seconds
    while not victim.gone and time.monotonic() < end:
        await asyncio.sleep(0.02)
    crash.died = victim.gone and crash.mark.exists()


async def rewrite(stack: Stack, statement: str, *arguments: object) -> None:
    """Changes a time in the database, in place of waiting for it."""
    connection = await asyncpg.connect(stack.database_url.replace("+asyncpg", ""))
    try:
        await connection.execute(statement, *arguments)
    finally:
        await connection.close()


class Caller:
    """A client that repeats what was not answered, with the same request_id, until it is."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.http = httpx.AsyncClient(base_url=stack.edge_url, timeout=10, trust_env=False)

    async def begin(self, crash: Crash) -> None:
        """Sets the scene's faults and submits its job."""
        for fault in crash.scene.faults:
            await self._fault(fault, crash.prompt)
        path, body = crash.asks("submit")
        crash.job_id = (await self.answered("POST", path, body))["job_id"]

    async def _fault(self, fault: Fault, match: str) -> None:
        rule: Json = {"name": fault.name, "match": match, "on": fault.on}
        if not fault.endless:
            rule["count"] = 1
        if fault.argument:
            rule["arg"] = fault.argument
        url = f"{self.stack.simulator_url}/_simulator/faults"
        (await self.http.post(url, json=rule)).raise_for_status()

    async def later_call(self) -> None:
        """That nothing was created is believed only once the listing shows a later call of ours."""
        body = {"model": MODEL, "prompt": "a later call, as a busy account makes them"}
        await self.answered("POST", "/api/v1/generate", {**body, "request_id": str(uuid.uuid4())})

    async def cancel(self, crash: Crash) -> None:
        await self.answered("POST", *crash.asks("cancel"))

    async def decide(self, verb: str, crash: Crash) -> None:
        """An operator's decision about the job, once it has failed."""
        await self.has_ended(crash)
        done = {"OUTCOME_DONE", "OUTCOME_ALREADY_DONE"}
        while True:
            [told] = (await self.answered("POST", *crash.asks(verb)))["results"]
            if told["outcome"] in done:
                crash.anew = told.get("redriven_as", "")
                return
            assert told["outcome"] == "OUTCOME_UNAVAILABLE", told

    async def has_ended(self, crash: Crash) -> None:
        while (await self.job(crash.job_id))["state"] in OPEN:
            await asyncio.sleep(0.1)

    async def job(self, job_id: str) -> Json:
        return await self.answered("GET", f"/api/v1/status/{job_id}")

    async def attempt_is(self, crash: Crash, state: str) -> None:
        """Waits until the job's last attempt is in *state*."""
        async with asyncio.timeout(60):
            while True:
                attempts = (await self.job(crash.job_id))["attempts"]
                if attempts and attempts[-1]["state"] == state:
                    return
                await asyncio.sleep(0.1)

    async def all_ended(self, crashes: list[Crash], seconds: float) -> None:
        """Waits until they are, or for so long; each shows its job then."""
        end = time.monotonic() + seconds
        next_call = 0.0
        while time.monotonic() < end:
            for crash in crashes:
                if crash.job_id and not crash.ended:
                    crash.job = await self.job(crash.job_id)
                if crash.anew and crash.made_again.get("end_time") is None:
                    crash.made_again = await self.job(crash.anew)
            if all(crash.ended for crash in crashes):
                return
            if time.monotonic() > next_call:
                await self.later_call()
                next_call = time.monotonic() + 4
            await asyncio.sleep(0.5)

    async def answered(self, method: str, path: str, body: Json | None = None) -> Json:
        """The answer, however often it has to be asked for."""
        async with asyncio.timeout(90):
            while True:
                try:
                    answer = await self.http.request(method, path, json=body)
                    if answer.status_code == 200:
                        found: Json = answer.json()
                        return found
                    assert answer.status_code >= 500, answer.text
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.2)
