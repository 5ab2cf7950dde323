"""The part of AttemptLedgerService that keeps what a call has made. All of it needs the lease.

Comes from: the worker that stores the outputs of a job, or the one that took over from it.
"""

from __future__ import annotations

from typing import Any

from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from store.domain import saving
from store.rpc.reconciliation import Reconciliation
from store.rpc.wire import artifact_of, job_id_of, provider_failure_of


class Saving(Reconciliation):
    """Each method is one use case."""

    async def RecordArtifacts(
        self, request: pb.RecordArtifactsRequest, context: Any
    ) -> pb.RecordArtifactsResponse:
        """What is stored so far."""
        artifacts = tuple(artifact_of(each) for each in request.artifacts)
        async with self._jobs.change("record_artifacts", job_id_of(request.job_id)) as change:
            change.save(
                saving.record_artifacts(change.job, request.lease_epoch, artifacts, change.now)
            )
        return pb.RecordArtifactsResponse()

    async def CompleteJob(
        self, request: pb.CompleteJobRequest, context: Any
    ) -> pb.CompleteJobResponse:
        """The job is done."""
        artifacts = tuple(artifact_of(each) for each in request.artifacts)
        output = request.output.SerializeToString() if request.HasField("output") else None
        async with self._jobs.change("complete_job", job_id_of(request.job_id)) as change:
            change.save(
                saving.complete(change.job, request.lease_epoch, artifacts, output, change.now)
            )
        return pb.CompleteJobResponse()

    async def FailSaving(
        self, request: pb.FailSavingRequest, context: Any
    ) -> pb.FailSavingResponse:
        """The paid result that can not be stored."""
        failure = provider_failure_of(pb.ProviderFailure(failure=request.failure)).failure
        async with self._jobs.change("fail_saving", job_id_of(request.job_id)) as change:
            change.save(saving.fail_saving(change.job, request.lease_epoch, failure, change.now))
        return pb.FailSavingResponse()
