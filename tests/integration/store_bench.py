"""The store's servicers on a real database, without processes or broker, for tests."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from google.protobuf.struct_pb2 import Value

from jobqueue.publisher import Publisher
from mediagen.store.v1 import attempt_ledger_service_pb2 as lb
from mediagen.store.v1 import job_store_service_pb2 as sb
from mediagen.v1 import failure_pb2, job_pb2
from servicekit.secret_inputs import MASK
from store.adapters import tables as t
from store.adapters.database import Database, PoolSettings
from store.adapters.feed import Feed
from store.adapters.forecasts import Forecasts
from store.adapters.jobs import Jobs
from store.adapters.recent_runs import RecentRuns
from store.adapters.reconciler_lease import ReconcilerLease
from store.adapters.submissions import Submissions
from store.adapters.wakeups import Wakeups
from store.adapters.workers import Workers
from store.domain.retries import RetryPolicy
from store.domain.rules import Rules
from store.domain.spending import Limits
from store.loops.admitter import Admitter
from store.loops.sweeper import Sweeper
from store.rpc.attempt_ledger import AttemptLedger
from store.rpc.job_store import JobStore

TENANT = "default"
ACCOUNT = "account-of-tests"
NO_CONTEXT: Any = None


@dataclass
class Bench:
    """Servicers, loops to turn by hand, and the steps of a job in a word each."""

    database: Database
    store: JobStore
    ledger: AttemptLedger
    admitter: Admitter
    sweeper: Sweeper
    feed: Feed
    tokens: dict[str, str] = field(default_factory=dict)

    async def submit(
        self, prompt: str = "a red fox", *, secrets: Mapping[str, str] | None = None,
        find_only: bool = False, **request: Any,
    ) -> job_pb2.Job:  # fmt: skip
        """A job of one hour, unless *request* says otherwise. *secrets* are inputs of it too."""
        asked = job_pb2.JobRequest(**{"model": "owner/model", "prompt": prompt} | request)
        if not asked.HasField("timeout"):
            asked.timeout.FromSeconds(3600)
        if secrets:
            asked.input.update(dict.fromkeys(secrets, MASK))
            asked.secret_inputs.extend(sorted(secrets))
        create = sb.CreateJobRequest(tenant=TENANT, request=asked, find_only=find_only)
        create.secrets.update(secrets or {})
        return (await self.store.CreateJob(create, NO_CONTEXT)).job

    async def job(self, job_id: str) -> job_pb2.Job:
        """The job as it is now."""
        request = sb.GetJobRequest(tenant=TENANT, job_id=job_id)
        return (await self.store.GetJob(request, NO_CONTEXT)).job

    async def cancel(self, job_id: str) -> job_pb2.Job:
        """The job once the cancel is noted."""
        request = sb.CancelJobRequest(tenant=TENANT, job_id=job_id)
        return (await self.store.CancelJob(request, NO_CONTEXT)).job

    async def dispatch_of(self, job_id: str) -> int:
        """The number that the newest message about the job carries."""
        await self.admitter.turn()
        return int(await self.column(job_id, "dispatch"))

    async def column(self, job_id: str, name: str) -> Any:
        """One column of the job's row."""
        query = sa.select(t.jobs.c[name]).where(t.jobs.c.job_id == UUID(job_id))
        async with self.database.single() as connection:
            return (await connection.execute(query)).scalar_one()

    async def claim(
        self, job_id: str, *, worker: str = "worker-1", token: str = "", dispatch: int = 0,
        sends_settled: bool = True,
    ) -> lb.ClaimJobResponse:  # fmt: skip
        """A worker takes the job."""
        return await self.ledger.ClaimJob(
            lb.ClaimJobRequest(
                job_id=job_id,
                dispatch=dispatch or await self.dispatch_of(job_id),
                worker_id=worker,
                claim_token=token or uuid4().hex,
                sends_settled=sends_settled,
            ),
            NO_CONTEXT,
        )

    async def begin(
        self, job_id: str, epoch: int, *, token: str = "", fingerprint: bytes = b""
    ) -> lb.BeginSubmitResponse:
        """The worker asks for its permit; `tokens` keeps the permit's token by job."""
        self.tokens[job_id] = token or uuid4().hex
        request = lb.BeginSubmitRequest(
            job_id=job_id,
            lease_epoch=epoch,
            submit_token=self.tokens[job_id],
            fingerprint=fingerprint or os.urandom(32),
            account=ACCOUNT,
        )
        request.post_timeout.FromSeconds(20)
        request.input.update({"prompt": "a red fox"})
        return await self.ledger.BeginSubmit(request, NO_CONTEXT)

    async def record(self, job_id: str, prediction_id: str = "") -> bool:
        """The provider's answer is recorded. True if it is an orphan."""
        request = lb.RecordPredictionRequest(
            submit_token=self.tokens[job_id], prediction_id=prediction_id or f"p-{job_id}"
        )
        return (await self.ledger.RecordPrediction(request, NO_CONTEXT)).orphan

    async def not_created(self, job_id: str, kind: lb.FailureKind.ValueType) -> None:
        """The provider refused the call."""
        await self.ledger.RecordNotCreated(
            lb.RecordNotCreatedRequest(submit_token=self.tokens[job_id], failure=failure_of(kind)),
            NO_CONTEXT,
        )

    async def ended(
        self,
        job_id: str,
        kind: lb.FailureKind.ValueType,
        end: lb.PredictionEnd.ValueType = lb.PREDICTION_END_FAILED,
        *,
        prediction_id: str = "",
        seconds: float | None = None,
    ) -> None:
        """The prediction ended without a result."""
        await self.ledger.RecordEnded(
            lb.RecordEndedRequest(
                job_id=job_id,
                prediction_id=prediction_id or f"p-{job_id}",
                end=end,
                failure=failure_of(kind),
                predict_seconds=seconds,
            ),
            NO_CONTEXT,
        )

    async def succeeded(self, job_id: str, prediction_id: str = "") -> bool:
        """The prediction ended with a result. True if the job has no use for it."""
        request = lb.RecordSucceededRequest(
            job_id=job_id,
            prediction_id=prediction_id or f"p-{job_id}",
            output=Value(string_value="https://replicate.delivery/x.png"),
        )
        return (await self.ledger.RecordSucceeded(request, NO_CONTEXT)).superseded

    async def complete(self, job_id: str, epoch: int) -> None:
        """The artifact is stored."""
        artifact = job_pb2.Artifact(media_type="image/png", size_bytes=3, sha256="ab" * 32)
        stored = lb.StoredArtifact(artifact=artifact, object_key=f"{job_id}/{epoch}/0.png")
        request = lb.CompleteJobRequest(job_id=job_id, lease_epoch=epoch, artifacts=[stored])
        await self.ledger.CompleteJob(request, NO_CONTEXT)

    async def pass_time(self, job_id: str, seconds: float) -> None:
        """Every time of the job and its attempts was *seconds* earlier."""
        shift = timedelta(seconds=seconds)
        async with self.database.transaction() as connection:
            for table in (t.jobs, t.attempts, t.dispatches):
                times = {c.name: c - shift for c in table.c if isinstance(c.type, sa.DateTime)}
                await connection.execute(
                    sa.update(table).where(table.c.job_id == UUID(job_id)).values(**times)
                )

    async def wait_of(self, job_id: str) -> float:
        """How many seconds from now the job's dispatch is due."""
        due = sa.func.extract("epoch", t.dispatches.c.due - sa.func.clock_timestamp())
        query = sa.select(due).where(t.dispatches.c.job_id == UUID(job_id))
        async with self.database.single() as connection:
            return float((await connection.execute(query)).scalar_one())

    async def submitted(self, **request: Any) -> tuple[str, int]:
        """A job whose call the provider has taken: its id, and the worker's fence."""
        job = await self.submit(**request)
        claimed = await self.claim(job.job_id)
        await self.begin(job.job_id, claimed.lease_epoch)
        await self.record(job.job_id)
        return job.job_id, claimed.lease_epoch


