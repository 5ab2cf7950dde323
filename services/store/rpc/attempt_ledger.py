"""AttemptLedgerService: what a worker does with a job.

Comes from: a worker that holds a delivery. Each method is one transaction: lock, verb, save.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy import exc

from jobqueue.publisher import Publisher
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.v1 import job_pb2
from store.adapters import accounts
from store.adapters import tables as t
from store.adapters.database import Unavailable
from store.adapters.jobs import Change, Jobs
from store.adapters.projection import duration
from store.adapters.reconciler_lease import ReconcilerLease
from store.adapters.sending import Sending
from store.adapters.workers import Kept, Workers
from store.domain import leasing, spending
from store.domain.errors import JobError
from store.domain.job import Leased
from store.domain.leasing import Claimed, Refused
from store.domain.retries import postponement
from store.domain.rules import Rules
from store.domain.states import Refusal, Road
from store.rpc.hints import WorkerHints
from store.rpc.recording import Recording
from store.rpc.saving import Saving
from store.rpc.wire import (
    job_id_of,
    provider_failure_of,
    refusal_message,
    road_message,
    stage_of,
    stored_message,
    tail_of,
)

log = structlog.get_logger()

LONGEST_POST = timedelta(seconds=60)
SHOWING = 2.0  #: seconds of a heartbeat that go to showing progress, job by job


class AttemptLedger(Saving, Recording):
    """Each method is one use case."""

    def __init__(
        self, jobs: Jobs, workers: Workers, reconciler: ReconcilerLease, rules: Rules,
        publisher: Publisher,
    ) -> None:  # fmt: skip
        self._jobs = jobs
        self._sending = Sending(jobs.database)
        self._workers = workers
        self._reconciler = reconciler
        self._rules = rules
        self._hints = WorkerHints(publisher)

    async def ClaimJob(self, request: pb.ClaimJobRequest, context: Any) -> pb.ClaimJobResponse:
        """Gives the job to the worker, or says why not."""
        async with self._jobs.change("claim_job", job_id_of(request.job_id)) as change:
            if not request.sends_settled and _needs_settled(change):
                return pb.ClaimJobResponse(refusal=refusal_message(Refusal.NOTHING_TO_CLAIM))
            outcome = leasing.claim(
                change.job,
                dispatch=request.dispatch,
                worker=request.worker_id,
                token=request.claim_token,
                now=change.now,
                lease=self._rules.lease,
            )
            change.save(outcome.job)
        if isinstance(outcome, Refused):
            return pb.ClaimJobResponse(refusal=refusal_message(outcome.reason))
        claimed = self._claimed(outcome, change)
        if outcome.road is Road.SUBMIT:
            await self._sending.add(claimed)
        return claimed

    def _claimed(self, claimed: Claimed, change: Change) -> pb.ClaimJobResponse:
        job, attempt = claimed.job, claimed.job.current
        numbers = [each.number for each in job.attempts]
        response = pb.ClaimJobResponse(
            lease_epoch=job.lease_epoch,
            lease_duration=duration(self._rules.lease),
            road=road_message(claimed.road),
            tenant=job.tenant,
            request=change.revealed(),
            time_left=duration(job.deadline - change.now),
            cancel_requested=job.stopping or job.deadline <= change.now,
            attempt=attempt.number if attempt else max(numbers, default=0) + 1,
            prediction_id=(attempt.prediction_id or "") if attempt else "",
            created_attempts=sum(1 for each in job.attempts if each.prediction_id),
        )
        if attempt is not None and attempt.output is not None:
            response.output.ParseFromString(attempt.output)
        if claimed.road is Road.SAVE:
            response.stored_artifacts.extend(stored_message(each) for each in job.artifacts)
        return response

    async def Heartbeat(self, request: pb.HeartbeatRequest, context: Any) -> pb.HeartbeatResponse:
        """Keeps leases, and shows what changed."""
        reports = _known(request.leases)
        await self._workers.seen(request.worker_id, request.slots, len(reports), request.simulated)
        leases = {job_id: each.lease_epoch for job_id, each in reports.items()}
        kept = await self._workers.keep(request.worker_id, leases)
        unshown: list[str] = []
        end = time.monotonic() + SHOWING  # the answer is waited for
        for job_id, each in reports.items():
            if job_id not in kept or not _news(kept[job_id], each):
                continue
            if time.monotonic() > end or not await self._show(job_id, each):
                unshown.append(str(job_id))
        return pb.HeartbeatResponse(
            lost_job_ids=[str(job_id) for job_id in reports if job_id not in kept],
            cancel_job_ids=[str(each.job_id) for each in kept.values() if each.stopping],
            unshown_job_ids=unshown,
        )

    async def _show(self, job_id: UUID, report: pb.LeaseReport) -> bool:
        """False: it is to be reported again."""
        progress = report.progress_percent if report.HasField("progress_percent") else None
        if progress is not None:
            progress = min(max(progress, 0), 100)
        try:
            async with self._jobs.change("show_progress", job_id) as change:
                if not change.job.holds(report.lease_epoch):
                    return True
                shown = leasing.report(
                    change.job, stage_of(report.stage), progress, tail_of(report), change.now
                )
                if shown is not None:
                    change.save(shown)
                return shown is not None
        except (Unavailable, JobError):
            return False  # what this one job shows is not worth the answer to all the others

    async def BeginSubmit(
        self, request: pb.BeginSubmitRequest, context: Any
    ) -> pb.BeginSubmitResponse:
        """The only licence to spend."""
        try:
            return await self._begin_submit(request)
        except exc.IntegrityError:
            # A twin's permit was committed between our look and our write: look again.
            return await self._begin_submit(request)

    async def _begin_submit(self, request: pb.BeginSubmitRequest) -> pb.BeginSubmitResponse:
        call = spending.Call(
            submit_token=request.submit_token,
            account=request.account,
            fingerprint=request.fingerprint,
            input=request.input.SerializeToString(deterministic=True),
            seed=request.seed if request.HasField("seed") else None,
            post_timeout=min(request.post_timeout.ToTimedelta(), LONGEST_POST),
        )
        async with self._jobs.change("begin_submit", job_id_of(request.job_id)) as change:
            limits = self._rules.limits
            outcome = spending.begin_submit(
                change.job, request.lease_epoch, call, limits, change.now
            )
            if isinstance(outcome, spending.Permit) and outcome.job is not change.job:
                outcome = await self._gates(change, call) or outcome
            change.save(outcome.job)
        if isinstance(outcome, Refused):
            wait = duration(outcome.retry_after) if outcome.retry_after else None
            return pb.BeginSubmitResponse(refusal=refusal_message(outcome.reason), retry_after=wait)
        attempt = outcome.attempt
        return pb.BeginSubmitResponse(
            attempt=attempt.number,
            send_within=duration(max(attempt.send_by - change.now, timedelta())),
            cancel_after=duration(timedelta(seconds=attempt.cancel_after)),
        )

    async def _gates(self, change: Change, call: spending.Call) -> Refused | None:
        """What is not the job's own: a twin in doubt, the account's gate, its rate."""
        a = t.attempts.c
        twin = sa.select(a.job_id).where(
            a.account == call.account,
            a.fingerprint == call.fingerprint,
            a.state.in_(["SUBMITTING", "UNKNOWN", "UNRESOLVED"]),
            a.prediction_id.is_(None),
            a.in_doubt,
        )
        if (await change.connection.execute(twin.limit(1))).one_or_none() is not None:
            wait = postponement(change.job.postponements, None, random.random())
            job = spending.postpone(change.job, change.now, wait)
            return Refused(job, Refusal.DUPLICATE_IN_FLIGHT)
        assert isinstance(change.job.mover, Leased)
        worker, limit = change.job.mover.owner, self._rules.creates_per_minute
        closed = await accounts.take_token(
            change.connection, call.account, limit, worker, call.submit_token
        )
        if closed is None:
            return None
        if closed.reason is Refusal.PROVIDER_SHUT:
            job = spending.await_account(change.job, change.now)
            return Refused(job, closed.reason, closed.retry_after)
        return Refused(change.job, closed.reason, closed.retry_after)

    async def FailUnsent(
        self, request: pb.FailUnsentRequest, context: Any
    ) -> pb.FailUnsentResponse:
        """The job that can not be sent."""
        failure = provider_failure_of(pb.ProviderFailure(failure=request.failure)).failure
        async with self._jobs.change("fail_unsent", job_id_of(request.job_id)) as change:
            change.save(spending.fail_unsent(change.job, request.lease_epoch, failure, change.now))
        return pb.FailUnsentResponse()

    async def ReleaseJob(
        self, request: pb.ReleaseJobRequest, context: Any
    ) -> pb.ReleaseJobResponse:
        """The worker hands the job back."""
        delay = min(max(request.delay.ToTimedelta(), timedelta()), timedelta(hours=1))
        async with self._jobs.change("release_job", job_id_of(request.job_id)) as change:
            change.save(
                leasing.release(
                    change.job, request.lease_epoch, delay, change.now, failed=request.failed
                )
            )
        return pb.ReleaseJobResponse()


def _known(reports: Iterable[pb.LeaseReport]) -> dict[UUID, pb.LeaseReport]:
    """The reports by job; one with an id that can not be is no reason to lose the others."""
    found = {}
    for each in reports:
        try:
            found[job_id_of(each.job_id)] = each
        except JobError:
            log.warning("lease.unreadable", job_id=each.job_id[:64])
    return found


def _news(kept: Kept, report: pb.LeaseReport) -> bool:
    progress = report.progress_percent if report.HasField("progress_percent") else kept.progress
    stage = stage_of(report.stage)
    more = tail_of(report) not in (None, kept.log_tail)
    return (stage is not None and str(stage) != kept.stage) or progress != kept.progress or more


def _needs_settled(change: Change) -> bool:
    """To send what the caller wrote would be another call than the one that was accepted."""
    if change.job.current is not None:
        return False
    asked = job_pb2.JobRequest.FromString(change.request)
    pinned = bool(asked.model_version) and ":" not in asked.model
    return pinned or any(each.uri for each in asked.input_files)
