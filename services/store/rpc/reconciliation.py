"""The reconciler's half of AttemptLedgerService: calls whose answer was lost.

Comes from: the one worker that holds the reconciler's lease. The verdicts are the domain's.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import exc

from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.store.v1.attempt_ledger_service_pb2_grpc import AttemptLedgerServiceServicer
from mediagen.v1 import job_pb2
from store.adapters.jobs import Jobs
from store.adapters.projection import timestamp
from store.adapters.reconciler_lease import ReconcilerLease
from store.domain import reconciling
from store.domain.errors import JobError, LeaseLost
from store.domain.rules import Rules
from store.domain.states import AttemptState

log = structlog.get_logger()


class Reconciliation(AttemptLedgerServiceServicer):
    """Each method is one use case."""

    def __init__(self, jobs: Jobs, reconciler: ReconcilerLease, rules: Rules) -> None:
        self._jobs = jobs
        self._reconciler = reconciler
        self._rules = rules

    async def LeaseReconciler(
        self, request: pb.LeaseReconcilerRequest, context: Any
    ) -> pb.LeaseReconcilerResponse:
        """Makes the worker the reconciler, if there is no other."""
        held = await self._reconciler.take(request.worker_id, request.account)
        if held is None:
            return pb.LeaseReconcilerResponse()
        attempts = []
        for doubt in held.doubts:
            attempt = pb.UnknownAttempt(submit_token=doubt.submit_token, model=doubt.model)
            attempt.input.ParseFromString(doubt.input)
            attempt.permit_time.FromDatetime(doubt.create_time)
            attempt.send_by.FromDatetime(doubt.send_by)
            if doubt.request is not None:
                asked = job_pb2.JobRequest.FromString(doubt.request)
                attempt.secret_inputs.extend(asked.secret_inputs)
            attempts.append(attempt)
        return pb.LeaseReconcilerResponse(
            held=True,
            epoch=held.epoch,
            attempts=attempts,
            owned_prediction_ids=held.owned,
            store_time=timestamp(held.now),
            late_predictions=[
                pb.LatePrediction(job_id=str(each.job_id), prediction_id=each.prediction_id)
                for each in held.late
            ],
        )

    async def ReportScan(
        self, request: pb.ReportScanRequest, context: Any
    ) -> pb.ReportScanResponse:
        """Weighs what one complete scan showed."""
        if not await self._reconciler.holds(request.worker_id, request.epoch):
            raise LeaseLost(UUID(int=0))
        orphans: list[str] = []
        began = request.began.ToDatetime(tzinfo=UTC)
        for each in request.evidence:
            try:
                orphans += await self._weigh(each, began)
            except (JobError, exc.IntegrityError) as error:
                # One that can not be weighed must not keep the others waiting, scan after scan.
                # Without the token, which lets its bearer name the call's prediction.
                log.error("evidence.refused", error=str(error)[:500])
        return pb.ReportScanResponse(orphan_prediction_ids=orphans)

    async def _weigh(self, evidence: pb.AttemptEvidence, began: datetime) -> list[str]:
        job_id = await self._jobs.job_of_token(evidence.submit_token)
        async with self._jobs.change("weigh_evidence", job_id) as change:
            shown = reconciling.Evidence(
                began=min(began, change.now),
                strong=tuple(evidence.strong_prediction_ids),
                weak=evidence.weak_candidates,
                shows_later=evidence.shows_later_prediction,
            )
            after = reconciling.weigh(
                change.job, evidence.submit_token, shown, change.now,
                self._rules.scan_gap, random.random(),
            )  # fmt: skip
            change.save(after)
        return [
            each.prediction_id
            for each in after.attempts
            if each.state is AttemptState.ORPHAN
            and each.prediction_id in evidence.strong_prediction_ids
            and each.prediction_id is not None
        ]