def failure_of(kind: lb.FailureKind.ValueType) -> lb.ProviderFailure:
    """A provider's failure of *kind*."""
    return lb.ProviderFailure(
        kind=kind,
        failure=failure_pb2.Failure(
            reason=failure_pb2.FAILURE_REASON_PROVIDER_FAILED,
            message="The provider failed.",
            retry_advice=failure_pb2.RETRY_ADVICE_RETRY_LATER,
        ),
    )


@asynccontextmanager
async def store_bench(
    database_url: str, *, publisher: Publisher | None = None, **rules: Any
) -> AsyncIterator[Bench]:
    """A bench on *database_url*. Without a *publisher*, nobody listens."""
    database, wakeups = Database(database_url, PoolSettings()), Wakeups()
    await database.read_clock()
    jobs, feed = Jobs(database, wakeups), Feed(database, wakeups)
    settle = timedelta(seconds=120)
    chosen = {
        "lease": timedelta(seconds=30),
        "policy": RetryPolicy(),
        "limits": Limits(settle, timedelta(minutes=30)),
        "creates_per_minute": 0.0,
        "scan_gap": timedelta(seconds=30),
        **rules,
    }
    publisher = publisher or Publisher("amqp://guest:guest@127.0.0.1:1/", timeout=0.01)
    forecasts = Forecasts(database, chosen["creates_per_minute"], RecentRuns())
    store = JobStore(database, jobs, Submissions(database, wakeups), feed, publisher, forecasts)
    workers = Workers(database, chosen["lease"])
    ledger = AttemptLedger(jobs, workers, ReconcilerLease(database), Rules(**chosen), publisher)
    # Tests sweep when they like, so only one that says so sees an outage in that.
    sweeper = Sweeper(database, jobs, settle, chosen["lease"], timedelta(days=1))
    yield Bench(database, store, ledger, Admitter(database, wakeups), sweeper, feed)
    await database.close()
