"""The store's OperatorService on a real database, and jobs that an operator should look at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from mediagen.store.v1 import attempt_ledger_service_pb2 as lb
from mediagen.store.v1 import job_store_service_pb2 as sb
from mediagen.v1 import failure_pb2, job_pb2
from mediagen.v1 import operator_service_pb2 as pb
from mediagen.v1.dead_letter_pb2 import DeadLetter, DeadLetterFilter
from store.adapters import tables as t
from store.adapters.catalogue_writes import CatalogueWrites
from store.adapters.database import CLOCK
from store.adapters.jobs import Jobs
from store.adapters.overview import OverviewReader
from store.adapters.statistics import Statistics
from store.adapters.wakeups import Wakeups
from store.domain.models import Allowed
from store.rpc.operator import Operator

from .store_bench import ACCOUNT, NO_CONTEXT, Bench, failure_of, store_bench

Outcome = pb.DeadLetterResult


class Context:
    """A call with so many seconds left."""

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds

    def time_remaining(self) -> float | None:
        return self.seconds


@dataclass
class Desk:
    """An operator at work."""

    bench: Bench
    operator: Operator
    wakeups: Wakeups

    async def died(self, **request: Any) -> str:
        """A job that failed before anything was paid."""
        job = await self.bench.submit(**request)
        claimed = await self.bench.claim(job.job_id)
        await self.bench.begin(job.job_id, claimed.lease_epoch)
        await self.bench.not_created(job.job_id, lb.FAILURE_KIND_PERMANENT)
        return job.job_id

    async def ran(self, **request: Any) -> str:
        """A job whose call ran and failed: whether it cost is not known."""
        job_id, _ = await self.bench.submitted(**request)
        await self.bench.ended(job_id, lb.FAILURE_KIND_PERMANENT, seconds=3.0)
        return job_id

    async def lost(self, **request: Any) -> str:
        """A job whose result was paid for, and could not be stored."""
        job_id, epoch = await self.bench.submitted(**request)
        await self.bench.succeeded(job_id)
        failure = failure_of(lb.FAILURE_KIND_PERMANENT).failure
        failure.reason = failure_pb2.FAILURE_REASON_OUTPUT_LOST
        failed = lb.FailSavingRequest(job_id=job_id, lease_epoch=epoch, failure=failure)
        await self.bench.ledger.FailSaving(failed, NO_CONTEXT)
        return job_id

    async def parked(self, **request: Any) -> str:
        """A job whose call can not be told from another."""
        job = await self.bench.submit(**request)
        claimed = await self.bench.claim(job.job_id)
        await self.bench.begin(job.job_id, claimed.lease_epoch)
        await self.park(job.job_id)
        return job.job_id

    async def park(self, job_id: str) -> None:
        """The answer to the job's call is lost, and two scans show more than one candidate."""
        bench, token = self.bench, self.bench.tokens[job_id]
        await bench.ledger.RecordUnknown(lb.RecordUnknownRequest(submit_token=token), NO_CONTEXT)
        held = await bench.ledger.LeaseReconciler(
            lb.LeaseReconcilerRequest(worker_id="worker-1", account=ACCOUNT), NO_CONTEXT
        )
        await bench.pass_time(job_id, 300)
        for _ in range(2):
            shown = lb.AttemptEvidence(submit_token=token, weak_candidates=1)
            report = lb.ReportScanRequest(worker_id="worker-1", epoch=held.epoch, evidence=[shown])
            report.began.GetCurrentTime()
            await bench.ledger.ReportScan(report, NO_CONTEXT)
            await bench.pass_time(job_id, 31)

    async def submit_for(self, tenant: str) -> str:
        """A job of another tenant that has failed."""
        asked = job_pb2.JobRequest(model="owner/model", prompt="theirs")
        asked.timeout.FromSeconds(3600)
        created = await self.bench.store.CreateJob(
            sb.CreateJobRequest(tenant=tenant, request=asked), NO_CONTEXT
        )
        job_id = created.job.job_id
        claimed = await self.bench.claim(job_id)
        await self.bench.begin(job_id, claimed.lease_epoch)
        await self.bench.not_created(job_id, lb.FAILURE_KIND_PERMANENT)
        return job_id

    async def redrive(
        self, *job_ids: str, context: Context | None = None, **more: Any
    ) -> list[pb.DeadLetterResult]:
        """The results by id."""
        request = pb.RedriveDeadLettersRequest(job_ids=job_ids, **more)
        answer = await self.operator.RedriveDeadLetters(request, context or Context())
        return list(answer.results)

    async def discard(self, *job_ids: str, **more: Any) -> list[pb.DeadLetterResult]:
        """The results by id."""
        request = pb.DiscardDeadLettersRequest(job_ids=job_ids, **more)
        return list((await self.operator.DiscardDeadLetters(request, Context())).results)

    async def letter(self, job_id: str) -> DeadLetter:
        """The dead letter with its job."""
        request = pb.GetDeadLetterRequest(job_id=job_id)
        return (await self.operator.GetDeadLetter(request, Context())).dead_letter

    async def listed(self, **filters: Any) -> list[str]:
        """The ids of the first page."""
        request = pb.ListDeadLettersRequest(filter=DeadLetterFilter(**filters))
        answer = await self.operator.ListDeadLetters(request, Context())
        return [each.job_id for each in answer.dead_letters]

    async def overview(self) -> pb.GetOverviewResponse:
        """What is going on."""
        return await self.operator.GetOverview(pb.GetOverviewRequest(), Context())

    async def jobs(self) -> int:
        """How many jobs there are."""
        query = sa.select(sa.func.count()).select_from(t.jobs)
        async with self.bench.database.single() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def shut(self, reason: str) -> None:
        """The provider refuses every call of the account."""
        async with self.bench.database.transaction() as connection:
            await connection.execute(
                sa.update(t.accounts)
                .where(t.accounts.c.account == ACCOUNT)
                .values(shut_until=CLOCK + sa.text("interval '1 minute'"), shut_reason=reason)
            )

    async def run(self, script: str) -> None:
        """Statements of a test's own."""
        async with self.bench.database.transaction() as connection:
            for statement in filter(str.strip, script.split(";\n")):
                await connection.execute(sa.text(statement))

    async def same_instant(self, *job_ids: str) -> None:
        """All of these were given up at one instant."""
        letters = t.dead_letters.c
        async with self.bench.database.transaction() as connection:
            first = sa.select(sa.func.min(letters.create_time)).scalar_subquery()
            await connection.execute(
                sa.update(t.dead_letters)
                .where(letters.job_id.in_([UUID(each) for each in job_ids]))
                .values(create_time=first)
            )


@asynccontextmanager
async def desk_at(database_url: str, **rules: Any) -> AsyncIterator[Desk]:
    """A desk on *database_url*."""
    async with store_bench(database_url, **rules) as bench:
        wakeups = Wakeups()
        overview = OverviewReader(bench.database, 600.0)
        operator = Operator(
            Jobs(bench.database, wakeups),
            wakeups,
            overview,
            CatalogueWrites(bench.database, Allowed.of("*")),
            Statistics(bench.database),
        )
        yield Desk(bench, operator, wakeups)
