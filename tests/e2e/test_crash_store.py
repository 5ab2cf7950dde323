"""The store is killed before and after every write and publish, and every job ends.

The matrix is store.failpoints.NAMES, but for the steps of webhooks, which test_crash_notifier.py
has. Each store dies by SIGKILL at its failpoint and the next one takes over at once, as the only
one: whatever the dead one had begun is finished by those after it, while gateway, generator and
callers live through all of it. `Crash.check` must then hold for every job.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace

import pytest

from devstack.testing import Broker, PostgresServer, Stack
from store.adapters.invariants import broken
from store.failpoints import NAMES

from .crashing import QUICK, Caller, Crash, Fault, Scene, crashes_of, killed, rewrite
from .hooks import WEBHOOK_STEPS
from .keeping import SETTINGS, Keeping
from .nursery import Newborn, Nursery

OF_JOBS = tuple(name for name in NAMES if name.partition("_")[2] not in WEBHOOK_STEPS)
AN_HOUR_AGO = """
UPDATE attempts SET create_time = create_time - interval '55 minutes' WHERE job_id = $1
"""
OVERDUE = "UPDATE jobs SET deadline = clock_timestamp() WHERE job_id = $1"
SETTLED = "UPDATE attempts SET settle_until = clock_timestamp() WHERE job_id = $1"
LOST = (Fault("drop_after_create"),)
LONG = (Fault("run", "9000"),)
RUN = (Fault("run", "15"),)
GIVEN_UP = Scene(
    (Fault("redirect_foreign_host"),),
    ends="STATE_FAILED", reason="FAILURE_REASON_OUTPUT_REJECTED",
)  # fmt: skip
CANCELED = Scene(LONG, act="cancel", ends="STATE_CANCELED", paid=0)
INTERRUPTED = Scene((Fault("fail", "E9828"),))
# It never ran, so that it costs nothing to have it made again.
UNPAID = Scene(
    (Fault("fail", "E4875"),), ends="STATE_FAILED", reason="FAILURE_REASON_PROVIDER_REFUSED",
    paid=0,
)  # fmt: skip
SCENES = {
    "cancel_job": CANCELED,
    "redrive_dead_letter": replace(UNPAID, act="redrive", paid=1),
    "discard_dead_letter": replace(UNPAID, act="discard"),
    "keep_leases": Scene(RUN),
    "show_progress": Scene(RUN),
    "release_job": Scene((Fault("run", "50"),), act="drain"),
    "expire_lease": Scene((Fault("run", "75"),), act="freeze"),
    # More files than are fetched at once, so that the first are listed before the last are there.
    "record_artifacts": Scene((Fault("output_many", "12"), Fault("slow_download", "2"))),
    "fail_saving": GIVEN_UP,
    "lease_letters": GIVEN_UP,
    "publish_dead": GIVEN_UP,
    "move_on_letters": GIVEN_UP,
    "record_ended": INTERRUPTED,
    "publish_retry": INTERRUPTED,
    "record_not_created": Scene((Fault("429_with_retry_after", "1"),)),
    "record_unknown": Scene(LOST),
    "weigh_evidence": Scene(LOST),
    "lease_reconciler": Scene(LOST),
    # The worker sees for itself that time is up. The provider is slow to stop the call, so that the
    # sweeper comes past before the job's end.
    "note_deadline": Scene(
        (*LONG, *[Fault("500", on="cancel")] * 4),
        act="late", ends="STATE_FAILED", reason="FAILURE_REASON_DEADLINE", paid=0,
    ),
    # The provider neither ends the call nor says what became of it.
    "give_up_waiting": Scene(
        (*LONG, Fault("500", on="get", endless=True), Fault("500", on="cancel", endless=True)),
        act="unheard", ends="STATE_CANCELED", paid=0,
    ),
    "fail_unsent": Scene(
        act="lose", ends="STATE_FAILED", reason="FAILURE_REASON_INVALID_INPUT", paid=0
    ),
    # Beside a plain job: the catalogue, and files.
    "want_model": Scene(act="want"),
    "sync_models": Scene(act="sync"),
    "take_due_models": Scene(act="sync"),
    "record_model": Scene(act="sync"),
    "begin_upload": Scene(act="upload"),
    "complete_upload": Scene(act="upload"),
    "expire_uploads": Scene(act="expire"),
    "take_doomed_objects": Scene(act="expire"),
    "record_deleted_objects": Scene(act="expire"),
    "delete_artifacts": Scene(act="keep_long"),
    # The listing never shows the call, and an hour goes by.
    "expire_doubt": Scene(
        (*LOST, Fault("list_lag", "3600")), act="age", ends="STATE_CANCELED",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def crashes(
    postgres: PostgresServer,
    broker: Broker,
    migrated: str,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[tuple[Stack, dict[str, Crash]]]:
    """Every failpoint has killed a store; then a healthy one has ended every job."""
    url, vhost = postgres.create_database(migrated), broker.create_vhost()
    env = {**QUICK, **SETTINGS, "LEASE_SECONDS": "6", "DATABASE_URL": url, "AMQP_URL": vhost}
    folder = tmp_path_factory.mktemp("crash")
    found = crashes_of(OF_JOBS, SCENES, request)
    stack = Stack(folder, env=env, without=["store-1"])
    matrix = _Matrix(stack, env, found)
    with ExitStack() as ends:
        ends.enter_context(matrix)
        ends.enter_context(stack)
        asyncio.run(matrix.run())
        yield stack, {crash.name: crash for crash in found}
    broker.delete_vhost(vhost)


class _Matrix:
    """One store after the other. There is one from before the stack is started until it is gone."""

    def __init__(self, stack: Stack, env: dict[str, str], crashes: list[Crash]) -> None:
        port = stack.store_address.rpartition(":")[2]
        self._env = {**env, "STORE_PORT": port}
        self._stack = stack
        self._crashes = crashes
        self._nursery = Nursery("store")

    def __enter__(self) -> None:
        self._nursery.__enter__()
        self._current = self._store()

    def __exit__(self, *error: object) -> None:
        self._nursery.__exit__(None, None, None)

    def _store(self, **more: str) -> Newborn:
        log = self._stack.state / "stores.log"
        return self._nursery.start("store", {**self._env, **more}, log)

    async def run(self) -> None:
        self._caller = Caller(self._stack)
        self._keeping = Keeping(self._stack, self._caller)
        tasks = []
        for crash in self._crashes:
            self._current.end()
            self._current = self._store(**crash.setting)
            tasks.append(asyncio.create_task(self._act(crash)))
            await killed(self._current, crash)
        self._current.end()
        self._current = self._store()
        await asyncio.gather(*tasks)
        await self._caller.all_ended(self._crashes, 240)

    async def _act(self, crash: Crash) -> None:
        if crash.scene.act == "lose":
            await self._keeping.lose(crash)
        await self._caller.begin(crash)
        if crash.scene.act in self._keeping.acts:
            await self._keeping.acts[crash.scene.act](crash)
        match crash.scene.act:
            case "cancel":
                await self._caller.attempt_is(crash, "STATE_SUBMITTED")
                await self._caller.cancel(crash)
            case "drain":
                await self._caller.attempt_is(crash, "STATE_SUBMITTED")
                self._stack.send("generator-1", signal.SIGTERM)
            case "freeze":
                await self._caller.attempt_is(crash, "STATE_SUBMITTED")
                self._stack.send("generator-1", signal.SIGSTOP)
                with suppress(TimeoutError):
                    await self._until_dead(crash, 30)
                self._stack.send("generator-1", signal.SIGCONT)
            case "redrive" | "discard" as verb:
                await self._caller.decide(verb, crash)
            case "late":
                await self._caller.attempt_is(crash, "STATE_SUBMITTED")
                await rewrite(self._stack, OVERDUE, crash.job_id)
            case "unheard":
                await self._caller.attempt_is(crash, "STATE_SUBMITTED")
                await rewrite(self._stack, SETTLED, crash.job_id)
                await self._caller.cancel(crash)
            case "age":
                await self._caller.attempt_is(crash, "STATE_UNKNOWN")
                await rewrite(self._stack, AN_HOUR_AGO, crash.job_id)
                await self._caller.attempt_is(crash, "STATE_UNRESOLVED")
                await self._caller.cancel(crash)

    async def _until_dead(self, crash: Crash, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not crash.died:
                await asyncio.sleep(0.05)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", OF_JOBS)
def test_a_store_killed_there_loses_no_job_and_pays_once(
    crashes: tuple[Stack, dict[str, Crash]], name: str
) -> None:
    """The job ends as it should, each call began after the end of the last, and one was paid."""
    stack, found = crashes
    found[name].check(stack)


def test_no_attempt_is_left_open(crashes: tuple[Stack, dict[str, Crash]]) -> None:
    """Every final job is quiet, and every job has one mover."""
    assert asyncio.run(broken(crashes[0].database_url)) == []
