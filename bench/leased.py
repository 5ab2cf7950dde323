"""Who changes jobs while nobody works on them?

Stand-ins for workers: they take jobs from the store as workers do, say that a prediction is made,
and then report progress, percent by percent. No provider is called. Every change is a real one,
with its transaction, its event and its hint.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import grpc

from mediagen.store.v1 import attempt_ledger_service_pb2 as pb2
from mediagen.store.v1.attempt_ledger_service_pb2_grpc import AttemptLedgerServiceStub
from mediagen.v1 import job_pb2

_ADMITTED = """
    SELECT job_id::text, dispatch FROM jobs WHERE mover = 'DISPATCH' AND state = 'PENDING'
"""
_AT_ONCE = 8
_TOGETHER = 10  # reports in a heartbeat
_LONGEST_HOLD = 240.0


@dataclass(slots=True)
class Held:
    """A running job, its lease, and how far it is said to be."""

    job_id: str
    worker_id: str
    lease_epoch: int
    percent: int = 0

    def report(self) -> pb2.LeaseReport:
        """The next percent; from the hundredth on it begins anew.

        The stage changes each time, as the store does not show percents that follow too soon.
        """
        self.percent = self.percent % 100 + 1
        stages = (job_pb2.Job.STAGE_STARTING, job_pb2.Job.STAGE_PROCESSING)
        return pb2.LeaseReport(
            job_id=self.job_id,
            lease_epoch=self.lease_epoch,
            stage=stages[self.percent % 2],
            progress_percent=self.percent,
        )


class Workers:
    """Stand-ins for *many* workers, which call the store over *opened*."""

    def __init__(self, opened: grpc.aio.Channel, many: int) -> None:
        self._stub: Any = AttemptLedgerServiceStub(opened)
        self._names = [f"bench-{secrets.token_hex(4)}" for _ in range(many)]

    async def hold(self, database_url: str, jobs: int) -> list[Held]:
        """*jobs* of those that wait, each with a lease and a prediction."""
        held: dict[str, Held] = {}
        places = asyncio.Semaphore(_AT_ONCE)
        connection = await asyncpg.connect(database_url)
        deadline = time.monotonic() + _LONGEST_HOLD
        try:
            while len(held) < jobs:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"only {len(held)} of {jobs} jobs were taken")
                for name in self._names:
                    await self._stub.Heartbeat(pb2.HeartbeatRequest(worker_id=name, slots=2 * jobs))
                rows = [row for row in await connection.fetch(_ADMITTED) if row[0] not in held]

                async def take(job_id: str, dispatch: int) -> None:
                    async with places:
                        held[job_id] = await self._take(job_id, dispatch, len(held))

                async with asyncio.TaskGroup() as group:
                    for job_id, dispatch in rows[: jobs - len(held)]:
                        group.create_task(take(job_id, dispatch))
                if not rows:
                    await asyncio.sleep(0.05)
        finally:
            await connection.close()
        return list(held.values())

    async def _take(self, job_id: str, dispatch: int, number: int) -> Held:
        name = self._names[number % len(self._names)]
        claim = pb2.ClaimJobRequest(
            job_id=job_id, dispatch=dispatch, worker_id=name, claim_token=secrets.token_hex(8)
        )
        claimed = await self._stub.ClaimJob(claim)
        epoch = claimed.lease_epoch
        token = secrets.token_hex(16)
        submit = pb2.BeginSubmitRequest(
            job_id=job_id,
            lease_epoch=epoch,
            submit_token=token,
            fingerprint=hashlib.sha256(job_id.encode()).digest(),
            account="bench",
        )
        submit.post_timeout.FromSeconds(10)
        permit = await self._stub.BeginSubmit(submit)
        if claimed.refusal or permit.refusal:
            raise RuntimeError(f"job {job_id} was not to be had: {claimed} {permit}")
        made = pb2.RecordPredictionRequest(submit_token=token, prediction_id=secrets.token_hex(13))
        await self._stub.RecordPrediction(made)
        return Held(job_id, name, epoch)

    async def change(self, held: Sequence[Held]) -> None:
        """One more percent of each: a heartbeat of each worker that holds one of them."""
        groups = _by_worker(held)
        await asyncio.gather(*(self._beat(name, theirs) for name, theirs in groups.items()))

    async def _beat(self, name: str, theirs: Sequence[Held]) -> None:
        leases = [each.report() for each in theirs]
        answer = await self._stub.Heartbeat(pb2.HeartbeatRequest(worker_id=name, leases=leases))
        if answer.lost_job_ids:
            raise RuntimeError(f"{len(answer.lost_job_ids)} leases were lost")

    async def go_on(self, held: Sequence[Held], per_second: float, seconds: float) -> float:
        """Changes *per_second* of the jobs, in turn; what became of it, a second.

        A few at a time, as heartbeats have it. What the store is too slow for is not made up for.
        """
        begin = time.perf_counter()
        made = 0
        groups = _by_worker(held)
        pause = _TOGETHER * len(groups) / per_second

        async def worker(number: int, theirs: Sequence[Held]) -> None:
            nonlocal made
            due, at = begin + pause * number / len(groups), 0
            while due < begin + seconds:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                some = [theirs[(at + n) % len(theirs)] for n in range(min(_TOGETHER, len(theirs)))]
                at += len(some)
                await self._beat(some[0].worker_id, some)
                made += len(some)
                due = max(due + pause, time.perf_counter() - pause)

        async with asyncio.TaskGroup() as group:
            for number, theirs in enumerate(groups.values()):
                group.create_task(worker(number, theirs))
        return made / (time.perf_counter() - begin)


def _by_worker(held: Sequence[Held]) -> dict[str, list[Held]]:
    groups: dict[str, list[Held]] = defaultdict(list)
    for each in held:
        groups[each.worker_id].append(each)
    return groups
