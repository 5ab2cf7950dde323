"""The generator is killed before and after every step that another party sees, and the job ends.

The matrix is generator.failpoints.NAMES. For each, one job is run by a worker that dies there by
SIGKILL. Afterwards healthy workers are started, and `Crash.check` must hold for every job.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from devstack.ports import free_port
from devstack.testing import Broker, PostgresServer, Stack
from generator.failpoints import NAMES
from store.adapters.invariants import broken
from tests.fakes.media_files import picture
from tests.integration.publishing import publishing

from .crashing import QUICK, Caller, Crash, Fault, Scene, crashes_of, killed, rewrite
from .nursery import Newborn, Nursery
from .workers import generator_env

LOST = Scene((Fault("drop_after_create"),), act="reconcile")
# Chores, which a worker does beside its job.
SYNC, DOOM = Scene(act="sync"), Scene(act="doom")
EDITS_PICTURES = "black-forest-labs/flux-kontext-pro"
ALL_DUE = "UPDATE models SET due_time = clock_timestamp(), cover_source = ''"
DOOMED = "INSERT INTO doomed_objects VALUES ($1, clock_timestamp(), clock_timestamp())"
ALL_DOOMED = "UPDATE doomed_objects SET available_at = clock_timestamp()"
RECONCILER_IS_DEAD = "UPDATE singletons SET until = clock_timestamp() WHERE name = 'reconciler'"
A_DAY_AGO = time.time() - 90_000
SCENES = {
    "heartbeat": Scene((Fault("run", "25"),), passes=3),
    "lease_reconciler": replace(LOST, passes=2),
    "list_predictions": LOST,
    "report_scan": LOST,
    "record_unknown": LOST,
    "record_not_created": Scene((Fault("429_with_retry_after", "1"),)),
    "record_ended": Scene((Fault("fail", "E9828"),)),
    "cancel_prediction": Scene(
        (Fault("run", "9000"),), act="cancel", ends="STATE_CANCELED", paid=0
    ),
    "release_job": Scene((Fault("run", "50"),), act="drain"),
    # Of three files one comes with the third try, the others with the fourth, two seconds later.
    "record_artifacts": Scene((Fault("output_many", "3"), Fault("failing_file", "8"))),
    "fail_saving": Scene(
        (Fault("redirect_foreign_host"),),
        ends="STATE_FAILED", reason="FAILURE_REASON_OUTPUT_REJECTED",
    ),
    "take_due_models": SYNC,
    "get_model": SYNC,
    "record_model": SYNC,
    "keep_cover": SYNC,
    "take_doomed_objects": DOOM,
    "delete_object": DOOM,
    "delete_unfinished": Scene(act="leave"),
    "record_deleted_objects": DOOM,
    "upload_file": Scene(act="upload"),
    "fail_unsent": Scene(
        act="lose", ends="STATE_FAILED", reason="FAILURE_REASON_INVALID_INPUT", paid=0
    ),
    "put_parts": Scene((Fault("huge_file", "9000000"),)),
    "name_object": Scene((Fault("huge_file", "9000000"),)),
    "reject": Scene(act="unreadable"),
    # A worker that cannot reach the store bears with it for a minute before it puts a job back.
    "nack": Scene(act="astray", early=True),
}  # fmt: skip


@pytest.fixture(scope="module")
def stack(
    postgres: PostgresServer,
    broker: Broker,
    migrated: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Everything but generators, on a database and virtual host of its own."""
    url, vhost = postgres.create_database(migrated), broker.create_vhost()
    env = {**QUICK, "LEASE_SECONDS": "4", "DATABASE_URL": url, "AMQP_URL": vhost}
    with Stack(tmp_path_factory.mktemp("crash"), env=env, without=["generator-1"]) as running:
        yield running
    broker.delete_vhost(vhost)


@pytest.fixture(scope="module")
def crashes(stack: Stack, request: pytest.FixtureRequest) -> dict[str, Crash]:
    """Every failpoint has killed a worker; then two healthy ones have ended every job."""
    found = crashes_of(NAMES, SCENES, request)
    asyncio.run(_Matrix(stack, found).run())
    return {crash.name: crash for crash in found}


