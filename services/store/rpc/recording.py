"""The half of AttemptLedgerService that records facts about the provider. None needs the lease.

Comes from: the worker that made a call, whoever holds the job by now.
"""

from __future__ import annotations

import random
from typing import Any

import structlog
from sqlalchemy import exc

from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from mediagen.v1.job_pb2 import JobRequest
from store.adapters import accounts, gate
from store.adapters.catalogue_writes import doubt
from store.domain import leasing, recording
from store.domain.errors import PermitUnknown, PredictionTaken
from store.domain.job import Attempt, Job, Leased
from store.domain.states import AttemptState, FailureKind
from store.rpc.hints import WorkerHints
from store.rpc.reconciliation import Reconciliation
from store.rpc.wire import (
    end_of,
    job_id_of,
    measured,
    provider_failure_of,
    sane,
    tail_of,
    version_of,
)

log = structlog.get_logger()

#: What the provider refuses so may have been right for the model as the catalogue knows it.
OF_THE_MODEL = frozenset({"FAILURE_REASON_INVALID_INPUT", "FAILURE_REASON_MODEL_NOT_FOUND"})


class Recording(Reconciliation):
    """Each method is one use case."""

    _hints: WorkerHints

    async def RecordPrediction(
        self, request: pb.RecordPredictionRequest, context: Any
    ) -> pb.RecordPredictionResponse:
        """The paid id, never dropped. What a webhook told besides goes to the worker, also if the
        id is known: most webhooks tell of such a one, and cost a read."""
        if request.by_webhook:
            known = await self._jobs.heard_of(request.submit_token, request.prediction_id)
            if known is not None:
                if known.state is AttemptState.SUBMITTED:
                    await self._pass_on(known.worker, str(known.job_id), request)
                return pb.RecordPredictionResponse(orphan=known.state is AttemptState.ORPHAN)
        try:
            return await self._record_prediction(request)
        except exc.IntegrityError:
            if request.by_webhook:
                raise PredictionTaken from None
            # The id stands at another attempt already: this one's own answer is what was lost.
            log.error("prediction.of_another_attempt", prediction_id=request.prediction_id)
            await self.RecordUnknown(
                pb.RecordUnknownRequest(submit_token=request.submit_token), context
            )
            return pb.RecordPredictionResponse()

    async def _record_prediction(
        self, request: pb.RecordPredictionRequest
    ) -> pb.RecordPredictionResponse:
        job_id = await self._jobs.job_of_token(request.submit_token)
        async with self._jobs.change("record_prediction", job_id) as change:
            after = recording.record_prediction(
                change.job, request.submit_token, request.prediction_id, change.now,
                version_of(request),
            )  # fmt: skip
            if after is not change.job:
                after = leasing.unstretch(after, change.now, self._rules.lease)
            change.save(after)
            recorded = after.by_prediction(request.prediction_id)
            assert recorded is not None
            if request.by_webhook and not _is_of(recorded, request.submit_token):
                raise PredictionTaken
            if not request.by_webhook:  # which may tell of a call made long before the gate shut
                await gate.reopen(change.connection, recorded.account, request.submit_token)
        if isinstance(after.mover, Leased) and recorded.state is AttemptState.SUBMITTED:
            await self._pass_on(after.mover.owner, str(job_id), request)
        return pb.RecordPredictionResponse(orphan=recorded.state is AttemptState.ORPHAN)

    async def _pass_on(
        self, worker: str | None, job_id: str, request: pb.RecordPredictionRequest
    ) -> None:
        if worker is not None and request.HasField("news"):
            await self._hints.news(worker, job_id, request.news)

    async def RecordUnknown(
        self, request: pb.RecordUnknownRequest, context: Any
    ) -> pb.RecordUnknownResponse:
        """The lost answer."""
        job_id = await self._jobs.job_of_token(request.submit_token)
        async with self._jobs.change("record_unknown", job_id) as change:
            after = recording.record_unknown(change.job, request.submit_token, change.now)
            change.save(after)
        attempt = after.by_token(request.submit_token)
        live = attempt is not None and attempt.state is AttemptState.SUBMITTED
        known = attempt.prediction_id if attempt is not None and live else None
        return pb.RecordUnknownResponse(prediction_id=known or "")

    async def RecordNotCreated(
        self, request: pb.RecordNotCreatedRequest, context: Any
    ) -> pb.RecordNotCreatedResponse:
        """The call that created nothing."""
        job_id = await self._jobs.job_of_token(request.submit_token)
        failure = provider_failure_of(request.failure)
        async with self._jobs.change("record_not_created", job_id) as change:
            change.save(
                recording.record_not_created(
                    change.job, request.submit_token, failure, change.now, random.random()
                )
            )
            attempt = change.job.by_token(request.submit_token)
            if failure.kind is FailureKind.ACCOUNT and attempt is not None:
                await gate.shut(
                    change.connection, attempt.account, request.submit_token,
                    failure.failure.message, self._rules.first_pause,
                )  # fmt: skip
            elif attempt is not None:
                await gate.excuse(change.connection, attempt.account, request.submit_token)
            if failure.failure.reason in OF_THE_MODEL and attempt is not None:
                asked = JobRequest.FromString(change.request)
                await doubt(
                    change.connection, asked.model, asked.model_version, attempt.create_time
                )
                change.wrote = True
            if failure.kind is FailureKind.RATE and attempt is not None:
                left = await accounts.throttle(
                    change.connection, attempt.account, self._rules.creates_per_minute,
                    failure.retry_after, attempt.create_time,
                )  # fmt: skip
                log.warning("rate.throttled", account=attempt.account, creates_per_minute=left)
        return pb.RecordNotCreatedResponse()

    async def RecordSucceeded(
        self, request: pb.RecordSucceededRequest, context: Any
    ) -> pb.RecordSucceededResponse:
        """The prediction that succeeded."""
        output = request.output.SerializeToString() if request.HasField("output") else None
        seconds = request.predict_seconds if request.HasField("predict_seconds") else None
        async with self._jobs.change("record_succeeded", job_id_of(request.job_id)) as change:
            _must_know(change.job, request.prediction_id)
            after = recording.record_succeeded(
                change.job, request.prediction_id, output, sane(seconds), change.now,
                measured(request.metrics), tail_of(request), version_of(request),
            )  # fmt: skip
            change.save(after)
        attempt = _must_know(after, request.prediction_id)
        return pb.RecordSucceededResponse(
            superseded=after.final or attempt.state is not AttemptState.SUCCEEDED
        )

    async def RecordEnded(
        self, request: pb.RecordEndedRequest, context: Any
    ) -> pb.RecordEndedResponse:
        """The prediction that ended without a result."""
        seconds = request.predict_seconds if request.HasField("predict_seconds") else None
        async with self._jobs.change("record_ended", job_id_of(request.job_id)) as change:
            _must_know(change.job, request.prediction_id)
            change.save(
                recording.record_ended(
                    change.job,
                    request.prediction_id,
                    end_of(request.end),
                    provider_failure_of(request.failure),
                    sane(seconds),
                    metrics=measured(request.metrics),
                    log_tail=tail_of(request),
                    policy=self._rules.policy,
                    now=change.now,
                    jitter=random.random(),
                )
            )
        return pb.RecordEndedResponse()


def _is_of(attempt: Attempt, submit_token: str) -> bool:
    """The attempt is this permit's; a second prediction of one permit has a row of its own."""
    return attempt.submit_token.partition("+")[0] == submit_token


def _must_know(job: Job, prediction_id: str) -> Attempt:
    attempt = job.by_prediction(prediction_id)
    if attempt is None:
        raise PermitUnknown(f"prediction {prediction_id[:64]!r} of job {job.job_id}")
    return attempt