class _Matrix:
    """One worker after the other."""

    def __init__(self, stack: Stack, crashes: list[Crash]) -> None:
        self._crashes = crashes
        self._stack = stack
        self._caller = Caller(stack)
        self._log = stack.state / "generators.log"
        self._log.touch()

    async def run(self) -> None:
        with Nursery("generator") as self._nursery:
            early = [await self._astray(crash) for crash in self._crashes if crash.scene.early]
            for crash in self._crashes:
                if not crash.scene.early:
                    await self._crash(crash)
            await asyncio.gather(*early)
            await rewrite(self._stack, ALL_DOOMED)
            with self._worker(), self._worker():
                await self._caller.all_ended(self._crashes, 240)
                await self._swept()

    def _worker(self, **more: str) -> Newborn:
        env = {**generator_env(self._stack), **more}
        return self._nursery.start("generator", env, self._log)

    async def _astray(self, crash: Crash) -> asyncio.Task[None]:
        """A worker with a wrong address, which takes one delivery and no more."""
        await self._caller.begin(crash)
        nowhere = {"STORE_ADDRESS": f"127.0.0.1:{free_port()}", "GENERATOR_CONCURRENCY": "1"}
        worker = self._worker(**crash.setting, **nowhere)
        async with asyncio.timeout(60):
            while crash.job_id not in self._log.read_text():  # it has the delivery in hand
                await asyncio.sleep(0.1)

        async def die() -> None:
            with worker:
                await killed(worker, crash, 120)

        return asyncio.create_task(die())

    async def _crash(self, crash: Crash) -> None:
        if crash.scene.act in ("upload", "lose"):
            crash.model, crash.input = EDITS_PICTURES, {"input_image": await self._uploaded(crash)}
        await self._caller.begin(crash)
        await self._before(crash)
        with self._worker(**crash.setting) as worker:
            await self._act(crash, worker)
            await killed(worker, crash)

    async def _uploaded(self, crash: Crash) -> str:
        """The reference of a file that is too large to be sent within the input."""
        body = picture("PNG") + crash.prompt.encode().ljust(400_000)
        http = self._caller.http
        answer = await http.post("/api/v1/uploads", params={"file_name": "a.png"}, content=body)
        uri: str = answer.raise_for_status().json()["uri"]
        return uri

    async def _before(self, crash: Crash) -> None:
        """What is done once its job is there, and no worker yet."""
        artifacts = self._stack.state / "artifacts"
        if crash.scene.act == "lose":
            upload_id = crash.input["input_image"].removeprefix("upload:")
            (file,) = artifacts.glob(f"*/uploads/{upload_id}")
            file.unlink()
        if crash.scene.act == "doom":
            doomed = artifacts / "doomed" / crash.name
            doomed.parent.mkdir(parents=True, exist_ok=True)
            doomed.write_bytes(b"x")
            await rewrite(self._stack, DOOMED, f"doomed/{crash.name}")
        if crash.scene.act == "leave":
            left = artifacts / f"{crash.name}.part-0a1b2c3d"
            left.write_bytes(b"x")
            os.utime(left, (A_DAY_AGO, A_DAY_AGO))
        if crash.scene.act == "sync":
            await rewrite(self._stack, ALL_DUE)
        if crash.scene.act == "unreadable":
            async with publishing(self._stack.amqp_url) as publisher:
                await publisher.publish_work("default", b"\xff", "unreadable")
        if crash.scene.act == "reconcile":
            await rewrite(self._stack, RECONCILER_IS_DEAD)

    async def _swept(self) -> None:
        """Waits until no doomed object is left, or for so long."""
        for _ in range(300):
            if not any((self._stack.state / "artifacts" / "doomed").glob("*")):
                return
            await asyncio.sleep(0.1)

    async def _act(self, crash: Crash, worker: Newborn) -> None:
        if crash.scene.act in ("cancel", "drain"):
            await self._caller.attempt_is(crash, "STATE_SUBMITTED")
        if crash.scene.act == "cancel":
            await self._caller.cancel(crash)
        if crash.scene.act == "drain":
            worker.drain()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", NAMES)
def test_a_worker_killed_there_loses_no_job_and_pays_once(
    stack: Stack, crashes: dict[str, Crash], name: str
) -> None:
    """The job ends as it should, each call began after the end of the last, and one was paid."""
    crashes[name].check(stack)


def test_no_attempt_is_left_open(stack: Stack, crashes: dict[str, Crash]) -> None:
    """Every final job is quiet, and every job has one mover."""
    assert crashes
    assert asyncio.run(broken(stack.database_url)) == []


def test_what_is_doomed_is_deleted_by_another(stack: Stack, crashes: dict[str, Crash]) -> None:
    """Who died over it had deleted it or not; in the end it is gone."""
    doomed = [each for each in crashes.values() if each.scene.act == "doom"]
    assert doomed
    assert list((stack.state / "artifacts" / "doomed").glob("*")) == []


def test_what_was_left_unfinished_goes_in_the_end(stack: Stack, crashes: dict[str, Crash]) -> None:
    """Who died over it had deleted it or not; the next to begin finds it."""
    assert any(each.scene.act == "leave" for each in crashes.values())
    assert list((stack.state / "artifacts").glob("*.part-*")) == []


def test_no_token_was_ever_sent_to_the_delivery_host(
    stack: Stack, crashes: dict[str, Crash]
) -> None:
    """The simulator notes every Authorization header that comes with a download."""
    assert crashes
    ledger = httpx.get(f"{stack.simulator_url}/_simulator/ledger").json()
    assert ledger["auth_leaks"] == []
